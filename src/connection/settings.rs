//! How clients are treated.

use std::time::Duration;

use crate::pop3::{Expire, Language};

/// How clients are treated.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of this server in the greeting.
    pub hostname: String,
    /// Refusals are sent at a whole number of steps after the credentials arrived; zero: at once.
    pub refusal_step: Duration,
    /// How long a call on a file system that is not local may take.
    pub file_deadline: Duration,
    /// How many sessions a maildrop may have at once.
    pub sessions: SessionsPerMaildrop,
    /// How long mail stays on the server, as CAPA says before a login.
    pub expire: Expire,
    /// The limits of time and of errors.
    pub limits: SessionLimits,
    /// The language that `LANG *` asks for (RFC 6856 §3.2).
    pub language: Language,
}

/// How many sessions may have a maildrop at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionsPerMaildrop {
    /// Any number.
    #[default]
    Many,
    /// One, on all nodes together; others get "maildrop in use".
    One,
    /// One; but a session of this node that was idle for this long is ended. Its deletions are not carried out.
    OneWithTakeover(Duration),
}

/// Octets that a client must take within the limit for slow readers; messages are read in blocks of this size.
pub(crate) const BLOCK: usize = 64 * 1024;

/// Limits for one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// For the TLS handshake.
    pub tls_handshake: Duration,
    /// From the greeting to a successful login.
    pub login: Duration,
    /// Between two commands once logged in; at least ten minutes (RFC 1939 §3).
    pub idle: Duration,
    /// For the client to take 64 KiB, or less if less is sent.
    pub slow_reader: Duration,
    /// Wrong commands in one session.
    pub wrong_commands: u32,
    /// Refused logins in one session.
    pub refused_logins: u32,
    /// A command line, in octets without its end; at least 255 (RFC 2449 §4). SASL responses have 12,288 (RFC 5034 §4).
    pub command_line: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            tls_handshake: Duration::from_secs(30),
            login: Duration::from_secs(2 * 60),
            idle: Duration::from_secs(10 * 60),
            slow_reader: Duration::from_secs(2 * 60),
            wrong_commands: 20,
            refused_logins: 3,
            command_line: 1024,
        }
    }
}
