//! The answer to a look-up.

use std::fmt;

/// The answer to a look-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TableReply {
    /// The value, which is never empty: Postfix takes an empty one for a mistake.
    Found(String),
    /// Certainly nothing.
    NotFound,
    /// It cannot be known now; why.
    Temporary(String),
    /// It cannot be known until an administrator fixes something; what. Postfix defers mail then, too.
    Permanent(String),
}

impl TableReply {
    /// The word for the metrics.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Found(_) => "found",
            Self::NotFound => "not_found",
            Self::Temporary(_) => "temporary",
            Self::Permanent(_) => "permanent",
        }
    }
}

impl fmt::Display for TableReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(value) => write!(f, "OK {value}"),
            Self::NotFound => f.write_str("NOTFOUND "),
            Self::Temporary(why) => write!(f, "TEMP {why}"),
            Self::Permanent(why) => write!(f, "PERM {why}"),
        }
    }
}
