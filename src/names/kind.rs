//! The kinds of name that a person may be known by.

use std::fmt;

/// A kind of name, and where a directory holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `uid=ajones,ou=Sales,…`: the entry's DN in LDAP's own form (RFC 4514).
    DistinguishedName,
    /// `Alan Jones/Sales/Renovations` or `cn=Alan Jones/ou=Sales/o=Renovations`: the DN from the person upwards.
    HierarchicalName,
    /// `Alan Jones` or `CN=Alan Jones`: any value of `cn`.
    CommonName,
    /// `ajones` or `UID=ajones`: any value of `uid`.
    ShortName,
    /// `alan.jones@renovations.example`: any value of `mail`.
    Mail,
    /// `Alan`: any value of `givenName`.
    FirstName,
    /// `Jones`: any value of `sn`.
    LastName,
}

impl Kind {
    /// Every kind, in the order in which they are tried and listed.
    pub const ALL: [Self; 7] = [
        Self::DistinguishedName,
        Self::HierarchicalName,
        Self::CommonName,
        Self::ShortName,
        Self::Mail,
        Self::FirstName,
        Self::LastName,
    ];

    /// The word for it in configuration and log.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::DistinguishedName => "distinguished_name",
            Self::HierarchicalName => "hierarchical_name",
            Self::CommonName => "common_name",
            Self::ShortName => "short_name",
            Self::Mail => "mail",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
        }
    }

    /// The kind for a word of the configuration.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
