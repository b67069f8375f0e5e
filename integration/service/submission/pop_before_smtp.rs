//! Devices that can only fetch mail: their address may send for a while.

use super::postfix;
use crate::support::login::log_in;
use crate::support::mta_client::TableClient;
use crate::support::submission::{ALAN, Submission, piece};
use crate::support::wait_until;

/// The guide's tables, with addresses remembered for this long.
fn remembered_for(time: &str) -> String {
    let tables = piece("yaml").lines().find(|line| line.starts_with("socketmap:")).unwrap().to_owned();
    tables.replace(" }", &format!(", pop_before_smtp: {time} }}\n"))
}

#[test]
fn an_address_that_has_fetched_mail_may_send_for_a_while() {
    let (postfix, sending) = postfix(&remembered_for("8s"), &piece("postfix-pop-before-smtp"));
    let authority = sending.site.authority();
    let relayed = Submission { login: None, to: "a@example.org", ..Submission::default() };
    let is_relayed = || {
        let refusal = relayed.send(postfix.smtp(), &authority).expect_err("nothing leaves this machine");
        let is_relayed = refusal.contains("nothing leaves this machine");
        assert!(is_relayed || refusal.contains("554 5.7.1 <a@example.org>: Relay access denied"), "{refusal}");
        is_relayed
    };
    assert!(!is_relayed());
    drop(sending.service.session(ALAN.0, ALAN.1));
    assert!(is_relayed());
    wait_until("the time is over", || !is_relayed());
}

#[test]
fn only_an_accepted_login_counts_and_only_for_its_own_address() {
    let (_postfix, sending) = postfix(&remembered_for("1h"), "");
    let mut tables = TableClient::connect(&sending.socket("socketmap.sock"));
    assert_eq!(tables.look_up("pop_before_smtp", "127.0.0.1"), "NOTFOUND ");
    assert!(log_in(&sending.service, ALAN.0, "wrong").is_err());
    assert_eq!(tables.look_up("pop_before_smtp", "127.0.0.1"), "NOTFOUND ");
    drop(sending.service.session(ALAN.0, ALAN.1));
    assert_eq!(tables.look_up("pop_before_smtp", "127.0.0.1"), "OK OK");
    assert_eq!(tables.look_up("pop_before_smtp", "::ffff:127.0.0.1"), "OK OK");
    for key in ["127.0.0.2", "127.0.0", "127", "localhost", "unknown", ""] {
        assert_eq!(tables.look_up("pop_before_smtp", key), "NOTFOUND ", "{key}");
    }
}
