//! What must be known of a directory before it can be asked.

use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::ClientConfig;

use super::url::LdapUrl;
use crate::directory::entries::{Admission, Attributes, Entry, NameLimits, OutOfScope};
use crate::names::Dn;
use crate::secret::Password;

/// One directory: any of its servers gives the same answers.
#[derive(Clone)]
pub struct Settings {
    /// What the log calls it; each directory has a name of its own, by which its entries are told from those of others.
    pub name: Arc<str>,
    /// Its servers, the preferred first.
    pub urls: Vec<LdapUrl>,
    /// Whether `ldap://` connections begin TLS before anything else is sent.
    pub starttls: bool,
    /// How TLS to its servers is done, for `ldaps://` and `StartTLS`; see [`crate::directory::ldap::trust`].
    pub tls: Arc<ClientConfig>,
    /// Who looks people up; nobody means anonymous.
    pub bind: Option<ServiceBind>,
    /// Where people are sought, at any depth.
    pub base: Dn,
    /// What an entry must match to be a person (RFC 4515).
    pub filter: String,
    /// Where the kinds of name stand.
    pub attributes: Attributes,
    /// Which names it is for.
    pub names: NameLimits,
    /// What makes a client's certificate a person's.
    pub certificate_mapping: CertificateMapping,
    /// Attributes that are read besides, since the mailbox path wants them.
    pub further_attributes: Vec<String>,
    /// Whom of its people it lets use the service.
    pub admission: Admission,
    /// Whether its changes are followed; see [`super::Directory::follow`].
    pub follow: bool,
    /// The limits of time.
    pub limits: Limits,
}

/// What makes a certificate a person's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CertificateMapping {
    /// Its key stands in the person's entry; its names only say where to look.
    #[default]
    Key,
    /// Its authority's word for its subject: the whole DN, a mail address, or Active Directory's user principal name.
    Subject,
}

/// The service's own entry.
#[derive(Clone)]
pub struct ServiceBind {
    /// Its DN.
    pub dn: Dn,
    /// Its password.
    pub password: Password,
}

/// How long each thing may take, and how connections are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Name look-up, connecting, TLS and the service's bind, for each server.
    pub connect: Duration,
    /// One operation.
    pub operation: Duration,
    /// A whole search, however many entries trickle in.
    pub search: Duration,
    /// Look-ups that are asked at the same time; more of them wait, no longer than one operation may take.
    pub concurrent_lookups: usize,
    /// Connections kept for binds as the people.
    pub bind_connections: usize,
    /// After so long each connection that idles is used once, so that it is not closed for idleness; zero: never. See
    /// [`super::Directory::tend`].
    pub keep_alive: Duration,
}

impl Settings {
    /// The entry with the word on whether the directory is for it.
    pub(crate) fn fitted(&self, mut entry: Entry) -> Entry {
        let lost = entry.lost_conflict().then_some(OutOfScope::ReplicationConflict);
        entry.out_of_scope = lost.or_else(|| self.names.out_of_scope(&entry, &self.attributes));
        entry
    }
}

impl Default for Limits {
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
