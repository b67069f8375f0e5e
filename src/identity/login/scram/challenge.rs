//! Challenges: who is meant by a login name, and which keys would prove it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::DecoyCredentials;
use super::keys::ScramKeys;
use crate::directory::{Directory, Fault};
use crate::identity::cache::Generation;
use crate::identity::login::LoginContext;
use crate::identity::login::authorization::AuthorizationId;
use crate::identity::person::Identity;
use crate::identity::question::{NameOwner, Secret};
use crate::identity::verdict::{LockOutOf, Outcome, PasswordReason, Reason, Trace, TraceEvent};
use crate::names::{Kind, LoginName, fold};
use crate::pop3::{ScramChallenge, ScramLogin};

/// Octets of a nonce: so many that none occurs twice.
const NONCE: usize = 18;

/// A challenge that was made: who is meant by it, and which keys would prove it.
#[derive(Debug)]
pub struct ScramExchange {
    /// The login name as typed.
    pub(super) login: String,
    /// The server's part of the nonce, which distinguishes this challenge from all others.
    pub(super) nonce: String,
    pub(super) authorization: AuthorizationId,
    pub(super) meant: Meant,
}

/// Who is meant by a login name.
#[derive(Debug)]
pub(super) struct Meant {
    /// The generation of flushes in which the directory was asked.
    pub(super) asked: Generation,
    pub(super) person: Result<(Arc<Identity>, Option<Kind>), Reason>,
    pub(super) keys: ScramKeys,
    /// Whether the keys are from the person's entry, or decoys.
    pub(super) are_own: bool,
}

/// Makes challenges.
#[derive(Clone, Copy)]
pub(crate) struct ScramChallenger<'c> {
    pub(crate) context: &'c LoginContext,
    pub(crate) decoys: &'c DecoyCredentials,
}

impl ScramChallenger<'_> {
    /// Makes a challenge for a login name, whether anybody has it or not. `from`: the client's address.
    pub(crate) async fn challenge(
        self,
        login: &ScramLogin,
        from: IpAddr,
    ) -> Result<(ScramExchange, ScramChallenge), Outcome> {
        let mut nonce = [0; NONCE];
        rand::fill(&mut nonce).map_err(|_| Outcome::Unavailable("the system provides no random numbers".to_owned()))?;
        let nonce = STANDARD.encode(nonce);
        let typed = LoginName::as_typed(&login.login);
        let ticket = self.context.throttle.begin(&typed, &nonce, from);
        self.context.end_lock_outs();
        let name = LoginName::new(&login.login);
        let meant = match name {
            _ if ticket.is_network_locked_out() => self.nobody_of_locked_out_network(name.ok().as_ref(), &typed),
            Ok(name) => self.meant_by(&name).await?,
            Err(fault) => self.nobody(fault.into(), &fold(&typed)),
        };
        let challenge =
            ScramChallenge { nonce: nonce.clone(), salt: meant.keys.salt.clone(), iterations: meant.keys.iterations };
        let authorization = AuthorizationId::besides_login(&login.login, login.authorization.clone());
        Ok((ScramExchange { login: typed, nonce, authorization, meant }, challenge))
    }

    /// For a network that is locked out, without a look-up. Every name gets a different salt than outside the lock-out,
    /// even names without credentials: otherwise a changing salt would show which names have credentials.
    fn nobody_of_locked_out_network(self, name: Option<&LoginName>, typed: &str) -> Meant {
        let questions = name.map_or_else(|| fold(typed), |name| self.questions(name));
        self.nobody(Reason::LockedOut(LockOutOf::Network), &format!("locked out\0{questions}"))
    }

    fn nobody(self, reason: Reason, salted_by: &str) -> Meant {
        let asked = self.context.caches.flushes.now();
        Meant { asked, person: Err(reason), keys: self.decoys.keys_of(salted_by), are_own: false }
    }

    async fn meant_by(self, name: &LoginName) -> Result<Meant, Fault> {
        let (asked, began) = (self.context.caches.flushes.now(), Instant::now());
        let (owner, own) = self.find_with_keys(name).await?;
        if own.is_none() {
            // In an outage people get no challenge, so names that are cached as unknown get none either.
            self.context.confirm_directories_of(name, began).await?;
        }
        let person = owner.one_person().map(|(identity, kind)| (identity.clone(), kind));
        let are_own = own.is_some();
        let keys = own.unwrap_or_else(|| self.decoys.keys_of(&self.questions(name)));
        Ok(Meant { asked, person, keys, are_own })
    }

    /// The look-ups that the directories are asked for a name. Names with the same look-ups find the same person, so
    /// they must have the same salt if they find nobody.
    fn questions(self, name: &LoginName) -> String {
        let mut questions: Vec<String> = Vec::new();
        for settings in self.context.directories.iter().map(Directory::settings) {
            let look_up = self.context.query(name, Trace::OFF).look_up_in(settings);
            let terms = look_up.equal.iter().flat_map(|term| settings.attributes.sought(term.kind, &term.value));
            questions.extend(terms.map(|(attribute, value)| format!("({attribute}={})", fold(&value))));
        }
        // Composed and decomposed letters are two look-ups for one name.
        questions.dedup();
        if questions.is_empty() { fold(name.as_str()) } else { questions.concat() }
    }

    /// Whose name it is, and the keys that their entry has now.
    async fn find_with_keys(self, name: &LoginName) -> Result<(Arc<NameOwner>, Option<ScramKeys>), Fault> {
        let mut found = self.find_unbarred(name).await?;
        let mut values = self.values_of(&found).await?;
        let may_have_keys = |person: &Arc<Identity>| self.context.directories.scram_attribute(person).is_some();
        if values.is_none() && matches!(&*found, NameOwner::One(person, _) if may_have_keys(person)) {
            // The entry was moved, or its DN was given to somebody else.
            found = self.context.caches.names.find_anew(self.context.query(name, Trace::OFF)).await?;
            values = self.values_of(&found).await?;
        }
        Ok((found, values.and_then(|values| ScramKeys::of(&values))))
    }

    /// A barred account is never refused from the cache, since it may be free again.
    async fn find_unbarred(self, name: &LoginName) -> Result<Arc<NameOwner>, Fault> {
        let (began, names, query) = (Instant::now(), &self.context.caches.names, self.context.query(name, Trace::OFF));
        let found = names.find(query).await?;
        match &*found {
            NameOwner::One(person, _)
                if person.looked_up < began && !self.context.account_status(person).is_usable() =>
            {
                names.find_anew(query).await
            }
            _ => Ok(found),
        }
    }

    /// The values of one person's attribute; none if that person's entry is not where it was.
    async fn values_of(self, found: &NameOwner) -> Result<Option<Vec<Secret>>, Fault> {
        let NameOwner::One(person, _) = found else { return Ok(None) };
        self.context.directories.scram(person).await
    }
}

impl LoginContext {
    /// Records whether a person could log in by SCRAM.
    pub(in crate::identity::login) async fn note_scram(&self, person: &Identity, trace: &Trace) -> Result<(), Fault> {
        let Some(attribute) = self.directories.scram_attribute(person).map(str::to_owned) else { return Ok(()) };
        let keys = self.directories.scram(person).await?.and_then(|values| ScramKeys::of(&values));
        trace.note(|| TraceEvent::Scram { attribute, iterations: keys.map(|keys| keys.iterations) });
        Ok(())
    }
}

impl ScramExchange {
    /// Whether the challenge was for this person.
    #[must_use]
    pub fn is_for(&self, person: &Identity) -> bool {
        self.meant.person.as_ref().is_ok_and(|(own, _)| own.id == person.id)
    }

    /// Counts a challenge that the client did not answer. It counts for the network alone: asking for challenges shows
    /// nothing about a password, and must not lock anybody out.
    pub(crate) fn abandon(self, context: &LoginContext, from: IpAddr) -> Outcome {
        let ticket = context.throttle.begin_unguessable(&self.login, &self.nonce, from);
        let unanswered = Reason::Password(PasswordReason::ChallengeUnanswered);
        let mut outcome = match self.meant.person {
            Ok((person, _)) => Outcome::refused(Some(&person), unanswered),
            Err(reason @ Reason::LockedOut(_)) => Outcome::refused(None, reason),
            Err(_) => Outcome::refused(None, unanswered),
        };
        ticket.finish(&mut outcome);
        outcome
    }
}
