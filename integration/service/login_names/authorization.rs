//! The authorization identity of SASL (RFC 4422 §3.4.1, RFC 4616 §2): empty, or any login name of the same person.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{REFUSAL, World};
use crate::support::conversation::Conversation;
use crate::support::wait_until;

/// Names of Alan Jones, of every family.
const ALAN: [&str; 6] = [
    "ajones",
    "AJones",
    "Alan Jones",
    "alan.jones@renovations.example",
    "Alan Jones/Sales/people",
    "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example",
];

fn plain(world: &World, authorization: &str, login: &str, password: &str) -> String {
    let mut client = Conversation::plain(world.service.pop3());
    client.expect("+OK");
    client.send(&format!("AUTH PLAIN {}", STANDARD.encode(format!("{authorization}\0{login}\0{password}"))));
    client.line()
}

#[test]
fn every_name_of_the_person_may_stand_for_every_other() {
    let world = World::with_names("names: fewer");
    let password = world.password("ajones");
    for login in ALAN {
        for authorization in ALAN.into_iter().chain([""]) {
            let reply = plain(&world, authorization, login, password);
            assert!(reply.starts_with("+OK maildrop has 1 messages "), "{authorization} {login}: {reply}");
        }
    }
    assert_eq!(plain(&world, "alan.jones@renovations.example", "ajones", "wrong"), REFUSAL);
}

/// In the same words as a wrong password: that another person exists is no stranger's business, nor that the password is right.
#[test]
fn another_persons_name_and_an_unknown_one_are_refused() {
    let world = World::with_names("names: fewer");
    let refusals = || {
        let is_refusal = |line: &String| {
            line.contains(" login refused ") && line.contains("the authorization identity is not a name of this person")
        };
        world.service.log().iter().filter(|line| is_refusal(line)).count()
    };
    for (number, other) in (1..).zip(["alamb", "Andrew Lamb", "mary.brown@renovations.example", "nobody", "Alan"]) {
        assert_eq!(plain(&world, other, "ajones", world.password("ajones")), REFUSAL, "{other}");
        wait_until("the refusal is logged", || refusals() == number);
    }
    assert_eq!(plain(&world, &"a".repeat(600), "ajones", world.password("ajones")), REFUSAL);
    world.service.wait_for_log(&[" login refused ", "reason=\"login name too long"]);
}

/// It counts as what it is: a login that was refused.
#[test]
fn a_refused_identity_counts_as_a_wrong_password() {
    let world = World::with("names: fewer", |plan| "person: 2, network: 0".clone_into(&mut plan.lockout));
    for (other, password) in [("alamb", "ajones"), ("mbrown", "alamb")] {
        assert_eq!(plain(&world, other, "ajones", world.password(password)), REFUSAL);
    }
    assert_eq!(plain(&world, "", "ajones", world.password("ajones")), REFUSAL);
    world.service.wait_for_log(&[" login refused ", "locked out"]);
}
