//! Whose maildrop it is that a command works on.

use std::path::Path;

use anyhow::anyhow;
use tokio::runtime::Runtime;

use super::{Ended, act_as_service, complain};
use crate::config::{self, Configuration};
use crate::directory::Directory;
use crate::identity::{IdentityMap, Outcome, Steps};
use crate::maildir::{MaildropPath, Store};

/// The mail root, and the directory that knows whose mail lies where.
pub(super) struct Maildrops {
    pub(super) store: Store,
    identities: IdentityMap,
    runtime: Runtime,
}

/// A person, and where their mail is.
pub(super) struct Owner {
    pub(super) person: String,
    pub(super) path: MaildropPath,
}

impl Maildrops {
    fn open(configuration: Configuration) -> anyhow::Result<Self> {
        act_as_service(&configuration)?;
        let Configuration { identity, directory, maildir, .. } = configuration;
        let store = Store::new(maildir)?;
        let identities = IdentityMap::new(Directory::new(directory), identity).map_err(|fault| anyhow!(fault))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { store, identities, runtime })
    }

    /// The one person with that login name.
    pub(super) fn of(&self, login: &str) -> anyhow::Result<Owner> {
        let resolved = self.runtime.block_on(self.identities.resolve(login.as_bytes(), Steps::IGNORED));
        match resolved {
            Ok(resolved) => Ok(Owner { person: resolved.identity.canonical_name.clone(), path: resolved.maildrop }),
            Err(Outcome::Refused(refused)) => Err(anyhow!("{login}: {}", refused.reason)),
            Err(Outcome::Forbidden(_, why) | Outcome::Misconfigured(why) | Outcome::Unavailable(why)) => {
                Err(anyhow!("{login}: {why}"))
            }
            Err(Outcome::Proven(_)) => Err(anyhow!("{login}: cannot be told without a password")),
        }
    }
}

/// Runs a command that works on maildrops; it tells whether everything went well.
pub(super) fn run(file: &Path, command: impl FnOnce(&Maildrops) -> anyhow::Result<bool>) -> Ended {
    let configuration = match config::load(file) {
        Ok(configuration) => configuration,
        Err(faults) => {
            complain(&faults);
            return Ended::BadConfiguration;
        }
    };
    match Maildrops::open(configuration).and_then(|maildrops| command(&maildrops)) {
        Ok(true) => Ended::Fine,
        Ok(false) => Ended::FoundWrong,
        Err(fault) => {
            complain(&format!("{fault:#}"));
            Ended::FoundWrong
        }
    }
}
