//! A login by a certificate that TLS has verified, without a password (SASL EXTERNAL).
//!
//! It makes no bind. A certificate's owner is cached as long as a login name's. The look-up that found the owner is the
//! proof, and bridges an outage for `outage_grace` from then on.

use std::net::IpAddr;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::LoginContext;
use super::account::Doubt;
use super::authorization::AuthorizationId;
use super::order::{Attempt, ClaimedOwner, ClaimedPerson, LoginMethod, Proved};
use crate::certificate::Certificate;
use crate::directory::Fault;
use crate::identity::cache::fingerprint;
use crate::identity::person::Identity;
use crate::identity::question::{CertificateOwner, CertificateQuery};
use crate::identity::throttle::Ticket;
use crate::identity::verdict::{CertificateReason, NameReason, Outcome, Proof, Reason};
use crate::names::LoginName;

/// A login by certificate.
pub(crate) struct CertificateLogin<'c> {
    context: &'c LoginContext,
    certificate: &'c Certificate,
    authorization: AuthorizationId,
    began: Instant,
    /// Whether the owner was found by this login, or an earlier answer bridges an outage.
    proof: Proof,
}

impl<'c> CertificateLogin<'c> {
    /// A login begins. Some clients send an authorization identity: it may be empty, or any login name of the
    /// certificate's owner. Nobody guesses a certificate: a refusal counts for the network alone.
    pub(crate) fn begin(
        context: &'c LoginContext,
        certificate: &'c Certificate,
        authorization: &[u8],
        from: IpAddr,
    ) -> (Ticket<'c>, Self) {
        let (named, shown) = (LoginName::as_typed(authorization), STANDARD.encode(fingerprint(certificate)));
        let ticket = context.throttle.begin_unguessable(&named, &shown, from);
        let authorization = AuthorizationId::besides_certificate(authorization.to_vec());
        (ticket, Self { context, certificate, authorization, began: Instant::now(), proof: Proof::Certificate })
    }
}

impl LoginMethod for CertificateLogin<'_> {
    const DOUBT: Doubt = Doubt::Refused;

    async fn claim(&mut self, _: &mut Attempt<'_>) -> Result<ClaimedOwner, Outcome> {
        let (owner, proof) = self.context.owner_of(self.certificate).await?;
        self.proof = proof;
        let reason = match owner {
            CertificateOwner::One(owner) => return Ok(ClaimedOwner::One(ClaimedPerson { person: owner, kind: None })),
            CertificateOwner::Nobody(why) => Reason::Certificate(CertificateReason::OfNobody(why.to_string())),
            CertificateOwner::Several(people) => Reason::Name(NameReason::Ambiguous(people)),
        };
        Err(Outcome::refused(None, reason))
    }

    /// TLS has verified that the client has the key.
    async fn prove(&mut self, claimed: ClaimedPerson, _: &mut Attempt<'_>) -> Result<Proved, Outcome> {
        Ok(claimed.proven_by(self.proof))
    }

    fn authorization(&self) -> &AuthorizationId {
        &self.authorization
    }

    async fn confirm(&self, outcome: Outcome, _: &mut Attempt<'_>) -> Outcome {
        self.context.unless_silent(outcome, None, self.began).await
    }
}

impl LoginContext {
    /// The owner of a certificate. A barred account is never refused from the cache, since it may be free again. Nor is
    /// the cache used if only the DN makes the certificate the owner's, since a DN can be given to a successor.
    pub(super) async fn owner_of(&self, certificate: &Certificate) -> Result<(CertificateOwner, Proof), Fault> {
        let (began, cache) = (Instant::now(), &self.caches.certificates);
        let query = CertificateQuery { certificate, directories: &self.directories, settings: &self.settings };
        let found = cache.find(query).await?;
        let (CertificateOwner::One(owner), Proof::Certificate) = &found else { return self.unless_barred_since(found) };
        if owner.looked_up >= began {
            return Ok(found);
        }
        match self.is_still_theirs(owner, query.is_by_dn_of(owner)).await {
            Ok(true) => Ok(found),
            Ok(false) => {
                cache.drop_owner(certificate).await;
                self.unless_barred_since(cache.find(query).await?)
            }
            Err(fault) => self.unless_barred_since(cache.bridge(certificate, fault).await?),
        }
    }

    fn unless_barred_since(&self, found: (CertificateOwner, Proof)) -> Result<(CertificateOwner, Proof), Fault> {
        if let CertificateOwner::One(owner) = &found.0 {
            self.require_not_barred_since(owner, found.1)?;
        }
        Ok(found)
    }
}

/// What certificates and tokens have in common: the look-up is the proof, and an earlier one may bridge an outage.
impl LoginContext {
    /// Whether credentials still lead to a cached person: the person is not barred, and if only the DN led to the
    /// person, it has not been given to a successor.
    pub(super) async fn is_still_theirs(&self, person: &Identity, is_by_dn: bool) -> Result<bool, Fault> {
        if self.check_account(person, Doubt::Refused).is_err() {
            return Ok(false);
        }
        if is_by_dn { self.directories.is_still_theirs(person).await } else { Ok(true) }
    }

    /// Requires that an earlier answer does not let in a person who was seen to be barred since, by any login.
    pub(super) fn require_not_barred_since(&self, person: &Identity, proof: Proof) -> Result<(), Fault> {
        if proof != Proof::OutageGrace || !self.caches.passwords.was_barred_since(person) {
            return Ok(());
        }
        let why = "silent, and the person was not allowed to log in when it last answered".to_owned();
        Err(Fault::Unavailable { why, silent: true })
    }
}
