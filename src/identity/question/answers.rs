//! What all directories together say of a name or a certificate: it is one person's only if nobody else can have it.

use std::sync::Arc;

use crate::directory::Fault;
use crate::identity::Identity;
use crate::names::Kind;

/// The answers so far.
#[derive(Default)]
pub(crate) struct Answers {
    /// Whom any directory found, each with the kind of name that matched.
    pub(crate) people: Vec<(Arc<Identity>, Option<Kind>)>,
    /// The directories that gave no answer, by name.
    faults: Vec<(Arc<str>, Fault)>,
}

impl Answers {
    /// A directory gave no answer.
    pub(crate) fn note_fault(&mut self, directory: &Arc<str>, fault: Fault) {
        self.faults.push((directory.clone(), fault));
    }

    /// Whether every directory was heard.
    pub(crate) fn is_whole(&self) -> bool {
        self.faults.is_empty()
    }

    /// Whom it was when every directory was last heard, unless anything that was heard now speaks against them: their own
    /// directory holds them no more, or somebody else is found.
    pub(crate) fn still<'k>(&self, known: Option<&'k Arc<Identity>>) -> Option<&'k Arc<Identity>> {
        known.filter(|known| match self.people.as_slice() {
            [] => self.fault_of(known).is_some(),
            [(found, _)] => found.id == known.id,
            _ => false,
        })
    }

    /// Why nobody, or nobody but the one found, cannot be said to be the answer: a directory that gave none may hold
    /// somebody else. Whom it was when all were heard is believed still.
    pub(crate) fn doubt(&self, known: Option<&Arc<Identity>>) -> Option<Fault> {
        let known = self.still(known);
        if known.is_some() && !self.people.is_empty() {
            return None;
        }
        // What an administrator must mend comes first, but the known person waits for their own directory alone.
        let is_misconfigured = |fault: &&Fault| matches!(fault, Fault::Misconfigured(_));
        let all = || self.faults.iter().map(|(_, fault)| fault);
        let own = known.and_then(|known| self.fault_of(known));
        own.or_else(|| all().find(is_misconfigured)).or_else(|| all().next()).cloned()
    }

    fn fault_of(&self, person: &Identity) -> Option<&Fault> {
        self.faults.iter().find(|(directory, _)| **directory == *person.id.directory()).map(|(_, fault)| fault)
    }
}

/// People as the log tells them: by DN, with the directory where that tells them apart; the first few of many.
pub(crate) fn told<'p>(people: impl Iterator<Item = &'p Arc<Identity>> + Clone) -> Vec<String> {
    let first = people.clone().next().map(|person| person.id.directory());
    let is_of_several = people.clone().any(|person| Some(person.id.directory()) != first);
    let tell = |person: &Arc<Identity>| {
        if is_of_several { format!("{} in {}", person.dn, person.id.directory()) } else { person.dn.to_string() }
    };
    let mut told: Vec<String> = people.clone().take(TOLD).map(tell).collect();
    told.extend((people.count() > TOLD).then(|| "others".to_owned()));
    told
}

/// People told by name.
const TOLD: usize = 5;
