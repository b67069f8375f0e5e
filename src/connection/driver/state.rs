//! The progress of a login.

use tokio::time::Instant;

use crate::identity::{MailPlace, Outcome, ScramExchange};
use crate::maildir::Expiry;
use crate::pop3::ScramLogin;
use crate::secret::Password;

/// Credentials that were accepted.
pub(super) struct AcceptedLogin {
    /// Where the person's mail is; none if nothing may be opened there.
    pub(super) mail: Option<MailPlace>,
    /// The password that the client sent, if another host may need it.
    pub(super) password: Option<Password>,
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
