//! Why a directory gave no answer. "No" is an answer, and never one of these.

use std::fmt;

use ldap3::{LdapError, LdapResult};

/// What the caller must do about a missing answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It cannot be told now: ask again later.
    Unavailable {
        /// For the log.
        why: String,
        /// Whether this is a silence that what was proven before may bridge.
        silent: bool,
    },
    /// It cannot be told until an administrator mends something.
    Misconfigured(String),
}

impl Fault {
    pub(super) fn silent(why: impl Into<String>) -> Self {
        Self::Unavailable { why: why.into(), silent: true }
    }

    /// The same, with the name of the directory that it is about.
    #[must_use]
    pub fn of_directory(self, name: &str) -> Self {
        let told = |why: &str| format!("directory {name}: {why}");
        match self {
            Self::Unavailable { why, silent } => Self::Unavailable { why: told(&why), silent },
            Self::Misconfigured(why) => Self::Misconfigured(told(&why)),
        }
    }

    /// What a result code other than a plain yes or no means.
    ///
    /// Busy, unavailable, out of time, an operations error and "other" are an outage; what names the form or the strength
    /// of our request is a misconfiguration; the rest is an outage that nothing bridges.
    pub(super) fn of_result(operation: &str, result: &LdapResult) -> Self {
        let why = format!("{operation}: {}", told(result));
        match result.rc {
            1 | 3 | 51 | 52 | 80 => Self::silent(why),
            7 | 8 | 13 => Self::Misconfigured(why),
            _ => Self::Unavailable { why, silent: false },
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable { why, .. } => write!(f, "directory unavailable: {why}"),
            Self::Misconfigured(why) => write!(f, "directory misconfigured: {why}"),
        }
    }
}

impl std::error::Error for Fault {}

/// A result code with its name (RFC 4511 Appendix A) and the server's own words.
pub(super) fn told(result: &LdapResult) -> String {
    let name = match result.rc {
        1 => "operationsError",
        3 => "timeLimitExceeded",
        7 => "authMethodNotSupported",
        8 => "strongerAuthRequired",
        13 => "confidentialityRequired",
        19 => "constraintViolation",
        32 => "noSuchObject",
        34 => "invalidDNSyntax",
        48 => "inappropriateAuthentication",
        49 => "invalidCredentials",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        80 => "other",
        _ => "see RFC 4511",
    };
    // Active Directory ends its text with a NUL.
    let text = result.text.trim_end_matches('\0').trim();
    let separator = if text.is_empty() { "" } else { ": " };
    format!("result {} ({name}){separator}{text}", result.rc)
}

/// Whether the connection is gone, so that the request may be sent again on a fresh one.
pub(super) fn is_lost(error: &LdapError) -> bool {
    matches!(
        error,
        LdapError::OpSend { .. }
            | LdapError::EndOfStream
            | LdapError::ResultRecv { .. }
            | LdapError::IdScrubSend { .. }
            | LdapError::MiscSend { .. }
            | LdapError::Io { .. }
    )
}

/// Whether there was no answer in time.
pub(super) fn is_late(error: &LdapError) -> bool {
    matches!(error, LdapError::Timeout { .. })
}

/// What a search without an answer means.
pub(super) fn failed(error: &LdapError) -> Fault {
    if is_late(error) { Fault::silent("search: no answer in time") } else { Fault::silent(format!("search: {error}")) }
}
