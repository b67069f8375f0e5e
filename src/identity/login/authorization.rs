//! The authorization identity: who a client wants to be, which may differ from whose credentials it sends (RFC 4422
//! §3.4.1). Nobody acts for another here: both must be names of one person. Clients send the address as the one and the
//! short name as the other, or the reverse.

use std::sync::Arc;

use super::LoginContext;
use crate::directory::Fault;
use crate::identity::person::Identity;
use crate::identity::verdict::{CertificateReason, Outcome, PasswordReason, Reason, TokenReason, Trace};
use crate::names::LoginName;

/// The authorization identity, as it came.
#[derive(Debug)]
pub(crate) struct AuthorizationId {
    /// None if the client leaves it to the credentials.
    wanted: Option<Vec<u8>>,
    /// Why a login is refused if it is not a name of the person.
    unless_theirs: Reason,
}

impl AuthorizationId {
    /// Of a login by name: as good as none if it is the login name itself.
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
    /// Whether a client that proved to be a person may be the one it wants to be.
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

    /// Whether a login name is one of a person's. Several people may have it: the credentials decide which of them it
    /// is. While a directory is silent, the person counts who had it when all last answered.
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
