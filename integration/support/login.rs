//! Logins as people do them, each on a connection of its own, and mail that tells whose it is.

use std::net::Ipv4Addr;

use super::conversation::Conversation;
use super::maildir;
use super::service::{Service, Site};

/// Gives a person a Maildir with one message that nobody else has.
pub fn give_mail(site: &Site, short_name: &str) {
    let message = format!("Subject: mail of {short_name}\n\nText\n");
    maildir::make(&site.maildir(short_name), &[("new/1.only", message.as_bytes())]);
}

/// Logs in; tells whose mail was opened, or the refusal.
pub fn log_in(service: &Service, name: &str, password: &str) -> Result<String, String> {
    log_in_from(Ipv4Addr::LOCALHOST, service, name, password)
}

/// The same from another address of this machine.
pub fn log_in_from(from: Ipv4Addr, service: &Service, name: &str, password: &str) -> Result<String, String> {
    let mut client = Conversation::plain_from(from.into(), service.pop3());
    client.expect("+OK");
    client.ask(&format!("USER {name}"), "+OK");
    client.send(&format!("PASS {password}"));
    let reply = client.line();
    if reply.starts_with("+OK") {
        client.ask("STAT", "+OK 1 ");
    }
    opened(&mut client, reply)
}

/// Whose mail a client sees to whose login this was the reply, or the refusal.
pub fn opened(client: &mut Conversation, reply: String) -> Result<String, String> {
    if reply.starts_with("-ERR ") {
        return Err(reply);
    }
    assert!(reply.starts_with("+OK"), "{reply}");
    client.ask("RETR 1", "+OK");
    let message = String::from_utf8(client.message()).unwrap();
    client.ask("QUIT", "+OK");
    let owner = message.lines().find_map(|line| line.strip_prefix("Subject: mail of "));
    Ok(owner.expect("a message without owner").to_owned())
}

/// Logs in, and opens that person's mail.
pub fn opens(service: &Service, name: &str, password: &str, owner: &str) {
    assert_eq!(log_in(service, name, password).as_deref(), Ok(owner), "{name}");
}

/// Logs in, and is refused with that response code (RFC 2449 §8, RFC 3206).
pub fn refuses(service: &Service, name: &str, password: &str, code: &str) {
    let refusal = log_in(service, name, password).expect_err(name);
    assert!(refusal.starts_with(&format!("-ERR [{code}] ")), "{name}: {refusal}");
}
