//! The progress of a login.

use tokio::time::Instant;

use crate::identity::{Outcome, ScramExchange};
use crate::maildir::{Expiry, MaildropPath};
use crate::pop3::ScramLogin;

/// Credentials that were accepted.
pub(super) struct AcceptedLogin {
    /// The path of the person's maildrop; none if nothing may be opened there.
    pub(super) maildrop: Option<MaildropPath>,
    /// When mail that they leave on the server expires.
    pub(super) expiry: Option<Expiry>,
    /// When the credentials arrived.
    pub(super) began: Instant,
}

/// The progress of a SCRAM login.
pub(super) enum ScramState {
    /// The client was given a challenge.
    Challenged(ScramLogin, Box<ScramExchange>),
    /// It answered the challenge for this login name, and was sent the server's signature.
    Proven(Vec<u8>, Outcome),
}
