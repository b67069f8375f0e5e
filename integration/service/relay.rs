//! Sessions that are passed on to the host that holds the person's mail: Dovecot, Courier, Cyrus, another Restante.

mod client_address;
mod failures;
mod logins;
mod others;
mod reports;
mod traffic;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use restante::demo::directory::EmbeddedDirectory;
use restante::demo::people;
use restante::names::Dn;

use crate::support::conversation::Conversation;
use crate::support::directory::unchanged_for_long;
use crate::support::dovecot::{self, Dovecot};
use crate::support::maildir;
use crate::support::service::{Plan, Service, Site};

/// Who holds their mail at another host in most tests, and their password here.
const NAME: &str = "ajones";
const PASSWORD: &str = dovecot::PASSWORD;

/// The message that only the other host has.
const THERE: &[u8] = b"Subject: there\n\nkept at the other host\n";

/// The sample people; the entries with these short names name these hosts. The password of `ajones` is Dovecot's.
fn directory(hosts: &[(&str, &str)]) -> EmbeddedDirectory {
    let mut ldif = people::LDIF.replace("violet-harbour-17", PASSWORD);
    for (name, host) in hosts {
        ldif = ldif.replace(&format!("uid: {name}\n"), &format!("uid: {name}\nmailHost: {host}\n"));
    }
    EmbeddedDirectory::start(unchanged_for_long(&ldif), Dn::parse(people::SERVICE)).unwrap()
}

/// A folder for another host, with one message for `ajones`.
fn other_site() -> Site {
    let site = Site::new();
    maildir::make(&site.maildir(NAME), &[("cur/1.there", THERE)]);
    site
}

/// Restante in front of a Dovecot that holds the mail of `ajones`, both with folders of their own.
struct Relayed {
    service: Service,
    plan: Plan,
    site: Site,
    dovecot: Dovecot,
    there: Site,
    _directory: EmbeddedDirectory,
}

/// What the relay says about the one host, `localhost`, and about Dovecot besides.
#[derive(Default)]
struct Wanted<'w> {
    /// Keys of the host besides name, port and authority.
    host: &'w str,
    /// It is reached by STLS.
    stls: bool,
    /// Further lines of Dovecot's configuration; `FOLDER` is the folder of its site.
    dovecot: &'w str,
    /// Further sections of ours.
    further: &'w str,
    /// Further files in the folder of Dovecot's site.
    files: &'w [(&'w str, &'w str)],
}

impl Relayed {
    fn set(wanted: &Wanted<'_>) -> Self {
        let there = other_site();
        for (name, content) in wanted.files {
            fs::write(there.folder().join(name), content).unwrap();
        }
        let further = wanted.dovecot.replace("FOLDER", &there.folder().display().to_string());
        let dovecot = Dovecot::serve(&there, &further);
        let directory = directory(&[(NAME, "localhost")]);
        let site = Site::new();
        let (port, tls) = if wanted.stls { (dovecot.pop3(), "starttls") } else { (dovecot.pop3s(), "implicit") };
        let ca = there.authority();
        let host = wanted.host.replace("FOLDER", &there.folder().display().to_string());
        let plan = Plan::at(&directory.url()).and("refusal_step: 0s").and(wanted.further).and(&format!(
            "relay:\n  hosts:\n    - {{ name: localhost, port: {}, tls: {tls}, ca: {}, {host} }}",
            port.port(),
            ca.display(),
        ));
        let service = site.serve(&plan);
        Self { service, plan, site, dovecot, there, _directory: directory }
    }

    /// A client that has read the greeting.
    fn client(&self) -> Conversation {
        self.dovecot.own_mail();
        self.service.client()
    }

    /// `ajones`, logged in.
    fn session(&self) -> Conversation {
        let mut client = self.client();
        client.login(NAME, PASSWORD);
        client
    }
}

/// Expects that a client sees the mail that the other host has.
fn sees_mail_there(client: &mut Conversation) {
    client.ask("STAT", "+OK 1 ");
    client.ask("RETR 1", "+OK");
    let message = String::from_utf8(client.message()).unwrap();
    assert!(message.contains("kept at the other host"), "{message}\n{}", client.dialogue());
}

/// A host that says what it is told to, one connection after the other: each time the lines that it sends, after the
/// greeting one for each line that it reads. `HANG` stands for silence, `CLOSE` for the end.
fn scripted(greetings: Vec<Vec<&'static str>>) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let read: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&read);
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for script in greetings {
            let Ok((client, _)) = listener.accept() else { return };
            kept.extend(play(client, script, &noted));
        }
        while !kept.is_empty() {
            std::thread::park();
        }
    });
    (address, read)
}

/// Plays one script; gives the connection back if it is to stay open.
fn play(mut client: TcpStream, script: Vec<&str>, noted: &Mutex<Vec<String>>) -> Option<TcpStream> {
    let mut lines = BufReader::new(client.try_clone().unwrap()).lines();
    for (number, line) in script.into_iter().enumerate() {
        if number > 0 {
            noted.lock().unwrap().push(lines.next()?.ok()?);
        }
        match line {
            "HANG" => return Some(client),
            "CLOSE" => return None,
            line => client.write_all(format!("{line}\r\n").as_bytes()).ok()?,
        }
    }
    None
}

/// Restante in front of a host in clear at this port, with further keys of the host.
fn before(port: u16, keys: &str, further: &str) -> (Service, Site, EmbeddedDirectory) {
    let directory = directory(&[(NAME, "127.0.0.1")]);
    let site = Site::new();
    let plan = Plan::at(&directory.url())
        .and("refusal_step: 0s")
        .and(further)
        .and(&format!("relay:\n  hosts:\n    - {{ name: 127.0.0.1, port: {port}, tls: none, {keys} }}"));
    let service = site.serve(&plan);
    (service, site, directory)
}

/// Logs in as `ajones` where the login fails; returns the reply to the password.
fn refused(service: &Service) -> String {
    let mut client = service.client();
    client.ask(&format!("USER {NAME}"), "+OK");
    client.ask(&format!("PASS {PASSWORD}"), "-ERR")
}
