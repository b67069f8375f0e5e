//! The ways to log in, each with its kinds of refusal and the people that these need.

use super::kinds::{self, Kind};
use super::people::{self, Person};

/// A way to log in.
pub(super) struct Way {
    pub(super) name: &'static str,
    pub(super) mechanism: Mechanism,
    pub(super) kinds: &'static [Kind],
    pub(super) people: &'static [Person],
}

/// How credentials are sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism {
    UserAndPass,
    SaslPlain,
    UserAndPassUnderTls,
    /// SCRAM-SHA-256, in clear.
    Scram,
    /// A certificate alone, by EXTERNAL.
    Certificate,
    /// USER and PASS where a certificate is required as well.
    PasswordAndCertificate,
    /// OAUTHBEARER and XOAUTH2 in turn, under TLS.
    Token,
}

impl Mechanism {
    /// TLS begins with the first octet.
    pub(super) fn is_under_tls(self) -> bool {
        !matches!(self, Self::UserAndPass | Self::SaslPlain | Self::Scram)
    }

    /// What the refusal begins with: a token's comes as a challenge (RFC 7628 §3.2.2).
    pub(super) fn refusal(self) -> &'static str {
        if self == Self::Token { "+ " } else { "-ERR [AUTH] name or password is wrong" }
    }
}

const fn by_password(name: &'static str, mechanism: Mechanism) -> Way {
    Way { name, mechanism, kinds: kinds::OF_PASSWORDS, people: people::OF_PASSWORDS }
}

pub(super) const WAYS: [Way; 7] = [
    by_password("USER and PASS", Mechanism::UserAndPass),
    by_password("SASL PLAIN", Mechanism::SaslPlain),
    by_password("USER and PASS under TLS", Mechanism::UserAndPassUnderTls),
    Way { name: "SCRAM", mechanism: Mechanism::Scram, kinds: kinds::OF_SCRAM, people: people::OF_SCRAM },
    Way {
        name: "certificate",
        mechanism: Mechanism::Certificate,
        kinds: kinds::OF_CERTIFICATES,
        people: people::OF_CERTIFICATES,
    },
    Way {
        name: "password and certificate",
        mechanism: Mechanism::PasswordAndCertificate,
        kinds: kinds::OF_BOTH,
        people: people::OF_BOTH,
    },
    Way { name: "token", mechanism: Mechanism::Token, kinds: kinds::OF_TOKENS, people: people::OF_TOKENS },
];
