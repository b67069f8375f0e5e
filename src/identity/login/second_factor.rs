//! A certificate that a client showed besides a password, a SCRAM proof or a token: both must be the same person's.
//!
//! It is looked up before the other credentials are judged, and a person whose certificate it is not is refused without
//! a look at their password. So nobody can find out with a certificate of their own which password of somebody else is
//! right: neither by words nor by time, counters or the directory's state.

use std::sync::Arc;

use super::LoginContext;
use crate::certificate::Certificate;
use crate::directory::Fault;
use crate::identity::person::Identity;
use crate::identity::question::CertificateOwner;
use crate::identity::verdict::{CertificateReason, Outcome, Reason};

/// A certificate that was shown besides other credentials, and that TLS has verified.
#[derive(Clone, Copy, Debug)]
pub struct ShownCertificate<'a> {
    /// What it says.
    pub certificate: &'a Certificate,
    /// The listener requires certificates. Where it does not, one that leads to no one person counts as none.
    pub is_required: bool,
}

/// Whose other credentials are accepted, by the certificate that came with them.
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

    /// Right credentials of a person whose certificate it is not are as wrong as any.
    pub(super) fn check(&self, person: &Arc<Identity>) -> Result<(), Outcome> {
        self.rejects(person).map_or(Ok(()), |reason| Err(Outcome::refused(Some(person), reason)))
    }
}

impl LoginContext {
    /// Whose other credentials are accepted besides a certificate, if one was shown.
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
