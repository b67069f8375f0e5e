//! Asking the directories whose a login name is: all of them, at the same time.

use std::sync::Arc;

use super::directories::Directories;
use super::heard::Heard;
use super::person::Found;
use super::steps::{Step, Steps};
use super::{Identity, Settings};
use crate::directory::{Entry, Fault};
use crate::names::{LoginName, LookUp};

/// Why a name is nobody's that the limits of all directories leave out: none is asked for it.
pub(super) const NO_DIRECTORY: &str = "no directory is for such a name";

/// A question to all directories.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) login: &'a LoginName,
    pub(super) directories: &'a Directories,
    pub(super) settings: &'a Settings,
    pub(super) steps: &'a Steps,
}

/// What they say together.
pub(super) struct Answer {
    heard: Heard,
    /// What the name leads to if nobody is found.
    otherwise: Found,
}

impl Asking<'_> {
    /// Asks each directory that may hold such a name.
    pub(super) async fn ask(&self) -> Answer {
        let (mut asked, mut otherwise) = (Vec::new(), Found::OutsidePolicy);
        for directory in self.directories.iter() {
            let settings = directory.settings();
            let by_policy = self.settings.policy.look_up(self.login, &settings.base);
            let look_up = settings.names.narrow(by_policy.clone());
            if look_up.is_empty() && !by_policy.is_empty() {
                otherwise = Found::OutsideLimits(NO_DIRECTORY.to_owned());
                self.steps.note(|| Step::OutsideLimits { directory: settings.name.to_string() });
                continue;
            }
            self.steps.note(|| Step::Asked {
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
            otherwise = Found::Nobody;
        }
        let mut answer = Answer { heard: Heard::default(), otherwise };
        for (settings, look_up, pending) in asked {
            let of_directory = pending.await;
            self.steps.note_answer(&settings.name, &of_directory, |entry| {
                entry.kind_of_match(&look_up, &settings.attributes)
            });
            match of_directory {
                Ok(entries) => entries.iter().for_each(|entry| self.note(&mut answer, entry, &look_up, settings)),
                Err(fault) => answer.heard.note_fault(&settings.name, self.directories.told(fault, &settings.name)),
            }
        }
        answer
    }

    /// An entry that its directory is not for is nobody, and never makes a name ambiguous.
    fn note(&self, answer: &mut Answer, entry: &Entry, look_up: &LookUp, of: &crate::directory::Settings) {
        if let Some(misfit) = &entry.out_of_scope {
            answer.otherwise = Found::OutsideLimits(format!("{} in {}: {misfit}", entry.dn, of.name));
            return;
        }
        let identity = Identity::found(entry, &of.attributes, self.settings);
        answer.heard.people.push((identity, entry.kind_of_match(look_up, &of.attributes)));
    }
}

impl Answer {
    /// Whether every directory that was asked was heard.
    pub(super) fn is_whole(&self) -> bool {
        self.heard.is_whole()
    }

    /// See [`Heard::still`].
    pub(super) fn still<'k>(&self, known: Option<&'k Arc<Identity>>) -> Option<&'k Arc<Identity>> {
        self.heard.still(known)
    }

    /// What the name leads to. Several people are several, whoever else there may be; but where each of them is tried,
    /// all must be known.
    pub(super) fn found(self, known: Option<&Arc<Identity>>, settings: &Settings) -> Result<Found, Fault> {
        let is_several = self.heard.people.len() > 1;
        if let Some(fault) = self.heard.doubt(known)
            && !(is_several && settings.ambiguous.most() == 1)
        {
            return Err(fault);
        }
        let mut people = self.heard.people;
        Ok(match people.pop() {
            None => self.otherwise,
            Some((identity, kind)) if people.is_empty() => Found::One(identity, kind),
            Some(last) => {
                people.push(last);
                Found::Ambiguous(people.into_iter().map(|(identity, _)| identity).collect())
            }
        })
    }
}
