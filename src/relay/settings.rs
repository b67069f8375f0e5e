//! The settings of the relay.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::ClientConfig;

use crate::secret::Password;

/// Where people's mail may be besides here.
#[derive(Clone)]
pub struct Settings {
    /// The attribute that names the host; empty: nobody is relayed.
    pub attribute: String,
    /// Host names that mean this service, in lower case.
    pub own_names: Vec<String>,
    /// The only hosts that are ever connected to; the first that fits is used.
    pub hosts: Vec<HostSettings>,
}

/// A host, or several of one kind.
#[derive(Clone)]
pub struct HostSettings {
    /// Its name.
    pub pattern: HostPattern,
    /// The port of its POP3 service.
    pub port: u16,
    /// Whether and when TLS begins.
    pub tls: BackEndTls,
    /// How people are logged in there.
    pub login: BackEndLogin,
    /// How it learns the client's address.
    pub client_address: ClientAddress,
    /// Its limits.
    pub limits: HostLimits,
}

/// Which host names are meant; in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPattern {
    /// This one.
    Exact(String),
    /// Every name that ends in this, which begins with a dot.
    Below(String),
}

/// When TLS with a host begins.
#[derive(Clone)]
pub enum BackEndTls {
    /// With the first octet.
    Implicit(Arc<ClientConfig>),
    /// By STLS, before anything else is sent.
    Stls(Arc<ClientConfig>),
    /// Never: what is sent can be read on the way.
    None,
}

/// How people are logged in at a host.
#[derive(Clone)]
pub enum BackEndLogin {
    /// By the password that the client sent: nobody can log in otherwise.
    ClientPassword,
    /// By the password of an account that may act for others: SASL PLAIN with an authorization identity.
    ProxyAccount {
        /// The account.
        account: String,
        /// Its password.
        password: Password,
    },
    /// By the password of a master user of Dovecot, whose name follows the person's: `ajones*relay`.
    MasterUser {
        /// The master user.
        account: String,
        /// Their password.
        password: Password,
    },
    /// By the client certificate in the TLS settings: SASL EXTERNAL with an authorization identity.
    Certificate,
}

/// How a host learns the client's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAddress {
    /// It does not.
    #[default]
    None,
    /// By a header of the PROXY protocol, version 2.
    ProxyV2,
    /// By Dovecot's XCLIENT, if the greeting offers it.
    Xclient,
}

/// The limits of a host. Each host that fits a pattern has limits of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostLimits {
    /// Sessions at once, those that are still logging in included.
    pub connections: usize,
    /// How long it may take to connect.
    pub connect: Duration,
    /// How long it may take from there until somebody is logged in.
    pub login: Duration,
    /// How long a host that could not be reached is not tried again.
    pub retry_after: Duration,
}

impl Default for HostLimits {
    fn default() -> Self {
        Self {
            connections: 1000,
            connect: Duration::from_secs(5),
            login: Duration::from_secs(30),
            retry_after: Duration::from_secs(5),
        }
    }
}

impl HostPattern {
    /// Reads a host name or `*.` and a domain; none if it is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let below = text.strip_prefix("*.");
        let name = normalised(below.unwrap_or(text))?;
        Some(if below.is_some() { Self::Below(format!(".{name}")) } else { Self::Exact(name) })
    }

    /// Whether a name, in lower case and without a dot at its end, is meant.
    #[must_use]
    pub fn fits(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => name == host,
            Self::Below(domain) => host.len() > domain.len() && host.ends_with(domain.as_str()),
        }
    }

    /// The name, if it is one host's.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        match self {
            Self::Exact(name) => Some(name),
            Self::Below(_) => None,
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Below(domain) => write!(f, "*{domain}"),
        }
    }
}

impl HostSettings {
    /// Whether people can log in there only by the password that their client sent.
    #[must_use]
    pub fn needs_client_password(&self) -> bool {
        matches!(self.login, BackEndLogin::ClientPassword)
    }
}

/// A host name or an IP address in the form in which it is compared: lower case, without the dot of the root.
pub(super) fn normalised(name: &str) -> Option<String> {
    let name = name.trim();
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    let is_name = (1..=253).contains(&name.len()) && name.chars().all(is_part) && !name.split('.').any(str::is_empty);
    is_name.then(|| name.to_ascii_lowercase())
}
