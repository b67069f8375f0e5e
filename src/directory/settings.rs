//! What must be known of a directory before it can be asked.

use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::ClientConfig;

use super::LdapUrl;
use crate::names::{Dn, Kind};
use crate::secret::Password;

/// One directory: any of its servers gives the same answers.
#[derive(Clone)]
pub struct Settings {
    /// What the log calls it.
    pub name: String,
    /// Its servers, the preferred first.
    pub urls: Vec<LdapUrl>,
    /// Whether `ldap://` connections begin TLS before anything else is sent.
    pub starttls: bool,
    /// How TLS to its servers is done, for `ldaps://` and `StartTLS`; see [`super::trust`].
    pub tls: Arc<ClientConfig>,
    /// Who looks people up; nobody means anonymous.
    pub bind: Option<ServiceBind>,
    /// Where people are sought, at any depth.
    pub base: Dn,
    /// What an entry must match to be a person (RFC 4515).
    pub filter: String,
    /// Where the kinds of name stand.
    pub attributes: Attributes,
    /// Attributes that are read besides, since the mailbox path wants them.
    pub further_attributes: Vec<String>,
    /// Whether its changes are followed; see [`super::Directory::follow`].
    pub follow: bool,
    /// The limits of time.
    pub limits: Limits,
}

/// The service's own entry.
#[derive(Clone)]
pub struct ServiceBind {
    /// Its DN.
    pub dn: Dn,
    /// Its password.
    pub password: Password,
}

/// The attribute that holds each kind of name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Of [`Kind::CommonName`].
    pub common_name: String,
    /// Of [`Kind::ShortName`].
    pub short_name: String,
    /// Of [`Kind::Mail`].
    pub mail: String,
    /// Of [`Kind::FirstName`].
    pub first_name: String,
    /// Of [`Kind::LastName`].
    pub last_name: String,
}

/// How long each thing may take, and how many connections carry binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Name look-up, connecting, TLS and the service's bind, for each server.
    pub connect: Duration,
    /// One operation.
    pub operation: Duration,
    /// A whole search, however many entries trickle in.
    pub search: Duration,
    /// Connections kept for binds as the people.
    pub bind_connections: usize,
}

impl Default for Attributes {
    /// As `inetOrgPerson` (RFC 2798) has them.
    fn default() -> Self {
        Self {
            common_name: "cn".to_owned(),
            short_name: "uid".to_owned(),
            mail: "mail".to_owned(),
            first_name: "givenName".to_owned(),
            last_name: "sn".to_owned(),
        }
    }
}

impl Attributes {
    /// The attribute that holds a kind of name; none for names that are the DN itself.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Option<&str> {
        match kind {
            Kind::DistinguishedName | Kind::HierarchicalName => None,
            Kind::CommonName => Some(&self.common_name),
            Kind::ShortName => Some(&self.short_name),
            Kind::Mail => Some(&self.mail),
            Kind::FirstName => Some(&self.first_name),
            Kind::LastName => Some(&self.last_name),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            operation: Duration::from_secs(5),
            search: Duration::from_secs(10),
            bind_connections: 8,
        }
    }
}
