//! The maildrops that a command works on, and their owners.

use std::path::Path;

use anyhow::anyhow;
use tokio::runtime::Runtime;

use super::{ExitStatus, act_as_service, with_configuration};
use crate::config::Configuration;
use crate::connection::SessionsPerMaildrop;
use crate::directory::{Attributes, Directory, Walk, WalkEnd};
use crate::identity::{self, Identity, IdentityMap, MailPlace, Outcome, Resolved, Retention, Trace};
use crate::maildir::{Deletion, MaildropPath, Store};
use crate::relay::RelayTarget;

/// The mail root, and the directories that know whose mail is where.
pub(super) struct Maildrops {
    pub(super) store: Store,
    /// Whether a maildrop may have one session only.
    pub(super) is_exclusive: bool,
    /// Whether any mail can expire.
    pub(super) ages: bool,
    /// Whether deleted mail stays for a while.
    pub(super) keeps_deleted: bool,
    settings: identity::Settings,
    directories: Vec<Directory>,
    identities: IdentityMap,
    runtime: Runtime,
}

/// A person, and where their mail is.
#[derive(Clone)]
pub(super) struct MaildropOwner {
    pub(super) person: String,
    pub(super) path: MaildropPath,
    /// How long it stays there.
    pub(super) retention: Retention,
}

/// A person without a maildrop.
pub(super) struct WithoutMaildrop {
    pub(super) person: String,
    pub(super) why: String,
}

impl Maildrops {
    fn open(configuration: Configuration) -> anyhow::Result<Self> {
        act_as_service(configuration.server.user.as_deref())?;
        let Configuration { identity: settings, directories, maildir, connection, .. } = configuration;
        let (ages, keeps_deleted) = (maildir.ageing, maildir.deletion != Deletion::Remove);
        if !serves_here(&settings) {
            return Err(anyhow!("no mail is here: mailboxes.root is not set, and relay.hosts lists hosts"));
        }
        let store = Store::new(maildir)?;
        let directories: Vec<Directory> = directories.into_iter().map(Directory::new).collect();
        let identities = IdentityMap::new(directories.clone(), settings.clone()).map_err(|fault| anyhow!(fault))?;
        // This thread reads the disk; the other one receives the directory's answers.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let is_exclusive = connection.sessions != SessionsPerMaildrop::Many;
        Ok(Self { store, is_exclusive, ages, keeps_deleted, settings, directories, identities, runtime })
    }

    /// Visits everybody who has a maildrop. People without one are skipped; `audit` reports them.
    pub(super) fn of_everybody(&self, mut each: impl FnMut(&MaildropOwner)) -> anyhow::Result<()> {
        self.runtime.block_on(async {
            for directory in &self.directories {
                self.of_directory(directory, &mut each).await?;
            }
            Ok(())
        })
    }

    async fn of_directory(&self, directory: &Directory, each: &mut impl FnMut(&MaildropOwner)) -> anyhow::Result<()> {
        let mut walk = directory.walk();
        let of = directory.settings();
        while let Some(owner) = next_owner(&mut walk, &of.attributes, &self.settings).await {
            if let Ok(owner) = owner {
                each(&owner);
            }
        }
        match walk.end().await? {
            WalkEnd::Complete => Ok(()),
            WalkEnd::CutShort(why) => Err(anyhow!("directory {} returned only some of its people: {why}", of.name)),
        }
    }

    /// The one person with that login name.
    pub(super) fn of(&self, login: &str) -> anyhow::Result<MaildropOwner> {
        let resolved = self.runtime.block_on(self.identities.resolve(login.as_bytes(), Trace::OFF));
        match resolved {
            Ok(Resolved { identity, mail: MailPlace::Here(path), .. }) => {
                let (person, retention) = (identity.canonical_name.clone(), identity.retention.clone());
                Ok(MaildropOwner { person, path, retention })
            }
            Ok(Resolved { mail: MailPlace::Elsewhere(target), .. }) => Err(anyhow!("{login}: {}", elsewhere(&target))),
            Err(outcome) => Err(anyhow!("{login}: {}", why(&outcome))),
        }
    }
}

/// Whether there is mail here, and not only at other hosts.
pub(super) fn serves_here(settings: &identity::Settings) -> bool {
    settings.relay.as_ref().is_none_or(|relay| relay.serves_here)
}

/// Why a command about maildrops has nothing to do for a person who is passed on to another host.
pub(super) fn elsewhere(target: &RelayTarget) -> String {
    format!("the mail is at {}, and not here", target.host)
}

/// Why a login name leads to no maildrop.
pub(super) fn why(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused(refused) => refused.reason.to_string(),
        Outcome::Forbidden(_, why) | Outcome::Misconfigured(why) | Outcome::Unavailable(why) => why.clone(),
        Outcome::Proven(_) => "cannot be determined without a password".to_owned(),
    }
}

/// The next of a directory's people, or who has no maildrop, and why. Entries out of scope, and people who
/// are passed on to another host, are skipped: their mail is another server's.
pub(super) async fn next_owner(
    walk: &mut Walk,
    attributes: &Attributes,
    settings: &identity::Settings,
) -> Option<Result<MaildropOwner, WithoutMaildrop>> {
    loop {
        let entry = match walk.next().await? {
            Err(fault) => return Some(Err(WithoutMaildrop { person: "an entry".to_owned(), why: fault.to_string() })),
            Ok(entry) if entry.out_of_scope.is_some() => continue,
            Ok(entry) => entry,
        };
        let identity = Identity::new(&entry, attributes, settings);
        let Some(maildrop) = identity.maildrop_here() else { continue };
        let Identity { canonical_name, retention, .. } = identity;
        return Some(match maildrop {
            Ok(path) => Ok(MaildropOwner { person: canonical_name, path, retention }),
            Err(refusal) => Err(WithoutMaildrop { person: canonical_name, why: refusal.to_string() }),
        });
    }
}

/// Runs a command that works on maildrops; the command returns whether everything succeeded.
pub(super) fn run(file: &Path, command: impl FnOnce(&Maildrops) -> anyhow::Result<bool>) -> ExitStatus {
    with_configuration(file, |configuration| command(&Maildrops::open(configuration)?))
}
