//! The identity map: from credentials to a person and their maildrop, held in memory for a while.
//!
//! A warm login asks nobody: the name leads to an identity, the identity's held password is compared, done. Whatever is
//! not held, or does not match, is asked of the directory, so a new password works at once.

mod names;
mod outcome;
mod passwords;
mod person;
mod settings;
mod standing;

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::future::Cache;

pub use outcome::{Outcome, Proof, Proven, Reason, Refused};
pub use person::Identity;
pub use settings::{Lifetimes, Settings};

use self::names::Names;
use self::passwords::{Passwords, Recall};
use self::person::Found;
use crate::directory::{Directory, Fault, Refusal, Verdict};
use crate::maildir::PathRefusal;
use crate::names::{Kind, LoginName};
use crate::pop3::Credentials;
use crate::secret::Password;

/// Who may log in, and where their mail is.
pub struct IdentityMap {
    directory: Directory,
    settings: Settings,
    names: Names,
    passwords: Passwords,
    /// Who was last found under a name, for as long as an outage may be bridged.
    last_found: Cache<LoginName, Arc<Identity>>,
}

/// One login on its way.
struct Attempt {
    login: LoginName,
    password: Password,
    began: Instant,
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
        let passwords = Passwords::new(lifetimes).map_err(|_| "the system gives no random numbers".to_owned())?;
        let bridged = lifetimes.outage_grace + lifetimes.found;
        let last_found = Cache::builder().max_capacity(lifetimes.people).time_to_live(bridged).build();
        Ok(Self { directory, names: Names::new(lifetimes), passwords, last_found, settings })
    }

    /// Judges credentials.
    pub async fn verify(&self, credentials: Credentials) -> Outcome {
        let login = match LoginName::new(&credentials.login) {
            Ok(login) => login,
            Err(fault) => return refused(None, Reason::NoName(fault)),
        };
        let password = match credentials.password {
            Ok(password) => password,
            Err(fault) => return refused(None, Reason::NoPassword(fault)),
        };
        let attempt = Attempt { login, password, began: Instant::now() };
        match self.find(&attempt).await {
            Ok(found) => self.judge(&attempt, &found).await,
            Err(fault) => self.without_answer(&attempt, fault).await,
        }
    }

    async fn find(&self, attempt: &Attempt) -> Result<Arc<Found>, Fault> {
        let found = self.names.find(&attempt.login, &self.directory, &self.settings).await?;
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

    async fn find_anew(&self, attempt: &Attempt) -> Result<Arc<Found>, Fault> {
        let found = self.names.find_anew(&attempt.login, &self.directory, &self.settings).await?;
        self.note_fresh(attempt, &found).await;
        Ok(found)
    }

    /// Each fresh look-up compares the change stamp. A name that leads to no one person any more bridges no outage.
    async fn note_fresh(&self, attempt: &Attempt, found: &Found) {
        match found {
            Found::One(identity, _) if identity.looked_up >= attempt.began => {
                self.passwords.seen(identity);
                self.last_found.insert(attempt.login.clone(), identity.clone()).await;
            }
            Found::One(..) => {}
            Found::Nobody | Found::OutsidePolicy | Found::Ambiguous(_) => {
                self.last_found.invalidate(&attempt.login).await;
            }
        }
    }

    async fn judge(&self, attempt: &Attempt, found: &Found) -> Outcome {
        let (identity, kind) = match found {
            Found::One(identity, kind) => (identity, *kind),
            Found::Nobody => return refused(None, Reason::Nobody),
            Found::OutsidePolicy => return refused(None, Reason::OutsidePolicy),
            Found::Ambiguous(people) => return refused(None, Reason::Ambiguous(people.clone())),
        };
        if let Some(refusal) = self.barred(identity) {
            return refusal;
        }
        match self.passwords.recall(identity, &attempt.password, Instant::now()) {
            Recall::Verified => proven(identity, kind, Proof::Held),
            Recall::Refused if identity.looked_up.elapsed() < REFUSED_UNSEEN => {
                refused(Some(identity), Reason::RefusedBefore)
            }
            Recall::Refused => self.refused_before(attempt, identity).await,
            Recall::Unknown => self.bind(attempt, identity, kind).await,
        }
    }

    /// The entry may have changed since: it is read again before the same password is refused without a bind.
    async fn refused_before(&self, attempt: &Attempt, identity: &Arc<Identity>) -> Outcome {
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

    fn recall(&self, identity: &Identity, attempt: &Attempt) -> Recall {
        self.passwords.recall(identity, &attempt.password, Instant::now())
    }

    async fn bind(&self, attempt: &Attempt, identity: &Arc<Identity>, kind: Option<Kind>) -> Outcome {
        if let Some(refusal) = self.barred(identity) {
            return refusal;
        }
        match self.directory.bind(identity.dn.clone(), attempt.password.clone()).await {
            Ok(Verdict::Refused(refusal)) if identity.looked_up < attempt.began => {
                self.bind_where_it_is_now(attempt, identity, refusal).await
            }
            Ok(verdict) => self.settle(attempt, identity, kind, verdict),
            Err(fault) => self.without_answer(attempt, fault).await,
        }
    }

    /// A refusal for somebody known from memory is looked up anew before it is told: an entry that moved has another DN,
    /// and that one is bound once.
    async fn bind_where_it_is_now(&self, attempt: &Attempt, identity: &Arc<Identity>, refusal: Refusal) -> Outcome {
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
        match self.directory.bind(anew.dn.clone(), attempt.password.clone()).await {
            Ok(verdict) => self.settle(attempt, anew, kind, verdict),
            Err(fault) => self.without_answer(attempt, fault).await,
        }
    }

    /// A bind was answered, and the entry read: what both say together.
    fn settle(&self, attempt: &Attempt, identity: &Arc<Identity>, kind: Option<Kind>, verdict: Verdict) -> Outcome {
        match self.standing(identity).with(verdict) {
            Verdict::Proven => self.verified(attempt, identity, kind, Proof::Bind),
            Verdict::Grace { left } => self.verified(attempt, identity, kind, Proof::GraceLogin { left }),
            Verdict::Refused(refusal) => self.refuse(attempt, identity, refusal),
        }
    }

    fn verified(&self, attempt: &Attempt, identity: &Arc<Identity>, kind: Option<Kind>, proof: Proof) -> Outcome {
        let by_grace = matches!(proof, Proof::GraceLogin { .. });
        self.passwords.verified(identity, &attempt.password, Instant::now(), by_grace);
        proven(identity, kind, proof)
    }

    fn refuse(&self, attempt: &Attempt, identity: &Arc<Identity>, refusal: Refusal) -> Outcome {
        match refusal {
            Refusal::WrongPassword => self.passwords.refused(identity, &attempt.password, Instant::now()),
            _ => self.passwords.dropped(identity),
        }
        refused(Some(identity), Reason::Directory(refusal))
    }

    /// The directory is silent: those within the grace go on working. Nobody is told that their password is wrong.
    async fn without_answer(&self, attempt: &Attempt, fault: Fault) -> Outcome {
        let (why, silent) = match fault {
            Fault::Misconfigured(why) => return Outcome::Misconfigured(why),
            Fault::Unavailable { why, silent } => (why, silent),
        };
        match self.last_found.get(&attempt.login).await {
            Some(identity)
                if silent
                    && self.standing(&identity).is_free()
                    && self.passwords.bridges_outage(&identity, &attempt.password, Instant::now()) =>
            {
                proven(&identity, None, Proof::Grace)
            }
            _ => Outcome::Unavailable(why),
        }
    }
}

fn refused(identity: Option<&Arc<Identity>>, reason: Reason) -> Outcome {
    Outcome::Refused(Refused { identity: identity.cloned(), reason })
}

/// The password is right; now their mail must have a place.
fn proven(identity: &Arc<Identity>, kind: Option<Kind>, proof: Proof) -> Outcome {
    match &identity.maildrop {
        Ok(maildrop) => Outcome::Proven(Proven { identity: identity.clone(), maildrop: maildrop.clone(), kind, proof }),
        Err(PathRefusal::Forbidden(why)) => Outcome::Forbidden(identity.clone(), why.clone()),
        Err(refusal) => refused(Some(identity), Reason::NoMaildrop(refusal.clone())),
    }
}
