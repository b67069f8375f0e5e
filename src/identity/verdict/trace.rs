//! The events of a login, for `restante resolve`; the service records none.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::{AccountStatus, Proof};
use crate::directory::{Entry, Fault, OutOfScope, Verdict};
use crate::identity::person::Identity;
use crate::identity::retention::Retention;
use crate::maildir::{MaildropPath, PathRefusal};
use crate::names::{Dn, Kind, LookUp};
use crate::relay::RelayTarget;

/// One event on the way from a login name to an outcome. They are recorded in the order in which they happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceEvent {
    /// The name was read: trimmed.
    Name(String),
    /// A directory is asked: what the policy makes of the name there, and the searches that are sent.
    Asked {
        /// The directory's name in the log.
        directory: String,
        /// What the name stands for.
        look_up: LookUp,
        /// Each search, as an administrator would type it.
        searches: Vec<String>,
    },
    /// A directory is not asked: its limits leave the name out.
    OutsideLimits {
        /// The directory's name in the log.
        directory: String,
    },
    /// What a directory answered.
    Answered {
        /// The directory's name in the log.
        directory: String,
        /// The entries, each with the kind of name that matched, and why it is outside the directory's limits, if it
        /// is.
        entries: Vec<(Dn, Option<Kind>, Option<OutOfScope>)>,
    },
    /// A directory gave no answer.
    Unanswered {
        /// The directory's name in the log.
        directory: String,
        /// Why.
        fault: Fault,
    },
    /// The name leads to one person.
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
    /// The name leads to several people, and the password is tried for each of them; their DNs.
    TriedOnEach(Vec<String>),
    /// What the entry says about the account and its groups.
    Account(AccountStatus),
    /// The entry's SCRAM credentials, where the directory has an attribute for them.
    Scram {
        /// The attribute that may hold credentials.
        attribute: String,
        /// The iterations of the credentials that are used; none if there are none.
        iterations: Option<u32>,
    },
    /// A bind with the password was tried.
    Bind {
        /// The DN of the bind.
        dn: Dn,
        /// What the directory answered.
        verdict: Verdict,
    },
    /// A bind was tried, and the directory gave no answer; why.
    BindUnanswered(Fault),
    /// The password was proven.
    Proven(Proof),
    /// The host that holds the mail, and the person's name there.
    MailHost(RelayTarget),
    /// The maildrop's path, made from the template.
    Maildrop(Result<MaildropPath, PathRefusal>),
    /// How long mail that the person leaves on the server stays, if anybody's mail expires.
    Retention(Retention),
}

impl TraceEvent {
    /// The name leads to this person.
    pub(crate) fn person(person: &Identity) -> Self {
        Self::Person {
            canonical_name: person.canonical_name.clone(),
            directory: person.id.directory().to_owned(),
            dn: person.dn.clone(),
            id: person.id.to_string(),
        }
    }
}

/// Records the events of a login, or ignores them.
pub struct Trace(Option<Mutex<Vec<TraceEvent>>>);

impl Trace {
    /// Ignores every event.
    pub const OFF: &'static Self = &Self(None);

    /// Records every event.
    #[must_use]
    pub fn recording() -> Self {
        Self(Some(Mutex::default()))
    }

    /// What was recorded, in order.
    #[must_use]
    pub fn into_events(self) -> Vec<TraceEvent> {
        self.0.map(|events| events.into_inner().unwrap_or_else(PoisonError::into_inner)).unwrap_or_default()
    }

    /// Records an event, which is made only if it is recorded.
    pub(crate) fn note(&self, event: impl FnOnce() -> TraceEvent) {
        if let Some(events) = &self.0 {
            events.lock().unwrap_or_else(PoisonError::into_inner).push(event());
        }
    }

    /// Records the answer to a bind.
    pub(crate) fn note_bind(&self, dn: &Dn, answer: &Result<Verdict, Fault>) {
        self.note(|| match answer {
            Ok(verdict) => TraceEvent::Bind { dn: dn.clone(), verdict: verdict.clone() },
            Err(fault) => TraceEvent::BindUnanswered(fault.clone()),
        });
    }

    /// Records a directory's answer to a look-up.
    pub(crate) fn note_answer(
        &self,
        directory: &str,
        answer: &Result<Vec<Entry>, Fault>,
        kind: impl Fn(&Entry) -> Option<Kind>,
    ) {
        let directory = || directory.to_owned();
        self.note(|| match answer {
            Ok(found) => {
                let entries = found.iter().map(|entry| (entry.dn.clone(), kind(entry), entry.out_of_scope)).collect();
                TraceEvent::Answered { directory: directory(), entries }
            }
            Err(fault) => TraceEvent::Unanswered { directory: directory(), fault: fault.clone() },
        });
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Trace(recording)" } else { "Trace(ignored)" })
    }
}
