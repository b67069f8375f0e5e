//! The directories, in the order of the configuration.

use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::directory::{self, Directory, EntryId, Fault, Verdict};
use crate::identity::person::Identity;
use crate::secret::Password;

/// A value that is wiped when dropped.
pub(crate) type Secret = Zeroizing<Vec<u8>>;

/// All directories. All are asked for a name; a password is proven by the one that has the entry.
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

    /// Whether this is the person's password: a bind at their own directory.
    pub(crate) async fn bind(&self, person: &Identity, password: Password) -> Result<Verdict, Fault> {
        let Some(directory) = self.directory_of(&person.id) else {
            return Err(Fault::Misconfigured(format!("there is no directory {}", person.id.directory())));
        };
        let answer = directory.bind(person.dn.clone(), password).await;
        answer.map_err(|fault| self.attributed(fault, person.id.directory()))
    }

    /// Whether the entry at the person's DN is still theirs: a DN can be given to a successor.
    pub(crate) async fn is_still_theirs(&self, person: &Identity) -> Result<bool, Fault> {
        let Some(directory) = self.directory_of(&person.id) else { return Ok(false) };
        let id = directory.id_at(person.dn.clone()).await;
        let id = id.map_err(|fault| self.attributed(fault, person.id.directory()))?;
        Ok(id.is_some_and(|id| id == person.id))
    }

    /// The SCRAM credentials in the person's entry now; none if it is not where it was, or if their directory has no
    /// attribute for them.
    pub(crate) async fn scram(&self, person: &Identity) -> Result<Option<Vec<Secret>>, Fault> {
        let Some(directory) = self.directory_of(&person.id) else { return Ok(None) };
        let credentials = directory.scram(person.dn.clone()).await;
        let credentials = credentials.map_err(|fault| self.attributed(fault, person.id.directory()))?;
        Ok(credentials.filter(|entry| entry.id == person.id).map(|entry| entry.values))
    }

    /// Whether directories answer: all of those selected, or at least one. Those that have not answered since a given
    /// moment are asked now.
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
                Err(fault) => faults.push(self.attributed(fault, name)),
            }
        }
        match faults.into_iter().next() {
            Some(fault) if needed == Needed::All || answers == 0 => Err(fault),
            _ => Ok(()),
        }
    }

    /// Whether a person's directory did not answer the last search.
    pub(crate) fn finds_nobody(&self, person: &Identity) -> bool {
        self.directory_of(&person.id).is_some_and(Directory::finds_nobody)
    }

    /// Whether any directory has fallen silent that had answered less than this time ago.
    pub(crate) fn fell_silent_within(&self, time: Duration) -> bool {
        self.0.iter().any(|directory| directory.fell_silent_within(time))
    }

    /// The attribute for SCRAM credentials in the person's directory.
    pub(crate) fn scram_attribute(&self, person: &Identity) -> Option<&str> {
        self.settings_of(&person.id)?.attributes.scram.as_deref()
    }

    /// The settings of the directory that has an entry.
    pub(crate) fn settings_of(&self, id: &EntryId) -> Option<&directory::Settings> {
        self.directory_of(id).map(Directory::settings)
    }

    /// A fault, with the name of its directory where there are several.
    pub(crate) fn attributed(&self, fault: Fault, directory: &str) -> Fault {
        if self.0.len() > 1 { fault.of_directory(directory) } else { fault }
    }

    fn directory_of(&self, id: &EntryId) -> Option<&Directory> {
        self.0.iter().find(|directory| *directory.settings().name == *id.directory())
    }
}
