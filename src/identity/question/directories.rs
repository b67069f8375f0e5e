//! The directories that are asked, in the order of the configuration.

use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::directory::{Directory, EntryId, Fault, Settings, Verdict};
use crate::identity::Identity;
use crate::secret::Password;

/// A value that is wiped when dropped.
pub(crate) type Secret = Zeroizing<Vec<u8>>;

/// All of them. Each name is asked of all; a password is proven by the one that holds the entry.
pub(crate) struct Directories(Vec<Directory>);

/// How many of several directories must answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needed {
    All,
    One,
}

impl Directories {
    pub(crate) fn new(directories: Vec<Directory>) -> Self {
        Self(directories)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Directory> {
        self.0.iter()
    }

    /// Whether this is the person's password; their own directory is asked.
    pub(crate) async fn bind(&self, person: &Identity, password: Password) -> Result<Verdict, Fault> {
        let Some(directory) = self.holding(&person.id) else {
            return Err(Fault::Misconfigured(format!("there is no directory {}", person.id.directory())));
        };
        let answer = directory.bind(person.dn.clone(), password).await;
        answer.map_err(|fault| self.told(fault, person.id.directory()))
    }

    /// Whether the entry at the person's DN is still theirs: a DN can be given to a successor.
    pub(crate) async fn is_still_theirs(&self, person: &Identity) -> Result<bool, Fault> {
        let Some(directory) = self.holding(&person.id) else { return Ok(false) };
        let id = directory.id_at(person.dn.clone()).await;
        let id = id.map_err(|fault| self.told(fault, person.id.directory()))?;
        Ok(id.is_some_and(|id| id == person.id))
    }

    /// What the person's entry holds of SCRAM now; none if it is not where it was, or their directory has no attribute for it.
    pub(crate) async fn scram(&self, person: &Identity) -> Result<Option<Vec<Secret>>, Fault> {
        let Some(directory) = self.holding(&person.id) else { return Ok(None) };
        let held = directory.scram(person.dn.clone()).await;
        let held = held.map_err(|fault| self.told(fault, person.id.directory()))?;
        Ok(held.filter(|held| held.id == person.id).map(|held| held.values))
    }

    /// Whether those of the directories answer that are wanted: all of them, or one at least. What was not heard since a
    /// moment is asked now.
    pub(crate) async fn confirm(
        &self,
        is_wanted: impl Fn(&Directory) -> bool,
        needed: Needed,
        since: Instant,
    ) -> Result<(), Fault> {
        let wanted = || self.0.iter().filter(|directory| is_wanted(directory));
        let unheard = || wanted().filter(|directory| !directory.was_heard_since(since));
        if needed == Needed::One && unheard().count() < wanted().count() {
            return Ok(());
        }
        let asked: Vec<_> = unheard().map(|directory| (&directory.settings().name, directory.confirm())).collect();
        let (mut answers, mut faults) = (0, Vec::new());
        for (name, pending) in asked {
            match pending.await {
                Ok(()) => answers += 1,
                Err(fault) => faults.push(self.told(fault, name)),
            }
        }
        match faults.into_iter().next() {
            Some(fault) if needed == Needed::All || answers == 0 => Err(fault),
            _ => Ok(()),
        }
    }

    /// Whether a person's directory has answered no search of late.
    pub(crate) fn finds_nobody(&self, person: &Identity) -> bool {
        self.holding(&person.id).is_some_and(Directory::finds_nobody)
    }

    /// Whether any has fallen silent, and was heard so short a time ago.
    pub(crate) fn fell_silent_within(&self, time: Duration) -> bool {
        self.0.iter().any(|directory| directory.fell_silent_within(time))
    }

    /// The attribute that holds SCRAM credentials in the person's directory.
    pub(crate) fn scram_attribute(&self, person: &Identity) -> Option<&str> {
        self.settings_of(&person.id)?.attributes.scram.as_deref()
    }

    /// The settings of the directory that holds an entry.
    pub(crate) fn settings_of(&self, id: &EntryId) -> Option<&Settings> {
        self.holding(id).map(Directory::settings)
    }

    /// A fault, with the name of its directory where there are several.
    pub(crate) fn told(&self, fault: Fault, directory: &str) -> Fault {
        if self.0.len() > 1 { fault.of_directory(directory) } else { fault }
    }

    fn holding(&self, id: &EntryId) -> Option<&Directory> {
        self.0.iter().find(|directory| *directory.settings().name == *id.directory())
    }
}
