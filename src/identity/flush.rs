//! Dropping what is cached, and what was counted, on an administrator's command.

use std::fmt;
use std::net::IpAddr;

use super::cache::{FlushTarget, Flushed};
use super::login::LoginContext;
use super::question::{NameOwner, describe_people};
use super::throttle::ResetScope;
use super::verdict::Trace;
use crate::directory::EntryId;
use crate::names::LoginName;

/// What is flushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flush {
    /// Everything about everybody.
    Everybody,
    /// Everything about one person, by any login name or the canonical name.
    Person(LoginName),
    /// The refused passwords that were sent from an address.
    Address(IpAddr),
}

/// Why nothing was flushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlushFault {
    /// Several people have the name; their DNs.
    Ambiguous(LoginName, Vec<String>),
    /// Nothing was cached under the name, and the directories have nobody of that name; why.
    NothingCached(LoginName, String),
}

/// See [`super::IdentityMap::flush`].
pub(super) async fn flush(context: &LoginContext, what: &Flush) -> Result<Flushed, FlushFault> {
    match what {
        Flush::Everybody => {
            context.reset_counters(&ResetScope::All);
            Ok(context.caches.drop_all())
        }
        Flush::Person(name) => flush_person(context, name).await,
        Flush::Address(address) => {
            context.reset_counters(&ResetScope::Network(*address));
            Ok(context.caches.passwords.drop_sent_from(*address))
        }
    }
}

async fn flush_person(context: &LoginContext, name: &LoginName) -> Result<Flushed, FlushFault> {
    let mut ids = context.caches.ids_of(&FlushTarget::new(name.as_str(), Vec::new()));
    let (mut reset, mut unknown) = (0, None);
    match context.query(name, Trace::OFF).ask().await.owner(None, &context.settings) {
        Ok(NameOwner::One(person, _)) => {
            reset += context.reset_counters(&ResetScope::Person(person.canonical_name.clone()));
            ids.push(person.id.clone());
        }
        Ok(NameOwner::Ambiguous(people)) => {
            return Err(FlushFault::Ambiguous(name.clone(), describe_people(people.iter())));
        }
        Ok(NameOwner::Nobody | NameOwner::OutsidePolicy | NameOwner::OutsideLimits(_)) => {
            unknown = Some("no such login name".to_owned());
        }
        Err(fault) => unknown = Some(fault.to_string()),
    }
    let mut unique: Vec<EntryId> = Vec::new();
    for id in ids {
        if !unique.contains(&id) {
            unique.push(id);
        }
    }
    reset += context.reset_counters(&ResetScope::Person(name.as_str().to_owned()));
    let flushed = context.caches.drop_person(FlushTarget::new(name.as_str(), unique)).await;
    match unknown {
        Some(why) if flushed == Flushed::default() && reset == 0 => Err(FlushFault::NothingCached(name.clone(), why)),
        _ => Ok(flushed),
    }
}

impl fmt::Display for FlushFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ambiguous(name, people) => write!(f, "{name} is ambiguous: {}", people.join(" and ")),
            Self::NothingCached(name, why) => {
                write!(f, "{name}: {why}, and nothing was cached under it: nothing was dropped")
            }
        }
    }
}

impl std::error::Error for FlushFault {}
