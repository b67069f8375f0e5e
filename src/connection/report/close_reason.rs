//! Why a connection ended, as its last log line reports it.

use std::fmt;
use std::io;

use crate::ledger::SessionEnding;
use crate::pop3::SessionEnd;

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CloseReason {
    /// The session ended it.
    Session(SessionEnd),
    /// The client closed the connection without QUIT.
    ByClient,
    /// The host to which the session was passed on closed the connection without QUIT.
    ByHost,
    /// The connection to that host failed.
    HostBroken(String),
    /// The client was silent for too long.
    Deadline,
    /// There was no login in time.
    NoLogin,
    /// The client did not take its reply in time.
    SlowReader,
    /// The socket failed.
    Broken(String),
    /// The TLS handshake failed.
    Handshake(HandshakeFailure, String),
    /// A message could not be read to its end.
    MessageCut(String),
    /// Another session took the maildrop over.
    TakenOver,
    /// An administrator ended the session.
    Kicked(SessionEnding),
    /// This server is shutting down.
    Shutdown,
}

/// Why a TLS handshake failed, in few words, for the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HandshakeFailure {
    /// The client speaks no version of TLS that is offered.
    TooOld,
    /// The client and the service have no algorithm in common.
    NoCommonAlgorithm,
    /// What the client sent is not TLS.
    NotTls,
    /// The client broke off with an alert, for example because it does not trust the certificate.
    Alert,
    /// The client has no valid certificate, where one is required.
    ClientCertificate,
    /// The client closed the connection.
    ClosedByClient,
    /// It was not done in time.
    Timeout,
    /// Anything else.
    Other,
}

impl HandshakeFailure {
    /// The word for it in the metrics.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::TooOld => "too_old",
            Self::NoCommonAlgorithm => "no_common_algorithm",
            Self::NotTls => "not_tls",
            Self::Alert => "alert",
            Self::ClientCertificate => "client_certificate",
            Self::ClosedByClient => "closed_by_client",
            Self::Timeout => "timeout",
            Self::Other => "other",
        }
    }
}

impl CloseReason {
    /// What a failed socket means. Many clients close without TLS's `close_notify`; all that matters is that they did not
    /// send QUIT.
    pub(crate) fn broken(fault: &io::Error) -> Self {
        match fault.kind() {
            io::ErrorKind::UnexpectedEof => Self::ByClient,
            _ => Self::Broken(fault.to_string()),
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(SessionEnd::Quit) => f.write_str("quit"),
            Self::Session(SessionEnd::CommitFailed) => f.write_str("quit, not every deletion succeeded"),
            Self::Session(SessionEnd::WrongCommands) => f.write_str("too many wrong commands"),
            Self::Session(SessionEnd::RefusedLogins) => f.write_str("too many refused logins"),
            Self::Session(SessionEnd::Deadline) | Self::Deadline => f.write_str("silent for too long"),
            Self::Session(SessionEnd::OutOfOrder) => f.write_str("internal error: event out of order"),
            Self::NoLogin => f.write_str("no login within the limit"),
            Self::ByClient => f.write_str("closed by the client without QUIT"),
            Self::ByHost => f.write_str("closed by the host without QUIT"),
            Self::HostBroken(why) => write!(f, "connection to the host broken: {why}"),
            Self::SlowReader => f.write_str("client too slow to take its reply"),
            Self::Broken(why) => write!(f, "connection broken: {why}"),
            Self::Handshake(_, why) => write!(f, "TLS handshake failed: {why}"),
            Self::MessageCut(why) => write!(f, "message cut: {why}"),
            Self::TakenOver => f.write_str("maildrop taken over by another session"),
            Self::Kicked(why) => why.fmt(f),
            Self::Shutdown => f.write_str("server shutting down"),
        }
    }
}
