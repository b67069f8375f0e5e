//! Causes are translated into what a client may know here, and nowhere else.

use crate::identity::Outcome;
use crate::maildir::{EnterFault, FetchFault, NoMail};
use crate::pop3::{LoginVerdict, NotOpened, NotTransmitted};
use crate::relay::{RefusalCode, RelayFault};

/// What the client may know of an outcome.
pub(super) fn verdict(outcome: &Outcome) -> LoginVerdict {
    match outcome {
        Outcome::Proven(_) | Outcome::Forbidden(..) => LoginVerdict::Proven,
        Outcome::Refused(_) => LoginVerdict::Refused,
        Outcome::Unavailable(_) => LoginVerdict::Unavailable,
        Outcome::Misconfigured(_) => LoginVerdict::Misconfigured,
    }
}

/// What the client may know of a login at another host. A refused password is the client's only if it is what was sent: else
/// our own credentials are wrong there, and no client must ask its user for another password.
pub(super) fn not_relayed(fault: &RelayFault, is_their_password: bool) -> NotOpened {
    match fault {
        RelayFault::NeedsPassword | RelayFault::UnsendablePassword => NotOpened::NeedsPassword,
        RelayFault::TooManySessions(_)
        | RelayFault::BackingOff(_)
        | RelayFault::Unreachable(_)
        | RelayFault::Unanswered(_) => NotOpened::HostUnavailable,
        RelayFault::Loop(_) => NotOpened::Forbidden,
        RelayFault::Refused { code, .. } => match code {
            RefusalCode::InUse => NotOpened::InUse,
            RefusalCode::LoginDelay => NotOpened::LoginDelay,
            RefusalCode::SysTemp => NotOpened::HostUnavailable,
            RefusalCode::Auth if is_their_password => NotOpened::Refused,
            RefusalCode::Unknown if is_their_password => NotOpened::RefusedElsewhere,
            RefusalCode::SysPerm | RefusalCode::Auth | RefusalCode::Unknown => NotOpened::Forbidden,
        },
    }
}

pub(super) fn not_opened(fault: &EnterFault) -> NotOpened {
    match fault {
        EnterFault::Forbidden(_) => NotOpened::Forbidden,
        EnterFault::Unavailable(_) => NotOpened::Unavailable,
    }
}

/// Logs why a message is not sent. A message that cannot be read as mail was logged when that was detected.
pub(super) fn not_transmitted(fault: &FetchFault, message_number: usize, person: Option<&str>) -> NotTransmitted {
    match fault {
        FetchFault::NoMail(NoMail::Compressed(_)) => NotTransmitted::Compressed,
        FetchFault::NoMail(NoMail::Encrypted) => NotTransmitted::Encrypted,
        FetchFault::NoMail(NoMail::Broken) => NotTransmitted::Damaged,
        FetchFault::NoMail(NoMail::TooLarge) => NotTransmitted::TooLarge,
        FetchFault::Gone | FetchFault::Changed | FetchFault::Io(_) => {
            tracing::warn!(
                name: "message_not_sent",
                person, message_number, reason = fault.to_string(),
                "message not sent"
            );
            NotTransmitted::Now
        }
    }
}

pub(super) fn delay_steps(outcome: &Outcome) -> u32 {
    match outcome {
        Outcome::Refused(refused) => refused.delay_steps,
        _ => 0,
    }
}
