//! People and groups are two searches: when a server ends one of them alone, neither is followed any more. Real servers do
//! so when they have forgotten too much, not on command; this one is played.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use ldap3_proto::proto::{LdapIntermediateResponse, LdapMsg, LdapOp, LdapPartialAttribute, LdapResult};
use ldap3_proto::{LdapCodec, LdapResultCode, LdapSearchResultEntry};
use restante::directory::{
    Admission, Attributes, CertificateMapping, Change, Directory, DirectoryLimits, Group, LdapUrl, NameLimits,
    Settings, trust,
};
use restante::names::Dn;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::codec::Framed;

const PEOPLE: &str = "ou=people,dc=example";
const GROUPS: &str = "ou=groups,dc=example";
const SYNC_REQUEST: &str = "1.3.6.1.4.1.4203.1.9.1.1";

type Wire = Framed<TcpStream, LdapCodec>;

fn settings(url: &str) -> Settings {
    let dn = |text| Dn::parse(text).unwrap();
    let group = Group { dn: dn("cn=pop3,ou=groups,dc=example"), base: dn(GROUPS), computed: false };
    Settings {
        name: "played".into(),
        urls: vec![LdapUrl::parse(url).unwrap()],
        starttls: false,
        tls: trust(None).unwrap(),
        bind: None,
        base: dn(PEOPLE),
        filter: "(objectClass=inetOrgPerson)".to_owned(),
        attributes: Attributes::default(),
        certificate_mapping: CertificateMapping::Key,
        further_attributes: Vec::new(),
        admission: Admission { group: Some(group), enabled_attribute: None },
        names: NameLimits::default(),
        follow: true,
        limits: DirectoryLimits::default(),
    }
}

async fn say(wire: &mut Wire, msgid: i32, op: LdapOp) {
    wire.send(LdapMsg { msgid, op, ctrl: Vec::new() }).await.unwrap();
}

fn done(code: LdapResultCode) -> LdapOp {
    LdapOp::SearchResultDone(LdapResult {
        code,
        matcheddn: String::new(),
        message: String::new(),
        referral: Vec::new(),
    })
}

/// Answers one connection: every search is refreshed at once, and the one below `ended` ends behind that.
async fn play(stream: TcpStream, ended: &str) {
    let mut wire = Framed::new(stream, LdapCodec::default());
    while let Some(Ok(message)) = wire.next().await {
        let LdapOp::SearchRequest(search) = message.op else { return };
        if search.base.is_empty() {
            let controls = LdapPartialAttribute {
                atype: "supportedControl".to_owned(),
                vals: vec![SYNC_REQUEST.as_bytes().to_vec()],
            };
            let root = LdapSearchResultEntry { dn: String::new(), attributes: vec![controls] };
            say(&mut wire, message.msgid, LdapOp::SearchResultEntry(root)).await;
            say(&mut wire, message.msgid, done(LdapResultCode::Success)).await;
            continue;
        }
        let refreshed = LdapIntermediateResponse::SyncInfoRefreshDelete { cookie: None, done: true };
        say(&mut wire, message.msgid, LdapOp::IntermediateResponse(refreshed)).await;
        if search.base == ended {
            say(&mut wire, message.msgid, done(LdapResultCode::EsyncRefreshRequired)).await;
        }
    }
}

/// e-syncRefreshRequired (RFC 4533 §2.5): what was heard so far says nothing of what is true now.
async fn refresh_is_required(ended: &'static str) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ldap://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        play(listener.accept().await.unwrap().0, ended).await;
        play(listener.accept().await.unwrap().0, "").await;
    });
    let (sender, mut heard) = mpsc::unbounded_channel();
    let directory = Directory::new(settings(&url));
    let following = tokio::spawn(async move { directory.follow(move |change| sender.send(change).unwrap()).await });
    let mut next = async || timeout(Duration::from_secs(10), heard.recv()).await.unwrap().unwrap();
    let first = next().await;
    // One part may end before the other is heard at all.
    let lost = if first == Change::Following { next().await } else { first };
    let Change::Lost(why) = lost else { panic!("{lost:?}") };
    assert!(why.contains(&format!("changes below {ended}: ")) && why.contains("4096"), "{why}");
    assert_eq!(next().await, Change::Following, "it is followed again");
    following.abort();
}

#[tokio::test]
async fn people_alone_that_are_not_heard_any_more_are_told() {
    refresh_is_required(PEOPLE).await;
}

#[tokio::test]
async fn groups_alone_that_are_not_heard_any_more_are_told() {
    refresh_is_required(GROUPS).await;
}
