//! The identity map: from credentials to a person and their maildrop.
//!
//! In go credentials, the client's address and perhaps a certificate; out comes an [`Outcome`]. A warm login asks no
//! directory: the name leads to a cached identity, and the password is compared with a cached hash. For whatever is not
//! cached, or does not match, the directory is asked, so a new password works at once.
//!
//! # The rooms
//!
//! Each names only those above it; the test `floors` enforces that.
//!
//! | room | what it is for |
//! |---|---|
//! | `settings`, `retention` | what the configuration says; how long mail that people leave on the server stays |
//! | `mail_place` | whether a person's mail is here or at another host |
//! | `person` | an [`Identity`]: what an entry says about a person |
//! | `verdict` | how a login ended and why; the trace of how it came about |
//! | `question` | asking the directories: whose name, whose certificate, whose password |
//! | `cache` | what is remembered of the answers, for how long, and when it is dropped |
//! | `throttle` | guesses counted, and who is locked out |
//! | `open_sessions` | the sessions of people, which end when they may no longer log in |
//! | `login` | the ways to log in; **`login/order.rs` has the order of all checks** |
//! | `flush` | the administrator's command that drops what is cached and counted |
//! | `known_maildrops` | the last maildrop of each person, so that a renamed person is noticed |
//!
//! A new SASL mechanism needs a struct in `login` that implements `LoginMethod`, and a method here; its messages belong
//! to `pop3` (see the table there).

mod cache;
mod flush;
mod known_maildrops;
mod login;
mod mail_place;
mod open_sessions;
mod person;
mod question;
mod retention;
mod settings;
mod throttle;
mod verdict;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::task::spawn_blocking;

pub use cache::{AddressOwner, Flushed};
pub use flush::{Flush, FlushFault};
pub use known_maildrops::KnownMaildrops;
pub use login::{Resolved, ScramExchange, ServerSignature, ShownCertificate, TokenJudgement};
pub use mail_place::{MailHost, MailPlace};
pub use open_sessions::OpenSession;
pub use person::Identity;
pub use retention::{Retention, RetentionAttribute, RetentionPolicy, RetentionSource};
pub use settings::{Ambiguous, Lifetimes, RelayPolicy, ScramSettings, Settings};
pub use throttle::ResetScope;
pub use verdict::{
    AccountReason, AccountStatus, CertificateReason, LockOutOf, NameReason, Outcome, OutsideLimits, PasswordReason,
    Proof, ProvenLogin, Reason, ReasonKind, RefusedLogin, TokenReason, Trace, TraceEvent,
};

use self::cache::Caches;
use self::login::{
    CertificateLogin, DecoyCredentials, LoginContext, PasswordLogin, ScramAnswerLogin, ScramChallenger, TokenLogin,
    log_in,
};
use self::open_sessions::OpenSessions;
use self::question::{Directories, NameQuery};
use self::throttle::LoginThrottle;
use crate::certificate::Certificate;
use crate::directory::{Change, Directory, Fault};
use crate::ledger::{Ledger, LiveSession};
use crate::names::LoginName;
use crate::pop3::{Credentials, Mechanism, ScramChallenge, ScramFault, ScramLogin, ScramProof, TokenCredentials};

/// Who may log in, and where their mail is.
pub struct IdentityMap {
    context: LoginContext,
    decoys: DecoyCredentials,
}

impl IdentityMap {
    /// Begins with nothing cached. Each directory has a name, which distinguishes its entries from those of the others.
    ///
    /// # Errors
    /// The system gives no random numbers for the key under which passwords are hashed.
    pub fn new(directories: Vec<Directory>, settings: Settings) -> Result<Self, String> {
        Self::counted(directories, settings, Arc::default())
    }

    /// The same, with its caches and lock-outs counted.
    ///
    /// # Errors
    /// As those of [`Self::new`].
    pub fn counted(directories: Vec<Directory>, settings: Settings, ledger: Arc<Ledger>) -> Result<Self, String> {
        let settings = looked_up(settings);
        let caches = Arc::new(Caches::new(&settings, &ledger.caches).map_err(no_random_numbers)?);
        let (lockout, people) = (settings.lockout.clone(), settings.cache.people);
        let throttle = Arc::new(LoginThrottle::new(lockout, people, Arc::clone(&ledger)).map_err(no_random_numbers)?);
        let decoys = DecoyCredentials::new(&settings.scram).map_err(no_random_numbers)?;
        let sessions = OpenSessions::new(directories.clone(), settings.ends_sessions, Arc::clone(&ledger));
        let directories = Directories::new(directories);
        let context = LoginContext { directories, settings, caches, throttle, sessions, ledger };
        let map = Self { context, decoys };
        map.warn_of_random_salts();
        Ok(map)
    }

    /// One with other settings, which continues this one: lock-outs and what was counted stay, and what is cached about people
    /// stays if it depends on nothing that is different. `same_directories`: the directories are those of this one. Nothing
    /// changes before [`Self::take_over`].
    ///
    /// # Errors
    /// As those of [`Self::new`].
    pub async fn renewed(
        &self,
        directories: Vec<Directory>,
        same_directories: bool,
        settings: Settings,
    ) -> Result<Self, String> {
        let settings = spawn_blocking(|| looked_up(settings)).await.map_err(|fault| fault.to_string())?;
        let before = &self.context;
        let (ledger, throttle) = (before.ledger.clone(), before.throttle.clone());
        let lifetimes_stay = settings.cache == before.settings.cache;
        let caches = if !same_directories || !settings.finds_the_same(&before.settings) {
            Arc::new(Caches::new(&settings, &ledger.caches).map_err(no_random_numbers)?)
        } else if lifetimes_stay && settings.takes_the_same_tokens(&before.settings) {
            before.caches.clone()
        } else {
            Arc::new(before.caches.renewed(&settings, &ledger.caches).await)
        };
        let decoys = if settings.scram == before.settings.scram {
            self.decoys.clone()
        } else {
            DecoyCredentials::new(&settings.scram).map_err(no_random_numbers)?
        };
        let (directories, sessions) = (Directories::new(directories), before.sessions.clone());
        let context = LoginContext { directories, settings, caches, throttle, sessions, ledger };
        let map = Self { context, decoys };
        map.warn_of_random_salts();
        Ok(map)
    }

    /// Logins are judged by this one from now on: guesses count by its settings, and open sessions are judged by its
    /// directories.
    pub fn take_over(&self) {
        self.context.retune_throttle();
        self.context.retune_sessions();
    }

    /// Whether both have the same caches of people.
    #[must_use]
    pub fn shares_caches_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.context.caches.flushes, &other.context.caches.flushes)
    }

    /// Judges credentials, and counts refusals by person and by network. `from`: the client's address.
    pub async fn verify(&self, credentials: Credentials, from: IpAddr) -> Outcome {
        self.verify_password(credentials, from, None, Trace::OFF).await
    }

    /// The same for a client that sent a certificate as well: both must be the same person's.
    pub async fn verify_with(
        &self,
        credentials: Credentials,
        from: IpAddr,
        certificate: Option<ShownCertificate<'_>>,
    ) -> Outcome {
        self.verify_password(credentials, from, certificate, Trace::OFF).await
    }

    /// The same without a certificate, and with a trace.
    pub async fn verify_traced(&self, credentials: Credentials, from: IpAddr, trace: &Trace) -> Outcome {
        self.verify_password(credentials, from, None, trace).await
    }

    async fn verify_password(
        &self,
        credentials: Credentials,
        from: IpAddr,
        certificate: Option<ShownCertificate<'_>>,
        trace: &Trace,
    ) -> Outcome {
        let (ticket, mut login) = PasswordLogin::begin(&self.context, credentials, from);
        log_in(&self.context, &mut login, ticket, certificate, trace).await
    }

    /// Judges a certificate that TLS has verified, without a password (SASL EXTERNAL). The authorization identity may
    /// be empty, or any login name of the certificate's owner.
    ///
    /// What is refused counts for the network alone.
    pub async fn verify_certificate(&self, certificate: &Certificate, authorization: &[u8], from: IpAddr) -> Outcome {
        let (ticket, login) = CertificateLogin::begin(&self.context, certificate, authorization, from);
        log_in(&self.context, &mut Ok(login), ticket, None, Trace::OFF).await
    }

    /// Judges a token. The authorization identity may be empty, or any login name of the token's owner. A certificate
    /// that the client sent as well must be the same person's.
    ///
    /// What is refused counts for the network alone.
    pub async fn verify_token(
        &self,
        credentials: TokenCredentials,
        from: IpAddr,
        certificate: Option<ShownCertificate<'_>>,
    ) -> TokenJudgement {
        let (ticket, mut login) = TokenLogin::begin(&self.context, credentials, from);
        let outcome = log_in(&self.context, &mut login, ticket, certificate, Trace::OFF).await;
        TokenJudgement { outcome, bearer: login.ok().and_then(TokenLogin::into_bearer) }
    }

    /// Makes a SCRAM challenge for a login name, whether anybody has it or not.
    ///
    /// # Errors
    /// The directory gives no answer.
    pub async fn challenge(
        &self,
        login: &ScramLogin,
        from: IpAddr,
    ) -> Result<(ScramExchange, ScramChallenge), Outcome> {
        ScramChallenger { context: &self.context, decoys: &self.decoys }.challenge(login, from).await
    }

    /// Judges the answer to a challenge, and counts refusals; signs a right proof. A certificate that the client sent
    /// as well must be the same person's, as with a password.
    pub async fn verify_answer(
        &self,
        exchange: ScramExchange,
        answer: Result<ScramProof, ScramFault>,
        from: IpAddr,
        certificate: Option<ShownCertificate<'_>>,
    ) -> (Outcome, Option<ServerSignature>) {
        let (ticket, login) = ScramAnswerLogin::begin(&self.context, exchange, answer, from);
        let mut login = Ok(login);
        let outcome = log_in(&self.context, &mut login, ticket, certificate, Trace::OFF).await;
        let signature = login.ok().and_then(|login| login.sign(&outcome));
        (outcome, signature)
    }

    /// Counts a challenge that a client did not answer, for the network alone.
    #[allow(clippy::must_use_candidate, reason = "it counts")]
    pub fn abandon(&self, exchange: ScramExchange, from: IpAddr) -> Outcome {
        exchange.abandon(&self.context, from)
    }

    /// Whose login name this is, with a trace.
    ///
    /// # Errors
    /// How a login with this name would end, whatever the password.
    pub async fn resolve(&self, login: &[u8], trace: &Trace) -> Result<Resolved, Outcome> {
        login::resolve(&self.context, login, trace).await
    }

    /// Whose a mail address is, whether anybody may log in by addresses or not.
    ///
    /// # Errors
    /// A directory that may know the address gives no answer, and the answer is not cached: it is not known whether
    /// anybody has it.
    pub async fn owner_of_address(&self, address: &LoginName) -> Result<AddressOwner, Fault> {
        let addresses = &self.context.caches.addresses;
        let query = NameQuery { settings: &addresses.settings, ..self.context.query(address, Trace::OFF) };
        addresses.find(query).await
    }

    /// Whether tokens of any issuer are accepted.
    #[must_use]
    pub fn takes_tokens(&self) -> bool {
        self.context.settings.tokens.is_some()
    }

    /// The JSON for a client whose token is refused.
    #[must_use]
    pub fn token_challenge(&self, mechanism: Mechanism) -> String {
        self.context.settings.tokens.as_ref().map(|issuers| issuers.challenge(mechanism)).unwrap_or_default()
    }

    /// Whether there may be people with SCRAM credentials.
    #[must_use]
    pub fn offers_scram(&self) -> bool {
        self.context.directories.iter().any(|directory| directory.settings().attributes.scram.is_some())
    }

    /// An attacker who compares salts before and after a start, or on two nodes, learns who has credentials.
    fn warn_of_random_salts(&self) {
        if self.offers_scram() && self.context.settings.scram.key.is_none() {
            tracing::warn!(
                name: "scram_key_file_not_set",
                "scram.key_file is not set: the salts sent for names without SCRAM credentials change at each restart"
            );
        }
    }

    /// Drops what is cached and what was counted, so that lock-outs end. A look-up or bind in progress is finished, but
    /// its answer is not cached. A person is looked up by the name policy; while the directory gives no answer, only
    /// among those cached.
    ///
    /// # Errors
    /// Nothing was dropped: the name is ambiguous, or unknown and nothing was cached for it.
    pub async fn flush(&self, what: &Flush) -> Result<Flushed, FlushFault> {
        flush::flush(&self.context, what).await
    }

    /// A person has logged in, by this name. Their session is ended once their directory is known to say that they may
    /// no longer log in.
    #[must_use]
    pub fn open_session(&self, person: &Arc<Identity>, login: &[u8], live: Arc<LiveSession>) -> OpenSession {
        self.context.sessions.add(person, login, live)
    }

    /// Drops cached data that a change, reported by a directory's follower, may have made wrong, and ends the sessions
    /// of people who may no longer log in.
    pub fn on_directory_change(&self, directory: &str, change: Change) {
        if let Change::Entry(id) = &change {
            self.context.sessions.on_change(id);
        }
        self.context.caches.flushes.on_directory_change(directory, change);
    }

    /// Logs the lock-outs that are over, and allows passwords that were refused before them to be tried again. Each
    /// login does this; call it regularly as well, so that each end is logged in time.
    pub fn end_lock_outs(&self) {
        self.context.end_lock_outs();
    }

    /// Notes in the ledger how many entries each cache has.
    pub async fn note_sizes(&self) {
        self.context.caches.note_sizes(&self.context.ledger.caches).await;
    }

    /// Whether anybody could log in while no directory answers: a password was proven within the outage grace.
    #[must_use]
    pub fn bridges_somebody(&self) -> bool {
        self.context.caches.passwords.bridges_somebody(Instant::now())
    }

    /// Resets the counters of a person, a network or everybody, and lets them in again; returns how many counters there
    /// were.
    #[allow(clippy::must_use_candidate, reason = "it resets")]
    pub fn reset_counters(&self, scope: &ResetScope) -> usize {
        self.context.reset_counters(scope)
    }
}

/// Where the mail root really is must be known before the first login, which must not wait for a disk.
fn looked_up(mut settings: Settings) -> Settings {
    settings.template = settings.template.looked_up(&settings.root);
    settings
}

fn no_random_numbers(_: aws_lc_rs::error::Unspecified) -> String {
    "the system provides no random numbers".to_owned()
}
