//! The settings of a directory.

use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::url::LdapUrl;
use crate::directory::entries::{Admission, Attributes, Entry, NameLimits, OutOfScope};
use crate::names::Dn;
use crate::secret::Password;

/// One directory: all of its servers give the same answers.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// Its name in the log; each directory has a different one, which distinguishes its entries from those of others.
    pub name: Arc<str>,
    /// Its servers, the preferred first.
    pub urls: Vec<LdapUrl>,
    /// Whether `ldap://` connections begin TLS before anything else is sent.
    pub starttls: bool,
    /// TLS with its servers, for `ldaps://` and `StartTLS`; see [`super::trust`].
    pub tls: ServerTrust,
    /// The entry that searches; none: anonymous.
    pub bind: Option<ServiceBind>,
    /// The search base; people may be at any depth below it.
    pub base: Dn,
    /// What an entry must match to be a person (RFC 4515).
    pub filter: String,
    /// The attributes that hold the kinds of name.
    pub attributes: Attributes,
    /// The names to which it is limited.
    pub names: NameLimits,
    /// How a client's certificate is mapped to a person.
    pub certificate_mapping: CertificateMapping,
    /// Further attributes that are read because the mailbox path needs them.
    pub further_attributes: Vec<String>,
    /// Which of its people may use the service.
    pub admission: Admission,
    /// Whether its changes are followed; see [`super::Directory::follow`].
    pub follow: bool,
    /// Time limits and connections.
    pub limits: DirectoryLimits,
}

/// TLS with the servers of a directory, which are verified by certain authorities.
#[derive(Clone, Debug)]
pub struct ServerTrust {
    pub(in crate::directory) configuration: Arc<ClientConfig>,
    pub(in crate::directory) authorities: Arc<RootCertStore>,
}

impl ServerTrust {
    /// The configuration of a TLS client that trusts them.
    #[must_use]
    pub fn configuration(&self) -> Arc<ClientConfig> {
        self.configuration.clone()
    }
}

/// The same authorities, in whatever order.
impl PartialEq for ServerTrust {
    fn eq(&self, other: &Self) -> bool {
        let (own, others) = (&self.authorities.roots, &other.authorities.roots);
        own == others || own.len() == others.len() && own.iter().all(|root| others.contains(root))
    }
}

impl Eq for ServerTrust {}

/// How a certificate is mapped to a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CertificateMapping {
    /// By its key, which the person's entry holds; the names in it only say where to look.
    #[default]
    Key,
    /// By its subject, as its authority certifies it: the whole DN, a mail address, or Active Directory's user
    /// principal name.
    Subject,
}

/// The service's own entry.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceBind {
    /// Its DN.
    pub dn: Dn,
    /// Its password.
    pub password: Password,
}

/// How long each thing may take, and how connections are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectoryLimits {
    /// Name look-up, connecting, TLS and the service's bind, for each server.
    pub connect: Duration,
    /// One operation.
    pub operation: Duration,
    /// A whole search, however many entries trickle in.
    pub search: Duration,
    /// Look-ups at the same time; further ones wait, no longer than one operation may take.
    pub concurrent_lookups: usize,
    /// Connections kept for binds as the people.
    pub bind_connections: usize,
    /// Idle connections are used once in this time, so that they are not closed for idleness; zero: never. See
    /// [`super::Directory::maintain`].
    pub keep_alive: Duration,
}

impl Settings {
    /// Whether an entry is the service's own, which is not a person.
    pub(crate) fn is_service(&self, entry: &Entry) -> bool {
        self.bind.as_ref().is_some_and(|service| service.dn.matches(&entry.dn))
    }

    /// The entry, with the reason if it is out of scope.
    pub(crate) fn fitted(&self, mut entry: Entry) -> Entry {
        let lost = entry.lost_conflict().then_some(OutOfScope::ReplicationConflict);
        entry.out_of_scope = lost.or_else(|| self.names.out_of_scope(&entry, &self.attributes));
        entry
    }
}

impl Default for DirectoryLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            operation: Duration::from_secs(5),
            search: Duration::from_secs(10),
            concurrent_lookups: 64,
            bind_connections: 8,
            keep_alive: Duration::from_secs(5 * 60),
        }
    }
}
