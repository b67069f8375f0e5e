//! Postfix, with its configuration taken from the guide.

use super::{fetched_by_lamb, is_refused_by_pop3, postfix};
use crate::support::login::log_in;
use crate::support::submission::{ALAN, ALANS, LAMB, LAMBS, Submission};

/// Three wrong passwords lock a person out.
const COUNTED: &str = "# count\n";

#[test]
fn mail_is_sent_delivered_and_fetched_with_names_of_the_directory_alone() {
    let (postfix, sending) = postfix("", "");
    let authority = sending.site.authority();
    Submission { text: "by Postfix", ..Submission::default() }.send(postfix.submission(), &authority).unwrap();
    postfix.wait_for("status=sent", 1);
    let message = fetched_by_lamb(&sending.service);
    assert!(message.ends_with("\r\n\r\nby Postfix\r\n"), "{message}");
    assert!(message.contains(&format!("Delivered-To: {LAMBS}\r\n")), "{message}");
    let line = sending.service.wait_for_log(&[" login ", "person=\"ajones\"", "service=\"smtp\""]);
    assert!(line.contains("login=\"Alan Jones\" kind=\"common_name\" mechanism=PLAIN"), "{line}");
    assert!(line.contains("peer=127.0.0.1:0 listener=\"sasl_service\""), "{line}");
    // Every form of a name, the other mechanism; and a recipient by a further address.
    for (login, to) in [("ajones", "jmueller@renovations.example"), (ALANS, "Juergen.Mueller@Renovations.example")] {
        let mail = Submission { login: Some((login, ALAN.1)), mechanism: "login", to, ..Submission::default() };
        mail.send(postfix.submission(), &authority).unwrap();
    }
    postfix.wait_for("status=sent", 3);
    let mut client = sending.service.session("jmueller", "grüne Äpfel");
    client.ask("STAT", "+OK 2 ");
    let elsewhere = Submission { login: None, from: "a@example.org", ..Submission::default() };
    elsewhere.send(postfix.smtp(), &authority).unwrap();
    postfix.wait_for("status=sent", 4);
}

#[test]
fn nobody_sends_as_somebody_else() {
    let (postfix, sending) = postfix("", "");
    let authority = sending.site.authority();
    for from in [LAMBS, "nobody@renovations.example", "a@example.org"] {
        let forged = Submission { from, ..Submission::default() };
        forged.refused(postfix.submission(), &authority, &["553", "not owned by user ajones"]);
    }
    let relayed = Submission { login: None, to: "a@example.org", ..Submission::default() };
    relayed.refused(postfix.smtp(), &authority, &["554", "Relay access denied"]);
}

#[test]
fn unknown_recipients_are_rejected_at_once() {
    let (postfix, sending) = postfix("", "");
    for to in ["nobody@renovations.example", "ajones@renovations.example"] {
        let mail = Submission { login: None, from: "a@example.org", to, ..Submission::default() };
        mail.refused(postfix.smtp(), &sending.site.authority(), &["550", "User unknown"]);
    }
}

#[test]
fn wrong_passwords_at_either_service_lock_a_person_out_of_both() {
    let (postfix, sending) = postfix(COUNTED, "");
    let authority = sending.site.authority();
    for (name, password) in [("Alan Jones", "one"), ("ajones", "two"), (ALANS, "three")] {
        let mail = Submission { login: Some((name, password)), ..Submission::default() };
        mail.refused(postfix.submission(), &authority, &["535"]);
    }
    sending.service.wait_for_log(&["lock-out begins", "person=\"ajones\""]);
    is_refused_by_pop3(&sending.service, ALAN);
    Submission::default().refused(postfix.submission(), &authority, &["535"]);
    for password in ["one", "two", "three"] {
        is_refused_by_pop3(&sending.service, ("alamb", password));
    }
    sending.service.wait_for_log(&["lock-out begins", "person=\"alamb\""]);
    let mail = Submission { login: Some(LAMB), from: LAMBS, ..Submission::default() };
    mail.refused(postfix.submission(), &authority, &["535"]);
    assert!(log_in(&sending.service, "jmueller", "wrong").is_err());
}
