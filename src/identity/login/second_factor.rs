//! A certificate that a client sent in addition to a password, a SCRAM proof or a token: both must be the same
//! person's.
//!
//! Its owner is looked up first, and the credentials of any other person are refused without being checked. So nobody
//! can use their own certificate to find out somebody else's password: neither by words nor by time, counters or the
//! directory's state.

use std::sync::Arc;

use super::LoginContext;
use crate::certificate::Certificate;
use crate::directory::Fault;
use crate::identity::person::Identity;
use crate::identity::question::CertificateOwner;
use crate::identity::verdict::{CertificateReason, Outcome, Reason};

/// A certificate that was sent in addition to other credentials, and that TLS has verified.
#[derive(Clone, Copy, Debug)]
pub struct ShownCertificate<'a> {
    /// What it says.
    pub certificate: &'a Certificate,
    /// The listener requires certificates. If it does not, a certificate that does not lead to exactly one person is
    /// ignored.
    pub is_required: bool,
}

/// Whose other credentials are accepted, by the certificate that was sent with them.
pub(crate) enum AcceptedOwner {
    /// Everybody's.
    Any,
    /// This person's.
    One(Arc<Identity>),
    /// Nobody's.
    None(CertificateReason),
}

impl AcceptedOwner {
    /// Why this person's credentials are not accepted, if they are not.
    pub(super) fn rejects(&self, person: &Identity) -> Option<Reason> {
        match self {
            Self::Any => None,
            Self::One(owner) if owner.id == person.id => None,
            Self::One(owner) => Some(Reason::Certificate(CertificateReason::OfAnother(owner.dn.to_string()))),
            Self::None(reason) => Some(Reason::Certificate(reason.clone())),
        }
    }

    /// Right credentials with another person's certificate are refused like wrong ones.
    pub(super) fn check(&self, person: &Arc<Identity>) -> Result<(), Outcome> {
        self.rejects(person).map_or(Ok(()), |reason| Err(Outcome::refused(Some(person), reason)))
    }
}

impl LoginContext {
    /// Whose other credentials are accepted with a certificate, if one was sent.
    pub(super) async fn accepted_owner(&self, shown: Option<ShownCertificate<'_>>) -> Result<AcceptedOwner, Fault> {
        let Some(ShownCertificate { certificate, is_required }) = shown else { return Ok(AcceptedOwner::Any) };
        Ok(match self.owner_of(certificate).await?.0 {
            CertificateOwner::One(owner) => AcceptedOwner::One(owner),
            CertificateOwner::Nobody(_) | CertificateOwner::Several(_) if !is_required => AcceptedOwner::Any,
            CertificateOwner::Nobody(why) => AcceptedOwner::None(CertificateReason::OfNobody(why.to_string())),
            CertificateOwner::Several(people) => AcceptedOwner::None(CertificateReason::OfSeveral(people)),
        })
    }
}
