//! From an accepted socket to a client with a slot, or to a refusal.

use std::net::SocketAddr;
use std::sync::Arc;

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::listen::PortPolicy;
use super::proxy::{HeaderFault, Origin, ProxyHeader, read_header};
use super::slots::{ConnectionSlot, ConnectionSlots, NoSlot};
use crate::connection::{Client, LogSummaries};
use crate::ledger::Ledger;

/// Admits clients to one port.
pub(super) struct ClientAdmission<'a> {
    pub(super) policy: Arc<PortPolicy>,
    pub(super) slots: &'a ConnectionSlots,
    pub(super) repeats: &'a LogSummaries,
    pub(super) ledger: &'a Ledger,
}

/// Connections whose PROXY header is being read. Dropped, they are closed.
pub(super) type Introductions = JoinSet<Introduced>;

/// A connection whose PROXY header was read, or could not be.
pub(super) struct Introduced {
    socket: TcpStream,
    proxy: SocketAddr,
    slot: ConnectionSlot,
    header: Result<ProxyHeader, HeaderFault>,
}

impl ClientAdmission<'_> {
    /// A connection was accepted. Behind a proxy its header is read first, without anybody waiting for it.
    pub(super) fn accepted(
        &self,
        mut socket: TcpStream,
        peer: SocketAddr,
        introductions: &mut Introductions,
    ) -> Option<(Client, ConnectionSlot)> {
        let Some(proxy_protocol) = self.policy.proxy_protocol() else {
            return self.admit(socket, Origin::direct(peer));
        };
        // A header counts from nowhere else, and without one the client's address would be the proxy's.
        if !proxy_protocol.accepts(peer.ip()) {
            self.note_turned_away(peer, "not from a network in proxy_protocol.from");
            return None;
        }
        // The proxy's own address is that of all its clients: only their total is limited until the header is read.
        let Ok(slot) = self.slots.take_unnamed().map_err(|full| self.turn_away(&socket, peer, full)) else {
            return None;
        };
        introductions.spawn(async move {
            let header = read_header(&mut socket).await;
            Introduced { socket, proxy: peer, slot, header }
        });
        None
    }

    /// A header was read.
    pub(super) fn introduced(&self, introduced: Introduced) -> Option<(Client, ConnectionSlot)> {
        let Introduced { socket, proxy, mut slot, header } = introduced;
        let header = match header {
            Ok(header) => header,
            Err(fault) => {
                fault.reason().into_iter().for_each(|reason| self.note_turned_away(proxy, reason));
                return None;
            }
        };
        let origin = Origin::behind(proxy, header, self.policy.proxy_protocol()?);
        if let Err(full) = self.slots.name(&mut slot, origin.peer.ip()) {
            self.turn_away(&socket, origin.peer, full);
            return None;
        }
        Some((self.policy.client(socket, origin), slot))
    }

    fn admit(&self, socket: TcpStream, origin: Origin) -> Option<(Client, ConnectionSlot)> {
        match self.slots.take(origin.peer.ip()) {
            Ok(slot) => Some((self.policy.client(socket, origin), slot)),
            Err(full) => {
                self.turn_away(&socket, origin.peer, full);
                None
            }
        }
    }

    /// Tells a client that there are too many connections, if it can read that without TLS. Never waits for it.
    fn turn_away(&self, socket: &TcpStream, peer: SocketAddr, full: NoSlot) {
        if self.policy.speaks_in_clear() {
            let _ = SockRef::from(socket).send(b"-ERR [SYS/TEMP] too many connections, try again later\r\n");
        }
        self.ledger.sessions.note_turned_away(full.limit());
        self.note_turned_away(peer, full.reason());
    }

    fn note_turned_away(&self, peer: SocketAddr, reason: &'static str) {
        self.repeats.turned_away(peer.ip(), reason);
        self.ledger.last_hour.note_noise(peer.ip());
    }
}
