//! What all directories together know about a name or a certificate: it is one person's only if nobody else can have
//! it.

use std::sync::Arc;

use crate::directory::Fault;
use crate::identity::person::Identity;
use crate::names::Kind;

/// The answers so far.
#[derive(Default)]
pub(super) struct Answers {
    /// The people found, each with the kind of name that matched.
    pub(super) people: Vec<(Arc<Identity>, Option<Kind>)>,
    /// The directories that gave no answer, by name.
    faults: Vec<(Arc<str>, Fault)>,
}

impl Answers {
    /// Notes that a directory gave no answer.
    pub(super) fn note_fault(&mut self, directory: &Arc<str>, fault: Fault) {
        self.faults.push((directory.clone(), fault));
    }

    /// Whether every directory answered.
    pub(super) fn are_complete(&self) -> bool {
        self.faults.is_empty()
    }

    /// The person who was found when all directories last answered, unless an answer now contradicts that: their own
    /// directory no longer has them, or somebody else is found.
    pub(super) fn still<'k>(&self, known: Option<&'k Arc<Identity>>) -> Option<&'k Arc<Identity>> {
        known.filter(|known| match self.people.as_slice() {
            [] => self.fault_of(known).is_some(),
            [(found, _)] => found.id == known.id,
            _ => false,
        })
    }

    /// Why it is not certain that nobody, or only the person found, has the name: a silent directory may know somebody
    /// else. The person who was found when all directories last answered is still accepted.
    pub(super) fn doubt(&self, known: Option<&Arc<Identity>>) -> Option<Fault> {
        let known = self.still(known);
        if known.is_some() && !self.people.is_empty() {
            return None;
        }
        // A fault that an administrator must fix comes first, but a known person depends only on their own directory.
        let is_misconfigured = |fault: &&Fault| matches!(fault, Fault::Misconfigured(_));
        let all = || self.faults.iter().map(|(_, fault)| fault);
        let own = known.and_then(|known| self.fault_of(known));
        own.or_else(|| all().find(is_misconfigured)).or_else(|| all().next()).cloned()
    }

    fn fault_of(&self, person: &Identity) -> Option<&Fault> {
        self.faults.iter().find(|(directory, _)| **directory == *person.id.directory()).map(|(_, fault)| fault)
    }
}

/// The most people that are named.
const MOST_DESCRIBED: usize = 5;

/// People as the log names them: by DN, with the directory if they are of several; of many, the first few.
pub(crate) fn describe_people<'p>(people: impl Iterator<Item = &'p Arc<Identity>> + Clone) -> Vec<String> {
    let first = people.clone().next().map(|person| person.id.directory());
    let is_of_several = people.clone().any(|person| Some(person.id.directory()) != first);
    let describe = |person: &Arc<Identity>| {
        if is_of_several { format!("{} in {}", person.dn, person.id.directory()) } else { person.dn.to_string() }
    };
    let mut described: Vec<String> = people.clone().take(MOST_DESCRIBED).map(describe).collect();
    described.extend((people.count() > MOST_DESCRIBED).then(|| "others".to_owned()));
    described
}
