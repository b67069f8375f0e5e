//! Both servers over the same mail and the same directory.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use restante::demo::people::{BASE, LDIF};
use rustls::ClientConfig;

use super::dovecot::Dovecot;
use super::limit::Limit;
use super::{mail, tree};
use crate::support::certificates::showing;
use crate::support::directory::RealDirectory;
use crate::support::service::{Plan, Service, Site};
use crate::support::slapd::Slapd;

/// What a measurement needs to know of a server.
pub struct Server {
    pub plain: SocketAddr,
    pub tls: SocketAddr,
    pub pid: u32,
    /// TLS that goes on from earlier sessions where the server lets it; each server has a memory of its own.
    pub resuming: Arc<ClientConfig>,
}

/// Whether passwords are remembered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Caches {
    Warm,
    Cold,
}

/// The mail and the directory that both servers share.
pub struct Yard {
    slapd: Slapd,
    pub site: Site,
    /// TLS that begins anew each time.
    pub tls: Arc<ClientConfig>,
}

/// The servers; they end when dropped.
pub struct Pair {
    pub dovecot: Server,
    pub restante: Server,
    /// What answers from memory; none where memory does not do.
    pub limit: Option<Server>,
    _running: (Dovecot, Service, Option<Limit>),
}

impl Server {
    pub fn cpu(&self) -> Duration {
        tree::cpu(self.pid)
    }
}

impl Yard {
    /// Fills the Maildirs and starts the directory.
    pub fn lay_out() -> Self {
        let site = Site::new();
        for owner in &mail::OWNERS {
            mail::fill(&site.maildir(owner.name), owner);
        }
        own(&site.root());
        let slapd = Slapd::start(&format!("{LDIF}\n{}", mail::ldif(BASE)));
        let mut tls = Arc::unwrap_or_clone(showing(&site.authority(), None));
        tls.resumption = rustls::client::Resumption::disabled();
        Self { site, slapd, tls: Arc::new(tls) }
    }

    /// Starts both servers.
    pub fn pair(&self, caches: Caches) -> Pair {
        let cache = match caches {
            Caches::Warm => "cache: { found: 1h, password: 1h }",
            Caches::Cold => "cache: { found: 0s, missed: 0s, password: 0s, refused: 0s, outage_grace: 0s }",
        };
        let limits = "limits: { connections: 20000, connections_per_address: 20000, login: 1h, idle: 1h }";
        // Clients that come from Dovecot shall know their messages again.
        let uidl = "uidl: { import: read, precedence: [dovecot] }";
        let service = self.site.serve(&Plan::at(&self.slapd.url()).and(cache).and(limits).and(uidl));
        let daemon = Dovecot::start(&self.site, &self.slapd.url(), caches == Caches::Warm);
        let limit = (caches == Caches::Warm).then(|| Limit::start(&self.site));
        Pair {
            limit: limit.as_ref().map(|limit| self.server(limit.plain, limit.tls, limit.pid())),
            dovecot: self.server(daemon.plain(), daemon.tls(), daemon.pid()),
            restante: self.server(service.pop3(), service.pop3s(), service.pid()),
            _running: (daemon, service, limit),
        }
    }

    fn server(&self, plain: SocketAddr, tls: SocketAddr, pid: u32) -> Server {
        Server { plain, tls, pid, resuming: showing(&self.site.authority(), None) }
    }
}

/// The user whom Dovecot reads mail as.
fn own(root: &Path) {
    let owned = Command::new("chown").args(["-R", "mail:mail"]).arg(root).status();
    assert!(owned.is_ok_and(|status| status.success()), "run this as root");
}
