//! Whose Maildirs there are: people against the mail root, and the mail root against people.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use super::Finding;
use super::people::{Number, People};
use crate::identity::Identity;
use crate::maildir::{Condition, MaildropPath, PathRefusal, Place, Store, Surveyed};

/// The Maildirs of everybody seen so far.
pub(super) struct Mailboxes<'a> {
    store: &'a Store,
    owners: HashMap<Maildir, Owners>,
    /// The most components of anybody's path.
    deepest: usize,
}

/// A Maildir: the directory itself where it is there, since two paths can lead to one.
#[derive(PartialEq, Eq, Hash)]
enum Maildir {
    There(Place),
    Missing(MaildropPath),
}

/// The path that led there first, and everybody's number whose path leads there.
struct Owners {
    path: MaildropPath,
    numbers: Vec<Number>,
}

/// The depth of `{short_name}/Maildir`: the survey goes at least that deep.
const SHALLOWEST: usize = 2;

/// People told by name in one finding.
const TOLD: usize = 5;

impl<'a> Mailboxes<'a> {
    pub(super) fn below(store: &'a Store) -> Self {
        Self { store, owners: HashMap::new(), deepest: SHALLOWEST }
    }

    /// Looks at a person's Maildir; tells what is wrong with it.
    pub(super) fn note(&mut self, number: Number, identity: &Identity, people: &People) -> Option<Finding> {
        let person = || people.person(number);
        let path = match &identity.maildrop {
            Ok(path) => path,
            Err(refusal @ PathRefusal::NoValue(_)) => return Some(Finding::NoPath(person(), refusal.to_string())),
            Err(refusal @ PathRefusal::SeveralValues(_)) => {
                return Some(Finding::SeveralValues(person(), refusal.to_string()));
            }
            Err(PathRefusal::Forbidden(why)) => return Some(Finding::LeadsOut(person(), why.clone())),
        };
        self.deepest = self.deepest.max(AsRef::<Path>::as_ref(path).components().count());
        let (maildir, finding) = match self.store.inspect(path) {
            Condition::Fine(place) => (Some(Maildir::There(place)), None),
            Condition::Missing => {
                (Some(Maildir::Missing(path.clone())), Some(Finding::NoMailbox(person(), path.to_string())))
            }
            Condition::Forbidden(why) => (None, Some(Finding::LeadsOut(person(), why))),
            Condition::Unusable(place, why) => (place.map(Maildir::There), Some(Finding::Unusable(person(), why))),
        };
        if let Some(maildir) = maildir {
            let none = || Owners { path: path.clone(), numbers: Vec::with_capacity(1) };
            self.owners.entry(maildir).or_insert_with(none).numbers.push(number);
        }
        finding
    }

    /// Maildirs that several people have.
    pub(super) fn shared(&self, people: &People) -> Vec<Finding> {
        let mut shared: Vec<&Owners> = self.owners.values().filter(|owners| owners.numbers.len() > 1).collect();
        shared.sort_unstable_by_key(|owners| owners.numbers.first());
        let told = |owners: &Owners| {
            let some = owners.numbers.iter().take(TOLD).map(|number| people.person(*number)).collect();
            Finding::Shared(owners.path.to_string(), some)
        };
        shared.into_iter().map(told).collect()
    }

    /// Maildirs below the mail root that are nobody's; `seen` is called once for each Maildir there is.
    ///
    /// # Errors
    /// A sentence: the mail root cannot be read.
    pub(super) fn nobodys(&self, seen: &mut dyn FnMut()) -> Result<Vec<Finding>, String> {
        let mut found = Vec::new();
        let survey = self.store.survey(self.deepest, &mut |surveyed| {
            match surveyed {
                Surveyed::Maildir(path, place) => {
                    seen();
                    if !self.owners.contains_key(&Maildir::There(place)) {
                        found.push(Finding::Nobodys(path));
                    }
                }
                Surveyed::Unreadable(path, why) => found.push(Finding::Hidden(path, why)),
                Surveyed::Directory => {}
            }
            ControlFlow::Continue(())
        });
        survey.map(|()| found).map_err(|fault| fault.to_string())
    }
}
