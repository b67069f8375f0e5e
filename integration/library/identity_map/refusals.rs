//! One answer at one time, whatever the reason; measured from outside, as an attacker would.

use std::time::{Duration, Instant};

use restante::demo::directory::EmbeddedDirectory;
use restante::demo::fault_injection::InjectedFault;
use restante::demo::people::{self, SERVICE};
use restante::names::Dn;

use crate::support::conversation::Conversation;
use crate::support::login::{give_mail, opens};
use crate::support::service::{Plan, Service, Site};

const STEP: Duration = Duration::from_secs(1);
/// How late an answer may be on a busy machine. A reason that shows would do so from the first millisecond on.
const LATE: Duration = Duration::from_millis(700);

/// Somebody without mailbox, two of one name, and the rest of the sample people.
fn serve(directory: &EmbeddedDirectory) -> (Site, Service) {
    let site = Site::new();
    let mut plan = Plan::at(&directory.url()).and("refusal_step: 1s");
    "  path: \"{mail}/Maildir\"\n".clone_into(&mut plan.mailboxes);
    give_mail(&site, "alan.jones@renovations.example");
    let service = site.serve(&plan);
    service.wait_for_log(&["the directory answers"]);
    (site, service)
}

fn directory() -> EmbeddedDirectory {
    EmbeddedDirectory::start(people::tree().unwrap(), Dn::parse(SERVICE)).unwrap()
}

/// The answer to PASS, to the octet, and how long it took.
fn refusal(service: &Service, name: &str, password: &str) -> (String, Duration) {
    let mut client = Conversation::plain(service.pop3());
    client.expect("+OK");
    assert_eq!(client.ask(&format!("USER {name}"), "+OK"), "+OK send PASS");
    let began = Instant::now();
    client.send(&format!("PASS {password}"));
    (client.expect("-ERR"), began.elapsed())
}

fn at_step(elapsed: Duration, step: Duration) -> bool {
    (step..step + LATE).contains(&elapsed)
}

#[test]
fn every_reason_has_the_same_words_at_the_same_time() {
    let directory = directory();
    let (_site, service) = serve(&directory);
    // The second round is answered from memory.
    for _ in 0..2 {
        let refusals = std::thread::scope(|scope| {
            let service = &service;
            let threads = [
                ("nobody", "x"),
                ("ajones", "wrong"),
                ("ajones", ""),
                ("Mary Brown", "paper-boat-42"),
                ("tclerk", "brass-button-3"),
                ("tclerk", "wrong"),
                ("jmueller", "grüne Äpfel"),
                ("uid=ajones,dc=elsewhere", "violet-harbour-17"),
                ("name with a \u{1} in it", "x"),
            ]
            .map(|(name, password)| (name, scope.spawn(move || refusal(service, name, password))));
            threads.map(|(name, thread)| (name, thread.join().unwrap()))
        });
        for (name, (words, elapsed)) in refusals {
            assert_eq!(words, "-ERR [AUTH] name or password is wrong", "{name}");
            assert!(at_step(elapsed, STEP), "{name}: {elapsed:?}");
        }
    }
    for reason in [
        "no such login name",
        "wrong password",
        "empty password",
        "ambiguous",
        "no value for {mail}",
        "internet_authentication.names",
    ] {
        service.wait_for_log(&["login refused", reason]);
    }
}

#[test]
fn a_later_verdict_waits_for_the_next_step() {
    let directory = directory();
    let (_site, service) = serve(&directory);
    // Five messages in all: an entry, the end of the search, the answer to the bind, and the search once more.
    directory.controls().inject(InjectedFault::Slow(STEP * 3 / 10));
    let (words, elapsed) = refusal(&service, "ajones", "wrong");
    assert_eq!(words, "-ERR [AUTH] name or password is wrong");
    assert!(at_step(elapsed, 2 * STEP), "{elapsed:?}");
}

#[test]
fn success_is_not_delayed() {
    let directory = directory();
    let (_site, service) = serve(&directory);
    for _ in 0..5 {
        let began = Instant::now();
        opens(&service, "ajones", "violet-harbour-17", "alan.jones@renovations.example");
        assert!(began.elapsed() < STEP * 9 / 10, "{:?}", began.elapsed());
    }
}
