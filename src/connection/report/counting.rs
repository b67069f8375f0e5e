//! How a login is counted: by mechanism, kind of login name and outcome, in words of which there are few.

use std::net::IpAddr;

use crate::identity::{NameReason, Outcome, PasswordReason, ProvenLogin, Reason};
use crate::ledger::Ledger;
use crate::pop3::Mechanism;

/// The kind of a login name that led to nobody, or of whom it is not said.
pub(super) const NO_KIND: &str = "none";

/// The kind of login name by which somebody logged in, as the log calls it.
pub(super) fn kind_of(mechanism: Mechanism, proven: &ProvenLogin) -> &'static str {
    match mechanism {
        Mechanism::External => "certificate",
        _ => proven.kind.map_or("as the directory compares", |kind| kind.word()),
    }
}

/// Counts the end of a login.
pub(super) fn count_login(ledger: &Ledger, mechanism: Mechanism, outcome: &Outcome, from: IpAddr) {
    let kind = match outcome {
        Outcome::Proven(proven) => kind_of(mechanism, proven),
        _ => NO_KIND,
    };
    ledger.logins.note(mechanism.word(), kind, word_of(outcome));
    ledger.last_hour.note_login(|minute| match outcome {
        Outcome::Proven(_) => minute.accepted += 1,
        Outcome::Refused(_) => minute.refused += 1,
        Outcome::Unavailable(_) | Outcome::Misconfigured(_) | Outcome::Forbidden(..) => minute.impossible += 1,
    });
    if matches!(outcome, Outcome::Refused(_)) {
        ledger.last_hour.note_noise(from);
    }
}

/// The word for an outcome.
fn word_of(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Proven(_) => "accepted",
        Outcome::Unavailable(_) => "unavailable",
        Outcome::Misconfigured(_) => "misconfigured",
        Outcome::Forbidden(..) => "maildrop_forbidden",
        Outcome::Refused(refused) => match &refused.reason {
            Reason::Name(NameReason::Unknown) => "unknown_name",
            Reason::Name(NameReason::Ambiguous(_) | NameReason::TriedOnEach(_))
            | Reason::Password(PasswordReason::OfNone(_) | PasswordReason::OfSeveral(_)) => "ambiguous_name",
            Reason::Name(_) => "other_name",
            Reason::Password(_) => "wrong_password",
            Reason::Certificate(_) => "certificate",
            Reason::Token(_) => "token",
            Reason::LockedOut(_) => "locked_out",
            Reason::Account(_) => "account",
            Reason::AddressNotAllowed => "address_not_allowed",
        },
    }
}
