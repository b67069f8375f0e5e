//! SCRAM logins: a challenge made from what a person's entry holds, and a proof compared with it. No password comes here,
//! and no bind is made.
//!
//! What the entry holds of SCRAM is read anew for each challenge and never kept, so a changed password works at once and an
//! old one no more. Without an answer of the directory there is no challenge, for nobody: one for the few who logged in of
//! late would tell who they are.
//!
//! Names behind which no credentials are get a challenge like any other: the same salt each time, made from the name under
//! a key of the server. They are refused once the proof has come. A network that is locked out gets such a challenge for
//! every name, and no directory is asked.

mod credentials;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub(crate) use self::credentials::DecoyCredentials;
use self::credentials::ScramKeys;
use crate::directory::{Directory, Fault};
use crate::identity::cache::flushes::Generation;
use crate::identity::login::authorization::AuthorizationId;
use crate::identity::login::second_factor::ShownCertificate;
use crate::identity::person::NameOwner;
use crate::identity::question::directories::Secret;
use crate::identity::throttle::ticket::Ticket;
use crate::identity::{
    Identity, IdentityMap, LockOutOf, Outcome, Proof, Reason, Trace, TraceEvent, one_person, proven, refused,
};
use crate::names::{Kind, LoginName, fold};
use crate::pop3::{ScramChallenge, ScramFault, ScramLogin, ScramProof};
use crate::secret::Password;

/// What SCRAM needs to know besides the directory's attribute.
#[derive(Clone, Debug)]
pub struct ScramSettings {
    /// The iterations told for names without credentials.
    pub iterations: u32,
    /// The length of the salt told for them, in octets; 32 at most.
    pub salt_octets: usize,
    /// The secret from which that salt is made; none for a random one of this process.
    pub key: Option<Password>,
}

impl Default for ScramSettings {
    /// As RFC 7677 §4 recommends, and most tools do.
    fn default() -> Self {
        Self { iterations: 4096, salt_octets: 16, key: None }
    }
}

/// A challenge that was made: who is meant by it, and what would prove them.
#[derive(Debug)]
pub struct ScramExchange {
    login: String,
    /// The server's part of the nonce, which tells this challenge from all others.
    nonce: String,
    wanted: AuthorizationId,
    /// Before the directory was asked, every flush of this generation had been made.
    asked: Generation,
    person: Result<(Arc<Identity>, Option<Kind>), Reason>,
    credentials: ScramKeys,
    /// Whether they are the person's, or stand for them.
    are_own: bool,
}

/// What the server signs to show that it knows the credentials (`ServerSignature`, RFC 5802 §3).
pub type ServerSignature = [u8; 32];

/// Octets of a nonce: too many for any to come twice.
const NONCE: usize = 18;

impl IdentityMap {
    /// Whether there may be people with SCRAM credentials.
    #[must_use]
    pub fn knows_scram(&self) -> bool {
        self.directories.iter().any(|directory| directory.settings().attributes.scram.is_some())
    }

    /// An attacker who compares before and after a start, or one node with another, learns who has credentials.
    pub(crate) fn warn_of_random_salts(&self) {
        if self.knows_scram() && self.settings.scram.key.is_none() {
            tracing::warn!(
                "scram.key_file is not set: the salts told for names without SCRAM credentials last until the end of this process"
            );
        }
    }

    /// Makes a challenge for a login name that a client sent from an address, whoever's name it is.
    ///
    /// # Errors
    /// The directory gives no answer.
    pub async fn challenge(
        &self,
        wanted: &ScramLogin,
        from: IpAddr,
    ) -> Result<(ScramExchange, ScramChallenge), Outcome> {
        let login = &wanted.login;
        let mut nonce = [0; NONCE];
        rand::fill(&mut nonce).map_err(|_| Outcome::Unavailable("the system gives no random numbers".to_owned()))?;
        let nonce = STANDARD.encode(nonce);
        let trial = self.guard.trial_of(&LoginName::as_typed(login), &nonce, from);
        self.end_lock_outs();
        let mut exchange = if self.guard.shuts_out_network(&trial, Instant::now()) {
            self.decoy_exchange(login, nonce)
        } else {
            self.exchange(login, nonce).await.map_err(Outcome::unanswered)?
        };
        exchange.wanted = AuthorizationId::new(login, wanted.authorization.clone());
        let (nonce, ScramKeys { salt, iterations, .. }) = (exchange.nonce.clone(), &exchange.credentials);
        let challenge = ScramChallenge { nonce, salt: salt.clone(), iterations: *iterations };
        Ok((exchange, challenge))
    }

    /// For a network that is locked out, without a look-up. Every name gets another salt than outside the lock-out, those
    /// without credentials too: else the ones whose salt changes would be the names with credentials.
    fn decoy_exchange(&self, login: &[u8], nonce: String) -> ScramExchange {
        let typed = LoginName::as_typed(login);
        let questions = LoginName::new(login).map_or_else(|_| fold(&typed), |name| self.questions(&name));
        ScramExchange {
            login: typed,
            nonce,
            wanted: AuthorizationId::default(),
            asked: self.flushes.now(),
            person: Err(Reason::LockedOut(LockOutOf::Network)),
            credentials: self.stand_ins.of(&format!("locked out\0{questions}")),
            are_own: false,
        }
    }

    async fn exchange(&self, login: &[u8], nonce: String) -> Result<ScramExchange, Fault> {
        let (typed, asked) = (LoginName::as_typed(login), self.flushes.now());
        let name = match LoginName::new(login) {
            Ok(name) => name,
            Err(fault) => {
                let (person, credentials) = (Err(Reason::NoName(fault)), self.stand_ins.of(&fold(&typed)));
                return Ok(ScramExchange {
                    login: typed,
                    nonce,
                    wanted: AuthorizationId::default(),
                    asked,
                    person,
                    credentials,
                    are_own: false,
                });
            }
        };
        let began = Instant::now();
        let (found, own) = self.find_with_credentials(&name).await?;
        if own.is_none() {
            // In an outage people get no challenge, so neither do names that are cached as nobody's.
            self.answer_for(&name, began).await?;
        }
        let person = one_person(&found, Trace::IGNORED).map(|(identity, kind)| (identity.clone(), kind));
        let are_own = own.is_some();
        let credentials = own.unwrap_or_else(|| self.stand_ins.of(&self.questions(&name)));
        Ok(ScramExchange {
            login: typed,
            nonce,
            wanted: AuthorizationId::default(),
            asked,
            person,
            credentials,
            are_own,
        })
    }

    /// What the directories are asked for a name. Names that ask alike find the same person, and so must have the same
    /// salt where they find none.
    fn questions(&self, name: &LoginName) -> String {
        let mut questions: Vec<String> = Vec::new();
        for settings in self.directories.iter().map(Directory::settings) {
            let look_up = settings.names.narrow(self.settings.policy.look_up(name, &settings.base));
            let terms = look_up.equal.iter().flat_map(|term| settings.attributes.sought(term.kind, &term.value));
            questions.extend(terms.map(|(attribute, value)| format!("({attribute}={})", fold(&value))));
        }
        // Composed and decomposed letters are asked for apart, and are one.
        questions.dedup();
        if questions.is_empty() { fold(name.as_str()) } else { questions.concat() }
    }

    /// Whose name it is, and their credentials as their entry holds them now.
    async fn find_with_credentials(&self, name: &LoginName) -> Result<(Arc<NameOwner>, Option<ScramKeys>), Fault> {
        let mut found = self.find_unbarred(name).await?;
        let mut held = self.held_by(&found).await?;
        let may_hold = |person: &Arc<Identity>| self.directories.scram_attribute(person).is_some();
        if held.is_none() && matches!(&*found, NameOwner::One(person, _) if may_hold(person)) {
            // They moved, or somebody else has their place by now.
            found = self.names.find_anew(self.asking(name, Trace::IGNORED)).await?;
            held = self.held_by(&found).await?;
        }
        Ok((found, held.and_then(|values| ScramKeys::of(&values))))
    }

    /// What bars somebody is never told from memory: it may be over.
    async fn find_unbarred(&self, name: &LoginName) -> Result<Arc<NameOwner>, Fault> {
        let began = Instant::now();
        let found = self.names.find(self.asking(name, Trace::IGNORED)).await?;
        match &*found {
            NameOwner::One(identity, _) if identity.looked_up < began && !self.standing(identity).is_free() => {
                self.names.find_anew(self.asking(name, Trace::IGNORED)).await
            }
            _ => Ok(found),
        }
    }

    /// The values of one person's attribute; none if that person's entry is not where it was.
    async fn held_by(&self, found: &NameOwner) -> Result<Option<Vec<Secret>>, Fault> {
        let NameOwner::One(identity, _) = found else { return Ok(None) };
        self.directories.scram(identity).await
    }

    /// Takes down whether somebody could log in by SCRAM.
    pub(crate) async fn note_scram(&self, person: &Identity, steps: &Trace) -> Result<(), Fault> {
        let Some(attribute) = self.directories.scram_attribute(person).map(str::to_owned) else { return Ok(()) };
        let own = self.directories.scram(person).await?.and_then(|values| ScramKeys::of(&values));
        steps.note(|| TraceEvent::Scram { attribute, iterations: own.map(|own| own.iterations) });
        Ok(())
    }

    /// Judges the answer to a challenge that a client sent from an address, and counts what is refused; signs what is
    /// proven. A certificate that the client showed as well must be the same person's, as with a password.
    pub async fn verify_answer(
        &self,
        exchange: ScramExchange,
        answer: Result<ScramProof, ScramFault>,
        from: IpAddr,
        certificate: Option<ShownCertificate<'_>>,
    ) -> (Outcome, Option<ServerSignature>) {
        let now = Instant::now();
        let trial = self.guard.trial_of(&exchange.login, &tried(&answer, &exchange.nonce), from);
        self.end_lock_outs();
        let mut outcome = if self.guard.shuts_out_network(&trial, now) {
            refused(None, Reason::LockedOut(LockOutOf::Network))
        } else {
            match self.accepted_owner(certificate).await {
                Ok(owner) => {
                    let outcome = owner.judge(self.judge_answer(&exchange, &answer, &trial));
                    self.authorized(outcome, &exchange.wanted).await
                }
                Err(fault) => Outcome::unanswered(fault),
            }
        };
        self.guard.settle(&trial, &mut outcome, Instant::now());
        let is_proven = matches!(outcome, Outcome::Proven(_) | Outcome::Forbidden(..));
        let signature = answer.ok().filter(|_| is_proven).map(|proof| exchange.credentials.signature(&proof));
        (outcome, signature)
    }

    /// Counts a challenge that a client did not answer. It counts for the network alone: who asks for challenges learns
    /// nothing about a password, and cannot lock anybody out.
    pub fn unanswered(&self, exchange: ScramExchange, from: IpAddr) -> Outcome {
        let trial = self.guard.trial_of(&exchange.login, &exchange.nonce, from);
        let mut outcome = match exchange.person {
            Ok((identity, _)) => refused(Some(&identity), Reason::ChallengeUnanswered),
            Err(reason @ Reason::LockedOut(_)) => refused(None, reason),
            Err(_) => refused(None, Reason::ChallengeUnanswered),
        };
        self.guard.settle_token(&trial, &mut outcome, Instant::now());
        outcome
    }

    fn judge_answer(
        &self,
        exchange: &ScramExchange,
        answer: &Result<ScramProof, ScramFault>,
        trial: &Ticket,
    ) -> Outcome {
        // Looked at whoever it is, as much for those who have no credentials.
        let is_right = answer.as_ref().map(|proof| exchange.credentials.are_proven_by(proof));
        let (identity, kind) = match &exchange.person {
            Ok((identity, kind)) => (identity, *kind),
            Err(reason) => return refused(None, reason.clone()),
        };
        let now = Instant::now();
        if self.guard.shuts_out(identity, trial, now) {
            return refused(Some(identity), Reason::LockedOut(LockOutOf::Person));
        }
        // No bind follows that could settle a doubt.
        if let Some(reason) = self.bars(identity) {
            return refused(Some(identity), reason);
        }
        if !exchange.are_own {
            return refused(Some(identity), Reason::NoScramCredentials);
        }
        match is_right {
            Err(fault) => refused(Some(identity), Reason::Scram(*fault)),
            Ok(_) if !self.guard.admits(identity, trial, now) => {
                refused(Some(identity), Reason::LockedOut(LockOutOf::PersonAtOnce))
            }
            Ok(false) => refused(Some(identity), Reason::WrongProof),
            Ok(true) if !self.flushes.believes_owner(exchange.asked, identity) => {
                Outcome::Unavailable("the entry changed while the client answered".to_owned())
            }
            Ok(true) => proven(identity, kind, Proof::Scram, Trace::IGNORED),
        }
    }
}

impl ScramExchange {
    /// Whether the challenge was for this person.
    #[must_use]
    pub fn is_for(&self, person: &Identity) -> bool {
        self.person.as_ref().is_ok_and(|(own, _)| own.id == person.id)
    }
}

/// What was tried, as far as counting goes. A proof hides the password so well that two of the same wrong one cannot be
/// told from two of different ones: unlike a password, each counts. So does each challenge that got no proof, since each
/// asks the directory.
fn tried(answer: &Result<ScramProof, ScramFault>, nonce: &str) -> String {
    answer.as_ref().map_or_else(|_| nonce.to_owned(), |proof| STANDARD.encode(proof.proof))
}

#[cfg(test)]
mod tests;
