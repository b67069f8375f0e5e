//! The settings of the identity map.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::retention::RetentionPolicy;
use crate::lockout;
use crate::maildir::PathTemplate;
use crate::names::Policy;
use crate::relay;
use crate::secret::Password;
use crate::token::Issuers;

/// Everything the identity map needs to know, except its directories.
#[derive(Clone)]
pub struct Settings {
    /// Which forms of a name can be used.
    pub policy: Policy,
    /// Whether anybody can log in by a name that several people have.
    pub ambiguous: Ambiguous,
    /// Whether open sessions of people end when they may no longer log in.
    pub ends_sessions: bool,
    /// How a maildrop's path is made from an entry.
    pub template: PathTemplate,
    /// The mail root; every path is below it.
    pub root: PathBuf,
    /// When mail that people leave on the server is removed.
    pub retention: RetentionPolicy,
    /// How long answers are cached.
    pub cache: Lifetimes,
    /// The thresholds for wrong passwords.
    pub lockout: lockout::Settings,
    /// The challenges for names without SCRAM credentials.
    pub scram: ScramSettings,
    /// The issuers whose tokens are accepted; none if no tokens are.
    pub tokens: Option<Arc<Issuers>>,
    /// The hosts that hold people's mail besides this one; none if it holds everybody's.
    pub relay: Option<RelayPolicy>,
}

impl Settings {
    /// The attributes that the place of the mail depends on.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        let of_hosts = self.relay.iter().flat_map(|relay| {
            let of_users = relay.users.iter().flat_map(PathTemplate::attributes);
            of_users.chain([relay.settings.attribute.as_str()])
        });
        self.template.attributes().chain(of_hosts)
    }
}

/// Which people are passed on to other hosts, and by which names.
#[derive(Clone)]
pub struct RelayPolicy {
    /// The attribute and the hosts.
    pub settings: Arc<relay::Settings>,
    /// How a person's name at each of these hosts is made from their entry.
    pub users: Vec<PathTemplate>,
    /// Whether there is mail here as well.
    pub serves_here: bool,
}

impl Settings {
    /// Whether the same person is found for every name, with the same mail: then what is known about people stays valid.
    pub(super) fn finds_the_same(&self, other: &Self) -> bool {
        self.policy == other.policy
            && self.ambiguous == other.ambiguous
            && (&self.template, &self.root) == (&other.template, &other.root)
            && self.retention == other.retention
            // Names at other hosts and the hosts themselves are not compared.
            && self.relay.is_none()
            && other.relay.is_none()
    }

    /// Whether tokens of the same issuers are accepted, by whatever keys.
    pub(super) fn takes_the_same_tokens(&self, other: &Self) -> bool {
        match (&self.tokens, &other.tokens) {
            (Some(own), Some(others)) => own.settings().eq(others.settings()),
            (own, others) => own.is_none() && others.is_none(),
        }
    }
}

/// Whether anybody can log in by a name that several people have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ambiguous {
    /// It is rejected.
    #[default]
    Refuse,
    /// The password is tried for each of them, and must be right for exactly one.
    TryEach,
}

impl Ambiguous {
    /// The largest number of people with the same name for which a password is tried on each.
    pub(super) fn most(self) -> u8 {
        match self {
            Self::Refuse => 1,
            Self::TryEach => 4,
        }
    }
}

/// How long the directories' answers are cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// An identity, from its look-up.
    pub found: Duration,
    /// The answer that a name is unknown.
    pub missed: Duration,
    /// A verified password, from the last bind.
    pub password: Duration,
    /// A refused password, which is not tried again for this long: by default a little longer than an hour, so that a
    /// device that polls once an hour is remembered.
    pub refused: Duration,
    /// A password and its owner, from the last proof, while a directory that is needed is silent.
    pub outage_grace: Duration,
    /// The most names and people cached.
    pub people: u64,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            found: Duration::from_secs(5 * 60),
            missed: Duration::from_secs(30),
            password: Duration::from_secs(10 * 60),
            refused: Duration::from_secs(65 * 60),
            outage_grace: Duration::from_secs(30 * 60),
            people: 100_000,
        }
    }
}

/// The settings of SCRAM, except the directory's attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScramSettings {
    /// The iterations in challenges for names without credentials.
    pub iterations: u32,
    /// The length of the salt in these challenges, in octets; 32 at most.
    pub salt_octets: usize,
    /// The secret from which that salt is made; none for a random one of this process.
    pub key: Option<Password>,
}

impl Default for ScramSettings {
    /// As RFC 7677 §4 recommends, and most tools do.
    fn default() -> Self {
        Self { iterations: 4096, salt_octets: 16, key: None }
    }
}
