//! Why a directory gave no answer. "No" is an answer, and never one of these.

use std::fmt;

use ldap3::{LdapError, LdapResult};

/// What the caller must do about a missing answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It cannot be known now: ask again later.
    Unavailable {
        /// For the log.
        why: String,
        /// Whether the directory was silent, so that the outage grace applies.
        silent: bool,
    },
    /// It cannot be known until an administrator fixes something.
    Misconfigured(String),
}

impl Fault {
    pub(super) fn silent(why: impl Into<String>) -> Self {
        Self::Unavailable { why: why.into(), silent: true }
    }

    /// Whether the directory was silent, so that the outage grace applies.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        matches!(self, Self::Unavailable { silent: true, .. })
    }

    /// The same, with the name of the directory that it is about.
    #[must_use]
    pub fn of_directory(self, name: &str) -> Self {
        let named = |why: &str| format!("directory {name}: {why}");
        match self {
            Self::Unavailable { why, silent } => Self::Unavailable { why: named(&why), silent },
            Self::Misconfigured(why) => Self::Misconfigured(named(&why)),
        }
    }

    /// What a result code other than a plain yes or no means.
    ///
    /// Busy, unavailable, out of time, an operations error and "other" are an outage; codes about the form or the
    /// strength of our request are a misconfiguration; the rest is an outage without grace.
    pub(super) fn of_result(operation: &str, result: &LdapResult) -> Self {
        let why = format!("{operation}: {}", describe(result));
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

/// A result code with its name (RFC 4511 Appendix A) and the server's own words; for common ones, also what it means
/// here.
pub(super) fn describe(result: &LdapResult) -> String {
    let (name, meaning) = match result.rc {
        1 => ("operationsError", ""),
        2 => ("protocolError", ""),
        3 => ("timeLimitExceeded", "the time that the server gives the service's entry is over"),
        4 => ("sizeLimitExceeded", "the server gives the service's entry no more entries than this"),
        7 => ("authMethodNotSupported", ""),
        8 => ("strongerAuthRequired", "the server wants TLS, or another way to log in"),
        10 => ("referral", "the entries are on another server"),
        11 => ("adminLimitExceeded", "an administrative limit of the server was reached"),
        12 => ("unavailableCriticalExtension", ""),
        13 => ("confidentialityRequired", "the server wants TLS: ldaps:// or `starttls: true`"),
        19 => ("constraintViolation", ""),
        32 => ("noSuchObject", ""),
        34 => ("invalidDNSyntax", ""),
        48 => ("inappropriateAuthentication", ""),
        49 => ("invalidCredentials", ""),
        50 => ("insufficientAccessRights", ""),
        51 => ("busy", ""),
        52 => ("unavailable", ""),
        53 => ("unwillingToPerform", ""),
        80 => ("other", ""),
        4096 => ("e-syncRefreshRequired", ""),
        _ => ("see RFC 4511", ""),
    };
    // Active Directory ends its text with a NUL.
    let text = result.text.trim_end_matches('\0').trim();
    let words = [meaning, text].into_iter().filter(|words| !words.is_empty());
    words.fold(format!("result {} ({name})", result.rc), |text, words| format!("{text}: {words}"))
}

/// A search base that does not exist, or that the service's entry may not see: a server answers both with 32, but names
/// the nearest entry above (RFC 4511 §4.1.9) only if the base does not exist.
pub(super) fn no_base(base: &str, result: &LdapResult) -> Fault {
    let what = match result.matched.as_str() {
        "" => format!("the search base {base} is not there, or the service's entry may not see it: is `base` right?"),
        nearest => format!("the search base {base} is not there, only {nearest} is: is `base` right?"),
    };
    Fault::Misconfigured(format!("{what} ({})", describe(result)))
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
