//! Migration from a real Dovecot and a real Courier: mailboxes are filled and read through them, then served by Restante. No
//! client may see a unique-id change.

mod courier;
mod dovecot;
mod killing;
mod planning;
mod trying;

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::conversation::Conversation;
use crate::support::maildir;
use crate::support::process::output;
use crate::support::service::{Plan, Service, Site, restante};
use crate::support::stage::{self, PASSWORD};

/// A message as a client sees it: unique-id, the size that LIST tells, and the octets that RETR sends.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Message {
    unique_id: String,
    octets: u64,
    sent: Vec<u8>,
}

/// Everything a client can see of a maildrop, in order.
fn seen(client: &mut Conversation) -> Vec<Message> {
    let lines = |client: &mut Conversation, command: &str| {
        client.ask(command, "+OK");
        let text = String::from_utf8(client.message()).unwrap();
        text.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    let unique_ids = lines(client, "UIDL");
    let octets = lines(client, "LIST");
    let pairs = (1..).zip(unique_ids.into_iter().zip(octets));
    let message = |(number, (unique_id, octets)): (usize, (String, String))| {
        client.ask(&format!("RETR {number}"), "+OK");
        Message { unique_id, octets: octets.parse().unwrap(), sent: client.message() }
    };
    pairs.map(message).collect()
}

/// What we must show after an old server showed this: the same but for each size that was not what it sent. Both Dovecot
/// and Courier count a file whose last line has no end two octets short.
fn as_sent(before: &[Message]) -> Vec<Message> {
    let wrong: Vec<&Message> = before.iter().filter(|message| message.octets != message.sent.len() as u64).collect();
    assert!(wrong.iter().all(|message| message.sent.ends_with(b"no end\r\n")), "{wrong:?}");
    let right = |message: &Message| Message { octets: message.sent.len() as u64, ..message.clone() };
    before.iter().map(right).collect()
}

/// That `compare` told of nothing but of the one size that [`as_sent`] puts right, and of its cause.
fn assert_one_size(told: &serde_json::Value) {
    let differences = told["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 1, "{told}");
    assert_eq!(
        (&differences[0]["what"], &differences[0]["base_name"]),
        (&"octets".into(), &"1700000003.M1P1.mx1".into())
    );
    let cause = differences[0]["cause"].as_str().unwrap();
    assert!(cause.starts_with("the last line of the file has no line end"), "{told}");
}

fn unique_ids(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.unique_id.as_str()).collect()
}

/// Restante on a site, with these lines below `uidl:`.
struct Moved {
    service: Service,
    _directory: restante::demo::directory::EmbeddedDirectory,
}

impl Moved {
    fn serve(site: &Site, uidl: &str) -> Self {
        let directory = stage::directory();
        let service = site.serve(&plan(&directory.url(), uidl));
        Self { service, _directory: directory }
    }

    fn session(&self) -> Conversation {
        self.service.session("ajones", PASSWORD)
    }

    /// What a client sees; each size is what was sent.
    fn seen(&self) -> Vec<Message> {
        let mut client = self.session();
        let messages = seen(&mut client);
        client.ask("QUIT", "+OK");
        for message in &messages {
            assert_eq!(message.octets, message.sent.len() as u64, "{}", message.unique_id);
        }
        messages
    }
}

fn plan(url: &str, uidl: &str) -> Plan {
    Plan::at(url).and("refusal_step: 0s").and(&format!("uidl: {{ {uidl} }}"))
}

/// How a command ended: its status, standard output and standard error.
fn command(site: &Site, uidl: &str, words: &[&str], input: &str) -> (i32, String, String) {
    let directory = stage::directory();
    let file = site.folder().join("command.yaml");
    fs::write(&file, plan(&directory.url(), uidl).yaml()).unwrap();
    let mut command: Command = restante();
    command.arg("uidl").arg(words[0]).arg("--config").arg(file).args(&words[1..]);
    let ended = output(&mut command, input);
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (ended.status.code().unwrap(), text(ended.stdout), text(ended.stderr))
}

/// A Maildir with mail of every kind: line ends of both kinds and none, and names as delivery agents give them.
fn fill(maildir: &Path) {
    let first: [(&str, &[u8]); 6] = [
        ("new/1700000001.M10P1.mx1", b"Subject: one\n\none\n"),
        ("new/1700000001.M9P1.mx1,S=21", b"Subject: two\r\n\r\ntwo\r\n"),
        ("new/1700000002.V801I2cM3P1.mx1,S=21,W=24", b"Subject: three\n\n.dot\n"),
        ("new/1700000003.M1P1.mx1", b"Subject: none\n\nno end"),
        ("new/1700000004.1234_1.mx1", b"Subject: five\n\nfive\n"),
        ("new/1700000005.M1P1.mx1", b"Subject: six\n\nsix\n"),
    ];
    maildir::make(maildir, &first);
}

fn deliver_more(maildir: &Path) {
    maildir::deliver(maildir, "new/1700000006.M1P1.mx1", b"Subject: seven\n\nseven\n");
    maildir::deliver(maildir, "new/1600000000.M1P1.mx1", b"Subject: old\n\ndelivered late, with an old name\n");
}

/// Fills a mailbox and reads it through a server, as its owner did for years: fetches, deletes, lets mail come in.
fn live(maildir: &Path, session: impl Fn() -> Conversation) -> Vec<Message> {
    fill(maildir);
    let mut client = session();
    assert_eq!(seen(&mut client).len(), 6);
    client.ask("DELE 2", "+OK");
    client.ask("QUIT", "+OK");
    // Courier answers first and deletes then.
    client.ended();
    deliver_more(maildir);
    let mut client = session();
    let messages = seen(&mut client);
    client.ask("QUIT", "+OK");
    assert_eq!(messages.len(), 7);
    messages
}
