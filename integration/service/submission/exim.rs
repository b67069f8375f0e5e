//! Exim, with its configuration taken from the guide.

use super::{exim, fetched_by_lamb, is_refused_by_pop3};
use crate::support::directory::RealDirectory as _;
use crate::support::submission::{ALAN, ALANS, LAMB, LAMBS, Submission};
use crate::support::wait_until;

/// Three wrong passwords lock a person out; nothing is cached.
const COUNTED: &str = "# count\ncache: { found: 0s, missed: 0s, password: 0s, outage_grace: 0s }\n";

#[test]
fn mail_is_sent_delivered_and_fetched_with_names_of_the_directory_alone() {
    let (exim, sending) = exim("");
    let authority = sending.site.authority();
    Submission { text: "by Exim", ..Submission::default() }.send(exim.smtp(), &authority).unwrap();
    exim.wait_for("Completed");
    let message = fetched_by_lamb(&sending.service);
    assert!(message.ends_with("\r\n\r\nby Exim\r\n"), "{message}");
    sending.service.wait_for_log(&[" login ", "person=\"ajones\"", "service=\"smtp\"", "tls=\"at the MTA\""]);
    let mail = Submission {
        login: Some(LAMB),
        mechanism: "login",
        from: LAMBS,
        to: "Jmueller@Renovations.example",
        ..Submission::default()
    };
    mail.send(exim.smtp(), &authority).unwrap();
    wait_until("it is delivered", || sending.site.maildir("jmueller").join("new").exists());
    let unknown = Submission { login: None, from: "a@example.org", to: "nobody@renovations.example", ..mail };
    unknown.refused(exim.smtp(), &authority, &["550"]);
}

#[test]
fn nobody_sends_as_somebody_else_and_guesses_lock_out_of_both_services() {
    let (exim, sending) = exim(COUNTED);
    let authority = sending.site.authority();
    for from in [LAMBS, "nobody@renovations.example", "a@example.org"] {
        let forged = Submission { from, ..Submission::default() };
        forged.refused(exim.smtp(), &authority, &["550", "not owned by user ajones"]);
    }
    for (name, password) in [("Alan Jones", "one"), ("ajones", "two"), (ALANS, "three")] {
        let mail = Submission { login: Some((name, password)), ..Submission::default() };
        mail.refused(exim.smtp(), &authority, &["535"]);
    }
    sending.service.wait_for_log(&["lock-out begins", "person=\"ajones\""]);
    Submission::default().refused(exim.smtp(), &authority, &["535"]);
    is_refused_by_pop3(&sending.service, ALAN);
}

#[test]
fn while_the_directory_is_silent_everything_waits() {
    let (exim, mut sending) = exim(COUNTED);
    let authority = sending.site.authority();
    sending.slapd.stop();
    for login in [("Alan Jones", "violet-harbour-17"), ("ajones", "wrong"), ("nobody", "x")] {
        Submission { login: Some(login), ..Submission::default() }.refused(exim.smtp(), &authority, &["435"]);
    }
    for to in [LAMBS, "nobody@renovations.example"] {
        let mail = Submission { login: None, from: "a@example.org", to, ..Submission::default() };
        mail.refused(exim.smtp(), &authority, &["451"]);
    }
    sending.slapd.restart();
    wait_until("the directory is asked again", || Submission::default().send(exim.smtp(), &authority).is_ok());
    exim.wait_for("Completed");
    assert!(fetched_by_lamb(&sending.service).ends_with("\r\n\r\nhello\r\n"));
}
