//! Credentials on trial, as far as counting goes: a name and a password are known as keyed hashes only.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{hmac, rand};

use crate::identity::Identity;
use crate::identity::throttle::locked::{CountedPerson, PeopleOfOneName};
use crate::lockout::{Network, Tag};
use crate::names::{LoginName, fold};
use crate::pop3::{Credentials, TokenCredentials};

/// Credentials on trial.
pub(crate) struct Ticket {
    /// The name as typed, for the log; of bounded length.
    pub(crate) login: String,
    pub(crate) network: Network,
    pub(crate) is_exempt: bool,
    pub(crate) name: Tag,
    pub(crate) password: Tag,
    pub(crate) pair: Tag,
    /// Whose counter keeps a place for this password.
    pub(crate) on_trial_for: Mutex<Option<CountedPerson>>,
    /// The same, where it is tried on several people.
    pub(crate) on_trial_for_each: Mutex<Option<PeopleOfOneName>>,
    /// Whose password this is not, as was seen while the directory is silent.
    pub(crate) wrong_in_outage: OnceLock<CountedPerson>,
    /// A directory is silent, and others may be let in by the outage grace.
    pub(crate) is_in_outage: AtomicBool,
}

/// What a [`Trial`] knows credentials by.
#[derive(Clone, Copy)]
struct Tags {
    name: Tag,
    password: Tag,
    pair: Tag,
}

/// Makes tags, under a key that never leaves this process.
pub(crate) struct Tagger(hmac::Key);

impl Ticket {
    /// A directory is silent, so that it cannot be told whether the password is wrong: it counts for its network all the
    /// same, or the counter would tell whose passwords can be told.
    pub(crate) fn note_outage(&self) {
        self.is_in_outage.store(true, Ordering::Release);
    }

    /// The directory is silent, but this is surely not the password it proved last.
    pub(crate) fn wrong_in_outage(&self, person: &Identity) {
        let _first_one_counts = self.wrong_in_outage.set(CountedPerson::from(person));
    }

    fn new(login: String, tags: Tags, from: IpAddr, is_exempt: bool) -> Self {
        let Tags { name, password, pair } = tags;
        Self {
            login,
            network: Network::of(from),
            is_exempt,
            name,
            password,
            pair,
            on_trial_for: Mutex::default(),
            on_trial_for_each: Mutex::default(),
            wrong_in_outage: OnceLock::new(),
            is_in_outage: AtomicBool::new(false),
        }
    }
}

impl Tagger {
    /// Under a fresh key.
    pub(crate) fn new() -> Result<Self, Unspecified> {
        hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new()).map(Self)
    }

    /// Puts a name and a password on trial.
    pub(crate) fn credentials(&self, credentials: &Credentials, from: IpAddr, is_exempt: bool) -> Ticket {
        let password = credentials.password.as_ref().map_or("", |password| password.expose());
        self.named(&LoginName::as_typed(&credentials.login), password, from, is_exempt)
    }

    /// The same of a name, as typed, and whatever stands for a password.
    pub(crate) fn named(&self, login: &str, password: &str, from: IpAddr, is_exempt: bool) -> Ticket {
        let name = fold(login);
        let tags =
            Tags { name: self.name(&name), password: self.tag(&["", password]), pair: self.tag(&[&name, password]) };
        Ticket::new(login.to_owned(), tags, from, is_exempt)
    }

    /// The same of a token. Its name and password tags are counted by nobody.
    pub(crate) fn token(&self, credentials: &TokenCredentials, from: IpAddr, is_exempt: bool) -> Ticket {
        let token = credentials.token.as_ref().map_or("", |token| token.expose());
        let tag = self.tag(&["token", &LoginName::as_typed(&credentials.authorization), token]);
        Ticket::new(String::new(), Tags { name: tag, password: tag, pair: tag }, from, is_exempt)
    }

    /// The tag of a folded name.
    pub(crate) fn name(&self, folded: &str) -> Tag {
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

pub(crate) fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
