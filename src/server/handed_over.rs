//! Listening sockets that the service manager bound and handed over (`sd_listen_fds(3)`): they stay open while the service
//! restarts, so that no client is refused, and ports below 1024 need no rights.

use std::io;
use std::net::{SocketAddr, TcpListener};

use listenfd::ListenFd;
use socket2::SockRef;

/// The variable with the names of the sockets, separated by colons (`FileDescriptorName=` of systemd.socket(5)).
const NAMES: &str = "LISTEN_FDNAMES";

/// The sockets that were handed over and that no listener has taken yet.
#[derive(Debug, Default)]
pub struct HandedOverSockets(Vec<(SocketAddr, TcpListener)>);

impl HandedOverSockets {
    /// Takes the sockets from the environment of the process. Call it once, before threads are started.
    ///
    /// # Errors
    /// A sentence for each descriptor that is not a listening TCP socket.
    pub fn take() -> Result<Self, Vec<String>> {
        // Read first: the library removes the other variables.
        let names = std::env::var(NAMES).unwrap_or_default();
        let mut descriptors = ListenFd::from_env();
        let (mut sockets, mut faults) = (Vec::new(), Vec::new());
        for place in 0..descriptors.len() {
            let taken = descriptors.take_tcp_listener(place).and_then(|socket| socket.map(prepared).transpose());
            match taken {
                Ok(Some(socket)) => sockets.push(socket),
                Ok(None) => {}
                Err(fault) => faults.push(format!(
                    "the service manager passed {}, which is not a listening TCP socket ({fault}); expected one \
                     ListenStream= with an address and a port for each listener",
                    name(&names, place)
                )),
            }
        }
        if faults.is_empty() { Ok(Self(sockets)) } else { Err(faults) }
    }

    /// The socket that is bound to a listener's address, if there is one.
    pub(super) fn take_at(&mut self, address: SocketAddr) -> Option<TcpListener> {
        let place = self.0.iter().position(|(bound, _)| *bound == address)?;
        Some(self.0.swap_remove(place).1)
    }

    /// A sentence for each socket that no listener has taken: clients could connect there, and nobody would answer.
    pub(super) fn left_over(&self) -> Vec<String> {
        let fault = |(address, _): &(SocketAddr, TcpListener)| {
            format!(
                "the service manager passed a socket at {address}, but no listener has this address; expected the same \
                 addresses in the configuration as in ListenStream="
            )
        };
        self.0.iter().map(fault).collect()
    }
}

fn prepared(socket: TcpListener) -> io::Result<(SocketAddr, TcpListener)> {
    socket.set_nonblocking(true)?;
    SockRef::from(&socket).set_tcp_nodelay(true)?;
    Ok((socket.local_addr()?, socket))
}

/// What the service manager calls a descriptor.
fn name(names: &str, place: usize) -> String {
    match names.split(':').nth(place).filter(|name| !name.is_empty()) {
        Some(name) => format!("descriptor {place} ({name:?})"),
        None => format!("descriptor {place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_gets_the_socket_of_its_own_address() {
        let sockets: Vec<_> = (0..3).map(|_| prepared(TcpListener::bind("127.0.0.1:0").unwrap()).unwrap()).collect();
        let addresses: Vec<SocketAddr> = sockets.iter().map(|(address, _)| *address).collect();
        let mut handed_over = HandedOverSockets(sockets);
        for address in [addresses[2], addresses[0]] {
            assert_eq!(handed_over.take_at(address).unwrap().local_addr().unwrap(), address);
            assert!(handed_over.take_at(address).is_none());
        }
        let left = handed_over.left_over();
        assert!(left.len() == 1 && left[0].contains(&addresses[1].to_string()), "{left:?}");
    }

    #[test]
    fn a_descriptor_is_called_by_its_name() {
        assert_eq!(name("pop3:pop3s", 1), "descriptor 1 (\"pop3s\")");
        assert_eq!(name("", 0), "descriptor 0");
    }
}
