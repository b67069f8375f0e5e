//! Why a directory does not serve a person whose entry it holds.

use std::fmt;

/// Why an entry is outside the limits of its directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutOfScope {
    /// It matches none of the patterns.
    Dn,
    /// None of its mail addresses is in one of the domains.
    Mail,
    /// It lost a replication conflict.
    ReplicationConflict,
}

/// Why a person may not use the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// Not a member; the group's DN.
    NotInGroup(String),
    /// The attribute is missing, or has another value; its name.
    SwitchedOff(String),
}

impl fmt::Display for OutOfScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dn => "the entry lies below none of names_below",
            Self::Mail => "no mail address of the entry is of one of mail_domains",
            Self::ReplicationConflict => "the entry lost a replication conflict",
        })
    }
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInGroup(group) => write!(f, "not in the group {group}"),
            Self::SwitchedOff(attribute) => write!(f, "switched off by the attribute {attribute}"),
        }
    }
}
