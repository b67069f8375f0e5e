//! A login by name and password from end to end: what is counted is the outcome of the whole of it, a certificate that was
//! shown besides included.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use crate::identity::login::authorization::AuthorizationId;
use crate::identity::{IdentityMap, LockOutOf, Outcome, Reason, ShownCertificate, Trace, refused};
use crate::pop3::Credentials;

impl IdentityMap {
    /// Judges credentials that a client sent from an address, and counts what is refused, by person and by network.
    pub async fn verify(&self, credentials: Credentials, from: IpAddr) -> Outcome {
        self.verify_login(credentials, from, None, Trace::IGNORED).await
    }

    /// The same of a client that showed a certificate as well: both must be the same person's.
    pub async fn verify_with(
        &self,
        credentials: Credentials,
        from: IpAddr,
        certificate: Option<ShownCertificate<'_>>,
    ) -> Outcome {
        self.verify_login(credentials, from, certificate, Trace::IGNORED).await
    }

    /// The same without a certificate, and with every step taken down.
    pub async fn verify_traced(&self, credentials: Credentials, from: IpAddr, steps: &Trace) -> Outcome {
        self.verify_login(credentials, from, None, steps).await
    }

    /// What is counted is the outcome of the whole login.
    async fn verify_login(
        &self,
        mut credentials: Credentials,
        from: IpAddr,
        certificate: Option<ShownCertificate<'_>>,
        steps: &Trace,
    ) -> Outcome {
        let wanted = AuthorizationId::of(&mut credentials);
        let (trial, now) = (Arc::new(self.guard.trial(&credentials, from)), Instant::now());
        self.end_lock_outs();
        let mut outcome = if self.guard.shuts_out_network(&trial, now) {
            refused(None, Reason::LockedOut(LockOutOf::Network))
        } else {
            match self.accepted_owner(certificate).await {
                Ok(owner) => {
                    let outcome = self.judge_credentials(credentials, from, owner, steps, Arc::clone(&trial)).await;
                    self.authorized(outcome, &wanted).await
                }
                Err(fault) => Outcome::unanswered(fault),
            }
        };
        self.guard.settle(&trial, &mut outcome, Instant::now());
        outcome
    }
}
