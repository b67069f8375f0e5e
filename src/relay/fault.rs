//! Why a person is not logged in at their host.

use std::fmt;
use std::time::Duration;

/// Why a person is not logged in at their host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayFault {
    /// The host needs a password from the client, which logged in without one.
    NeedsPassword,
    /// The password contains a line end or is too long, so no command can carry it.
    UnsendablePassword,
    /// The host has as many sessions as it may have.
    TooManySessions(usize),
    /// It could not be reached just now, and is not tried again yet; why.
    BackingOff(String),
    /// It cannot be reached, its certificate is not valid, or what it says is not POP3; why.
    Unreachable(String),
    /// It was reached, but the login was not answered in time, or the connection ended.
    Unanswered(String),
    /// The way leads back to this service, or to one that would pass the session on again; why.
    Loop(&'static str),
    /// It refused the login.
    Refused {
        /// What its reply means to programs.
        code: RefusalCode,
        /// The reply, for the log.
        reply: String,
    },
}

/// The response code of a refusal (RFC 2449 §8, RFC 3206).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalCode {
    /// `[AUTH]`: the credentials.
    Auth,
    /// `[IN-USE]`: the maildrop is in use.
    InUse,
    /// `[LOGIN-DELAY]`: the last login was too recent.
    LoginDelay,
    /// `[SYS/TEMP]`: something that may be over soon.
    SysTemp,
    /// `[SYS/PERM]`: something that an administrator must fix.
    SysPerm,
    /// No code, or an unknown one.
    Unknown,
}

impl RefusalCode {
    /// The code at the beginning of the text behind `-ERR`. Extended codes, as in `[SYS/TEMP/x]`, count as what they extend.
    pub(super) fn of(text: &str) -> Self {
        let code = text.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(code, _)| code);
        let code = code.unwrap_or_default().to_ascii_uppercase();
        let is =
            |known: &str| code.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ' ']));
        match () {
            () if is("AUTH") => Self::Auth,
            () if is("IN-USE") => Self::InUse,
            () if is("LOGIN-DELAY") => Self::LoginDelay,
            () if is("SYS/TEMP") => Self::SysTemp,
            () if is("SYS/PERM") => Self::SysPerm,
            () => Self::Unknown,
        }
    }
}

impl RelayFault {
    /// The word for it in the metrics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::NeedsPassword | Self::UnsendablePassword => "needs_password",
            Self::TooManySessions(_) => "too_many_sessions",
            Self::BackingOff(_) => "backing_off",
            Self::Unreachable(_) => "unreachable",
            Self::Unanswered(_) => "unanswered",
            Self::Loop(_) => "loop",
            Self::Refused { code: RefusalCode::Auth, .. } => "refused_auth",
            Self::Refused { code: RefusalCode::InUse, .. } => "refused_in_use",
            Self::Refused { .. } => "refused_other",
        }
    }

    /// Nothing came within this time.
    pub(super) fn late(within: Duration) -> String {
        format!("no reply within {within:?}")
    }
}

impl fmt::Display for RelayFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeedsPassword => f.write_str("the host needs the client's password, and the login was without one"),
            Self::UnsendablePassword => f.write_str("the password contains a line end, or is too long for a command"),
            Self::TooManySessions(most) => write!(f, "the host has {most} sessions, the most it may have"),
            Self::BackingOff(why) => write!(f, "not tried again yet: {why}"),
            Self::Unreachable(why) | Self::Unanswered(why) => f.write_str(why),
            Self::Loop(why) => write!(f, "loop: {why}"),
            Self::Refused { reply, .. } => write!(f, "the host refused the login: {reply}"),
        }
    }
}

impl std::error::Error for RelayFault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_a_refusal_is_read() {
        for (text, code) in [
            ("[AUTH] Authentication failed.", RefusalCode::Auth),
            ("[in-use] busy", RefusalCode::InUse),
            ("[LOGIN-DELAY] wait", RefusalCode::LoginDelay),
            ("[SYS/TEMP] later", RefusalCode::SysTemp),
            ("[SYS/TEMP/disk] later", RefusalCode::SysTemp),
            ("[SYS/PERM] never", RefusalCode::SysPerm),
            ("[AUTHENTIC] x", RefusalCode::Unknown),
            ("Login failed.", RefusalCode::Unknown),
            ("see [AUTH]", RefusalCode::Unknown),
            ("", RefusalCode::Unknown),
        ] {
            assert_eq!(RefusalCode::of(text), code, "{text:?}");
        }
    }
}
