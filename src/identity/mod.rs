//! The identity map: from credentials to a person and their maildrop, held in memory for a while.
//!
//! A warm login asks nobody: the name leads to an identity, the identity's held password is compared, done. Whatever is
//! not held, or does not match, is asked of the directory, so a new password works at once.

mod certificate;
mod flush;
mod flushes;
mod forgiving;
mod guard;
mod heed;
mod locked;
mod names;

mod outcome;
mod passwords;
mod person;
mod resolve;
mod scram;
mod settings;
mod standing;
mod steps;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::future::Cache;

pub use flush::{Flush, Flushed};
pub use forgiving::Whom;
pub use outcome::{LockOutOf, Outcome, Proof, Proven, Reason, Refused};
pub use person::Identity;
pub use resolve::Resolved;
pub use scram::{ScramExchange, ScramSettings, ServerSignature};
pub use settings::{Lifetimes, Settings};
pub use standing::Standing;
pub use steps::{Step, Steps};

use self::certificate::Owners;
use self::flushes::{Flushes, Generation};
use self::guard::{Guard, Trial};
use self::names::Names;
use self::passwords::{Bridge, Passwords, Recall, Sent};
use self::person::Found;
use self::scram::StandIns;
use crate::directory::{Directory, EntryId, Fault, Refusal, Verdict};
use crate::maildir::{MaildropPath, PathRefusal};
use crate::names::{Kind, LoginName};
use crate::pop3::Credentials;
use crate::secret::Password;

/// Who may log in, and where their mail is.
pub struct IdentityMap {
    directory: Directory,
    settings: Settings,
    names: Names,
    passwords: Passwords,
    owners: Owners,
    guard: Guard,
    stand_ins: StandIns,
    flushes: Arc<Flushes>,
    /// Who was last found under a name and when that was asked, for as long as an outage may be bridged.
    last_found: Cache<LoginName, (Generation, Arc<Identity>)>,
}

/// One login on its way.
struct Attempt<'a> {
    login: LoginName,
    password: Password,
    began: Instant,
    trial: Arc<Trial>,
    sent: Sent,
    steps: &'a Steps,
}

/// A refused password is told from memory without another look at the entry for so long.
const REFUSED_UNSEEN: Duration = Duration::from_secs(30);

impl IdentityMap {
    /// Begins with nothing held.
    ///
    /// # Errors
    /// The system gives no random numbers for the key under which passwords are hashed.
    pub fn new(directory: Directory, settings: Settings) -> Result<Self, String> {
        let lifetimes = settings.cache;
        let flushes = Arc::new(Flushes::default());
        let no_random_numbers = |_| "the system gives no random numbers".to_owned();
        let passwords = Passwords::new(lifetimes, flushes.clone()).map_err(no_random_numbers)?;
        let guard = Guard::new(settings.lockout.clone(), lifetimes.people).map_err(no_random_numbers)?;
        let stand_ins = StandIns::new(&settings.scram).map_err(no_random_numbers)?;
        let bridged = lifetimes.outage_grace + lifetimes.found;
        let last_found = Cache::builder().max_capacity(lifetimes.people).time_to_live(bridged).build();
        let names = Names::new(lifetimes, flushes.clone());
        let owners = Owners::new(lifetimes, flushes.clone());
        let map = Self { directory, settings, names, passwords, owners, guard, stand_ins, flushes, last_found };
        map.warn_of_random_salts();
        Ok(map)
    }

    /// Judges credentials that a client sent from an address, and counts what is refused, by person and by network.
    pub async fn verify(&self, credentials: Credentials, from: IpAddr) -> Outcome {
        self.verify_telling(credentials, from, Steps::IGNORED).await
    }

    /// The same, with every step taken down.
    pub async fn verify_telling(&self, credentials: Credentials, from: IpAddr, steps: &Steps) -> Outcome {
        let (trial, now) = (Arc::new(self.guard.trial(&credentials, from)), Instant::now());
        self.lock_outs_ended(&self.guard.end_lock_outs(now));
        let mut outcome = if self.guard.shuts_out_network(&trial, now) {
            refused(None, Reason::LockedOut(LockOutOf::Network))
        } else {
            self.judge_credentials(credentials, from, steps, Arc::clone(&trial)).await
        };
        self.guard.settle(&trial, &mut outcome, Instant::now());
        outcome
    }

    /// Forgets what was counted of a person, a network or everybody, and lets them in again; tells how many counters
    /// there were.
    pub fn forgive(&self, whom: &Whom) -> usize {
        let (forgotten, lifted) = self.guard.forgive(whom);
        self.lock_outs_ended(&lifted);
        forgotten
    }

    /// What was refused before a lock-out is asked anew after it.
    fn lock_outs_ended(&self, people: &[EntryId]) {
        for person in people {
            self.passwords.forget_refused(person);
        }
    }

    async fn judge_credentials(
        &self,
        credentials: Credentials,
        from: IpAddr,
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
        let sent = Sent { asked: self.flushes.now(), from };
        let attempt = Attempt { login, password, began: Instant::now(), trial, sent, steps };
        match self.find(&attempt).await {
            Ok(found) => self.judge(&attempt, &found).await,
            Err(fault) => self.without_answer(&attempt, fault).await,
        }
    }

    async fn find(&self, attempt: &Attempt<'_>) -> Result<Arc<Found>, Fault> {
        let found = self.names.find(&attempt.login, &self.directory, &self.settings, attempt.steps).await?;
        // What bars somebody is never told from memory: it may be over.
        if let Found::One(identity, _) = &*found
            && identity.looked_up < attempt.began
            && !self.standing(identity).is_free()
        {
            return self.find_anew(attempt).await;
        }
        self.note_fresh(attempt, &found).await;
        Ok(found)
    }

    async fn find_anew(&self, attempt: &Attempt<'_>) -> Result<Arc<Found>, Fault> {
        let found = self.names.find_anew(&attempt.login, &self.directory, &self.settings, attempt.steps).await?;
        self.note_fresh(attempt, &found).await;
        Ok(found)
    }

    /// Each fresh look-up compares the change stamp. A name that leads to no one person any more bridges no outage.
    async fn note_fresh(&self, attempt: &Attempt<'_>, found: &Found) {
        match found {
            Found::One(identity, _) if identity.looked_up >= attempt.began => {
                self.passwords.seen(identity);
                let since = (attempt.sent.asked, identity.clone());
                self.last_found.insert(attempt.login.clone(), since).await;
            }
            Found::One(..) => {}
            Found::Nobody | Found::OutsidePolicy | Found::Ambiguous(_) => {
                self.last_found.invalidate(&attempt.login).await;
            }
        }
    }

    async fn judge(&self, attempt: &Attempt<'_>, found: &Found) -> Outcome {
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
        let answer = self.directory.bind(identity.dn.clone(), attempt.password.clone()).await;
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
            Found::Nobody | Found::OutsidePolicy => return refused(Some(identity), Reason::Nobody),
            Found::Ambiguous(people) => return refused(None, Reason::Ambiguous(people.clone())),
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

    /// A bind was answered, and the entry read: what both say together.
    fn settle(&self, attempt: &Attempt<'_>, identity: &Arc<Identity>, kind: Option<Kind>, verdict: Verdict) -> Outcome {
        match self.standing(identity).with(verdict) {
            Verdict::Proven => self.verified(attempt, identity, kind, Proof::Bind),
            Verdict::Grace { left } => self.verified(attempt, identity, kind, Proof::GraceLogin { left }),
            Verdict::Refused(refusal) => self.refuse(attempt, identity, refusal),
        }
    }

    fn verified(&self, attempt: &Attempt<'_>, identity: &Arc<Identity>, kind: Option<Kind>, proof: Proof) -> Outcome {
        self.passwords.verified(identity, &attempt.password, Instant::now(), attempt.sent);
        if matches!(proof, Proof::GraceLogin { .. }) {
            self.passwords.note_grace(identity);
        }
        proven(identity, kind, proof, attempt.steps)
    }

    fn refuse(&self, attempt: &Attempt<'_>, identity: &Arc<Identity>, refusal: Refusal) -> Outcome {
        match refusal {
            Refusal::WrongPassword => {
                self.passwords.refused(identity, &attempt.password, Instant::now(), attempt.sent);
            }
            _ => self.passwords.dropped(identity),
        }
        refused(Some(identity), Reason::Directory(refusal))
    }

    /// The directory is silent: those within the grace go on working. Nobody is told that their password is wrong.
    async fn without_answer(&self, attempt: &Attempt<'_>, fault: Fault) -> Outcome {
        let (why, silent) = match fault {
            Fault::Misconfigured(why) => return Outcome::Misconfigured(why),
            Fault::Unavailable { why, silent } => (why, silent),
        };
        let last_found = self.last_found.get(&attempt.login).await.filter(|_| silent);
        let believed = last_found
            .filter(|(asked, person)| self.flushes.believes_of(*asked, person) && self.standing(person).is_free());
        let Some((_, identity)) = believed else {
            return Outcome::Unavailable(why);
        };
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
                dn: identity.dn.clone(),
                id: identity.id.to_string(),
            });
            Ok((identity, *kind))
        }
        Found::Nobody => Err(Reason::Nobody),
        Found::OutsidePolicy => Err(Reason::OutsidePolicy),
        Found::Ambiguous(people) => Err(Reason::Ambiguous(people.clone())),
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

/// Where a person's mail is, or how a login without a place for mail ends.
fn place(identity: &Arc<Identity>, steps: &Steps) -> Result<MaildropPath, Outcome> {
    steps.note(|| Step::Maildrop(identity.maildrop.clone()));
    identity.maildrop.clone().map_err(|refusal| match refusal {
        PathRefusal::Forbidden(why) => Outcome::Forbidden(identity.clone(), why),
        refusal => refused(Some(identity), Reason::NoMaildrop(refusal)),
    })
}
