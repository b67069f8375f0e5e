//! Wrong proofs, counted.

use std::time::{Duration, Instant};

use super::{ALAN, LAMB, REFUSAL, World};
use crate::support::directory::RealDirectory;
use crate::support::scram::Client;
use crate::support::slapd::Options;
use crate::support::wait_until;

fn counting(lockout: &str) -> World {
    World::with(Options::default(), |plan, _| lockout.clone_into(&mut plan.lockout))
}

/// Two proofs of one wrong password cannot be told from two of different ones, so each counts.
#[test]
fn wrong_proofs_lock_a_person_out() {
    let world = counting("person: 3, network: 0");
    for _ in 0..3 {
        world.refuses((ALAN.0, "wrong"), "wrong password");
    }
    world.service.wait_for_log(&["WARN", "lock-out begins", "person=\"ajones\"", "wrong_passwords=3"]);
    world.refuses(ALAN, "locked out: too many wrong passwords for this person");
    // For every mechanism.
    let refusal = crate::support::login::log_in(&world.service, ALAN.0, "violet-harbour-17");
    assert_eq!(refusal, Err(REFUSAL.to_owned()));
    assert_eq!(shown_salt(&world), before_any_guess(), "a lock-out does not show in the challenge");
}

fn shown_salt(world: &World) -> String {
    Client::new((ALAN.0, "x")).begin(&mut world.connect()).unwrap().salt
}

fn before_any_guess() -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(super::ALANS_SALT)
}

#[test]
fn names_without_credentials_are_counted_but_their_people_are_not_locked_out() {
    let world = counting("person: 3, network: 0");
    for _ in 0..4 {
        world.refuses(("nobody", "wrong"), "");
        world.refuses((LAMB.0, "wrong"), "");
    }
    world.refuses(("nobody", "wrong"), "locked out: too many wrong passwords for this name");
    assert_eq!(crate::support::login::log_in(&world.service, LAMB.0, LAMB.1).as_deref(), Ok(LAMB.0));
}

#[test]
fn a_network_is_locked_out() {
    let world = counting("person: 0, network: 4");
    for name in [ALAN.0, LAMB.0, "nobody", "Mary Brown"] {
        world.refuses((name, "wrong"), "");
    }
    world.refuses(ALAN, "locked out: too many refused logins from this network");
}

/// Whoever has seen the server's signature knows that the password is right, and need not say another word.
#[test]
fn a_right_proof_is_in_the_log_though_the_client_says_no_more() {
    let world = World::new();
    let is_login =
        |line: &String| line.contains(" event=login person=\"ajones\"") && line.contains("mechanism=SCRAM-SHA-256");
    let logins = || world.service.log().iter().filter(|line| is_login(line)).count();
    for (known, last_words) in (1..).zip([None, Some("*"), Some("bm90IGVtcHR5")]) {
        let mut pop3 = world.connect();
        let client = Client::new(ALAN);
        let challenge = client.begin(&mut pop3).unwrap();
        client.prove(&mut pop3, &challenge).unwrap();
        if let Some(words) = last_words {
            pop3.ask(words, "-ERR");
        }
        drop(pop3);
        wait_until("the login is logged", || logins() == known);
    }
    assert_eq!(world.log_in(ALAN).as_deref(), Ok(ALAN.0));
    world.service.wait_for_logs(&["connection ended"], 4);
    assert_eq!(logins(), 4, "one line for each");
}

/// Each challenge asks the directory, so each that is not answered counts for the network. Once that is locked out, no
/// challenge asks the directory any more, and none shows who has credentials: every name has another salt than before.
#[test]
fn unanswered_challenges_lock_a_network_out_which_gets_decoys_without_a_look_up() {
    let mut world = counting("person: 3, network: 5");
    let salt = |world: &World, name: &str| Client::new((name, "x")).begin(&mut world.connect()).unwrap().salt;
    let names = [ALAN.0, LAMB.0, "nobody"];
    let before = names.map(|name| salt(&world, name));
    // By the end of the connection, by a malformed answer, by another login that is begun.
    let mut pop3 = world.connect();
    Client::new(ALAN).begin(&mut pop3).unwrap();
    pop3.ask("no base64", "-ERR");
    Client::new(ALAN).begin(&mut pop3).unwrap();
    pop3.ask("*", "-ERR authentication cancelled");
    pop3.ask("QUIT", "+OK");
    world.service.wait_for_logs(&["login refused", "reason=\"the client did not answer the SCRAM challenge"], 5);
    let begun = world.service.wait_for_log(&["WARN", "lock-out begins", "network=", "wrong_passwords=5"]);
    assert!(!begun.contains("person="), "{begun}");
    world.slapd.stop();
    let decoys = names.map(|name| salt(&world, name));
    for (at, decoy) in decoys.iter().enumerate() {
        assert_eq!(decoy.len(), before[at].len());
        assert!(!before.contains(decoy), "{}", names[at]);
        assert_eq!(*decoy, salt(&world, names[at]), "{}: the same each time", names[at]);
    }
    assert_ne!(decoys[0], decoys[2]);
    world.refuses(ALAN, "locked out: too many refused logins from this network");
}

/// A device that begins by SCRAM, goes back to a plain password, and is right: nobody is guessing.
#[test]
fn whoever_logs_in_otherwise_is_not_counted() {
    let world = counting("person: 3, network: 3");
    for _ in 0..4 {
        let mut pop3 = world.connect();
        Client::new((LAMB.0, "x")).begin(&mut pop3).unwrap();
        pop3.ask("*", "-ERR authentication cancelled");
        pop3.ask(&format!("USER {}", LAMB.0), "+OK");
        pop3.ask(&format!("PASS {}", LAMB.1), "+OK");
        pop3.ask("QUIT", "+OK");
    }
    assert_eq!(crate::support::login::log_in(&world.service, LAMB.0, LAMB.1).as_deref(), Ok(LAMB.0));
    // Somebody else's login takes nothing back.
    for _ in 0..3 {
        let mut pop3 = world.connect();
        Client::new(ALAN).begin(&mut pop3).unwrap();
        pop3.ask("*", "-ERR authentication cancelled");
        pop3.ask(&format!("USER {}", LAMB.0), "+OK");
        pop3.ask(&format!("PASS {}", LAMB.1), "+OK");
    }
    world.service.wait_for_log(&["lock-out begins", "network="]);
}

/// Nothing is slower for those who have credentials than for those who have none, to the step.
#[test]
fn a_challenge_and_a_refusal_come_at_whole_steps() {
    let step = Duration::from_secs(1);
    let world = World::with(Options::default(), |plan, _| {
        plan.further = plan.further.replace("refusal_step: 0s", "refusal_step: 1s");
    });
    for name in [ALAN.0, LAMB.0, "nobody"] {
        let mut pop3 = world.connect();
        let client = Client::new((name, "wrong"));
        let began = Instant::now();
        let challenge = client.begin(&mut pop3).unwrap();
        let challenged = began.elapsed();
        assert!(challenged >= step / 10 && challenged < step, "{name}: {challenged:?}");
        let began = Instant::now();
        assert_eq!(client.prove(&mut pop3, &challenge), Err(REFUSAL.to_owned()));
        let refused = began.elapsed();
        assert!(refused >= step && refused < step * 17 / 10, "{name}: {refused:?}");
    }
}
