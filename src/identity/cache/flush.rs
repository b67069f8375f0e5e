//! Forgetting on command: everybody, one person, or what an address caused.

use std::fmt;
use std::net::IpAddr;

use crate::directory::EntryId;
use crate::identity::cache::flushes::FlushTarget;
use crate::identity::login::token::TokenOwners;
use crate::identity::person::NameOwner;
use crate::identity::question::answers::told;
use crate::identity::{IdentityMap, ResetScope, Trace};
use crate::names::LoginName;

/// Of whom everything held is forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flush {
    /// Of everybody.
    Everybody,
    /// Of one person, by any login name or the canonical name.
    Person(LoginName),
    /// The refused passwords that were sent from an address.
    Address(IpAddr),
}

/// How much was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flushed {
    /// Login names with what they led to.
    pub names: u64,
    /// Verified passwords.
    pub verified: u64,
    /// Refused passwords.
    pub refused: u64,
}

impl IdentityMap {
    /// Forgets what is held and what was counted (lock-outs end), and what is being asked for right now: a look-up or a bind under way is finished, and its
    /// answer not kept. A person is sought by the name policy; while the directory gives no answer, only among those held.
    ///
    /// # Errors
    /// A sentence: the name is several people's, or nobody's and nothing was held of it, so that nothing was forgotten.
    pub async fn flush(&self, whom: &Flush) -> Result<Flushed, String> {
        match whom {
            Flush::Everybody => {
                self.reset_counters(&ResetScope::All);
                Ok(self.flush_everybody())
            }
            Flush::Person(name) => self.flush_person(name).await,
            Flush::Address(address) => {
                self.reset_counters(&ResetScope::Network(*address));
                Ok(self.passwords.forget_from(*address))
            }
        }
    }

    fn flush_everybody(&self) -> Flushed {
        self.flushes.everybody();
        self.owners.forget_all();
        self.tokens.iter().for_each(TokenOwners::forget_all);
        let names = self.names.forget_all();
        Flushed { names, ..self.passwords.forget_all() }
    }

    async fn flush_person(&self, name: &LoginName) -> Result<Flushed, String> {
        let held = FlushTarget::new(name.as_str(), Vec::new());
        let mut ids = self.names.ids_of(&held);
        ids.extend(self.tokens.iter().flat_map(|tokens| tokens.ids_of(&held)));
        let (mut forgiven, mut unknown) = (0, None);
        match self.asking(name, Trace::IGNORED).ask().await.found(None, &self.settings) {
            Ok(NameOwner::One(person, _)) => {
                forgiven += self.reset_counters(&ResetScope::Person(person.canonical_name.clone()));
                ids.push(person.id.clone());
            }
            Ok(NameOwner::Ambiguous(people)) => {
                return Err(format!("{name} is ambiguous: {}", told(people.iter()).join(" and ")));
            }
            Ok(NameOwner::Nobody | NameOwner::OutsidePolicy | NameOwner::OutsideLimits(_)) => {
                unknown = Some("nobody has that name".to_owned());
            }
            Err(fault) => unknown = Some(fault.to_string()),
        }
        let mut unique: Vec<EntryId> = Vec::new();
        for id in ids {
            if !unique.contains(&id) {
                unique.push(id);
            }
        }
        forgiven += self.reset_counters(&ResetScope::Person(name.as_str().to_owned()));
        let passwords = unique.iter().map(|id| self.passwords.forget(id)).fold(Flushed::default(), Flushed::and);
        let target = FlushTarget::new(name.as_str(), unique);
        let names = self.names.forget(&target).await;
        if let Some(tokens) = &self.tokens {
            tokens.forget(&target).await;
        }
        self.flushes.person(target);
        let flushed = Flushed { names, ..passwords };
        match unknown {
            Some(why) if flushed == Flushed::default() && forgiven == 0 => {
                Err(format!("{name}: {why}, and nothing was cached under it: nothing was dropped"))
            }
            _ => Ok(flushed),
        }
    }
}

impl Flushed {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            names: self.names + other.names,
            verified: self.verified + other.verified,
            refused: self.refused + other.refused,
        }
    }
}

impl fmt::Display for Flushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |count: u64, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
        let names = counted(self.names, "login name");
        let verified = counted(self.verified, "verified password");
        let refused = counted(self.refused, "refused password");
        write!(f, "{names}, {verified}, {refused}")
    }
}
