//! How far a login is.

use tokio::time::Instant;

use crate::identity::{Outcome, ScramExchange};
use crate::maildir::{Expiry, MaildropPath};
use crate::pop3::ScramLogin;

/// Credentials that were judged to be right.
pub(super) struct AcceptedLogin {
    /// Where the person's mail is; none if it would lie where nothing may be opened.
    pub(super) maildrop: Option<MaildropPath>,
    /// When what they leave there is removed.
    pub(super) expiry: Option<Expiry>,
    /// When the credentials came.
    pub(super) began: Instant,
}

/// How far a SCRAM login is.
pub(super) enum ScramState {
    /// The client was given a challenge.
    Challenged(ScramLogin, Box<ScramExchange>),
    /// It has met it, and was given the server's signature.
    Proven(Outcome),
}
