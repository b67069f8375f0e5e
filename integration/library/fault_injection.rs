//! Fault injection: the embedded directory fails on command, in each way that a test can order, and recovers afterwards.

use std::time::{Duration, Instant};

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, Scope};
use restante::demo::directory::{Controls, EmbeddedDirectory};
use restante::demo::fault_injection::{InjectedFault, RequestCounts};
use restante::demo::people::{self, BASE, SERVICE};
use restante::names::Dn;

const ALAN: &str = "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example";
const PASSWORD: &str = "violet-harbour-17";
/// Longer than any answer of a directory that means to answer.
const SOON: Duration = Duration::from_secs(10);
/// Short, where a test waits for an answer that never comes.
const NEVER: Duration = Duration::from_millis(200);

fn directory() -> (EmbeddedDirectory, Controls) {
    let directory = EmbeddedDirectory::start(people::tree().unwrap(), Dn::parse(SERVICE)).unwrap();
    let controls = directory.controls();
    (directory, controls)
}

async fn connect(directory: &EmbeddedDirectory) -> Result<Ldap, LdapError> {
    let settings = LdapConnSettings::new().set_conn_timeout(SOON);
    let (connection, ldap) = LdapConnAsync::with_settings(settings, &directory.url()).await?;
    tokio::spawn(connection.drive());
    Ok(ldap)
}

async fn as_service(directory: &EmbeddedDirectory) -> Ldap {
    let mut ldap = connect(directory).await.unwrap();
    assert_eq!(bind_service(&mut ldap).await.unwrap(), 0);
    ldap
}

async fn bind_service(ldap: &mut Ldap) -> Result<u32, LdapError> {
    let password = people::service_password().unwrap();
    Ok(ldap.with_timeout(SOON).simple_bind(SERVICE, &password).await?.rc)
}

async fn search(ldap: &mut Ldap, patience: Duration) -> Result<usize, LdapError> {
    let found = ldap.with_timeout(patience).search(BASE, Scope::Subtree, "(cn=Mary Brown)", ["uid"]).await?;
    Ok(found.success()?.0.len())
}

#[tokio::test]
async fn counts_what_it_was_asked() {
    let (directory, controls) = directory();
    let mut ldap = as_service(&directory).await;
    assert_eq!(search(&mut ldap, SOON).await.unwrap(), 2);
    assert_eq!(ldap.simple_bind(ALAN, PASSWORD).await.unwrap().rc, 0);
    assert_eq!(ldap.simple_bind(ALAN, "wrong").await.unwrap().rc, 49);
    assert_eq!(controls.asked(), RequestCounts { connections: 1, service_binds: 1, binds: 2, searches: 1 });
}

#[tokio::test]
async fn silent_until_the_fault_ends() {
    let (directory, controls) = directory();
    let mut ldap = as_service(&directory).await;
    controls.inject(InjectedFault::Silent);
    assert!(matches!(search(&mut ldap, NEVER).await, Err(LdapError::Timeout { .. })));
    assert_eq!(controls.asked().searches, 1);
    controls.inject(InjectedFault::None);
    assert_eq!(search(&mut ldap, SOON).await.unwrap(), 2);
}

#[tokio::test]
async fn refuses_and_comes_back_on_the_same_port() {
    let (directory, controls) = directory();
    let mut ldap = as_service(&directory).await;
    for _ in 0..3 {
        controls.inject(InjectedFault::Refuse);
        assert!(search(&mut ldap, SOON).await.is_err());
        let refused = std::net::TcpStream::connect(directory.address()).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        controls.inject(InjectedFault::None);
        ldap = as_service(&directory).await;
        assert_eq!(search(&mut ldap, SOON).await.unwrap(), 2);
    }
}

#[tokio::test]
async fn closes_connections_and_welcomes_new_ones() {
    let (directory, controls) = directory();
    let mut idle = as_service(&directory).await;
    controls.close_connections();
    assert!(search(&mut idle, SOON).await.is_err());
    assert_eq!(search(&mut as_service(&directory).await, SOON).await.unwrap(), 2);
}

#[tokio::test]
async fn drops_a_search_behind_its_first_entry() {
    let (directory, controls) = directory();
    let mut ldap = as_service(&directory).await;
    controls.inject(InjectedFault::DropOnSearch);
    let mut stream = ldap.streaming_search(BASE, Scope::Subtree, "(cn=Mary Brown)", ["uid"]).await.unwrap();
    assert!(stream.next().await.unwrap().is_some());
    assert!(!matches!(stream.next().await, Ok(Some(_))));
    assert!(search(&mut ldap, SOON).await.is_err());
}

#[tokio::test]
async fn is_as_slow_as_ordered() {
    let (directory, controls) = directory();
    let mut ldap = as_service(&directory).await;
    let pause = Duration::from_millis(60);
    controls.inject(InjectedFault::Slow(pause));
    let begun = Instant::now();
    assert_eq!(search(&mut ldap, SOON).await.unwrap(), 2);
    assert!(begun.elapsed() >= pause * 3, "two entries and the end: {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_trickle_goes_on_until_the_fault_ends() {
    let (directory, controls) = directory();
    let mut ldap = as_service(&directory).await;
    controls.inject(InjectedFault::TrickleEntries(Duration::from_millis(1)));
    let mut stream = ldap.streaming_search(BASE, Scope::Subtree, "(uid=nobody)", ["uid"]).await.unwrap();
    for _ in 0..20 {
        assert!(stream.next().await.unwrap().is_some());
    }
    controls.inject(InjectedFault::None);
    while stream.next().await.unwrap().is_some() {}
    assert_eq!(stream.finish().await.rc, 0);
}

#[tokio::test]
async fn answers_nonsense_or_gives_notice_of_disconnection() {
    let (directory, controls) = directory();
    for fault in [InjectedFault::Nonsense(b"\x30\x03\x02\x01\x05".to_vec()), InjectedFault::NoticeOfDisconnection] {
        let mut ldap = as_service(&directory).await;
        controls.inject(fault);
        let asked = tokio::spawn(async move { search(&mut ldap, SOON).await.is_ok() });
        assert!(!matches!(asked.await, Ok(true)));
        controls.inject(InjectedFault::None);
    }
}

#[tokio::test]
async fn gives_people_the_ordered_result_and_the_service_its_own() {
    let (directory, controls) = directory();
    let mut ldap = connect(&directory).await.unwrap();
    let text = "80090308: LdapErr: DSID-0C09041C, data 533, v4563\0";
    controls.inject(InjectedFault::BindResult { code: 49, text: text.to_owned() });
    let result = ldap.simple_bind(ALAN, PASSWORD).await.unwrap();
    assert_eq!((result.rc, result.text.as_str()), (49, text));
    assert_eq!(bind_service(&mut ldap).await.unwrap(), 0);
    controls.inject(InjectedFault::BindResult { code: 51, text: String::new() });
    assert_eq!(ldap.simple_bind(ALAN, "wrong").await.unwrap().rc, 51);
}

#[tokio::test]
async fn is_gone_when_dropped() {
    let (directory, controls) = directory();
    let (mut ldap, address) = (as_service(&directory).await, directory.address());
    drop(directory);
    assert!(search(&mut ldap, SOON).await.is_err());
    assert!(std::net::TcpStream::connect(address).is_err());
    controls.inject(InjectedFault::None);
}
