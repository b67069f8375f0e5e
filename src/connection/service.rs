//! What a session needs: the service, which all sessions share, and the client.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;

use super::maildrop::{MaildropLeases, Openings};
use super::recent_addresses::RecentAddresses;
use super::report::LogSummaries;
use super::settings::Settings;
use super::wire::{ClientCertificates, PortTls};
use crate::identity::{IdentityMap, KnownMaildrops};
use crate::ledger::Ledger;
use crate::maildir::Store;
use crate::relay::BackEnds;

/// What all sessions share.
pub struct Service {
    /// Who may log in.
    pub identities: Arc<IdentityMap>,
    /// Where their mail is; none if other hosts hold everybody's.
    pub store: Option<Arc<Store>>,
    /// Where the mail of each entry was last seen.
    pub known: Arc<KnownMaildrops>,
    /// Opens maildrops, if any are here: of several sessions that want to open the same one, one reads it.
    pub openings: Option<Openings>,
    /// How clients are treated.
    pub settings: Settings,
    /// Which session has a maildrop to itself, where it may have one only.
    pub leases: Arc<MaildropLeases>,
    /// Log lines that are summed up.
    pub repeats: Arc<LogSummaries>,
    /// From where somebody logged in of late.
    pub recent: Arc<RecentAddresses>,
    /// What is counted, and who is connected.
    pub ledger: Arc<Ledger>,
    /// The hosts to which sessions are passed on, if there are any.
    pub back_ends: Option<Arc<BackEnds>>,
}

/// TLS that a proxy terminated.
pub struct TlsBefore {
    /// In the words of the log.
    pub protection: &'static str,
    /// How client certificates are treated that the proxy forwards; none if what it says about them does not count.
    pub client_certificates: Option<ClientCertificates>,
}

/// A client that was just accepted, and what its port grants it.
#[allow(clippy::struct_excessive_bools, reason = "each is a right of its own that the port grants")]
pub struct Client<T = TcpStream> {
    /// Its connection.
    pub transport: T,
    /// Its address; an IPv4 address as such, never mapped into IPv6.
    pub peer: SocketAddr,
    /// The name of the port in the log.
    pub listener: Arc<str>,
    /// How its port does TLS, if it does.
    pub tls: Option<PortTls>,
    /// TLS begins with the first octet.
    pub implicit_tls: bool,
    /// TLS that ended before this connection began; it protects passwords.
    pub tls_before: Option<TlsBefore>,
    /// STLS is offered.
    pub stls: bool,
    /// This client may send a password in clear.
    pub passwords_in_clear: bool,
    /// Logins are accepted from its address; else they are refused whatever the credentials.
    pub takes_logins: bool,
    /// It only looks whether the service answers: its end is not logged if it never logs in.
    pub is_probe: bool,
    /// Another Restante passes its session on, so that it is passed on no further.
    pub is_relayed: bool,
}
