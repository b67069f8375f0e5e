//! What a client may know of causes.

use crate::identity::{Outcome, Reason, Refused};
use crate::maildir::EnterFault;
use crate::pop3::{NotOpened, Verdict};

/// Who is not where this listener takes logins from.
pub(super) fn from_elsewhere() -> Outcome {
    Outcome::Refused(Refused { identity: None, reason: Reason::FromElsewhere, further_steps: 0 })
}

/// The one place where causes become what a client may know.
pub(super) fn verdict(outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::Proven(_) | Outcome::Forbidden(..) => Verdict::Proven,
        Outcome::Refused(_) => Verdict::Refused,
        Outcome::Unavailable(_) => Verdict::Unavailable,
        Outcome::Misconfigured(_) => Verdict::Misconfigured,
    }
}

pub(super) fn not_opened(fault: &EnterFault) -> NotOpened {
    match fault {
        EnterFault::Forbidden(_) => NotOpened::Forbidden,
        EnterFault::Unavailable(_) => NotOpened::Unavailable,
    }
}

pub(super) fn further_steps(outcome: &Outcome) -> u32 {
    match outcome {
        Outcome::Refused(refused) => refused.further_steps,
        _ => 0,
    }
}
