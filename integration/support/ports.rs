//! Ports for servers that must be told a number.

use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

/// A port of 127.0.0.1 that belongs to this test while it lives: bound here without listening, so that the kernel gives
/// it to nobody who does not name it. A server that sets `SO_REUSEADDR`, as they all do, can listen on it, stop, and
/// listen again; meanwhile connections are refused.
pub struct Port {
    address: SocketAddr,
    _keeper: Socket,
}

impl Port {
    /// Takes a port of the kernel's choice.
    pub fn take() -> Self {
        let keeper = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        keeper.set_reuse_address(true).unwrap();
        keeper.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        let address = keeper.local_addr().unwrap().as_socket().unwrap();
        Self { address, _keeper: keeper }
    }

    /// 127.0.0.1 and the port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number alone.
    pub fn number(&self) -> u16 {
        self.address.port()
    }
}
