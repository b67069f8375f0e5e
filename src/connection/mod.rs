//! One client: its connection, its session, and the loop that drives both.
//!
//! [`serve`] knows nothing of the protocol: it cuts lines, passes them to a [`crate::pop3::Session`], and carries out
//! the action that this returns. Here, and nowhere else, causes are translated into what a client may know; the log
//! gets the cause. It runs over any [`Transport`]: a socket, or a stream in memory.
//!
//! # The rooms
//!
//! Each names only those above it.
//!
//! | room | what it is for |
//! |---|---|
//! | `settings` | how a client is treated; the time limits |
//! | `recent_addresses` | from where somebody logged in of late, for POP before SMTP |
//! | `report` | what the log says about a connection |
//! | `wire` | octets: lines in, replies out, TLS, what the client has acknowledged |
//! | `maildrop` | the open maildrop, and the threads that file calls need |
//! | `service` | what every session has in common, and one client |
//! | `driver` | **the loop (`driver/dispatch.rs`)**, and what each action means |

mod driver;
mod maildrop;
mod recent_addresses;
mod report;
mod service;
mod settings;
mod wire;

pub use driver::serve;
pub use maildrop::{BLOCKING_THREADS, MaildropLeases, Openings};
pub use recent_addresses::RecentAddresses;
pub use report::{LogSummaries, LoginEnd};
pub use service::{Client, Service, TlsBefore};
pub use settings::{SessionLimits, SessionsPerMaildrop, Settings};
pub use wire::{
    ChainVerifier, ClientCertificateFault, ClientCertificates, ForwardedCertificate, PortTls, Transport,
    Unacknowledged, kernel_reports_delivery,
};
