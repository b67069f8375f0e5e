//! The end of a login.

use std::fmt;
use std::sync::Arc;

use super::{CertificateReason, Reason};
use crate::directory::Fault;
use crate::identity::mail_place::MailPlace;
use crate::identity::person::Identity;
use crate::names::Kind;

/// The end of a login.
#[derive(Debug)]
pub enum Outcome {
    /// The credentials are this person's, and they may log in.
    Proven(ProvenLogin),
    /// The credentials are nobody's, or the person may not log in.
    Refused(RefusedLogin),
    /// A directory that is needed gives no answer now; why.
    Unavailable(String),
    /// A directory that is needed gives no answer until an administrator fixes something; what.
    Misconfigured(String),
    /// The credentials are this person's, but their mail would lie where nothing may be opened; why.
    Forbidden(Arc<Identity>, String),
}

/// A login that succeeded.
#[derive(Debug)]
pub struct ProvenLogin {
    /// Who it is.
    pub identity: Arc<Identity>,
    /// Where their mail is.
    pub mail: MailPlace,
    /// The kind of name that was typed, if our comparison and the directory's agree on one.
    pub kind: Option<Kind>,
    /// How it was proven.
    pub proof: Proof,
}

/// A login that was refused.
#[derive(Debug)]
pub struct RefusedLogin {
    /// Whose login it would have been, if that is known.
    pub identity: Option<Arc<Identity>>,
    /// Why, for the log alone.
    pub reason: Reason,
    /// The number of further steps by which the refusal is delayed, because somebody seems to be guessing.
    pub delay_steps: u32,
}

/// How a login was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By a bind, just now.
    Bind,
    /// By a bind, just now, which the directory accepted as a grace login: the password has expired.
    GraceLogin {
        /// Logins left after this one.
        left: u64,
    },
    /// By a bind not long ago: the password is cached.
    Cached,
    /// By a bind, or the look-up of a certificate's or token's owner, within the outage grace; the directory is silent.
    OutageGrace,
    /// By a certificate alone.
    Certificate,
    /// By a SCRAM proof.
    Scram,
    /// By a token.
    Token,
}

impl Outcome {
    /// A refusal, before the throttle has counted it.
    pub(crate) fn refused(identity: Option<&Arc<Identity>>, reason: Reason) -> Self {
        Self::Refused(RefusedLogin { identity: identity.cloned(), reason, delay_steps: 0 })
    }

    /// A login where a certificate is required and the client has no valid one.
    #[must_use]
    pub fn no_certificate(why: String) -> Self {
        Self::refused(None, Reason::Certificate(CertificateReason::Missing(why)))
    }

    /// A login from an address from which the listener accepts none.
    #[must_use]
    pub fn address_not_allowed() -> Self {
        Self::refused(None, Reason::AddressNotAllowed)
    }
}

impl From<Fault> for Outcome {
    /// A directory gave no answer, and nothing bridges the outage: no client gets a refusal that may be wrong.
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Misconfigured(why) => Self::Misconfigured(why),
            Fault::Unavailable { why, .. } => Self::Unavailable(why),
        }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind => f.write_str("bind"),
            Self::GraceLogin { left } => write!(f, "grace login, {left} left"),
            Self::Cached => f.write_str("cache"),
            Self::OutageGrace => f.write_str("outage grace"),
            Self::Certificate => f.write_str("certificate"),
            Self::Scram => f.write_str("scram"),
            Self::Token => f.write_str("token"),
        }
    }
}
