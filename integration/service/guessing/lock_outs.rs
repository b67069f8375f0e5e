//! Who is locked out, who is not, when it ends, and what the log says of it.

use std::time::{Duration, Instant};

use super::{ALAN, LAMB, World, reply};
use crate::support::wait_until;

const WRONG: [&str; 5] = ["one", "two", "three", "four", "five"];

#[test]
fn a_person_is_locked_out_wherever_the_guesses_come_from() {
    let world = World::new("person: 5");
    for (number, password) in (1..).zip(WRONG) {
        world.refuses(&format!("127.0.1.{number}"), ("ajones", password));
    }
    let begun = world.service.wait_for_log(&["WARN", "lock-out begins", "person=\"ajones\"", "wrong_passwords=5"]);
    assert!(begun.contains("until=\"20"), "{begun}");
    world.refuses("127.0.1.9", ALAN);
    world.refuses("127.0.1.9", ("Alan Jones", ALAN.1));
    world.service.wait_for_logs(&["login refused", "locked out: too many wrong passwords for this person"], 2);
    assert_eq!(world.binds(), 5, "a locked-out person's password is not tried");
    world.lets_in("127.0.1.1", LAMB);
}

#[test]
fn one_password_again_and_again_locks_nobody_out() {
    let world = World::new("person: 2, network: 2");
    for _ in 0..20 {
        world.refuses("127.0.0.2", ("ajones", "stale"));
    }
    assert_eq!(world.binds(), 1);
    world.lets_in("127.0.0.2", ALAN);
}

#[test]
fn names_that_nobody_or_several_people_have_are_locked_out_alike() {
    let world = World::new("person: 5");
    for name in ["nobody", "Mary Brown"] {
        for (number, password) in (1..).zip(WRONG) {
            world.refuses(&format!("127.0.1.{number}"), (name, password));
        }
        world.service.wait_for_log(&["WARN", "lock-out begins", &format!("login=\"{name}\""), "wrong_passwords=5"]);
        world.refuses("127.0.1.9", (name, "six"));
    }
    world.service.wait_for_logs(&["login refused", "locked out: too many wrong passwords for this name"], 2);
    assert_eq!(world.binds(), 0);
}

#[test]
fn a_network_is_locked_out_whoever_it_asks_for() {
    let world = World::new("person: 0, network: 4, exempt_networks: [127.0.9.0/24]");
    for from in ["127.0.0.2", "127.0.9.1", "::1"] {
        for name in ["ada", "ben", "cyd", "dot"] {
            world.refuses(from, (name, "summer"));
        }
    }
    for (from, network) in [("127.0.0.2", "network=127.0.0.2 "), ("::1", "network=::/64 ")] {
        world.service.wait_for_log(&["WARN", "lock-out begins", network, "wrong_passwords=4"]);
        world.refuses(from, ALAN);
    }
    world.service.wait_for_logs(&["login refused", "locked out: too many refused logins from this network"], 2);
    assert_eq!(world.binds(), 0, "nothing from there reaches the directory");
    world.lets_in("127.0.0.3", ALAN);
    world.lets_in("127.0.9.1", ALAN);
}

#[test]
fn a_lock_out_made_elsewhere_does_not_reach_the_persons_own_address() {
    let world = World::new("person: 5");
    world.lets_in("127.0.0.7", ALAN);
    for password in WRONG {
        world.refuses("127.0.6.6", ("ajones", password));
    }
    world.refuses("127.0.6.6", ALAN);
    world.lets_in("127.0.0.7", ALAN);
    for password in WRONG {
        world.refuses("127.0.0.7", ("ajones", password));
    }
    let words = ["WARN", "lock-out begins", "person=\"ajones\"", "network=127.0.0.7"];
    world.service.wait_for_log(&words);
    world.refuses("127.0.0.7", ALAN);
}

#[test]
fn a_lock_out_ends_and_the_log_says_so() {
    let world = World::new("person: 2, lasts: 1s");
    for password in &WRONG[..2] {
        world.refuses("127.0.0.2", ("ajones", password));
    }
    world.refuses("127.0.0.2", ALAN);
    wait_until("the lock-out ends", || world.login("127.0.0.2", ALAN).starts_with("+OK"));
    world.service.wait_for_log(&["WARN", "lock-out ends", "person=\"ajones\""]);
}

#[test]
fn the_log_says_how_often_somebody_was_locked_out() {
    let world = World::new("person: 1, network: 0, lasts: 1s, lasts_at_most: 2s");
    for (in_a_row, guess) in (1..).zip(["one", "two", "three"]) {
        wait_until("it is over", || {
            world.refuses("127.0.0.2", ("ajones", guess));
            let words = ["lock-out begins", "person=\"ajones\"", &format!("in_a_row={in_a_row}")];
            world.service.log().iter().any(|line| words.iter().all(|word| line.contains(word)))
        });
    }
}

#[test]
fn the_end_of_a_lock_out_is_logged_though_nobody_logs_in() {
    let world = World::new("person: 2, network: 2, lasts: 1s");
    for password in &WRONG[..2] {
        world.refuses("127.0.0.2", ("ajones", password));
    }
    let begun = Instant::now();
    for whose in ["person=\"ajones\"", "network=127.0.0.2"] {
        world.service.wait_for_log(&["WARN", "lock-out begins", whose]);
        world.service.wait_for_log(&["WARN", "lock-out ends", whose]);
    }
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

/// Standard error that nobody reads: a pipe takes 64 KiB, and then whoever writes waits.
#[test]
fn a_log_that_nobody_reads_stops_no_login() {
    let world = World::new("person: 2, network: 0");
    world.service.read_log(false);
    for number in 0..400 {
        let from = format!("127.1.{}.{}", number / 200, number % 200 + 1);
        world.refuses(&from, (&format!("nobody {number}"), "x"));
    }
    for password in &WRONG[..2] {
        world.refuses("127.0.0.2", ("ajones", password));
    }
    world.refuses("127.0.0.2", ALAN);
    world.lets_in("127.0.0.3", LAMB);
    world.service.read_log(true);
    world.service.wait_for_log(&["WARN", "lock-out begins", "person=\"ajones\""]);
    world.service.wait_for_log(&[" event=login person=\"alamb\""]);
    world.service.wait_for_logs(&["login refused", "login=\"nobody "], 400);
}

/// The delay follows from what was sent alone, so it tells of nobody whether they exist.
#[test]
fn the_delay_grows_alike_for_everybody() {
    let world = World::with("person: 5", "refusal_step: 1s");
    let server = world.service.pop3();
    let second = Duration::from_secs(1);
    std::thread::scope(|scope| {
        for (host, name) in (1..).zip(["ajones", "nobody", "Mary Brown"]) {
            scope.spawn(move || {
                for (steps, password) in [(1, "one"), (2, "two"), (2, "one"), (3, "three")] {
                    let (_, took) = reply(server, &format!("127.0.2.{host}"), name, password);
                    let late = took.checked_sub(steps * second);
                    assert!(late.is_some_and(|late| late < second * 7 / 10), "{name} {password}: {took:?}");
                }
            });
        }
    });
}
