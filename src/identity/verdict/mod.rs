//! The outcome of a login, and the trace of how it came about.
//!
//! Pure values: nothing here asks a directory, reads a cache or counts.
//!
//! | file | rule |
//! |---|---|
//! | `outcome` | the five ends of a login, and how a proven one was proven |
//! | `reason` | why a login was refused, grouped; the words of the log |
//! | `account_status` | what the entry says about the account, and what a bind adds to it |
//! | `trace` | the events of a login, recorded for `restante resolve` and nobody else |

mod account_status;
mod outcome;
mod reason;
mod trace;

pub use account_status::AccountStatus;
pub use outcome::{Outcome, Proof, ProvenLogin, RefusedLogin};
pub use reason::{
    AccountReason, CertificateReason, LockOutOf, NameReason, OutsideLimits, PasswordReason, Reason, ReasonKind,
    TokenReason,
};
pub use trace::{Trace, TraceEvent};
