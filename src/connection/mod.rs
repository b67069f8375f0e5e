//! One client: its socket, its session, and the loop that drives both.
//!
//! [`serve`] knows nothing of the protocol: it cuts lines, hands them to a [`crate::pop3::Session`], and does what that
//! answers. Here, and nowhere else, causes are translated into what a client may know; the log gets the cause.

mod driver;
mod maildrop;
mod report;
mod settings;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;

pub use driver::serve;
pub use maildrop::{BLOCKING_THREADS, BlockingPools, MaildropLeases, Openings, SessionsPerMaildrop};
pub use report::LogSummaries;
pub use settings::{Limits, Settings};
pub use wire::{ChainVerifier, ClientCertificates, PortTls, describe_certificate_fault, kernel_tells_delivery};

use crate::identity::{IdentityMap, KnownMaildrops};
use crate::maildir::Store;

/// What every client is served with.
pub struct Service {
    /// Who may log in.
    pub identities: Arc<IdentityMap>,
    /// Where their mail is.
    pub store: Arc<Store>,
    /// Where the mail of each entry was last.
    pub known: Arc<KnownMaildrops>,
    /// The way there.
    pub pools: BlockingPools,
    /// Who is entering which maildrop: of several who want the same one, one reads it.
    pub openings: Openings,
    /// How clients are treated.
    pub settings: Settings,
    /// Whose turn it is, where a maildrop may have one session only.
    pub leases: Arc<MaildropLeases>,
    /// What the log sums up.
    pub repeats: Arc<LogSummaries>,
}

/// A client that was just accepted, and what its port's policy means for it.
#[allow(clippy::struct_excessive_bools, reason = "each is a right of its own that the port grants")]
pub struct Client {
    /// Its socket.
    pub socket: TcpStream,
    /// Where it comes from; an IPv4 address as such, never mapped into IPv6.
    pub peer: SocketAddr,
    /// What the log calls the port.
    pub listener: Arc<str>,
    /// How its port does TLS; none if it does not.
    pub tls: Option<PortTls>,
    /// TLS begins with the first octet.
    pub implicit_tls: bool,
    /// STLS is offered.
    pub stls: bool,
    /// This client may send a password in clear.
    pub passwords_in_clear: bool,
    /// Logins are taken from where it is; others are refused whatever their credentials.
    pub takes_logins: bool,
}
