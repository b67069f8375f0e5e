//! The tests' own tools do what other tests take for granted.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, Scope};
use restante::demo::people::{self, BASE, LDIF, SERVICE};

use crate::support::conversation::{Conversation, trusting};
use crate::support::directory::RealDirectory;
use crate::support::process::{output, program};
use crate::support::slapd::{Options, Slapd};
use crate::support::{PATIENCE, maildir, wait_until};

async fn connect(slapd: &Slapd, url: &str) -> Result<Ldap, LdapError> {
    let tls = trusting(&slapd.authority());
    let settings = LdapConnSettings::new().set_conn_timeout(PATIENCE).set_config(tls);
    let (connection, mut ldap) = LdapConnAsync::with_settings(settings, url).await?;
    tokio::spawn(connection.drive());
    ldap.simple_bind(SERVICE, &people::service_password().unwrap()).await?.success()?;
    Ok(ldap)
}

async fn finds_alan(ldap: &mut Ldap, patience: Duration) -> Result<bool, LdapError> {
    Ok(ldap.with_timeout(patience).search(BASE, Scope::Subtree, "(uid=ajones)", ["cn"]).await?.success()?.0.len() == 1)
}

#[tokio::test]
async fn slapd_answers_in_clear_over_tls_and_over_its_socket() {
    let slapd = Slapd::start(LDIF);
    for url in [slapd.url(), slapd.tls_url(), slapd.socket_url()] {
        let mut ldap = connect(&slapd, &url).await.unwrap();
        assert!(finds_alan(&mut ldap, PATIENCE).await.unwrap(), "{url}");
    }
}

#[tokio::test]
async fn slapd_stops_and_comes_back_on_its_ports() {
    let mut slapd = Slapd::start(LDIF);
    for end in [Slapd::stop, Slapd::kill] {
        let mut ldap = connect(&slapd, &slapd.url()).await.unwrap();
        end(&mut slapd);
        assert!(finds_alan(&mut ldap, PATIENCE).await.is_err());
        assert!(connect(&slapd, &slapd.url()).await.is_err());
        slapd.restart();
        let mut ldap = connect(&slapd, &slapd.url()).await.unwrap();
        assert!(finds_alan(&mut ldap, PATIENCE).await.unwrap());
    }
}

#[tokio::test]
async fn slapd_hangs_while_frozen() {
    let slapd = Slapd::start(LDIF);
    let mut ldap = connect(&slapd, &slapd.url()).await.unwrap();
    slapd.freeze();
    let hung = finds_alan(&mut ldap, Duration::from_millis(200)).await;
    assert!(matches!(hung, Err(LdapError::Timeout { .. })), "{hung:?}");
    slapd.thaw();
    assert!(finds_alan(&mut ldap, PATIENCE).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn slapd_closes_idle_connections_if_it_shall() {
    let slapd = Slapd::start_with(LDIF, &Options { idle_timeout: 1, ..Options::default() });
    let mut ldap = connect(&slapd, &slapd.url()).await.unwrap();
    wait_until("slapd closes the idle connection", || ldap.is_closed());
}

#[test]
#[should_panic(expected = "integration/packages")]
fn a_missing_program_is_a_failure() {
    output(&mut program("slapd-that-nobody-installed"), "");
}

/// A server that greets one client and answers its lines from a list.
fn serve(answers: &'static [&'static str]) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _): (TcpStream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let mut said = Vec::new();
        let (greeting, answers) = answers.split_first().unwrap();
        stream.write_all(greeting.as_bytes()).unwrap();
        for answer in answers {
            said.push(lines.next().unwrap().unwrap());
            stream.write_all(answer.as_bytes()).unwrap();
        }
        said
    });
    (address, server)
}

#[test]
fn a_conversation_hears_exactly_what_is_said() {
    let (address, server) = serve(&["+OK hello\r\n", "+OK\r\na\r\n..b\r\n\r\n.\r\n", "+OK 1\r\n.\r\n"]);
    let mut client = Conversation::plain(address);
    assert_eq!(client.expect("+OK"), "+OK hello");
    client.ask("RETR 1", "+OK");
    assert_eq!(client.message(), b"a\r\n.b\r\n\r\n");
    client.ask("LIST", "+OK");
    assert_eq!(client.multiline(), b".\r\n");
    client.ended();
    assert_eq!(server.join().unwrap(), ["RETR 1", "LIST"]);
    assert!(client.dialogue().contains("C: LIST\\r\\n\nS: +OK 1\\r\\n\n"), "{}", client.dialogue());
}

#[test]
#[should_panic(expected = "expected \"+OK\", got \"-ERR no\"\nS: +OK\\r\\n\nC: STAT\\r\\n\nS: -ERR no\\r\\n")]
fn a_failed_conversation_shows_the_dialogue() {
    let (address, _) = serve(&["+OK\r\n", "-ERR no\r\n"]);
    let mut client = Conversation::plain(address);
    client.expect("+OK");
    client.ask("STAT", "+OK");
}

#[test]
#[should_panic(expected = "a line that ends without CR")]
fn a_lone_line_feed_is_noticed() {
    let (address, _) = serve(&["+OK\n"]);
    Conversation::plain(address).expect("+OK");
}

#[test]
fn a_maildir_holds_what_was_delivered() {
    let root = tempfile::tempdir().unwrap();
    let at = root.path().join("ajones/Maildir");
    maildir::make(&at, &[("new/2.b", b"two\n"), ("cur/1.a:2,S", b"one")]);
    assert_eq!(maildir::names(&at), ["cur/1.a:2,S", "new/2.b"]);
    assert_eq!(std::fs::read(at.join("cur/1.a:2,S")).unwrap(), b"one");
}
