//! A change of the running server for which everything that can fail was done.

use std::sync::Arc;

use tokio::net::TcpListener;

use super::listen::{BoundPort, PortPolicy};
use super::{ConnectionLimits, Listener, TlsPolicies};

/// A change that was prepared: its new ports are bound, its certificates are read. See [`super::RunningServer::apply`].
pub struct ServerChange {
    /// Places of ports that stay, with their new settings.
    pub(super) kept: Vec<(usize, Listener, PortPolicy)>,
    pub(super) added: Vec<BoundPort<TcpListener>>,
    pub(super) tls: TlsChange,
    pub(super) limits: ConnectionLimits,
    /// Sentences about listeners that only a restart can open or close.
    pub needs_restart: Vec<String>,
}

/// What becomes of TLS.
pub(super) enum TlsChange {
    /// Certificates and authorities are the same: clients may resume their TLS sessions.
    Kept,
    Replaced(Option<Arc<TlsPolicies>>),
}

impl ServerChange {
    /// Whether certificates or authorities are others.
    #[must_use]
    pub fn replaces_tls(&self) -> bool {
        matches!(self.tls, TlsChange::Replaced(_))
    }
}
