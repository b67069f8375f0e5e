//! The directories that are asked, in the order of the configuration.

use zeroize::Zeroizing;

use super::Identity;
use crate::directory::{Directory, EntryId, Fault, Verdict};
use crate::secret::Password;

/// A value that is wiped when dropped.
pub(super) type Secret = Zeroizing<Vec<u8>>;

/// All of them. Each name is asked of all; a password is proven by the one that holds the entry.
pub(super) struct Directories(Vec<Directory>);

impl Directories {
    pub(super) fn new(directories: Vec<Directory>) -> Self {
        Self(directories)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Directory> {
        self.0.iter()
    }

    /// Whether this is the person's password; their own directory is asked.
    pub(super) async fn bind(&self, person: &Identity, password: Password) -> Result<Verdict, Fault> {
        let Some(directory) = self.holding(&person.id) else {
            return Err(Fault::Misconfigured(format!("there is no directory {}", person.id.directory())));
        };
        let answer = directory.bind(person.dn.clone(), password).await;
        answer.map_err(|fault| self.told(fault, person.id.directory()))
    }

    /// What the person's entry holds of SCRAM now; none if it is not where it was, or their directory has no attribute for it.
    pub(super) async fn scram(&self, person: &Identity) -> Result<Option<Vec<Secret>>, Fault> {
        let Some(directory) = self.holding(&person.id) else { return Ok(None) };
        let held = directory.scram(person.dn.clone()).await;
        let held = held.map_err(|fault| self.told(fault, person.id.directory()))?;
        Ok(held.filter(|held| held.id == person.id).map(|held| held.values))
    }

    /// The attribute that holds SCRAM credentials in the person's directory.
    pub(super) fn scram_attribute(&self, person: &Identity) -> Option<&str> {
        self.holding(&person.id)?.settings().attributes.scram.as_deref()
    }

    /// A fault, with the name of its directory where there are several.
    pub(super) fn told(&self, fault: Fault, directory: &str) -> Fault {
        if self.0.len() > 1 { fault.of_directory(directory) } else { fault }
    }

    fn holding(&self, id: &EntryId) -> Option<&Directory> {
        self.0.iter().find(|directory| *directory.settings().name == *id.directory())
    }
}
