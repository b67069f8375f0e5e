//! A right password with somebody else's certificate is as wrong as any: in words, in counters and in time.

use std::time::{Duration, Instant};

use super::{World, opened};
use crate::support::certificates::{ClientCertificate, Request};
use crate::support::conversation::Conversation;
use crate::support::directory::RealDirectory;

const LAMB: (&str, &str) = ("alamb", "seven green lamps");
const REFUSAL: &str = "-ERR [AUTH] name or password is wrong";
const HOME: &str = "127.0.6.6";

/// With these keys of `lockout`; refusals are told at whole ones of these steps.
fn counting(lockout: &str, refusal_step: &str) -> World {
    World::with(|plan| {
        lockout.clone_into(&mut plan.lockout);
        plan.further = plan.further.replace("refusal_step: 0s", &format!("refusal_step: {refusal_step}"));
    })
}

/// A login by name and password from an address of this machine, on a port with STLS: whose mail was opened, or the refusal;
/// and how long that took.
fn log_in(
    world: &World,
    certificates: &str,
    certificate: Option<&ClientCertificate>,
    (name, password): (&str, &str),
) -> (Result<String, String>, Duration) {
    let port = world.port((certificates, "required"), true);
    let mut client = Conversation::plain_from(HOME.parse().unwrap(), port);
    client.expect("+OK");
    client.stls("localhost", &world.tls(certificate));
    client.ask(&format!("USER {name}"), "+OK");
    let began = Instant::now();
    client.send(&format!("PASS {password}"));
    let outcome = opened(&mut client);
    (outcome, began.elapsed())
}

fn refuses(world: &World, certificate: &ClientCertificate, credentials: (&str, &str)) -> Duration {
    let (outcome, took) = log_in(world, "required", Some(certificate), credentials);
    assert_eq!(outcome, Err(REFUSAL.to_owned()), "{credentials:?}");
    took
}

#[test]
fn it_counts_for_the_person_and_makes_no_network_familiar() {
    let world = counting("person: 3, network: 0", "0s");
    for password in [LAMB.1, "one", "two"] {
        refuses(&world, &world.own, (LAMB.0, password));
    }
    let begun = world.service.wait_for_log(&["WARN", "lock-out begins", "person=\"alamb\"", "wrong_passwords=3"]);
    assert!(!begun.contains("network="), "familiar: {begun}");
    let (outcome, _) = log_in(&world, "optional", None, LAMB);
    assert_eq!(outcome, Err(REFUSAL.to_owned()), "locked out, as after any three wrong passwords");
}

#[test]
fn it_takes_back_no_wrong_password() {
    let world = counting("person: 3, network: 0", "0s");
    assert_eq!(log_in(&world, "optional", None, LAMB).0.as_deref(), Ok("alamb"), "at home from now on");
    for password in ["one", "two", LAMB.1] {
        refuses(&world, &world.own, (LAMB.0, password));
    }
    world.service.wait_for_log(&["WARN", "lock-out begins", "person=\"alamb\"", "network=127.0.6.6"]);
}

#[test]
fn it_counts_for_the_network() {
    let world = counting("person: 0, network: 2", "0s");
    let nobodys = world.authority.sign(super::Request::named("Nobody").numbered(30));
    refuses(&world, &nobodys, ("ajones", "violet-harbour-17"));
    refuses(&world, &world.own, LAMB);
    world.service.wait_for_log(&["WARN", "lock-out begins", "network=127.0.6.6", "wrong_passwords=2"]);
}

#[test]
fn it_makes_the_next_refusal_later_as_any_does() {
    const STEP: Duration = Duration::from_secs(1);
    let world = counting("person: 5, network: 0", "1s");
    for (steps, password) in [(1, LAMB.1), (2, "one"), (2, LAMB.1)] {
        let took = refuses(&world, &world.own, (LAMB.0, password));
        assert!((STEP * steps..STEP * steps + STEP * 7 / 10).contains(&took), "{password}: {took:?}");
    }
}

/// Of several people of one name, the certificate says whose password it must be; all others are wrong, a namesake's too.
#[test]
fn a_namesakes_password_counts_as_a_wrong_one() {
    let world = World::with(|plan| {
        "person: 3, network: 0".clone_into(&mut plan.lockout);
        plan.further.push_str("internet_authentication: { ambiguous: try_each }\n");
    });
    let [first, _] = &world.smiths;
    let own = ("John Smith", "first-smith");
    assert_eq!(log_in(&world, "required", Some(first), own).0.as_deref(), Ok("jsmith1"));
    for password in ["second-smith", "one", "two"] {
        refuses(&world, first, ("John Smith", password));
    }
    world.service.wait_for_log(&["WARN", "lock-out begins", "people=\"jsmith1, jsmith2\"", "wrong_passwords=3"]);
}

/// A certificate alone asks the directory like a password: under the same limits.
#[test]
fn a_network_that_is_locked_out_is_refused_by_certificate_without_a_look_up() {
    let mut world = counting("person: 3, network: 3", "0s");
    assert_eq!(world.external(&world.own).as_deref(), Ok("ajones"));
    for number in 30..33 {
        world.refuses(
            &world.authority.sign(Request::named("Nobody Here").numbered(number)),
            "no person found for the certificate",
        );
    }
    world.service.wait_for_log(&["WARN", "lock-out begins", "network=", "wrong_passwords=3"]);
    world.slapd.stop();
    world.refuses(&world.own, "locked out: too many refused logins from this network");
}

/// A device that shows the certificate of somebody who left, once an hour or every minute, is one try.
#[test]
fn the_same_certificate_counts_once() {
    let world = counting("person: 3, network: 3", "0s");
    let left = world.authority.sign(Request::named("Nobody Here").numbered(30));
    for _ in 0..4 {
        world.refuses(&left, "no person found for the certificate");
    }
    assert_eq!(world.external(&world.own).as_deref(), Ok("ajones"));
}
