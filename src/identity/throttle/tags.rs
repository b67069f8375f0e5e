//! Names and passwords as the counters know them: keyed hashes, with a key that never leaves this process.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{hmac, rand};

use crate::lockout::Tag;
use crate::names::fold;

/// The hashes by which credentials are counted.
#[derive(Clone, Copy)]
pub(super) struct Tags {
    pub(super) name: Tag,
    pub(super) password: Tag,
    pub(super) pair: Tag,
}

/// Makes tags.
pub(super) struct Tagger(hmac::Key);

impl Tagger {
    /// With a fresh key.
    pub(super) fn new() -> Result<Self, Unspecified> {
        hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new()).map(Self)
    }

    /// Of a name as typed, and of a password or its substitute.
    pub(super) fn credentials(&self, login: &str, password: &str) -> Tags {
        let name = fold(login);
        Tags { name: self.name(&name), password: self.tag(&["", password]), pair: self.tag(&[&name, password]) }
    }

    /// Of a token. Its name and password tags are never counted.
    pub(super) fn token(&self, authorization: &str, token: &str) -> Tags {
        let tag = self.tag(&["token", authorization, token]);
        Tags { name: tag, password: tag, pair: tag }
    }

    /// Of a folded name.
    pub(super) fn name(&self, folded: &str) -> Tag {
        self.tag(&[folded])
    }

    /// The first eight octets of a keyed hash.
    fn tag(&self, parts: &[&str]) -> Tag {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&part.len().to_be_bytes());
            context.update(part.as_bytes());
        }
        let tag = context.sign();
        tag.as_ref().iter().take(8).fold(0, |number, octet| number << 8 | Tag::from(*octet))
    }
}
