//! The identity map: from credentials to a person and their maildrop, held in memory for a while.
//!
//! A warm login asks nobody: the name leads to an identity, the identity's held password is compared, done. Whatever is
//! not held, or does not match, is asked of the directory, so a new password works at once.

mod ageing;
mod asking;
mod authorized;
mod certificate;
mod directories;
mod familiar;
mod flush;
mod flushes;
mod forgiving;
mod guard;
mod heard;
mod heed;
mod known_maildrops;
mod locked;
mod names;
mod outcome;
mod passwords;
mod person;
mod resolve;
mod scram;
mod second_factor;
mod settings;
mod standing;
mod steps;
mod token;
mod trial;
mod try_each;
mod under_way;
mod verify;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use ageing::{Ageing, Basis, ByPerson, Retention};
pub use flush::{Flush, Flushed};
pub use forgiving::Whom;
pub use known_maildrops::KnownMaildrops;
pub use outcome::{LockOutOf, Outcome, Proof, Proven, Reason, ReasonKind, Refused};
pub use person::Identity;
pub use resolve::Resolved;
pub use scram::{ScramExchange, ScramSettings, ServerSignature};
pub use second_factor::ShownCertificate;
pub use settings::{Ambiguous, Lifetimes, Settings};
pub use standing::Standing;
pub use steps::{Step, Steps};
pub use token::TokenJudgement;

use self::asking::Asking;
use self::certificate::Owners;
use self::directories::Directories;
use self::flushes::Flushes;
use self::guard::Guard;
use self::heard::told;
use self::names::Names;
use self::passwords::{Bridge, Passwords, Recall, Sent};
use self::person::Found;
use self::resolve::place;
use self::scram::StandIns;
use self::second_factor::AcceptedOwner;
use self::token::Tokens;
use self::trial::Trial;
use crate::directory::{Directory, Fault, Refusal, Verdict};
use crate::names::{Kind, LoginName};
use crate::pop3::Credentials;
use crate::secret::Password;

/// Who may log in, and where their mail is.
pub struct IdentityMap {
    directories: Directories,
    settings: Settings,
    names: Names,
    passwords: Passwords,
    owners: Owners,
    tokens: Option<Tokens>,
    guard: Guard,
    stand_ins: StandIns,
    flushes: Arc<Flushes>,
}

/// One login on its way.
struct Attempt<'a> {
    login: LoginName,
    password: Password,
    began: Instant,
    trial: Arc<Trial>,
    sent: Sent,
    /// Whose password is accepted, by the certificate that was shown with it.
    owner: AcceptedOwner,
    steps: &'a Steps,
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
        let passwords = Passwords::new(lifetimes, flushes.clone()).map_err(no_random_numbers)?;
        let guard = Guard::new(settings.lockout.clone(), lifetimes.people).map_err(no_random_numbers)?;
        let names = Names::new(lifetimes, flushes.clone());
        let owners = Owners::new(lifetimes, flushes.clone());
        let tokens = Tokens::new(&settings, &flushes);
        let directories = Directories::new(directories);
        let stand_ins = StandIns::new(&settings.scram).map_err(no_random_numbers)?;
        let map = Self { directories, settings, names, passwords, owners, tokens, guard, stand_ins, flushes };
        map.warn_of_random_salts();
        Ok(map)
    }

    async fn judge_credentials(
        &self,
        credentials: Credentials,
        from: IpAddr,
        owner: AcceptedOwner,
        steps: &Steps,
        trial: Arc<Trial>,
    ) -> Outcome {
        let login = match LoginName::new(&credentials.login) {
            Ok(login) => login,
            Err(fault) => return refused(None, Reason::NoName(fault)),
        };
        let password = match credentials.password {
            Ok(password) => password,
            Err(fault) => return refused(None, Reason::NoPassword(fault)),
        };
        steps.note(|| Step::Name(login.to_string()));
        let began = Instant::now();
        let sent = Sent { asked: self.flushes.now(), from, at: began };
        let attempt = Attempt { login, password, began, trial, sent, owner, steps };
        let outcome = match self.find(&attempt).await {
            Ok(found) => self.judge(&attempt, &found).await,
            Err(fault) => self.without_answer(&attempt, fault).await,
        };
        // Whoever was found anew on the way may be another person than the one whom it was asked of before.
        attempt.owner.judge(outcome)
    }

    /// The question whose a login name is.
    fn asking<'a>(&'a self, login: &'a LoginName, steps: &'a Steps) -> Asking<'a> {
        Asking { login, directories: &self.directories, settings: &self.settings, steps }
    }

    async fn find(&self, attempt: &Attempt<'_>) -> Result<Arc<Found>, Fault> {
        let found = self.names.find(self.asking(&attempt.login, attempt.steps)).await?;
        if self.is_outdated(&found, attempt) {
            return self.find_anew(attempt).await;
        }
        self.note_fresh(attempt, &found);
        Ok(found)
    }

    /// What bars somebody is never told from memory: it may be over. And of several each entry may have changed since their
    /// password was refused.
    fn is_outdated(&self, found: &Found, attempt: &Attempt<'_>) -> bool {
        let people = found.people();
        let is_refused = |person: &Identity| people.len() > 1 && self.recall(person, attempt) == Recall::Refused;
        let is_outdated = |person: &Arc<Identity>| {
            person.looked_up < attempt.began && !self.standing(person).is_free()
                || person.looked_up.elapsed() >= REFUSED_UNSEEN && is_refused(person)
        };
        people.len() <= usize::from(self.settings.ambiguous.most()) && people.iter().any(is_outdated)
    }

    async fn find_anew(&self, attempt: &Attempt<'_>) -> Result<Arc<Found>, Fault> {
        let found = self.names.find_anew(self.asking(&attempt.login, attempt.steps)).await?;
        self.note_fresh(attempt, &found);
        Ok(found)
    }

    /// Each fresh look-up compares the change stamp.
    fn note_fresh(&self, attempt: &Attempt<'_>, found: &Found) {
        for person in found.people().iter().filter(|person| person.looked_up >= attempt.began) {
            self.passwords.seen(person);
        }
    }

    async fn judge(&self, attempt: &Attempt<'_>, found: &Found) -> Outcome {
        if let Found::Ambiguous(people) = found {
            return self.try_each(attempt, people).await;
        }
        let (identity, kind) = match one_person(found, attempt.steps) {
            Ok(person) => person,
            Err(reason) => return refused(None, reason),
        };
        if self.guard.shuts_out(identity, &attempt.trial, Instant::now()) {
            return refused(Some(identity), Reason::LockedOut(LockOutOf::Person));
        }
        attempt.steps.note(|| Step::Account(self.standing(identity)));
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
            Recall::Refused => self.refused_before(attempt, identity).await,
            Recall::Unknown => self.bind(attempt, identity, kind).await,
        }
    }

    /// The entry may have changed since: it is read again before the same password is refused without a bind.
    async fn refused_before(&self, attempt: &Attempt<'_>, identity: &Arc<Identity>) -> Outcome {
        match self.find_anew(attempt).await {
            Ok(found) => match &*found {
                Found::One(anew, kind) if self.recall(anew, attempt) != Recall::Refused => {
                    self.bind(attempt, anew, *kind).await
                }
                Found::One(anew, _) => self.barred(anew).unwrap_or_else(|| refused(Some(anew), Reason::RefusedBefore)),
                _ => refused(Some(identity), Reason::RefusedBefore),
            },
            Err(fault) => self.without_answer(attempt, fault).await,
        }
    }

    fn recall(&self, identity: &Identity, attempt: &Attempt<'_>) -> Recall {
        self.passwords.recall(identity, &attempt.password, Instant::now())
    }

    async fn bind(&self, attempt: &Attempt<'_>, identity: &Arc<Identity>, kind: Option<Kind>) -> Outcome {
        if let Some(refusal) = self.barred(identity) {
            return refusal;
        }
        if !self.guard.admits(identity, &attempt.trial, Instant::now()) {
            return refused(Some(identity), Reason::LockedOut(LockOutOf::PersonAtOnce));
        }
        match self.ask(attempt, identity).await {
            Ok(Verdict::Refused(refusal)) => self.bind_where_it_is_now(attempt, identity, refusal).await,
            Ok(verdict) => self.settle(attempt, identity, kind, verdict),
            Err(fault) => self.without_answer(attempt, fault).await,
        }
    }

    async fn ask(&self, attempt: &Attempt<'_>, identity: &Identity) -> Result<Verdict, Fault> {
        let bind = self.directories.bind(identity, attempt.password.clone());
        let answer = self.passwords.once(identity, &attempt.password, attempt.sent, bind).await;
        attempt.steps.note_bind(&identity.dn, &answer);
        answer
    }

    /// A refusal is looked up anew before it is told: an entry that moved has another DN, and that one is bound once. And
    /// where passwords have a policy, a refused bind is itself a change of the entry, which may move its stamp (its
    /// modifyTimestamp, in slapd): the password is held as refused under the stamp behind the bind, or it would soon be tried again.
    async fn bind_where_it_is_now(&self, attempt: &Attempt<'_>, identity: &Arc<Identity>, refusal: Refusal) -> Outcome {
        // The directory has said no: whatever it says of the entry, or fails to say, the old proof counts no more.
        self.passwords.dropped(identity);
        let found = match self.find_anew(attempt).await {
            Ok(found) => found,
            Err(fault) => return self.without_answer(attempt, fault).await,
        };
        let (anew, kind) = match &*found {
            Found::One(anew, kind) => (anew, *kind),
            Found::Nobody | Found::OutsidePolicy | Found::OutsideLimits(_) => {
                return refused(Some(identity), Reason::Nobody);
            }
            Found::Ambiguous(people) => return refused(None, Reason::Ambiguous(told(people.iter()))),
        };
        if let Some(refusal) = self.barred(anew) {
            return refusal;
        }
        if anew.dn.matches(&identity.dn) {
            return self.settle(attempt, anew, kind, Verdict::Refused(refusal));
        }
        match self.ask(attempt, anew).await {
            Ok(verdict) => self.settle(attempt, anew, kind, verdict),
            Err(fault) => self.without_answer(attempt, fault).await,
        }
    }

    fn settle(&self, attempt: &Attempt<'_>, identity: &Arc<Identity>, kind: Option<Kind>, verdict: Verdict) -> Outcome {
        match self.conclude(attempt, identity, self.standing(identity).with(verdict)) {
            Ok(proof) => proven(identity, kind, proof, attempt.steps),
            Err(reason) => refused(Some(identity), reason),
        }
    }

    /// A bind was answered, and the entry read: what both say together is held.
    fn conclude(&self, attempt: &Attempt<'_>, identity: &Identity, verdict: Verdict) -> Result<Proof, Reason> {
        match verdict {
            Verdict::Proven => {
                self.verified(attempt, identity);
                Ok(Proof::Bind)
            }
            Verdict::Grace { left } => {
                self.verified(attempt, identity);
                self.passwords.note_grace(identity);
                Ok(Proof::GraceLogin { left })
            }
            Verdict::Refused(refusal @ (Refusal::WrongPassword | Refusal::WrongOrLocked)) => {
                self.passwords.refused(identity, &attempt.password, Instant::now(), attempt.sent);
                Err(Reason::Directory(refusal))
            }
            Verdict::Refused(refusal) => {
                self.passwords.dropped(identity);
                Err(Reason::Directory(refusal))
            }
        }
    }

    fn verified(&self, attempt: &Attempt<'_>, identity: &Identity) {
        self.passwords.verified(identity, &attempt.password, Instant::now(), attempt.sent);
    }

    /// The directory is silent: those within the grace go on working. Nobody is told that their password is wrong.
    async fn without_answer(&self, attempt: &Attempt<'_>, fault: Fault) -> Outcome {
        let Fault::Unavailable { why, silent: true } = fault else { return Outcome::unanswered(fault) };
        let Some(identity) = self.names.last(&attempt.login).await.filter(|last| self.standing(last).is_free()) else {
            return Outcome::Unavailable(why);
        };
        // In the words of an outage, as for a wrong password.
        if let Some(reason) = attempt.owner.rejects(&identity) {
            return Outcome::Unavailable(format!("{why}; {reason}"));
        }
        // In the words of an outage, as for names that nobody has.
        if self.guard.shuts_out(&identity, &attempt.trial, Instant::now()) {
            return Outcome::Unavailable(format!("{why}; locked out: {}", LockOutOf::Person));
        }
        match self.passwords.bridges_outage(&identity, &attempt.password, Instant::now()) {
            Bridge::Yes => return proven(&identity, None, Proof::Grace, attempt.steps),
            Bridge::OtherPassword => attempt.trial.wrong_in_outage(&identity),
            Bridge::No => {}
        }
        Outcome::Unavailable(why)
    }
}

fn refused(identity: Option<&Arc<Identity>>, reason: Reason) -> Outcome {
    Outcome::Refused(Refused { identity: identity.cloned(), reason, further_steps: 0 })
}

/// Exactly one entry is a person; the rule holds whether a password is asked for or not.
fn one_person<'a>(found: &'a Found, steps: &Steps) -> Result<(&'a Arc<Identity>, Option<Kind>), Reason> {
    match found {
        Found::One(identity, kind) => {
            steps.note(|| Step::Person {
                canonical_name: identity.canonical_name.clone(),
                directory: identity.id.directory().to_owned(),
                dn: identity.dn.clone(),
                id: identity.id.to_string(),
            });
            Ok((identity, *kind))
        }
        Found::Nobody => Err(Reason::Nobody),
        Found::OutsidePolicy => Err(Reason::OutsidePolicy),
        Found::OutsideLimits(why) => Err(Reason::OutsideLimits(why.clone())),
        Found::Ambiguous(people) => Err(Reason::Ambiguous(told(people.iter()))),
    }
}

/// The password is right; now their mail must have a place.
fn proven(identity: &Arc<Identity>, kind: Option<Kind>, proof: Proof, steps: &Steps) -> Outcome {
    steps.note(|| Step::Proven(proof));
    match place(identity, steps) {
        Ok(maildrop) => Outcome::Proven(Proven { identity: identity.clone(), maildrop, kind, proof }),
        Err(outcome) => outcome,
    }
}
