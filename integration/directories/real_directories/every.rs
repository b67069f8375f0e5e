//! What is asked of every one of them.

use ldap3::{Ldap, Scope};
use restante::demo::people::{BASE, LDIF};

use crate::support::PATIENCE;
use crate::support::directory::RealDirectory;
use crate::support::ds389::Ds389;
use crate::support::overlays::Overlay;
use crate::support::probe::{Follower, bind, bind_as, connect, read, service};
use crate::support::samba::Samba;
use crate::support::slapd::{Options, Slapd};

const PEOPLE: [(&str, &str); 5] = [
    ("ajones", "violet-harbour-17"),
    ("mbrown", "paper-boat-42"),
    ("mbrown2", "quiet-orchard-8"),
    ("jmueller", "grüne Äpfel"),
    ("asmith", "lantern*(over)\\water"),
];

/// Attributes that tell who an entry is, how its account stands, and whether it changed.
const TELLING: [&str; 24] = [
    "accountExpires",
    "accountUnlockTime",
    "entryUUID",
    "lockoutTime",
    "memberOf",
    "modifyTimestamp",
    "msDS-User-Account-Control-Computed",
    "nsAccountLock",
    "nsUniqueId",
    "objectGUID",
    "passwordExpirationTime",
    "passwordRetryCount",
    "pwdAccountLockedTime",
    "pwdChangedTime",
    "pwdEndTime",
    "pwdFailureTime",
    "pwdLastSet",
    "pwdReset",
    "pwdStartTime",
    "pwdUpdateTime",
    "shadowExpire",
    "tokenGroups",
    "userAccountControl",
    "whenChanged",
];

/// A slapd with all its overlays.
pub(super) fn slapd() -> Slapd {
    let overlays = &[Overlay::PasswordPolicy, Overlay::MemberOf, Overlay::Sync];
    Slapd::start_with(LDIF, &Options { overlays, ..Options::default() })
}

async fn finds(directory: &impl RealDirectory, filter: &str) -> usize {
    let mut ldap = service(directory).await;
    let found = ldap.with_timeout(PATIENCE).search(BASE, Scope::Subtree, filter, ["cn"]).await.unwrap();
    found.success().unwrap().0.len()
}

/// The service's entry finds people, nobody else does; people prove their passwords; all of it again after each end.
async fn serves<D: RealDirectory>(mut directory: D, restart: fn(&mut D), ends: [fn(&mut D); 2]) {
    for end in ends {
        assert_eq!(finds(&directory, "(mail=alan.jones@renovations.example)").await, 1);
        assert_eq!(finds(&directory, "(cn=Mary Brown)").await, 2);
        let stranger = connect(&directory).await.search(BASE, Scope::Subtree, "(cn=Mary Brown)", ["cn"]).await.unwrap();
        assert!(stranger.0.is_empty(), "{:?}", stranger.1);
        for (name, password) in PEOPLE {
            assert_eq!(bind(&directory, name, password).await.code, 0, "{name}");
        }
        end(&mut directory);
        assert!(std::net::TcpStream::connect(directory.url().trim_start_matches("ldap://")).is_err());
        restart(&mut directory);
    }
    assert_eq!(bind(&directory, "ajones", "violet-harbour-17").await.code, 0);
}

#[tokio::test]
async fn slapd_serves() {
    serves(slapd(), Slapd::restart, [Slapd::stop, Slapd::kill]).await;
}

#[tokio::test]
async fn ds389_serves() {
    serves(Ds389::start(LDIF), Ds389::restart, [Ds389::stop, Ds389::kill]).await;
}

#[tokio::test]
async fn samba_serves() {
    serves(Samba::start(LDIF), Samba::restart, [Samba::stop, Samba::kill]).await;
}

/// Brings accounts into every state, and tells the answers to binds with right and wrong passwords.
pub(super) async fn verdicts(directory: &impl RealDirectory) -> Vec<(&'static str, String)> {
    let said =
        |name: &'static str, password: &'static str| async move { bind(directory, name, password).await.to_string() };
    let nobody = format!("cn=nobody,{BASE}");
    let mut answers = vec![
        ("right", said("ajones", "violet-harbour-17").await),
        ("wrong", said("ajones", "wrong").await),
        ("nobody", bind_as(&mut connect(directory).await, &nobody, "wrong").await.to_string()),
        ("empty", said("ajones", "").await),
    ];
    directory.disable("alamb");
    answers.push(("disabled", said("alamb", "seven green lamps").await));
    answers.push(("disabled, wrong", said("alamb", "wrong").await));
    directory.lock("tclerk");
    answers.push(("locked", said("tclerk", "brass-button-3").await));
    answers.push(("locked, wrong", said("tclerk", "wrong").await));
    directory.expire_password("mbrown");
    answers.push(("expired", said("mbrown", "paper-boat-42").await));
    answers.push(("expired, wrong", said("mbrown", "wrong").await));
    directory.must_change("mbrown2");
    let mut must_change = connect(directory).await;
    let bound = bind_as(&mut must_change, &directory.dn("mbrown2"), "quiet-orchard-8").await;
    answers.push(("must change", bound.to_string()));
    let then = must_change.search(BASE, Scope::Base, "(objectClass=*)", ["ou"]).await.unwrap().1;
    answers.push(("must change, then a search", format!("{} {:?}", then.rc, then.text)));
    answers.push(("must change, wrong", said("mbrown2", "wrong").await));
    directory.set_password("jmueller", "another");
    answers.push(("set anew", said("jmueller", "another").await));
    answers.push(("set anew, old", said("jmueller", "grüne Äpfel").await));
    answers
}

/// Which of the telling attributes the service can read of an entry.
pub(super) async fn readable(ldap: &mut Ldap, dn: &str) -> Vec<&'static str> {
    let found = read(ldap, dn, &TELLING).await;
    TELLING.into_iter().filter(|name| found.contains_key(&name.to_ascii_lowercase())).collect()
}

/// What a follower of the people is told when a person changes, is locked, becomes a member of a group, and goes.
pub(super) async fn told(directory: &impl RealDirectory) -> Vec<String> {
    let mut follower = Follower::of(service(directory).await, BASE).await;
    let mut refresh = follower.refresh().await;
    assert_eq!(refresh.pop().as_deref(), Some("refreshed"));
    refresh.sort();
    let mut people = restante::demo::people::people().unwrap();
    people.sort_by(|one, other| one.dn.cmp(&other.dn));
    assert_eq!(refresh, people.iter().map(|person| format!("add {}", person.dn)).collect::<Vec<_>>());
    directory.replace("ajones", "title", "Manager");
    directory.lock("tclerk");
    let group = format!("cn=Alan Jones,ou=groups,{BASE}");
    directory.modify(&format!("dn: {group}\nchangetype: modify\nadd: member\nmember: {}\n", directory.dn("alamb")));
    let gone = directory.dn("mbrown");
    directory.modify(&format!("dn: {gone}\nchangetype: delete\n"));
    let mut messages = Vec::new();
    while messages.last().is_none_or(|last| *last != format!("delete {gone}")) {
        messages.push(follower.next().await);
    }
    messages
}
