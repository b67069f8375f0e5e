//! A certificate that a client showed besides a password, a SCRAM proof or a token: both must be the same person's.
//!
//! It is looked up before the other credentials are judged, and a person whose certificate it is not is refused without a
//! look at them. So whoever has a certificate of their own cannot find out with it which password of somebody else is right:
//! neither by words nor by time, counters or the directory's state.

use std::sync::Arc;

use crate::certificate::Certificate;
use crate::directory::Fault;
use crate::identity::login::certificate::CertificateOwner;
use crate::identity::{Identity, IdentityMap, Outcome, Reason, refused};

/// A certificate that was shown besides other credentials, and that TLS has verified.
#[derive(Clone, Copy, Debug)]
pub struct ShownCertificate<'a> {
    /// What it says.
    pub certificate: &'a Certificate,
    /// The listener requires certificates. Where it does not, one that leads to no one person is as good as none.
    pub is_required: bool,
}

/// Whose other credentials are accepted, by the certificate that came with them.
pub(crate) enum AcceptedOwner {
    /// Everybody's.
    Any,
    /// This person's.
    One(Arc<Identity>),
    /// Nobody's.
    None(Reason),
}

impl AcceptedOwner {
    /// Why this person's credentials are not accepted, if they are not.
    pub(crate) fn rejects(&self, person: &Identity) -> Option<Reason> {
        match self {
            Self::Any => None,
            Self::One(owner) if owner.id == person.id => None,
            Self::One(owner) => Some(Reason::CertificateOfAnother(owner.dn.to_string())),
            Self::None(reason) => Some(reason.clone()),
        }
    }

    /// The outcome of the whole login: right credentials of anybody else are as wrong as any.
    pub(crate) fn judge(&self, outcome: Outcome) -> Outcome {
        let person = match &outcome {
            Outcome::Proven(proven) => &proven.identity,
            Outcome::Forbidden(person, _) => person,
            Outcome::Refused(_) | Outcome::Unavailable(_) | Outcome::Misconfigured(_) => return outcome,
        };
        match self.rejects(person) {
            Some(reason) => refused(Some(person), reason),
            None => outcome,
        }
    }
}

impl IdentityMap {
    /// Whose other credentials are accepted besides a certificate, if one was shown.
    pub(crate) async fn accepted_owner(&self, shown: Option<ShownCertificate<'_>>) -> Result<AcceptedOwner, Fault> {
        let Some(ShownCertificate { certificate, is_required }) = shown else { return Ok(AcceptedOwner::Any) };
        Ok(match self.owner_of(certificate).await?.0 {
            CertificateOwner::One(owner) => AcceptedOwner::One(owner),
            CertificateOwner::Nobody(_) | CertificateOwner::Several(_) if !is_required => AcceptedOwner::Any,
            CertificateOwner::Nobody(why) => AcceptedOwner::None(Reason::CertificateOfNobody(why.to_string())),
            CertificateOwner::Several(people) => AcceptedOwner::None(Reason::CertificateOfSeveral(people)),
        })
    }
}
