//! A login by a token that its issuer's key has signed.
//!
//! It makes no bind. The person that its claim leads to is cached as long as a login name's; the look-up is the proof,
//! and bridges an outage as a certificate's does.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::LoginContext;
use super::account::Doubt;
use super::authorization::AuthorizationId;
use super::order::{Attempt, ClaimedOwner, ClaimedPerson, LoginMethod, Proved};
use crate::directory::Fault;
use crate::identity::question::{NameOwner, NameQuery};
use crate::identity::throttle::Ticket;
use crate::identity::verdict::{Outcome, Proof, Reason, TokenReason, Trace};
use crate::names::{Kind, LoginName};
use crate::pop3::TokenCredentials;
use crate::secret::Token;
use crate::token::{Bearer, Issuers, RefusedToken};

/// A login by token.
pub(crate) struct TokenLogin<'c> {
    context: &'c LoginContext,
    issuers: &'c Issuers,
    token: Token,
    authorization: AuthorizationId,
    /// Who the token is about, once its signature is verified.
    bearer: Option<Bearer>,
    /// The claim as a login name, once the token is accepted; and when its look-up began.
    name: Option<(LoginName, Instant)>,
    /// Whether the person was found by this login, or an earlier answer bridges an outage.
    proof: Proof,
}

/// The result of a token.
#[derive(Debug)]
pub struct TokenJudgement {
    /// The end of the login.
    pub outcome: Outcome,
    /// Who the token is about, if its signature is right.
    pub bearer: Option<Bearer>,
}

impl<'c> TokenLogin<'c> {
    /// A login begins. Clients send an authorization identity with a token: it may be empty, or any login name of the
    /// token's owner.
    ///
    /// Nobody guesses a token: a refusal counts for the network alone, and a person who is locked out for wrong
    /// passwords may still use one.
    pub(crate) fn begin(
        context: &'c LoginContext,
        credentials: TokenCredentials,
        from: IpAddr,
    ) -> (Ticket<'c>, Result<Self, Reason>) {
        let TokenCredentials { authorization, token, .. } = credentials;
        let typed_token = token.as_ref().map_or("", |token| token.expose());
        let ticket = context.throttle.begin_token(&LoginName::as_typed(&authorization), typed_token, from);
        let issuers = context.settings.tokens.as_deref().ok_or(TokenReason::NotAccepted);
        let valid = issuers.and_then(|issuers| Ok((issuers, token.map_err(TokenReason::Invalid)?)));
        let method = valid.map_err(Reason::Token).map(|(issuers, token)| {
            let authorization = AuthorizationId::besides_token(authorization);
            Self { context, issuers, token, authorization, bearer: None, name: None, proof: Proof::Token }
        });
        (ticket, method)
    }

    /// Who the token is about, if its signature is right.
    pub(crate) fn into_bearer(self) -> Option<Bearer> {
        self.bearer
    }

    /// Who has the name in a claim. A barred account is never refused from the cache, since it may be free again. Nor
    /// is the owner of a DN taken from the cache.
    async fn bearer_of(&self, kind: Kind, name: &LoginName) -> Result<(Arc<NameOwner>, Proof), Fault> {
        let Some(claims) = self.context.caches.claims.of(kind) else {
            return Ok((Arc::new(NameOwner::OutsidePolicy), Proof::Token));
        };
        let began = Instant::now();
        let query = NameQuery { settings: &claims.settings, ..self.context.query(name, Trace::OFF) };
        let mut found = claims.find(query).await?;
        if let (NameOwner::One(person, _), Proof::Token) = (&*found.0, found.1)
            && person.looked_up < began
        {
            found = match self.context.is_still_theirs(person, kind == Kind::DistinguishedName).await {
                Ok(true) => found,
                Ok(false) => claims.find_anew(query).await?,
                Err(fault) => claims.bridge(name, fault).await?,
            };
        }
        if let NameOwner::One(person, _) = &*found.0 {
            self.context.require_not_barred_since(person, found.1)?;
        }
        Ok(found)
    }
}

impl LoginMethod for TokenLogin<'_> {
    const DOUBT: Doubt = Doubt::Refused;

    async fn claim(&mut self, _: &mut Attempt<'_>) -> Result<ClaimedOwner, Outcome> {
        let bearer =
            self.issuers.verify(&self.token, SystemTime::now()).map_err(|RefusedToken { refusal, bearer }| {
                self.bearer = bearer;
                Outcome::refused(None, Reason::Token(TokenReason::Refused(refusal)))
            })?;
        let bearer = self.bearer.insert(bearer);
        let (kind, name) = (bearer.kind, LoginName::new(bearer.name.as_bytes()));
        let name = name.map_err(|fault| Outcome::refused(None, fault.into()))?;
        self.name = Some((name.clone(), Instant::now()));
        let (owner, proof) = self.bearer_of(kind, &name).await?;
        self.proof = proof;
        match owner.one_person().map_err(|reason| Outcome::refused(None, reason))? {
            (person, Some(kind)) => Ok(ClaimedOwner::One(ClaimedPerson { person: person.clone(), kind: Some(kind) })),
            (person, None) => Err(Outcome::refused(Some(person), Reason::Token(TokenReason::NotToTheLetter))),
        }
    }

    /// The issuer has signed it.
    async fn prove(&mut self, claimed: ClaimedPerson, _: &mut Attempt<'_>) -> Result<Proved, Outcome> {
        Ok(claimed.proven_by(self.proof))
    }

    fn authorization(&self) -> &AuthorizationId {
        &self.authorization
    }

    /// The owner of a certificate that was sent in addition was confirmed by its look-up.
    async fn confirm(&self, outcome: Outcome, _: &mut Attempt<'_>) -> Outcome {
        let is_by_certificate =
            matches!(&outcome, Outcome::Refused(refused) if matches!(refused.reason, Reason::Certificate(_)));
        match &self.name {
            Some((name, began)) if !is_by_certificate => self.context.unless_silent(outcome, Some(name), *began).await,
            _ => outcome,
        }
    }
}
