//! What flows after the login: nothing is lost, nothing waits for anybody else, and a session ends as others do.

use rustix::process::Signal;

use super::{NAME, PASSWORD, Relayed, Wanted, before, scripted, sees_mail_there};
use crate::support::maildir;

#[test]
fn commands_sent_with_the_login_reach_the_host() {
    let relayed = Relayed::set(&Wanted::default());
    let mut client = relayed.client();
    client.send_octets(format!("USER {NAME}\r\nPASS {PASSWORD}\r\nSTAT\r\nUIDL\r\nRETR 1\r\nQUIT\r\n").as_bytes());
    client.expect("+OK");
    client.expect("+OK");
    client.expect("+OK 1 ");
    client.expect("+OK");
    assert_eq!(String::from_utf8(client.multiline()).unwrap().lines().count(), 2);
    client.expect("+OK");
    assert!(String::from_utf8(client.message()).unwrap().contains("kept at the other host"));
    client.expect("+OK");
    client.ended_in_good_order();
    let line = relayed.service.wait_for_log(&["relayed session ended"]);
    assert!(line.contains("retr=1") && line.contains("reason=\"quit\""), "{line}");
}

#[test]
fn a_large_message_arrives_whole_under_tls_on_both_sides() {
    let relayed = Relayed::set(&Wanted::default());
    let line = "0123456789".repeat(7) + "\n";
    let large = format!("Subject: large\n\n{}", line.repeat(400_000));
    maildir::make(&relayed.there.maildir(NAME), &[("cur/2.large", large.as_bytes())]);
    relayed.dovecot.own_mail();
    let tls = crate::support::conversation::trusting(&relayed.site.authority());
    let mut client = crate::support::conversation::Conversation::tls(relayed.service.pop3s(), "localhost", &tls);
    client.expect("+OK");
    client.login(NAME, PASSWORD);
    client.ask("RETR 2", "+OK");
    let message = client.message();
    assert_eq!(message.len(), large.replace('\n', "\r\n").len());
    client.ask("QUIT", "+OK");
    client.ended_in_good_order();
}

#[test]
fn a_client_that_reads_nothing_is_ended_and_the_host_is_slowed_down_meanwhile() {
    let relayed = Relayed::set(&Wanted { further: "limits: { slow_reader: 2s }", ..Wanted::default() });
    let large = format!("Subject: large\n\n{}", ("0123456789".repeat(7) + "\n").repeat(400_000));
    maildir::make(&relayed.there.maildir(NAME), &[("cur/2.large", large.as_bytes())]);
    let mut client = relayed.session();
    client.send("RETR 2");
    let line = relayed.service.wait_for_log(&["relayed session ended", "too slow"]);
    let octets: u64 = line.split("octets=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(octets < 20_000_000, "{line}");
}

#[test]
fn a_host_that_closes_ends_the_session() {
    let (address, _) = scripted(vec![vec!["+OK ready", "+OK", "+OK in", "+OK 0 0"]]);
    let (service, _site, _directory) = before(address.port(), "", "");
    let mut client = service.session(NAME, PASSWORD);
    client.ask("STAT", "+OK 0 0");
    client.ended();
    service.wait_for_log(&["relayed session ended", "closed by the host without QUIT"]);
}

#[test]
fn a_client_that_closes_without_quit_deletes_nothing() {
    let relayed = Relayed::set(&Wanted::default());
    let mut client = relayed.session();
    client.ask("DELE 1", "+OK");
    drop(client);
    relayed.service.wait_for_log(&["relayed session ended", "closed by the client without QUIT"]);
    sees_mail_there(&mut relayed.session());
}

#[test]
fn a_shutdown_ends_a_session_that_is_passed_on_and_deletes_nothing() {
    let relayed = Relayed::set(&Wanted::default());
    let mut client = relayed.session();
    client.ask("DELE 1", "+OK");
    relayed.service.signal(Signal::TERM);
    client.ended_in_good_order();
    relayed.service.wait_for_log(&["relayed session ended", "server shutting down"]);
    let mut there = relayed.dovecot.session(NAME);
    there.ask("STAT", "+OK 1 ");
}
