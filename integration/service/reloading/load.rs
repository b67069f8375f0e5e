//! Many reloads in a row while clients poll.

use std::fmt::Write as _;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::{ALAN, LAMB, Reloading};
use crate::support::conversation::Conversation;
use crate::support::login::log_in;
use crate::support::service::Plan;
use crate::support::wait_until;

/// Reloads in a row.
const RELOADS: usize = 50;

/// Clients that poll without pause.
const CLIENTS: usize = 4;

/// What a service that was busy keeps for the next clients: connections for binds, eight at most, and threads for calls that
/// may block.
const POOLED: usize = 12;

/// Open files and threads of the service.
fn held(world: &Reloading) -> (usize, usize) {
    let count = |what: &str| fs::read_dir(format!("/proc/{}/{what}", world.service.pid())).unwrap().count();
    (count("fd"), count("task"))
}

/// Changes parts of every kind, there and back.
fn change(plan: &mut Plan, is_odd: bool) {
    let names = if is_odd { "more" } else { "fewer" };
    writeln!(plan.directory, "    concurrent_lookups: {}", 64 + usize::from(is_odd)).unwrap();
    plan.mailboxes.push_str(if is_odd { "  missing: refuse\n" } else { "" });
    plan.listeners.push_str(if is_odd { "  - { address: \"127.0.0.1:0\", tls: none }\n" } else { "" });
    writeln!(plan.further, "internet_authentication: {{ names: {names} }}").unwrap();
}

#[test]
fn fifty_reloads_refuse_no_client_and_leave_nothing_behind() {
    let world = Reloading::new();
    let file = world.site.folder().join("restante.yaml");
    let round = |world: &Reloading, number: usize| {
        let mut plan = world.plan.clone();
        change(&mut plan, number % 2 == 1);
        fs::write(&file, plan.yaml()).unwrap();
        let ended = world.reload();
        assert_eq!((ended.status, ended.complained.as_str()), (0, ""), "{}", ended.told);
    };
    // Everything was used once, and threads that wait for work are there.
    let warm = |world: &Reloading| {
        for (name, password) in [ALAN, LAMB] {
            log_in(&world.service, name, password).unwrap();
        }
    };
    for number in 0..2 {
        round(&world, number);
        warm(&world);
    }
    let before = held(&world);
    let (ended, logins) = (AtomicBool::new(false), AtomicUsize::new(0));
    let port = world.service.pop3();
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (ended, logins) = (&ended, &logins);
            let (name, password) = [ALAN, LAMB][client % 2];
            scope.spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    let mut client = Conversation::plain(port);
                    client.expect("+OK");
                    client.login(name, password);
                    client.ask("STAT", "+OK 1 ");
                    client.ask("QUIT", "+OK");
                    logins.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for number in 0..RELOADS {
            let so_far = logins.load(Ordering::Relaxed);
            round(&world, number);
            wait_until("clients log in meanwhile", || logins.load(Ordering::Relaxed) > so_far);
        }
        ended.store(true, Ordering::Relaxed);
    });
    warm(&world);
    // A leak would show with each reload.
    let mut after = held(&world);
    wait_until(&format!("nothing more is open than before: {before:?}"), || {
        after = held(&world);
        after.0 <= before.0 + POOLED && after.1 <= before.1 + POOLED
    });
    world.service.wait_for_logs(&["configuration reloaded"], RELOADS);
    let bad = |line: &String| line.contains("ERROR") || line.contains("a task ended");
    assert!(!world.service.log().iter().any(bad), "{:?}", world.service.log().iter().find(|line| bad(line)));
}
