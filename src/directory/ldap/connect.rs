//! One connection to one server, with a time limit on every step.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, StdStream};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::tls_fault::describe;
use crate::directory::fault::Fault;
use crate::directory::settings::{DirectoryLimits, Settings};
use crate::directory::url::LdapUrl;

/// A live connection. Its driver ends when the server closes it.
pub(crate) struct Connection {
    ldap: Ldap,
    driver: JoinHandle<()>,
    /// Which of the settings' servers it leads to.
    pub(crate) server: usize,
}

impl Connection {
    /// A handle for one operation; operations on several handles share the connection.
    pub(crate) fn handle(&self) -> Ldap {
        self.ldap.clone()
    }

    /// Whether requests can still be sent, as far as is known.
    pub(super) fn is_open(&self) -> bool {
        !self.driver.is_finished() && !self.handle().is_closed()
    }
}

/// Why there is no connection to a server. Another one may be asked.
enum ConnectFault {
    /// Its name has no address.
    NoAddress,
    /// This address did not answer in time.
    NoAnswer(SocketAddr),
    /// This address could not be connected to.
    Address(SocketAddr, io::Error),
    /// Its name could not be looked up, or the socket failed.
    Io(io::Error),
    /// TLS or LDAP failed.
    Ldap(LdapError),
}

impl From<io::Error> for ConnectFault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<LdapError> for ConnectFault {
    fn from(fault: LdapError) -> Self {
        Self::Ldap(fault)
    }
}

impl fmt::Display for ConnectFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress => f.write_str("the name has no address"),
            Self::NoAnswer(address) => write!(f, "{address}: no answer"),
            Self::Address(address, error) => write!(f, "{address}: {error}"),
            Self::Io(error) => error.fmt(f),
            Self::Ldap(fault) => f.write_str(&describe(fault)),
        }
    }
}

/// After this long without traffic the kernel probes whether the peer is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// Connects to one server, within its limit of time.
pub(crate) async fn connect(settings: &Settings, server: usize) -> Result<Connection, Fault> {
    let Some(url) = settings.urls.get(server) else {
        return Err(Fault::Misconfigured("the directory has no such server".to_owned()));
    };
    let limit = settings.limits.connect;
    match timeout(limit, open(settings, url)).await {
        Ok(Ok((ldap, driver))) => Ok(Connection { ldap, driver, server }),
        Ok(Err(fault)) => Err(Fault::silent(format!("{url}: {fault}"))),
        Err(_) => Err(Fault::silent(format!("{url}: no connection within {limit:?}"))),
    }
}

async fn open(settings: &Settings, url: &LdapUrl) -> Result<(Ldap, JoinHandle<()>), ConnectFault> {
    let stream = match url {
        LdapUrl::Tcp { host, port, .. } => StdStream::Tcp(tcp(host, *port, settings.limits).await?.into_std()?),
        LdapUrl::Local(path) => StdStream::Unix(UnixStream::connect(path).await?.into_std()?),
    };
    let is_starttls = settings.starttls && matches!(url, LdapUrl::Tcp { tls: false, .. });
    // ldap3 may wait for ever for the answer to StartTLS unless it has a limit of its own.
    let ldap_settings = LdapConnSettings::new()
        .set_conn_timeout(settings.limits.connect)
        .set_starttls(is_starttls)
        .set_config(settings.tls.clone())
        .set_std_stream(stream);
    let (connection, ldap) = LdapConnAsync::with_settings(ldap_settings, &url.to_string()).await?;
    let driver = tokio::spawn(async move {
        if let Err(fault) = connection.drive().await {
            tracing::debug!(
                name: "directory_connection_ended",
                reason = fault.to_string(),
                "connection to the directory ended"
            );
        }
    });
    Ok((ldap, driver))
}

/// Tries each address of a host for its share of the time, so that an address that does not answer does not use up all
/// of it.
async fn tcp(host: &str, port: u16, limits: DirectoryLimits) -> Result<TcpStream, ConnectFault> {
    let addresses: Vec<SocketAddr> = lookup_host((host, port)).await?.collect();
    let share = limits.connect / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut last = ConnectFault::NoAddress;
    for address in addresses {
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return prepared(stream, limits).map_err(|error| ConnectFault::Address(address, error)),
            Ok(Err(error)) => last = ConnectFault::Address(address, error),
            Err(_) => last = ConnectFault::NoAnswer(address),
        }
    }
    Err(last)
}

/// A peer that disappeared must not keep the connection open for ever.
fn prepared(stream: TcpStream, limits: DirectoryLimits) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE / 6))?;
    socket.set_tcp_user_timeout(Some(limits.operation * 2))?;
    Ok(stream)
}
