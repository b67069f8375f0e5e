//! Whom a client wants to be, besides whose credentials it shows (RFC 4422 §3.4.1). Nobody acts for another here: both must
//! be names of one person. Clients send the address as the one and the short name as the other, or the reverse.

use crate::directory::Fault;
use crate::identity::{Identity, IdentityMap, Outcome, Reason, Trace, refused};
use crate::names::LoginName;
use crate::pop3::Credentials;

/// The authorization identity, as it came; none if it is empty or the login name itself.
#[derive(Debug, Default)]
pub(crate) struct AuthorizationId(Option<Vec<u8>>);

impl AuthorizationId {
    /// Takes it out of credentials.
    pub(crate) fn of(credentials: &mut Credentials) -> Self {
        Self::new(&credentials.login, std::mem::take(&mut credentials.authorization))
    }

    pub(crate) fn new(login: &[u8], authorization: Vec<u8>) -> Self {
        Self(Some(authorization).filter(|wanted| !wanted.is_empty() && wanted != login))
    }
}

impl IdentityMap {
    /// The end of a login whose client wants to be somebody: whoever is proven must be that one.
    pub(crate) async fn authorized(&self, outcome: Outcome, wanted: &AuthorizationId) -> Outcome {
        let Some(wanted) = &wanted.0 else { return outcome };
        let person = match &outcome {
            Outcome::Proven(proven) => &proven.identity,
            Outcome::Forbidden(person, _) => person,
            _ => return outcome,
        };
        match self.may_be(person, wanted, Reason::NotOwnName).await {
            Ok(None) => outcome,
            Ok(Some(reason)) => refused(Some(person), reason),
            Err(fault) => Outcome::unanswered(fault),
        }
    }

    /// Why a client that proved to be a person must not have an authorization identity, if it must not. `unless_theirs` is
    /// the reason if it is somebody else's.
    pub(crate) async fn may_be(
        &self,
        person: &Identity,
        authorization: &[u8],
        unless_theirs: Reason,
    ) -> Result<Option<Reason>, Fault> {
        if authorization.is_empty() {
            return Ok(None);
        }
        let login = match LoginName::new(authorization) {
            Ok(login) => login,
            Err(fault) => return Ok(Some(Reason::NoName(fault))),
        };
        Ok((!self.is_called(person, &login).await?).then_some(unless_theirs))
    }

    /// Whether a login name is one of a person's: several may have it, the credentials tell them apart. While a directory is
    /// silent, whoever had it when all were last heard.
    async fn is_called(&self, person: &Identity, login: &LoginName) -> Result<bool, Fault> {
        match self.names.find(self.asking(login, Trace::IGNORED)).await {
            Ok(found) => Ok(found.people().iter().any(|found| found.id == person.id)),
            Err(fault @ Fault::Unavailable { silent: true, .. }) => {
                let last = self.names.last(login).await.ok_or(fault)?;
                Ok(last.id == person.id)
            }
            Err(fault) => Err(fault),
        }
    }
}
