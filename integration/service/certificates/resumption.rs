//! TLS sessions that are resumed: never on a listener of another policy, and never past what became of the certificate.

use std::time::{Duration, SystemTime};

use rustls::HandshakeKind;
use rustls::version::{TLS12, TLS13};

use super::{POLICIES, World, mechanisms, opened, replace_list, revoke};
use crate::support::certificates::{Request, is_served, showing_by};
use crate::support::conversation::Conversation;
use crate::support::wait_until;

/// Whether TLS went on with a session of an earlier connection.
fn is_resumed(client: &Conversation) -> bool {
    client.session().handshake_kind() == Some(HandshakeKind::Resumed)
}

const ENOUGH: (&str, &str) = ("optional", "optional");
const NEEDED: (&str, &str) = ("required", "optional");

#[test]
fn a_session_is_resumed_with_its_certificate_on_every_listener_of_the_policy() {
    let world = World::new();
    for version in [&TLS12, &TLS13] {
        let tls = showing_by(&[version], &world.site.authority(), Some(&world.own));
        let mut resumed = Vec::new();
        for stls in [false, true, false] {
            let mut client = world.connect(NEEDED, stls, &tls);
            resumed.push(is_resumed(&client));
            client.send("AUTH EXTERNAL =");
            assert_eq!(opened(&mut client).as_deref(), Ok("ajones"));
        }
        assert_eq!(resumed, [false, true, true], "{version:?}");
        let without = showing_by(&[version], &world.site.authority(), None);
        assert!(!is_served(world.port(NEEDED, false), false, &without), "{version:?}");
    }
}

/// Each listener would take the session if it were one of its own.
#[test]
fn a_session_is_not_resumed_on_a_listener_of_another_policy() {
    let world = World::new();
    for policy in POLICIES.into_iter().filter(|(certificate, _)| *certificate != "required") {
        let tls = world.tls(None);
        for is_second in [false, true] {
            let mut client = world.connect(policy, false, &tls);
            assert_eq!(is_resumed(&client), is_second, "{policy:?}");
            client.ask("QUIT", "+OK");
        }
        for stls in [false, true] {
            assert!(!is_served(world.port(NEEDED, stls), stls, &tls), "{policy:?}");
        }
    }
    let tls = world.tls(None);
    for (policy, resumes) in [(POLICIES[0], [false, true]), (ENOUGH, [false, true]), (POLICIES[0], [false, true])] {
        let seen = resumes.map(|_| is_resumed(&world.connect(policy, false, &tls)));
        assert_eq!(seen, resumes, "{policy:?}");
    }
    // A chain that nobody verified, on a listener that verifies.
    let foreign = super::ClientAuthority::new("Somebody").sign_key(Request::named("Alan Jones"), &world.own.key);
    let tls = world.tls(Some(&foreign));
    world.connect(ENOUGH, false, &tls).ask("QUIT", "+OK");
    assert!(!is_served(world.port(NEEDED, false), false, &tls));
    world.service.wait_for_log(&["TLS handshake failed: the client sent no certificate"]);
}

/// Without a restart: for sessions that are resumed, and for one that has been open since before.
#[test]
fn what_is_revoked_stops() {
    let world = World::new();
    let tls = world.tls(Some(&world.own));
    for is_second in [false, true] {
        let mut client = world.connect(ENOUGH, false, &tls);
        assert_eq!(is_resumed(&client), is_second);
        client.send("AUTH EXTERNAL =");
        assert_eq!(opened(&mut client).as_deref(), Ok("ajones"));
    }
    let mut open = world.connect(ENOUGH, true, &tls);
    let mut open_where_needed = world.connect(NEEDED, false, &world.tls(Some(&world.own)));
    assert_eq!(mechanisms(&mut open), "PLAIN LOGIN EXTERNAL");
    revoke(&world.site, &world.authority, &[1]);
    world.service.wait_for_log(&["authorities and revocation lists for client certificates reloaded"]);
    open.ask("AUTH EXTERNAL =", "-ERR [AUTH]");
    open_where_needed.ask("USER ajones", "+OK");
    open_where_needed.ask("PASS violet-harbour-17", "-ERR [AUTH]");
    world.service.wait_for_log(&["login refused", "reason=\"the client's certificate is revoked", "mechanism=USER"]);
    let mut again = world.connect(ENOUGH, false, &tls);
    assert!(!is_resumed(&again), "the ticket keys are new");
    assert_eq!(mechanisms(&mut again), "PLAIN LOGIN");
    again.login("ajones", "violet-harbour-17");
    assert!(!is_served(world.port(NEEDED, false), false, &tls));
}

#[test]
fn a_resumed_session_ends_with_its_certificate() {
    let world = World::new();
    let end = SystemTime::now() + Duration::from_secs(4);
    let short = world.authority.sign_key(Request::named("Alan Jones").numbered(5).until(end), &world.own.key);
    let [where_enough, where_needed] = [world.tls(Some(&short)), world.tls(Some(&short))];
    assert_eq!(mechanisms(&mut world.connect(ENOUGH, false, &where_enough)), "PLAIN LOGIN EXTERNAL");
    assert_eq!(mechanisms(&mut world.connect(NEEDED, false, &where_needed)), "PLAIN LOGIN EXTERNAL");
    wait_until("the certificate has expired", || SystemTime::now() > end + Duration::from_secs(1));
    let mut client = world.connect(ENOUGH, false, &where_enough);
    assert!(is_resumed(&client));
    assert_eq!(mechanisms(&mut client), "PLAIN LOGIN");
    assert!(!is_served(world.port(NEEDED, false), false, &where_needed));
    world.service.wait_for_log(&["TLS handshake failed: the client's certificate has expired"]);
}

/// The whole chain is looked at: a list of each issuer, and no link of it revoked.
#[test]
fn every_authority_of_the_chain_says_what_it_revoked() {
    let world = World::new();
    let between = world.authority.below("Renovations CA for Sales", 7);
    let own = between.sign_key(Request::named("Alan Jones"), &world.own.key);
    let in_an_hour = SystemTime::now() + Duration::from_secs(3600);
    for (round, (revoked, with_its_own, mechanisms_told)) in
        [(7, true, "PLAIN LOGIN"), (9, false, "PLAIN LOGIN"), (9, true, "PLAIN LOGIN EXTERNAL")].into_iter().enumerate()
    {
        let mut lists = world.authority.revocations(&[revoked], in_an_hour);
        if with_its_own {
            lists += &between.revocations(&[99], in_an_hour);
        }
        replace_list(&world.site, &lists);
        world.service.wait_for_logs(&["reloaded"], round + 1);
        assert_eq!(mechanisms(&mut world.with_certificate(&own)), mechanisms_told, "round {round}");
    }
    assert_eq!(world.external(&own).as_deref(), Ok("ajones"));
    world
        .service
        .wait_for_log(&["client certificate ignored", "has an issuer whose revocation list is not among tls.crls"]);
}

/// Nobody says whether a certificate is revoked: it does not count.
#[test]
fn a_list_that_is_out_of_date_proves_nothing() {
    let world = World::new();
    let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
    replace_list(&world.site, &world.authority.revocations(&[], an_hour_ago));
    world.service.wait_for_log(&["reloaded"]);
    assert_eq!(mechanisms(&mut world.with_certificate(&world.own)), "PLAIN LOGIN");
    world.service.wait_for_log(&["client certificate ignored", "revocation list in tls.crls is out of date"]);
    replace_list(&world.site, "no list");
    world.service.wait_for_log(&[
        "ERROR",
        "people.crl: holds no revocation list",
        "the previous contents stay in force",
    ]);
    revoke(&world.site, &world.authority, &[]);
    world.service.wait_for_logs(&["reloaded"], 2);
    assert_eq!(world.external(&world.own).as_deref(), Ok("ajones"));
}
