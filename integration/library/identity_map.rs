//! What the identity map holds, for how long, and what it asks: the embedded directory counts.

mod changes;
mod doubting;
mod enumeration;
mod flushing;
mod grace;
mod guessing;
mod holding;
mod refusals;
mod reported;
mod second_factor;
mod several;
mod stamps;
mod strangers;
mod successors;
mod try_each;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use restante::demo::directory::{Controls, EmbeddedDirectory};
use restante::demo::people::{self, BASE, SERVICE};
use restante::demo::tree::Tree;
use restante::directory::{
    self, Admission, Attributes, CertificateMapping, DirectoryLimits, LdapUrl, NameLimits, ServiceBind, trust,
};
use restante::identity::{Ambiguous, IdentityMap, Lifetimes, Outcome, RetentionPolicy, ScramSettings, Settings};
use restante::lockout;
use restante::maildir::PathTemplate;
use restante::names::{Dn, Policy};
use restante::pop3::{Credentials, Mechanism};
use restante::secret::Password;

use crate::support::directory::unchanged_for_long;

const ALAN: &str = "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example";
const LAMB: &str = "uid=alamb,ou=Production,ou=people,dc=renovations,dc=example";
const PASSWORD: &str = "violet-harbour-17";

/// Short, where a test waits for something to pass.
const SHORT: Duration = Duration::from_millis(300);

/// An identity map in front of the embedded directory.
struct World {
    map: IdentityMap,
    controls: Controls,
    _directory: EmbeddedDirectory,
}

impl World {
    /// With the default lifetimes.
    fn new() -> Self {
        Self::holding(|_| {})
    }

    /// With other lifetimes; nothing is counted.
    fn holding(change: impl FnOnce(&mut Lifetimes)) -> Self {
        Self::counting(lockout::Settings::off(), change)
    }

    /// With other lifetimes, and counters.
    fn counting(lockout: lockout::Settings, change: impl FnOnce(&mut Lifetimes)) -> Self {
        Self::mapping(CertificateMapping::Key, lockout, change)
    }

    /// The same, with a rule by which certificates lead to people.
    fn mapping(
        certificate_mapping: CertificateMapping,
        lockout: lockout::Settings,
        change: impl FnOnce(&mut Lifetimes),
    ) -> Self {
        let directory = EmbeddedDirectory::start(unchanged_for_long(people::LDIF), Dn::parse(SERVICE)).unwrap();
        let mut cache = Lifetimes::default();
        change(&mut cache);
        let template = PathTemplate::parse("{short_name}/Maildir").unwrap();
        let root = PathBuf::from("/srv/mail");
        let settings = Settings {
            policy: Policy::fewer(),
            ambiguous: Ambiguous::Refuse,
            ends_sessions: true,
            template,
            root,
            cache,
            lockout,
            retention: RetentionPolicy::default(),
            tokens: None,
            relay: None,
            scram: ScramSettings::default(),
        };
        let asking = directory::Settings { certificate_mapping, ..asking("test", &directory.url()) };
        let asked = directory::Directory::new(asking);
        let map = IdentityMap::new(vec![asked], settings).unwrap();
        Self { map, controls: directory.controls(), _directory: directory }
    }

    /// What comes of a login: `ajones/Maildir by bind`, `refused: wrong password`, `unavailable`.
    async fn login(&self, name: &str, password: &str) -> String {
        self.login_from("127.0.0.1", name, password).await
    }

    /// The same from another address.
    async fn login_from(&self, address: &str, name: &str, password: &str) -> String {
        told(&self.map, address, name, password).await
    }

    /// Logs in again and again until this comes of it; tells how long it took.
    async fn until(&self, name: &str, password: &str, wanted: &str) -> Duration {
        self.until_from("127.0.0.1", name, password, wanted).await
    }

    /// The same from another address.
    async fn until_from(&self, address: &str, name: &str, password: &str, wanted: &str) -> Duration {
        let began = Instant::now();
        loop {
            let told = self.login_from(address, name, password).await;
            if told == wanted {
                return began.elapsed();
            }
            assert!(began.elapsed() < crate::support::PATIENCE, "waited in vain for {wanted:?}; the last was {told:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Searches and binds as people, so far.
    fn asked(&self) -> (u64, u64) {
        let asked = self.controls.asked();
        (asked.searches, asked.binds)
    }

    fn change(&self, change: impl FnOnce(&mut Tree)) {
        self.controls.change(change);
    }

    /// Gives a person another password, and a change stamp that surely moved: the directory's own has whole seconds, and
    /// would be too young to tell anything.
    fn set_password(&self, dn: &str, password: &str) {
        let asked = self.controls.asked();
        let moves = asked.binds + asked.searches;
        let stamp = format!("20210101{:02}{:02}{:02}Z", moves / 3600, moves / 60 % 60, moves % 60);
        self.change(|tree| {
            tree.set(dn, "userPassword", [password]).unwrap();
            tree.set(dn, "pwdChangedTime", [stamp.as_str()]).unwrap();
        });
    }
}

/// What comes of a login.
async fn told(map: &IdentityMap, address: &str, name: &str, password: &str) -> String {
    told_as(map, address, name, "", password).await
}

/// The same, where the client wants to be somebody (RFC 4422 §3.4.1).
async fn told_as(map: &IdentityMap, address: &str, name: &str, authorization: &str, password: &str) -> String {
    let password = Password::new(password.as_bytes().to_vec());
    let (login, authorization) = (name.as_bytes().to_vec(), authorization.as_bytes().to_vec());
    let credentials = Credentials { login, authorization, password, mechanism: Mechanism::User };
    describe(map.verify(credentials, address.parse().unwrap()).await)
}

/// An outcome in a few words.
fn describe(outcome: Outcome) -> String {
    match outcome {
        Outcome::Proven(proven) => format!("{} by {}", proven.mail, proven.proof),
        Outcome::Refused(refused) => format!("refused: {}", refused.reason),
        Outcome::Unavailable(_) => "unavailable".to_owned(),
        Outcome::Misconfigured(why) | Outcome::Forbidden(_, why) => panic!("{why}"),
    }
}

/// The embedded directory as the service asks it, with little patience.
fn asking(name: &str, url: &str) -> directory::Settings {
    let password = Password::new(people::service_password().unwrap().into_bytes()).unwrap();
    let second = Duration::from_secs(1);
    directory::Settings {
        name: name.into(),
        urls: vec![LdapUrl::parse(url).unwrap()],
        starttls: false,
        tls: trust(None).unwrap(),
        bind: Some(ServiceBind { dn: Dn::parse(SERVICE).unwrap(), password }),
        base: Dn::parse(BASE).unwrap(),
        filter: "(objectClass=inetOrgPerson)".to_owned(),
        attributes: Attributes::default(),
        names: NameLimits::default(),
        certificate_mapping: CertificateMapping::Key,
        further_attributes: Vec::new(),
        admission: Admission::default(),
        follow: false,
        limits: DirectoryLimits {
            connect: second,
            operation: second,
            search: 2 * second,
            ..DirectoryLimits::default()
        },
    }
}
