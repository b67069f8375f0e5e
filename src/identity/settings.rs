//! What the identity map must be told.

use std::path::PathBuf;
use std::time::Duration;

use super::ScramSettings;
use crate::lockout;
use crate::maildir::PathTemplate;
use crate::names::Policy;

/// Everything the identity map needs besides its directory.
#[derive(Clone)]
pub struct Settings {
    /// Which forms of a name count.
    pub policy: Policy,
    /// How a maildrop's path is made from an entry.
    pub template: PathTemplate,
    /// The mail root, below which every path lies.
    pub root: PathBuf,
    /// What is held, and for how long.
    pub cache: Lifetimes,
    /// How many wrong passwords are too many.
    pub lockout: lockout::Settings,
    /// What is told for names without SCRAM credentials.
    pub scram: ScramSettings,
}

/// How long answers of the directory are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// An identity, from its look-up.
    pub found: Duration,
    /// "Nobody has that name."
    pub missed: Duration,
    /// A verified password, from the last bind.
    pub password: Duration,
    /// A refused password is not tried again for so long.
    pub refused: Duration,
    /// A password, from its last proof, while the directory is silent.
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
            refused: Duration::from_secs(10 * 60),
            outage_grace: Duration::from_secs(30 * 60),
            people: 100_000,
        }
    }
}
