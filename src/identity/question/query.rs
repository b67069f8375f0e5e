//! The owner of a login name. All directories that may know it are asked at the same time.

use std::sync::Arc;

use super::answers::Answers;
use super::{Directories, NameOwner};
use crate::directory::{self, Entry, Fault};
use crate::identity::person::Identity;
use crate::identity::settings::Settings;
use crate::identity::verdict::{OutsideLimits, Trace, TraceEvent};
use crate::names::{LoginName, LookUp};

/// A valid login name on its way to the directories' filters.
#[derive(Clone, Copy)]
pub(crate) struct NameQuery<'a> {
    pub(crate) login: &'a LoginName,
    pub(crate) directories: &'a Directories,
    pub(crate) settings: &'a Settings,
    pub(crate) trace: &'a Trace,
}

/// What the directories answer together.
pub(crate) struct NameAnswers {
    answers: Answers,
    /// What the name leads to if nobody has it.
    otherwise: NameOwner,
}

impl NameQuery<'_> {
    /// What the name stands for in a directory; empty if the directory is not asked for it.
    pub(crate) fn look_up_in(&self, directory: &directory::Settings) -> LookUp {
        directory.names.narrow(self.settings.policy.look_up(self.login, &directory.base))
    }

    /// Asks each directory that may have such a name.
    pub(crate) async fn ask(&self) -> NameAnswers {
        let (mut asked, mut otherwise) = (Vec::new(), NameOwner::OutsidePolicy);
        for directory in self.directories.iter() {
            let settings = directory.settings();
            let by_policy = self.settings.policy.look_up(self.login, &settings.base);
            let is_within_policy = !by_policy.is_empty();
            let look_up = settings.names.narrow(by_policy);
            if look_up.is_empty() && is_within_policy {
                otherwise = NameOwner::OutsideLimits(OutsideLimits::Name);
                self.trace.note(|| TraceEvent::OutsideLimits { directory: settings.name.to_string() });
                continue;
            }
            self.trace.note(|| TraceEvent::Asked {
                directory: settings.name.to_string(),
                look_up: look_up.clone(),
                searches: directory.searches(&look_up),
            });
            if !look_up.is_empty() {
                let answer = directory.look_up(look_up.clone(), self.settings.ambiguous.most());
                asked.push((settings, look_up, answer));
            }
        }
        if !asked.is_empty() {
            otherwise = NameOwner::Nobody;
        }
        let mut answers = NameAnswers { answers: Answers::default(), otherwise };
        for (settings, look_up, pending) in asked {
            let answer = pending.await;
            self.trace
                .note_answer(&settings.name, &answer, |entry| entry.kind_of_match(&look_up, &settings.attributes));
            match answer {
                Ok(entries) => entries.iter().for_each(|entry| self.note(&mut answers, entry, &look_up, settings)),
                Err(fault) => {
                    let fault = self.directories.attributed(fault, &settings.name);
                    answers.answers.note_fault(&settings.name, fault);
                }
            }
        }
        answers
    }

    /// An entry outside its directory's limits is ignored, and never makes a name ambiguous.
    fn note(&self, answers: &mut NameAnswers, entry: &Entry, look_up: &LookUp, of: &directory::Settings) {
        if let Some(misfit) = &entry.out_of_scope {
            let why = format!("{} in {}: {misfit}", entry.dn, of.name);
            answers.otherwise = NameOwner::OutsideLimits(OutsideLimits::Entry(why));
            return;
        }
        let identity = Identity::found(entry, &of.attributes, self.settings);
        answers.answers.people.push((identity, entry.kind_of_match(look_up, &of.attributes)));
    }
}

impl NameAnswers {
    /// Whether every directory that was asked has answered.
    pub(crate) fn are_complete(&self) -> bool {
        self.answers.are_complete()
    }

    /// See [`Answers::still`].
    pub(crate) fn still<'k>(&self, known: Option<&'k Arc<Identity>>) -> Option<&'k Arc<Identity>> {
        self.answers.still(known)
    }

    /// What the name leads to. If several people have it, it does not matter who else may; but if a password is tried
    /// for each, all must be known.
    pub(crate) fn owner(self, known: Option<&Arc<Identity>>, settings: &Settings) -> Result<NameOwner, Fault> {
        let is_several = self.answers.people.len() > 1;
        if let Some(fault) = self.answers.doubt(known)
            && !(is_several && settings.ambiguous.most() == 1)
        {
            return Err(fault);
        }
        let mut people = self.answers.people;
        Ok(match people.pop() {
            None => self.otherwise,
            Some((identity, kind)) if people.is_empty() => NameOwner::One(identity, kind),
            Some(last) => {
                people.push(last);
                NameOwner::Ambiguous(people.into_iter().map(|(identity, _)| identity).collect())
            }
        })
    }
}
