//! Certificates where there are several directories: the owner may be in any, and must be one.

use super::{World, ldif};
use crate::support::certificates::{ClientAuthority, Request};
use crate::support::directory::RealDirectory;
use crate::support::factory;
use crate::support::login::give_mail;
use crate::support::service::Site;
use crate::support::slapd::{Options, Slapd};

#[test]
fn the_owner_is_one_person_of_all_directories() {
    let authority = ClientAuthority::new("Renovations CA for people");
    let own = authority.sign(Request::named("Alan Jones"));
    let smiths = [1, 2].map(|number| authority.sign(Request::named("John Smith").numbered(10 + number)));
    let (bea, unknown) = (authority.sign(Request::named("Bea Wright")), authority.sign(Request::named("Alan Lamb")));
    // One of the two keys of that name is in an entry of each directory.
    let twin = "dn: uid=twin,ou=people,o=factory\nobjectClass: inetOrgPerson\nuid: twin\ncn: John Smith\nsn: Smith\n";
    let second = factory::LDIF.replace("\nuid: bwright\n", &format!("\nuid: bwright\n{}", bea.ldif()));
    let second = format!("{second}\n{twin}{}", smiths[0].ldif());
    let mut second = Slapd::start_with(&second, &Options { anybody_reads: true, ..Options::default() });
    let first = Slapd::start(&ldif(&own, &smiths));
    let join = |plan: &mut _, _: &_| factory::join(plan, &second.url(), "");
    let world = World::before(first, Site::new(), authority, own, smiths, join);
    give_mail(&world.site, "bwright");

    assert_eq!(world.external(&bea).as_deref(), Ok("bwright"));
    assert_eq!(world.external(&world.own).as_deref(), Ok("ajones"));
    assert_eq!(world.external(&world.smiths[1]).as_deref(), Ok("jsmith2"));
    world.refuses(&world.smiths[0], "reason=\"ambiguous: uid=jsmith1,");
    let both = world.service.wait_for_log(&["reason=\"ambiguous: uid=jsmith1,"]);
    assert!(both.contains(" in test and uid=twin,ou=people,o=factory in factory"), "{both}");

    second.stop();
    assert_eq!(world.external(&world.own).as_deref(), Ok("ajones"), "known when both were heard");
    assert_eq!(world.external(&bea).as_deref(), Ok("bwright"), "by grace");
    for nobody_known in [&unknown, &world.smiths[0]] {
        let refusal = world.external(nobody_known).unwrap_err();
        assert!(refusal.starts_with("-ERR [SYS/TEMP] "), "{refusal}");
    }
}
