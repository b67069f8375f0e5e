//! The authorization identity: who a client wants to act as, which may differ from the owner of its credentials (RFC
//! 4422 §3.4.1). Nobody may act for somebody else: both must be names of one person. Some clients send the address as
//! the one and the short name as the other, or the reverse.

use std::sync::Arc;

use super::LoginContext;
use crate::directory::Fault;
use crate::identity::person::Identity;
use crate::identity::verdict::{CertificateReason, Outcome, PasswordReason, Reason, TokenReason, Trace};
use crate::names::LoginName;

/// The authorization identity, as received.
#[derive(Debug)]
pub(crate) struct AuthorizationId {
    /// None if the client leaves it to the credentials.
    wanted: Option<Vec<u8>>,
    /// Why a login is refused if it is not a name of the person.
    unless_theirs: Reason,
}

impl AuthorizationId {
    /// Of a login by name: ignored if it is the login name itself.
    pub(super) fn besides_login(login: &[u8], authorization: Vec<u8>) -> Self {
        let wanted = Some(authorization).filter(|wanted| !wanted.is_empty() && wanted != login);
        Self { wanted, unless_theirs: Reason::Password(PasswordReason::OtherAuthorization) }
    }

    /// Of a login by certificate.
    pub(super) fn besides_certificate(authorization: Vec<u8>) -> Self {
        Self::new(authorization, Reason::Certificate(CertificateReason::OtherAuthorization))
    }

    /// Of a login by token.
    pub(super) fn besides_token(authorization: Vec<u8>) -> Self {
        Self::new(authorization, Reason::Token(TokenReason::OtherAuthorization))
    }

    fn new(authorization: Vec<u8>, unless_theirs: Reason) -> Self {
        Self { wanted: Some(authorization).filter(|wanted| !wanted.is_empty()), unless_theirs }
    }
}

impl LoginContext {
    /// Whether a client that has proved to be a person may act as the identity that it asked for.
    pub(super) async fn check_authorization(
        &self,
        person: &Arc<Identity>,
        authorization: &AuthorizationId,
    ) -> Result<(), Outcome> {
        let Some(wanted) = &authorization.wanted else { return Ok(()) };
        let login = LoginName::new(wanted).map_err(|fault| Outcome::refused(Some(person), fault.into()))?;
        if self.is_called(person, &login).await? {
            return Ok(());
        }
        Err(Outcome::refused(Some(person), authorization.unless_theirs.clone()))
    }

    /// Whether a login name is one of a person's. Several people may have it, since the credentials decide. While a
    /// directory is silent, the owner from the last time when all answered is used.
    async fn is_called(&self, person: &Identity, login: &LoginName) -> Result<bool, Fault> {
        match self.caches.names.find(self.query(login, Trace::OFF)).await {
            Ok(owner) => Ok(owner.people().iter().any(|found| found.id == person.id)),
            Err(fault @ Fault::Unavailable { silent: true, .. }) => {
                let last = self.caches.names.last(login).await.ok_or(fault)?;
                Ok(last.id == person.id)
            }
            Err(fault) => Err(fault),
        }
    }
}
