//! What the identity map must be told.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::identity::{RetentionPolicy, ScramSettings};
use crate::lockout;
use crate::maildir::PathTemplate;
use crate::names::Policy;
use crate::token::Issuers;

/// Everything the identity map needs besides its directories.
#[derive(Clone)]
pub struct Settings {
    /// Which forms of a name count.
    pub policy: Policy,
    /// What becomes of a name that several people have.
    pub ambiguous: Ambiguous,
    /// How a maildrop's path is made from an entry.
    pub template: PathTemplate,
    /// The mail root, below which every path lies.
    pub root: PathBuf,
    /// When mail that people leave on the server is removed.
    pub retention: RetentionPolicy,
    /// What is held, and for how long.
    pub cache: Lifetimes,
    /// How many wrong passwords are too many.
    pub lockout: lockout::Settings,
    /// What is told for names without SCRAM credentials.
    pub scram: ScramSettings,
    /// Whose tokens count; nobody's if none.
    pub tokens: Option<Arc<Issuers>>,
}

/// What becomes of a name that several people have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ambiguous {
    /// It logs nobody in.
    #[default]
    Refuse,
    /// The password is tried on each of them, and must be exactly one's.
    TryEach,
}

impl Ambiguous {
    /// How many people of one name are told apart.
    pub(super) fn most(self) -> u8 {
        match self {
            Self::Refuse => 1,
            Self::TryEach => 4,
        }
    }
}

/// How long answers of the directories are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// An identity, from its look-up.
    pub found: Duration,
    /// "Nobody has that name."
    pub missed: Duration,
    /// A verified password, from the last bind.
    pub password: Duration,
    /// A refused password is not tried again for so long: by default a little longer than an hour, at which devices poll.
    pub refused: Duration,
    /// A password, from its last proof, while a directory that is needed is silent.
    pub outage_grace: Duration,
    /// The most names and people held.
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
