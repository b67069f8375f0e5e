//! The identity map: from credentials to a person and their maildrop, held in memory for a while.
//!
//! A warm login asks nobody: the name leads to an identity, the identity's held password is compared, done. Whatever is
//! not held, or does not match, is asked of the directory, so a new password works at once.

mod cache;
mod forgiving;
mod heed;
mod known_maildrops;
mod login;
mod person;
mod question;
mod retention;
mod settings;
mod throttle;
mod verdict;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use cache::flush::{Flush, Flushed};
pub use forgiving::ResetScope;
pub use known_maildrops::KnownMaildrops;
pub use login::account_status::AccountStatus;
pub use login::resolve::Resolved;
pub use login::scram::{ScramExchange, ScramSettings, ServerSignature};
pub use login::second_factor::ShownCertificate;
pub use login::token::TokenJudgement;
pub use person::Identity;
pub use retention::{Retention, RetentionAttribute, RetentionPolicy, RetentionSource};
pub use settings::{Ambiguous, Lifetimes, Settings};
pub use verdict::outcome::{LockOutOf, Outcome, Proof, ProvenLogin, Reason, ReasonKind, RefusedLogin};
pub use verdict::trace::{Trace, TraceEvent};

use self::cache::flushes::Flushes;
use self::cache::names::NameCache;
use self::cache::password_record::Submission;
use self::cache::passwords::{PasswordCache, Recall};
use self::login::certificate::CertificateCache;
use self::login::resolve::place;
use self::login::scram::DecoyCredentials;
use self::login::second_factor::AcceptedOwner;
use self::login::token::TokenOwners;
use self::person::NameOwner;
use self::question::answers::told;
use self::question::directories::Directories;
use self::question::query::NameQuery;
use self::throttle::counters::LoginThrottle;
use self::throttle::ticket::Ticket;
use crate::directory::{Directory, Fault};
use crate::names::{Kind, LoginName};
use crate::pop3::Credentials;
use crate::secret::Password;

/// Who may log in, and where their mail is.
pub struct IdentityMap {
    directories: Directories,
    settings: Settings,
    names: NameCache,
    passwords: PasswordCache,
    owners: CertificateCache,
    tokens: Option<TokenOwners>,
    guard: LoginThrottle,
    stand_ins: DecoyCredentials,
    flushes: Arc<Flushes>,
}

/// One login on its way.
pub(crate) struct Attempt<'a> {
    login: LoginName,
    password: Password,
    began: Instant,
    trial: Arc<Ticket>,
    sent: Submission,
    /// Whose password is accepted, by the certificate that was shown with it.
    owner: AcceptedOwner,
    steps: &'a Trace,
}

/// A refused password is told from memory without another look at the entry for so long.
const REFUSED_UNSEEN: Duration = Duration::from_secs(30);

impl IdentityMap {
    /// Begins with nothing held. The directories have names of their own, by which entries are told apart.
    ///
    /// # Errors
    /// The system gives no random numbers for the key under which passwords are hashed.
    pub fn new(directories: Vec<Directory>, mut settings: Settings) -> Result<Self, String> {
        // Where the mail root really is must be known before the first login, which must not wait for a disk.
        settings.template = settings.template.looked_up(&settings.root);
        let lifetimes = settings.cache;
        let flushes = Arc::new(Flushes::default());
        let no_random_numbers = |_| "the system gives no random numbers".to_owned();
        let passwords = PasswordCache::new(lifetimes, flushes.clone()).map_err(no_random_numbers)?;
        let guard = LoginThrottle::new(settings.lockout.clone(), lifetimes.people).map_err(no_random_numbers)?;
        let names = NameCache::new(lifetimes, flushes.clone());
        let owners = CertificateCache::new(lifetimes, flushes.clone());
        let tokens = TokenOwners::new(&settings, &flushes);
        let directories = Directories::new(directories);
        let stand_ins = DecoyCredentials::new(&settings.scram).map_err(no_random_numbers)?;
        let map = Self { directories, settings, names, passwords, owners, tokens, guard, stand_ins, flushes };
        map.warn_of_random_salts();
        Ok(map)
    }

    async fn judge_credentials(
        &self,
        credentials: Credentials,
        from: IpAddr,
        owner: AcceptedOwner,
        steps: &Trace,
        trial: Arc<Ticket>,
    ) -> Outcome {
        let login = match LoginName::new(&credentials.login) {
            Ok(login) => login,
            Err(fault) => return refused(None, Reason::NoName(fault)),
        };
        let password = match credentials.password {
            Ok(password) => password,
            Err(fault) => return refused(None, Reason::NoPassword(fault)),
        };
        steps.note(|| TraceEvent::Name(login.to_string()));
        let began = Instant::now();
        let sent = Submission { asked: self.flushes.now(), from, at: began };
        let attempt = Attempt { login, password, began, trial, sent, owner, steps };
        let outcome = match self.find(&attempt).await {
            Ok(found) => self.judge(&attempt, &found).await,
            Err(fault) => self.without_answer(&attempt, fault).await,
        };
        // Whoever was found anew on the way may be another person than the one whom it was asked of before.
        let outcome = attempt.owner.judge(outcome);
        let outcome = self.unless_silent(outcome, Some(&attempt.login), attempt.began).await;
        self.note_outage(&attempt, &outcome);
        outcome
    }

    /// The question whose a login name is.
    fn asking<'a>(&'a self, login: &'a LoginName, steps: &'a Trace) -> NameQuery<'a> {
        NameQuery { login, directories: &self.directories, settings: &self.settings, steps }
    }

    async fn find(&self, attempt: &Attempt<'_>) -> Result<Arc<NameOwner>, Fault> {
        let found = self.names.find(self.asking(&attempt.login, attempt.steps)).await?;
        if self.is_outdated(&found, attempt) {
            return self.find_anew(attempt).await;
        }
        self.note_fresh(attempt, &found);
        Ok(found)
    }

    /// What bars somebody is never told from memory: it may be over. And of several each entry may have changed since their
    /// password was refused.
    fn is_outdated(&self, found: &NameOwner, attempt: &Attempt<'_>) -> bool {
        let people = found.people();
        let is_refused = |person: &Identity| people.len() > 1 && self.recall(person, attempt) == Recall::Refused;
        let is_outdated = |person: &Arc<Identity>| {
            person.looked_up < attempt.began && !self.standing(person).is_free()
                || person.looked_up.elapsed() >= REFUSED_UNSEEN && is_refused(person)
        };
        people.len() <= usize::from(self.settings.ambiguous.most()) && people.iter().any(is_outdated)
    }

    async fn find_anew(&self, attempt: &Attempt<'_>) -> Result<Arc<NameOwner>, Fault> {
        let found = self.names.find_anew(self.asking(&attempt.login, attempt.steps)).await?;
        self.note_fresh(attempt, &found);
        Ok(found)
    }

    /// Each fresh look-up compares the change stamp.
    fn note_fresh(&self, attempt: &Attempt<'_>, found: &NameOwner) {
        for person in found.people().iter().filter(|person| person.looked_up >= attempt.began) {
            self.passwords.seen(person);
        }
    }

    async fn judge(&self, attempt: &Attempt<'_>, found: &NameOwner) -> Outcome {
        if let NameOwner::Ambiguous(people) = found {
            return self.try_each(attempt, people).await;
        }
        let (identity, kind) = match one_person(found, attempt.steps) {
            Ok(person) => person,
            Err(reason) => return refused(None, reason),
        };
        if self.guard.shuts_out(identity, &attempt.trial, Instant::now()) {
            return refused(Some(identity), Reason::LockedOut(LockOutOf::Person));
        }
        attempt.steps.note(|| TraceEvent::Account(self.standing(identity)));
        if let Some(refusal) = self.barred(identity) {
            return refusal;
        }
        if let Some(reason) = attempt.owner.rejects(identity) {
            return refused(Some(identity), reason);
        }
        match self.passwords.recall(identity, &attempt.password, Instant::now()) {
            Recall::Verified => proven(identity, kind, Proof::Held, attempt.steps),
            Recall::Refused if identity.looked_up.elapsed() < REFUSED_UNSEEN => {
                refused(Some(identity), Reason::RefusedBefore)
            }
            Recall::Refused | Recall::RefusedUnseen => self.refused_before(attempt, identity).await,
            Recall::Unknown => self.bind(attempt, identity, kind).await,
        }
    }

    /// The entry may have changed since: it is read again before the same password is refused without a bind.
    async fn refused_before(&self, attempt: &Attempt<'_>, identity: &Arc<Identity>) -> Outcome {
        match self.find_anew(attempt).await {
            Ok(found) => match &*found {
                NameOwner::One(anew, kind) if self.recall(anew, attempt) != Recall::Refused => {
                    self.bind(attempt, anew, *kind).await
                }
                NameOwner::One(anew, _) => {
                    self.barred(anew).unwrap_or_else(|| refused(Some(anew), Reason::RefusedBefore))
                }
                _ => refused(Some(identity), Reason::RefusedBefore),
            },
            Err(fault) => self.without_answer(attempt, fault).await,
        }
    }

    fn recall(&self, identity: &Identity, attempt: &Attempt<'_>) -> Recall {
        self.passwords.recall(identity, &attempt.password, Instant::now())
    }
}

fn refused(identity: Option<&Arc<Identity>>, reason: Reason) -> Outcome {
    Outcome::Refused(RefusedLogin { identity: identity.cloned(), reason, delay_steps: 0 })
}

/// Exactly one entry is a person; the rule holds whether a password is asked for or not.
fn one_person<'a>(found: &'a NameOwner, steps: &Trace) -> Result<(&'a Arc<Identity>, Option<Kind>), Reason> {
    match found {
        NameOwner::One(identity, kind) => {
            steps.note(|| TraceEvent::Person {
                canonical_name: identity.canonical_name.clone(),
                directory: identity.id.directory().to_owned(),
                dn: identity.dn.clone(),
                id: identity.id.to_string(),
            });
            Ok((identity, *kind))
        }
        NameOwner::Nobody => Err(Reason::Nobody),
        NameOwner::OutsidePolicy => Err(Reason::OutsidePolicy),
        NameOwner::OutsideLimits(why) => Err(Reason::OutsideLimits(why.clone())),
        NameOwner::Ambiguous(people) => Err(Reason::Ambiguous(told(people.iter()))),
    }
}

/// The password is right; now their mail must have a place.
fn proven(identity: &Arc<Identity>, kind: Option<Kind>, proof: Proof, steps: &Trace) -> Outcome {
    steps.note(|| TraceEvent::Proven(proof));
    match place(identity, steps) {
        Ok(maildrop) => Outcome::Proven(ProvenLogin { identity: identity.clone(), maildrop, kind, proof }),
        Err(outcome) => outcome,
    }
}
