//! What a challenge tells of whose name it is: nothing. And what the administrator is told.

use std::fs;

use super::{ALAN, LAMB, REFUSAL, World};
use crate::support::directory::RealDirectory;
use crate::support::process::output;
use crate::support::scram::{Challenge, Client};
use crate::support::service::restante;
use crate::support::slapd::Options;

fn challenge(world: &World, name: &str) -> Challenge {
    Client::new((name, "x")).begin(&mut world.connect()).unwrap()
}

/// Salt and iterations of a name, which must be the same each time.
fn shown(world: &World, name: &str) -> (String, u32) {
    let (one, other) = (challenge(world, name), challenge(world, name));
    assert_ne!(one, other, "the nonces");
    assert_eq!((&one.salt, one.iterations), (&other.salt, other.iterations), "{name}");
    (one.salt, one.iterations)
}

#[test]
fn every_name_has_a_salt_that_stays() {
    let mut world = World::new();
    let names = ["nobody", "Mary Brown", LAMB.0, "somebody", "cn=x,dc=elsewhere", ALAN.0];
    let before = names.map(|name| shown(&world, name));
    for (at, one) in before.iter().enumerate() {
        assert_eq!((one.0.len(), one.1), (24, 4096), "{}", names[at]);
        assert!(!before[..at].contains(one), "{}", names[at]);
    }
    assert_eq!(before[0], shown(&world, " NoBody "));
    world.service = world.site.serve(&world.plan);
    assert_eq!(before, names.map(|name| shown(&world, name)));
}

/// Forms of a name that ask the directory alike show the same salt, as they would if somebody had that name.
#[test]
fn names_that_ask_alike_have_one_salt() {
    for (kinds, one, other, real) in [
        ("names: [short_name]", "nobody", "UID=NoBody", (ALAN.0, "UID=AJones")),
        (
            "names: [mail], default_domain: renovations.example",
            "nobody",
            "nobody@renovations.example",
            ("alan.jones", "alan.jones@renovations.example"),
        ),
    ] {
        let world = World::with(Options::default(), |plan, _| {
            plan.further.push_str(&["internet_authentication: { ", kinds, " }\n"].concat());
        });
        assert_eq!(shown(&world, one), shown(&world, other), "{kinds}");
        assert_eq!(shown(&world, real.0), shown(&world, real.1), "{kinds}");
        assert_ne!(shown(&world, one), shown(&world, real.0), "{kinds}");
    }
}

#[test]
fn the_key_and_the_form_of_stand_ins_can_be_chosen() {
    let mut world = World::new();
    let before = shown(&world, "nobody");
    fs::write(world.site.folder().join("scram.key"), "another secret of all nodes").unwrap();
    world.plan.further = world.plan.further.replace("{ key_file", "{ iterations: 10000, salt_octets: 12, key_file");
    world.service = world.site.serve(&world.plan);
    let (salt, iterations) = shown(&world, "nobody");
    assert_eq!((salt.len(), iterations), (16, 10_000));
    assert!(!before.0.starts_with(&salt));
    assert_eq!(shown(&world, ALAN.0).1, 4096);
}

#[test]
fn a_login_can_be_begun_anew() {
    let world = World::new();
    let mut pop3 = world.connect();
    let client = Client::new(ALAN);
    let _unanswered = client.begin(&mut pop3).unwrap();
    pop3.ask("*", "-ERR authentication cancelled");
    let unmet = client.begin(&mut pop3).unwrap();
    pop3.ask("*", "-ERR authentication cancelled");
    // A proof is worth nothing for another challenge.
    let _another = client.begin(&mut pop3).unwrap();
    assert_eq!(client.prove(&mut pop3, &unmet), Err(REFUSAL.to_owned()));
    world.service.wait_for_log(&["login refused", "reason=\"SCRAM: the client answers another challenge"]);
    let met = client.begin(&mut pop3).unwrap();
    client.prove(&mut pop3, &met).unwrap();
    pop3.ask("*", "-ERR authentication cancelled");
    pop3.ask("STAT", "-ERR");
    assert!(!world.service.log().iter().any(|line| line.contains(" event=login person=")), "nobody is logged in yet");
    assert!(client.log_in(&mut pop3).starts_with("+OK"));
}

#[test]
fn without_an_answer_of_the_directory_there_is_no_challenge() {
    let mut world = World::new();
    assert_eq!(world.log_in(ALAN).as_deref(), Ok("ajones"));
    let mut pop3 = world.connect();
    let begun = Client::new(ALAN).begin(&mut pop3).unwrap();
    world.slapd.stop();
    for name in [ALAN.0, "nobody"] {
        let refusal = Client::new((name, ALAN.1)).begin(&mut world.connect()).unwrap_err();
        assert!(refusal.starts_with("-ERR [SYS/TEMP] "), "{name}: {refusal}");
    }
    // The proof needs no directory.
    assert_eq!(Client::new(ALAN).prove(&mut pop3, &begun), Ok(()));
    world.slapd.restart();
    crate::support::wait_until("the directory answers again", || world.log_in(ALAN).is_ok());
}

#[test]
fn check_reports_credentials_that_cannot_be_read() {
    World::new().command(&["check"]);
    let hidden = World::with(Options { hidden: "authPassword".to_owned(), ..Options::default() }, |_, _| {});
    let file = hidden.site.folder().join("restante.yaml");
    let ended = output(restante().args(["check", "--config"]).arg(file), "");
    assert_eq!(ended.status.code(), Some(1));
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(
        told.contains("may not read authPassword, where attributes.scram says that SCRAM credentials are"),
        "{told}"
    );
    hidden.refuses(ALAN, "the entry has no SCRAM-SHA-256 credentials");
}
