//! What a login name leads to.

use std::sync::Arc;

use super::describe_people;
use crate::identity::person::Identity;
use crate::identity::verdict::{NameReason, OutsideLimits, Reason};
use crate::names::Kind;

/// What a login name leads to.
#[derive(Clone, Debug)]
pub(crate) enum NameOwner {
    /// One person, and by which kind of name.
    One(Arc<Identity>, Option<Kind>),
    /// No directory has an entry of that name.
    Nobody,
    /// The policy has no kind of name that this could be.
    OutsidePolicy,
    /// It is outside the limits of the directories.
    OutsideLimits(OutsideLimits),
    /// Several people have that name.
    Ambiguous(Vec<Arc<Identity>>),
}

impl NameOwner {
    /// Everybody who has the name.
    pub(crate) fn people(&self) -> &[Arc<Identity>] {
        match self {
            Self::One(person, _) => std::slice::from_ref(person),
            Self::Ambiguous(people) => people,
            Self::Nobody | Self::OutsidePolicy | Self::OutsideLimits(_) => &[],
        }
    }

    /// The one person who has the name, whatever the credentials are; else why nobody can log in by it.
    pub(crate) fn one_person(&self) -> Result<(&Arc<Identity>, Option<Kind>), Reason> {
        Err(Reason::Name(match self {
            Self::One(identity, kind) => return Ok((identity, *kind)),
            Self::Nobody => NameReason::Unknown,
            Self::OutsidePolicy => NameReason::OutsidePolicy,
            Self::OutsideLimits(what) => NameReason::OutsideLimits(what.clone()),
            Self::Ambiguous(people) => NameReason::Ambiguous(describe_people(people.iter())),
        }))
    }
}
