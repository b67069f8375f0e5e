//! Two directories, one of which fails: two real slapds.

use std::time::{Duration, Instant};

use restante::demo::people::LDIF;

use super::{ALAN, HOLD_NOTHING, LAMB, plan, puts_off, serves, serves_soon, site};
use crate::support::directory::RealDirectory;
use crate::support::factory;
use crate::support::login::{give_mail, refuses};
use crate::support::service::{Service, Site};
use crate::support::slapd::{Options, Slapd};

const BEA: (&str, &str) = ("bwright", "anvil");

/// A second for each step that waits for the silent one: the old connection, a new one; and room for a busy machine.
const LIMIT: Duration = Duration::from_secs(9);

struct World {
    first: Slapd,
    second: Slapd,
    site: Site,
    service: Service,
}

impl World {
    /// With lines of the second directory.
    fn with(lines: &str) -> Self {
        let (first, second, site) = (Slapd::start(LDIF), factory::slapd(), site());
        give_mail(&site, BEA.0);
        let mut plan = plan(&[&first.url()]).and(HOLD_NOTHING);
        let patience = "    timeouts: { connect: 1s, operation: 1s, search: 2s }\n";
        factory::join(&mut plan, &second.url(), &format!("{patience}{lines}"));
        let service = site.serve(&plan);
        Self { first, second, site, service }
    }

    fn proofs(&self, person: &str, proof: &str, count: usize) {
        self.service
            .wait_for_logs(&[&format!(" event=login person=\"{person}\" "), &format!("proof=\"{proof}\" ")], count);
    }
}

fn in_time(what: impl FnOnce()) {
    let began = Instant::now();
    what();
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
}

#[test]
fn one_of_two_is_dead() {
    let mut world = World::with("");
    serves(&world.service, ALAN);
    serves(&world.service, BEA);
    world.second.kill();
    // Known in the living one: proven there. Known in the dead one: by grace. Unknown so far: not now.
    serves(&world.service, ALAN);
    world.proofs("ajones", "bind", 2);
    refuses(&world.service, ALAN.0, "wrong", "AUTH");
    serves(&world.service, BEA);
    world.proofs("bwright", "outage grace", 1);
    puts_off(&world.service, LAMB);
    puts_off(&world.service, ("nobody", "x"));
    world.service.wait_for_log(&["WARN", "login not possible: directory unavailable", "directory factory: "]);
    world.second.restart();
    serves_soon(&world.service, LAMB);
    serves(&world.service, BEA);
    world.proofs("bwright", "bind", 2);
    refuses(&world.service, "nobody", "x", "AUTH");
    // And the other way round. The refusal took away what was held of Alan.
    serves(&world.service, ALAN);
    world.first.kill();
    serves(&world.service, BEA);
    world.proofs("bwright", "bind", 3);
    serves(&world.service, ALAN);
    world.proofs("ajones", "outage grace", 1);
}

#[test]
fn one_of_two_is_frozen() {
    let world = World::with("");
    serves(&world.service, ALAN);
    serves(&world.service, BEA);
    world.second.freeze();
    for _ in 0..2 {
        in_time(|| serves(&world.service, ALAN));
        in_time(|| serves(&world.service, BEA));
        in_time(|| puts_off(&world.service, LAMB));
    }
    world.proofs("ajones", "bind", 3);
    world.proofs("bwright", "outage grace", 2);
    world.second.thaw();
    serves_soon(&world.service, LAMB);
}

/// The server gives three of five entries of one name, one of which fits: the others may, too.
#[test]
fn of_more_namesakes_than_a_server_tells_none_is_the_only_one() {
    let namesake = |number: usize| {
        format!(
            "dn: uid=bea{number},{}\nobjectClass: inetOrgPerson\nuid: bea{number}\ncn: Bea Wright\nsn: W\n\n",
            factory::BASE
        )
    };
    let ldif = format!("{}\n{}", factory::LDIF, (1..=4).map(namesake).collect::<String>());
    let second = Slapd::start_with(&ldif, &Options { anybody_reads: true, size_limit: 3, ..Options::default() });
    let (first, site) = (Slapd::start(LDIF), site());
    give_mail(&site, BEA.0);
    let mut plan = plan(&[&first.url()]);
    factory::join(&mut plan, &second.url(), &format!("    names_below: [\"uid=bwright,{}\"]\n", factory::BASE));
    let service = site.serve(&plan);
    serves(&service, BEA);
    refuses(&service, "Bea Wright", BEA.1, "AUTH");
    service.wait_for_log(&["reason=\"ambiguous: uid=bwright,"]);
}

#[test]
fn a_name_that_the_dead_one_cannot_hold_needs_it_not() {
    let mut world = World::with("    mail_domains: [factory.example]\n");
    world.second.kill();
    puts_off(&world.service, ALAN);
    give_mail(&world.site, "alamb");
    for (login, owner) in [("alan.jones@renovations.example", ALAN), ("alan.lamb@renovations.example", LAMB)] {
        crate::support::login::opens(&world.service, login, owner.1, owner.0);
    }
    refuses(&world.service, "nobody@renovations.example", "x", "AUTH");
    puts_off(&world.service, ("bea@factory.example", BEA.1));
}
