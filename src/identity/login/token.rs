//! Tokens: whose is one that its issuer's key has signed, and is it the one whom the client wants to be?
//!
//! A token login makes no bind. What its claim leads to is held as long as what a login name leads to, apart from those:
//! the claim is one kind of name, to the letter, and means nothing else. It bridges an outage as a certificate does.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use crate::directory::{EntryId, Fault};
use crate::identity::cache::flushes::{FlushTarget, Flushes};
use crate::identity::cache::names::NameCache;
use crate::identity::login::certificate::barred_since;
use crate::identity::login::second_factor::{AcceptedOwner, ShownCertificate};
use crate::identity::person::NameOwner;
use crate::identity::question::query::NameQuery;
use crate::identity::{
    Ambiguous, Identity, IdentityMap, LockOutOf, Outcome, Proof, Reason, Settings, Trace, one_person, proven, refused,
};
use crate::names::{Kind, LoginName, Policy};
use crate::pop3::{Mechanism, TokenCredentials};
use crate::token::{Bearer, Issuers, Refused};

/// Whose tokens count, and whom their claims lead to.
pub(crate) struct TokenOwners {
    issuers: Arc<Issuers>,
    by_kind: Vec<ClaimNames>,
}

/// Names of one kind, as tokens hold them.
struct ClaimNames {
    kind: Kind,
    settings: Settings,
    names: NameCache,
}

/// What came of a token.
#[derive(Debug)]
pub struct TokenJudgement {
    /// The end of the login.
    pub outcome: Outcome,
    /// Whom the token is about, if its signature is right.
    pub bearer: Option<Bearer>,
}

impl TokenOwners {
    pub(crate) fn new(settings: &Settings, flushes: &Arc<Flushes>) -> Option<Self> {
        let issuers = settings.tokens.clone()?;
        let mut by_kind: Vec<ClaimNames> = Vec::new();
        for kind in issuers.kinds() {
            if by_kind.iter().all(|own| own.kind != kind) {
                by_kind.push(ClaimNames::new(kind, settings, flushes.clone()));
            }
        }
        Some(Self { issuers, by_kind })
    }

    /// Forgets every name.
    pub(crate) fn forget_all(&self) {
        for own in &self.by_kind {
            own.names.forget_all();
        }
    }

    /// The entries that held names lead to and a flush is about.
    pub(crate) fn ids_of(&self, target: &FlushTarget) -> impl Iterator<Item = EntryId> {
        self.by_kind.iter().flat_map(|own| own.names.ids_of(target))
    }

    /// Forgets the names that a flush is about.
    pub(crate) async fn forget(&self, target: &FlushTarget) {
        for own in &self.by_kind {
            own.names.forget(target).await;
        }
    }
}

impl ClaimNames {
    fn new(kind: Kind, settings: &Settings, flushes: Arc<Flushes>) -> Self {
        // A token has no password that could be tried on several people.
        let (policy, ambiguous) = (Policy::literal(kind), Ambiguous::Refuse);
        let settings = Settings { policy, ambiguous, ..settings.clone() };
        Self { kind, names: NameCache::new(settings.cache, flushes), settings }
    }

    /// Whom a name leads to, from memory or from the directories; and whether only an earlier answer says so.
    async fn find(&self, asking: NameQuery<'_>, anew: bool) -> Result<(Arc<NameOwner>, Proof), Fault> {
        let found = if anew { self.names.find_anew(asking).await } else { self.names.find(asking).await };
        match found {
            Ok(found) => Ok((found, Proof::Token)),
            Err(fault) => self.bridge(asking.login, fault).await,
        }
    }

    /// Whom it last led to, if the directory is silent. Whom the directory took for the claim's owner, and it was not to the
    /// letter, is not let in by silence.
    async fn bridge(&self, login: &LoginName, fault: Fault) -> Result<(Arc<NameOwner>, Proof), Fault> {
        match self.names.last_proof(login).await {
            Some((person, Some(kind))) if fault.is_silence() => {
                Ok((Arc::new(NameOwner::One(person, Some(kind))), Proof::Grace))
            }
            _ => Err(fault),
        }
    }
}

impl IdentityMap {
    /// Whether there is anybody whose tokens count.
    #[must_use]
    pub fn takes_tokens(&self) -> bool {
        self.tokens.is_some()
    }

    /// The JSON that tells a client that its token does not count.
    #[must_use]
    pub fn token_challenge(&self, mechanism: Mechanism) -> String {
        self.tokens.as_ref().map(|tokens| tokens.issuers.challenge(mechanism)).unwrap_or_default()
    }

    /// Judges a token that a client sent from an address. Clients send an authorization identity with it: it may be empty,
    /// or any login name of the person whom the token is about.
    ///
    /// What is refused counts for the network alone: nobody guesses a token, and whoever is locked out for wrong passwords
    /// may still show theirs. A certificate that the client showed as well must be the same person's.
    pub async fn verify_token(
        &self,
        credentials: TokenCredentials,
        from: IpAddr,
        certificate: Option<ShownCertificate<'_>>,
    ) -> TokenJudgement {
        let (trial, now) = (self.guard.trial_of_token(&credentials, from), Instant::now());
        self.end_lock_outs();
        let mut judgement = if self.guard.shuts_out_network(&trial, now) {
            refused(None, Reason::LockedOut(LockOutOf::Network)).into()
        } else {
            match self.accepted_owner(certificate).await {
                Ok(owner) => self.judge_token(credentials).await.accepted_by(&owner),
                Err(fault) => Outcome::unanswered(fault).into(),
            }
        };
        self.guard.settle_token(&trial, &mut judgement.outcome, Instant::now());
        judgement
    }

    async fn judge_token(&self, credentials: TokenCredentials) -> TokenJudgement {
        let Some(tokens) = &self.tokens else { return refused(None, Reason::NoTokens).into() };
        let token = match credentials.token {
            Ok(token) => token,
            Err(fault) => return refused(None, Reason::NoToken(fault)).into(),
        };
        match tokens.issuers.verify(&token, SystemTime::now()) {
            Err(Refused { refusal, bearer }) => {
                TokenJudgement { outcome: refused(None, Reason::Token(refusal)), bearer }
            }
            Ok(bearer) => {
                let outcome = self.judge_bearer(tokens, &bearer, &credentials.authorization).await;
                TokenJudgement { outcome, bearer: Some(bearer) }
            }
        }
    }

    /// Whom the claim leads to, and whether the client may be them.
    async fn judge_bearer(&self, tokens: &TokenOwners, bearer: &Bearer, authorization: &[u8]) -> Outcome {
        let name = match LoginName::new(bearer.name.as_bytes()) {
            Ok(name) => name,
            Err(fault) => return refused(None, Reason::NoName(fault)),
        };
        let began = Instant::now();
        let outcome = self.judge_named(tokens, bearer.kind, &name, authorization).await;
        self.unless_silent(outcome, Some(&name), began).await
    }

    async fn judge_named(&self, tokens: &TokenOwners, kind: Kind, name: &LoginName, authorization: &[u8]) -> Outcome {
        let (found, proof) = match self.bearer_of(tokens, kind, name).await {
            Ok(found) => found,
            Err(fault) => return Outcome::unanswered(fault),
        };
        let (person, kind) = match one_person(&found, Trace::IGNORED) {
            Ok((person, Some(kind))) => (person, kind),
            Ok((person, None)) => return refused(Some(person), Reason::OnlyAlike),
            Err(reason) => return refused(None, reason),
        };
        if let Some(reason) = self.bars(person) {
            return refused(Some(person), reason);
        }
        match self.may_be(person, authorization, Reason::NotBearersName).await {
            Ok(None) => proven(person, Some(kind), proof, Trace::IGNORED),
            Ok(Some(reason)) => refused(Some(person), reason),
            Err(fault) => Outcome::unanswered(fault),
        }
    }

    /// Whom a name of a token leads to. What bars somebody is never told from memory: it may be over. Neither is whose a DN
    /// is.
    async fn bearer_of(
        &self,
        tokens: &TokenOwners,
        kind: Kind,
        name: &LoginName,
    ) -> Result<(Arc<NameOwner>, Proof), Fault> {
        let Some(own) = tokens.by_kind.iter().find(|own| own.kind == kind) else {
            return Ok((Arc::new(NameOwner::OutsidePolicy), Proof::Token));
        };
        let began = Instant::now();
        let asking = NameQuery { settings: &own.settings, ..self.asking(name, Trace::IGNORED) };
        let mut found = own.find(asking, false).await?;
        if let (NameOwner::One(person, _), Proof::Token) = (&*found.0, found.1)
            && person.looked_up < began
        {
            found = match self.is_still_bearer(person, kind).await {
                Ok(true) => found,
                Ok(false) => own.find(asking, true).await?,
                Err(fault) => own.bridge(name, fault).await?,
            };
        }
        match &*found.0 {
            NameOwner::One(person, _) if found.1 == Proof::Grace && self.passwords.was_barred_since(person) => {
                Err(barred_since())
            }
            _ => Ok(found),
        }
    }

    /// Whether a cached person is still whom the claim means: they are not barred, and a DN can be given to a successor.
    async fn is_still_bearer(&self, person: &Identity, kind: Kind) -> Result<bool, Fault> {
        if self.bars(person).is_some() {
            return Ok(false);
        }
        if kind == Kind::DistinguishedName { self.directories.is_still_theirs(person).await } else { Ok(true) }
    }
}

impl TokenJudgement {
    /// A token of another person than the certificate that was shown with it is refused.
    fn accepted_by(self, owner: &AcceptedOwner) -> Self {
        Self { outcome: owner.judge(self.outcome), ..self }
    }
}

impl From<Outcome> for TokenJudgement {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, bearer: None }
    }
}
