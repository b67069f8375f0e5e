//! The steps of a decision, told to whoever wants to know; the service does not, and pays nothing.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::{Proof, Retention, Standing};
use crate::directory::{Entry, Fault, OutOfScope, Verdict};
use crate::maildir::{MaildropPath, PathRefusal};
use crate::names::{Dn, Kind, LookUp};

/// One step on the way from a login name to a verdict, in the order in which they are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The name as it is understood: trimmed.
    Name(String),
    /// A directory is asked; what the policy makes of the name there, and the searches that are sent.
    Asked {
        /// The directory's name in the log.
        directory: String,
        /// What the name stands for.
        look_up: LookUp,
        /// Each search, as an administrator would type it.
        searches: Vec<String>,
    },
    /// A directory is not asked: its limits leave such a name out.
    OutsideLimits {
        /// The directory's name in the log.
        directory: String,
    },
    /// What a directory answered.
    Answered {
        /// The directory's name in the log.
        directory: String,
        /// The entries, each with the kind of name that matched, and why the directory is not for it, if so.
        entries: Vec<(Dn, Option<Kind>, Option<OutOfScope>)>,
    },
    /// A directory gave no answer.
    Unanswered {
        /// The directory's name in the log.
        directory: String,
        /// Why.
        fault: Fault,
    },
    /// The name is one person's.
    Person {
        /// Their canonical name.
        canonical_name: String,
        /// The directory that holds their entry.
        directory: String,
        /// Their entry.
        dn: Dn,
        /// The entry's own id.
        id: String,
    },
    /// The name is that of several people, and the password is tried on each of them; their DNs.
    TriedOnEach(Vec<String>),
    /// What the entry says of the account, and of the groups.
    Account(Standing),
    /// What the entry holds of SCRAM, where somebody may have it.
    Scram {
        /// The attribute that may hold credentials.
        attribute: String,
        /// The iterations of those that count; none without any.
        iterations: Option<u32>,
    },
    /// A bind with the password was tried.
    Bind {
        /// As whom.
        dn: Dn,
        /// What the directory said.
        verdict: Verdict,
    },
    /// A bind was tried, and the directory gave no answer.
    BindUnanswered(Fault),
    /// The password was proven.
    Proven(Proof),
    /// The path that the template gives this person.
    Maildrop(Result<MaildropPath, PathRefusal>),
    /// How long mail stays that the person leaves, where anybody's may age.
    Retention(Retention),
}

/// Takes down steps, or lets them go by.
pub struct Steps(Option<Mutex<Vec<Step>>>);

impl Steps {
    /// Lets every step go by.
    pub const IGNORED: &'static Self = &Self(None);

    /// Takes every step down.
    #[must_use]
    pub fn kept() -> Self {
        Self(Some(Mutex::default()))
    }

    /// What was taken down, in order.
    #[must_use]
    pub fn into_vec(self) -> Vec<Step> {
        self.0.map(|steps| steps.into_inner().unwrap_or_else(PoisonError::into_inner)).unwrap_or_default()
    }

    /// The step is made only where somebody wants it.
    pub(super) fn note(&self, step: impl FnOnce() -> Step) {
        if let Some(steps) = &self.0 {
            steps.lock().unwrap_or_else(PoisonError::into_inner).push(step());
        }
    }

    pub(super) fn note_bind(&self, dn: &Dn, answer: &Result<Verdict, Fault>) {
        self.note(|| match answer {
            Ok(verdict) => Step::Bind { dn: dn.clone(), verdict: verdict.clone() },
            Err(fault) => Step::BindUnanswered(fault.clone()),
        });
    }

    pub(super) fn note_answer(
        &self,
        directory: &str,
        answer: &Result<Vec<Entry>, Fault>,
        kind: impl Fn(&Entry) -> Option<Kind>,
    ) {
        let directory = || directory.to_owned();
        self.note(|| match answer {
            Ok(found) => {
                let entries = found.iter().map(|entry| (entry.dn.clone(), kind(entry), entry.out_of_scope)).collect();
                Step::Answered { directory: directory(), entries }
            }
            Err(fault) => Step::Unanswered { directory: directory(), fault: fault.clone() },
        });
    }
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Steps(kept)" } else { "Steps(ignored)" })
    }
}
