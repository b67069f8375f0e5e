//! Which Maildir belongs to whom: people are compared with the mail root, and the mail root with people.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::coverage::Coverage;
use super::pairs::MissingMailboxNames;
use super::people::{People, PersonNumber};
use super::{AuditFinding, Person};
use crate::directory::{self, Entry};
use crate::identity::Identity;
use crate::maildir::{DirectoryId, EnterFault, MaildirCondition, MaildropPath, PathRefusal, Store, Surveyed};

/// The Maildirs of everybody seen so far.
pub(super) struct Mailboxes<'a> {
    store: &'a Store,
    owners: HashMap<MailboxPlace, MaildirOwners>,
    /// The most components of anybody's path.
    deepest: usize,
    /// Those whose Maildir is missing, with the path where it would be.
    missing: HashMap<PersonNumber, MaildropPath>,
    wanted: MissingMailboxNames,
    with_mailbox: usize,
}

/// A Maildir: identified by the directory itself if it exists, since two paths can lead to the same one.
#[derive(PartialEq, Eq, Hash)]
enum MailboxPlace {
    There(DirectoryId),
    Missing(MaildropPath),
}

/// The path that led there first, and the numbers of all people whose path leads there.
struct MaildirOwners {
    path: MaildropPath,
    numbers: Vec<PersonNumber>,
}

/// What is below the mail root.
#[derive(Default)]
pub(super) struct MailboxSurvey {
    /// Maildirs without an owner.
    pub(super) unowned: Vec<PathBuf>,
    /// Directories that may not be read.
    pub(super) hidden: Vec<AuditFinding>,
}

/// The depth of `{short_name}/Maildir`: the survey goes at least that deep.
const SHALLOWEST: usize = 2;

/// The most people named in one finding.
const NAMED: usize = 5;

impl<'a> Mailboxes<'a> {
    pub(super) fn below(store: &'a Store) -> Self {
        let (owners, missing, wanted) = (HashMap::new(), HashMap::new(), MissingMailboxNames::default());
        Self { store, owners, deepest: SHALLOWEST, missing, wanted, with_mailbox: 0 }
    }

    /// Looks at a person's Maildir, and reports what is wrong with it; one that is missing is reported at the end.
    pub(super) fn note(&mut self, number: PersonNumber, identity: &Identity, people: &People) -> Option<AuditFinding> {
        let person = || people.person(number);
        let path = match &identity.maildrop {
            Ok(path) => path,
            Err(refusal @ PathRefusal::NoValue(_)) => return Some(AuditFinding::NoPath(person(), refusal.to_string())),
            Err(refusal @ PathRefusal::SeveralValues(_)) => {
                return Some(AuditFinding::SeveralValues(person(), refusal.to_string()));
            }
            Err(PathRefusal::Forbidden(why)) => return Some(AuditFinding::LeadsOut(person(), why.clone())),
        };
        self.deepest = self.deepest.max(AsRef::<Path>::as_ref(path).components().count());
        let (maildir, finding) = match self.store.inspect(path) {
            MaildirCondition::Fine(place) => {
                self.with_mailbox += 1;
                let maildir = MailboxPlace::There(place);
                let is_new = !self.owners.contains_key(&maildir);
                let finding = is_new.then(|| unreadable(self.store, path, person)).flatten();
                (Some(maildir), finding)
            }
            MaildirCondition::Missing => {
                self.missing.insert(number, path.clone());
                (Some(MailboxPlace::Missing(path.clone())), None)
            }
            MaildirCondition::Forbidden(why) => (None, Some(AuditFinding::LeadsOut(person(), why))),
            MaildirCondition::Unusable(place, why) => {
                (place.map(MailboxPlace::There), Some(AuditFinding::Unusable(person(), why)))
            }
        };
        if let Some(maildir) = maildir {
            let none = || MaildirOwners { path: path.clone(), numbers: Vec::with_capacity(1) };
            self.owners.entry(maildir).or_insert_with(none).numbers.push(number);
        }
        finding
    }

    /// Records the names of a person without a Maildir, by which it may be found elsewhere.
    pub(super) fn note_names(&mut self, number: PersonNumber, entry: &Entry, of: &directory::Settings) {
        if self.missing.contains_key(&number) {
            self.wanted.note(number, entry, of);
        }
    }

    /// Maildirs that several people have.
    pub(super) fn shared(&self, people: &People) -> Vec<AuditFinding> {
        let mut shared: Vec<&MaildirOwners> = self.owners.values().filter(|owners| owners.numbers.len() > 1).collect();
        shared.sort_unstable_by_key(|owners| owners.numbers.first());
        let listed = |owners: &MaildirOwners| {
            let some = owners.numbers.iter().take(NAMED).map(|number| people.person(*number)).collect();
            AuditFinding::Shared(owners.path.to_string(), some)
        };
        shared.into_iter().map(listed).collect()
    }

    /// Goes through the mail root; `seen` is called once for each Maildir there is.
    ///
    /// # Errors
    /// The mail root cannot be read.
    pub(super) fn survey(&self, seen: &mut dyn FnMut()) -> Result<MailboxSurvey, EnterFault> {
        let mut below = MailboxSurvey::default();
        let depth = Coverage { with_maildir: self.with_mailbox, ..Coverage::default() }.depth(self.deepest);
        let surveyed = self.store.survey(depth, &mut |surveyed| {
            match surveyed {
                Surveyed::Maildir(path, place) => {
                    seen();
                    if !self.owners.contains_key(&MailboxPlace::There(place)) {
                        below.unowned.push(path);
                    }
                }
                Surveyed::Unreadable(path, why) => below.hidden.push(AuditFinding::Hidden(path, why)),
                Surveyed::Directory => {}
            }
            ControlFlow::Continue(())
        });
        surveyed.map(|()| below)
    }

    /// People without a Maildir, Maildirs without a person, and those of both that may belong together.
    pub(super) fn unmatched(&self, unowned: Vec<PathBuf>, people: &People) -> Vec<AuditFinding> {
        let pairs = self.wanted.pairs(&unowned.iter().map(PathBuf::as_path).collect::<Vec<_>>());
        let mut found = self.without(&pairs.values().copied().collect(), people);
        for (place, path) in unowned.into_iter().enumerate() {
            let pair = pairs.get(&place).and_then(|number| Some((*number, self.missing.get(number)?)));
            found.push(match pair {
                Some((number, expected)) => AuditFinding::Misplaced(people.person(number), expected.to_string(), path),
                None => AuditFinding::Nobodys(path),
            });
        }
        found
    }

    /// People without a Maildir, except the likely owners of unowned ones.
    pub(super) fn without(&self, paired: &HashSet<PersonNumber>, people: &People) -> Vec<AuditFinding> {
        let mut missing: Vec<_> = self.missing.iter().filter(|(number, _)| !paired.contains(number)).collect();
        missing.sort_unstable_by_key(|(number, _)| **number);
        missing
            .into_iter()
            .map(|(number, path)| AuditFinding::NoMailbox(people.person(*number), path.to_string()))
            .collect()
    }

    /// How many people have a Maildir, and how many Maildirs belong to nobody.
    pub(super) fn coverage(&self, root: &Path, unowned: &[PathBuf], people: &People) -> Coverage {
        let first = self.missing.iter().min_by_key(|(number, _)| **number);
        Coverage {
            root: root.to_owned(),
            unserved: Vec::new(),
            people: self.missing.len() + self.with_mailbox,
            with_maildir: self.with_mailbox,
            missing: self.missing.len(),
            knows_everybody: true,
            others: unowned.len(),
            may_hold_more: false,
            first_without: first.map(|(number, path)| (people.person(*number).canonical_name, path.to_string())),
            first_other: unowned.first().cloned(),
        }
    }
}

/// Looks at the mail itself, except files whose names prove that they are as they were delivered.
fn unreadable(store: &Store, path: &MaildropPath, person: impl Fn() -> Person) -> Option<AuditFinding> {
    match store.unreadable(path, usize::MAX) {
        Ok(unreadable) => unreadable.sentence().map(|sentence| AuditFinding::UnreadableMail(person(), sentence)),
        Err(fault) => Some(AuditFinding::Unusable(person(), fault.to_string())),
    }
}
