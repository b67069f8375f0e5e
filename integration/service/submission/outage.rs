//! While the directory is silent, everything waits, and nothing is lost.

use super::{fetched_by_lamb, postfix};
use crate::support::directory::RealDirectory as _;
use crate::support::mta_client::{SaslClient, TableClient};
use crate::support::submission::{ALANS, LAMBS, Submission};
use crate::support::wait_until;

/// Nothing is cached, so that everything needs the directory.
const UNCACHED: &str = "cache: { found: 0s, missed: 0s, password: 0s, outage_grace: 0s }\n";

#[test]
fn mail_that_was_accepted_waits_and_new_mail_is_tried_again_later() {
    let (postfix, mut sending) = postfix(UNCACHED, "");
    let authority = sending.site.authority();
    let elsewhere = Submission { login: None, from: "a@example.org", ..Submission::default() };
    // The disk is away as well at first, so that a message gets as far as the queue.
    let root = sending.site.root();
    let away = root.with_extension("away");
    std::fs::rename(&root, &away).unwrap();
    std::fs::write(&root, "no directory").unwrap();
    elsewhere.send(postfix.smtp(), &authority).unwrap();
    postfix.wait_for("status=deferred", 1);
    sending.slapd.stop();
    std::fs::remove_file(&root).unwrap();
    std::fs::rename(&away, &root).unwrap();
    postfix.flush();
    postfix.wait_for("status=deferred", 2);
    // Whoever logs in, right or wrong, known or unknown.
    for login in [("Alan Jones", "violet-harbour-17"), ("ajones", "wrong"), ("nobody", "x")] {
        Submission { login: Some(login), ..Submission::default() }.refused(postfix.submission(), &authority, &["454"]);
    }
    for to in [LAMBS, "nobody@renovations.example"] {
        let mail = Submission { login: None, from: "a@example.org", to, ..Submission::default() };
        mail.refused(postfix.smtp(), &authority, &["451 4.3.0"]);
    }
    sending.service.wait_for_log(&["WARN", "look-ups in tables are answered with a temporary failure"]);
    sending.slapd.restart();
    wait_until("what waited is delivered", || {
        postfix.flush();
        postfix.wait_for("relay=maildir", 1);
        postfix.log().contains("status=sent")
    });
    let message = fetched_by_lamb(&sending.service);
    assert!(message.ends_with("\r\n\r\nhello\r\n"), "{message}");
    sending.service.wait_for_log(&["look-ups in tables are answered again"]);
    Submission::default().send(postfix.submission(), &authority).unwrap();
    assert!(!postfix.log().contains("status=bounced"));
}

#[test]
fn the_handshake_needs_no_directory_and_a_temporary_failure_closes_the_connection() {
    let (_postfix, mut sending) = postfix(UNCACHED, "");
    sending.slapd.stop();
    let mut tables = TableClient::connect(&sending.socket("socketmap.sock"));
    for table in ["recipient", "maildir", "alias", "sender"] {
        for key in [ALANS, "nobody@renovations.example"] {
            assert!(tables.look_up(table, key).starts_with("TEMP directory unavailable"), "{table} {key}");
        }
    }
    assert_eq!(tables.look_up("recipient", "no address"), "NOTFOUND ");
    let mut client = SaslClient::connect(&sending.socket("sasl.sock"));
    client.plain(1, "127.0.0.1", ("ajones", "violet-harbour-17"));
    assert_eq!(client.line(), None);
    // Another login on the same connection must not be lost with it.
    let mut client = SaslClient::connect(&sending.socket("sasl.sock"));
    for id in 1..=2 {
        client.plain(id, "127.0.0.1", ("ajones", "violet-harbour-17"));
    }
    let first = client.line().unwrap();
    assert!(first.ends_with("\tcode=temp_fail"), "{first}");
    assert_eq!(client.line(), None);
}

#[test]
fn what_is_cached_goes_on() {
    let (postfix, mut sending) = postfix("", "");
    let authority = sending.site.authority();
    Submission::default().send(postfix.submission(), &authority).unwrap();
    postfix.wait_for("status=sent", 1);
    sending.slapd.stop();
    Submission::default().send(postfix.submission(), &authority).unwrap();
    postfix.wait_for("status=sent", 2);
}
