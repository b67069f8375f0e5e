//! Listening sockets that the service manager bound and handed over (`sd_listen_fds(3)`): they stay open while the service
//! restarts, so that no client is refused, and ports below 1024 need no rights.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use listenfd::ListenFd;
use socket2::SockRef;

/// The variable with the names of the sockets, separated by colons (`FileDescriptorName=` of systemd.socket(5)).
const NAMES: &str = "LISTEN_FDNAMES";

/// The sockets that were handed over and that nobody has taken yet.
#[derive(Debug, Default)]
pub struct HandedOverSockets {
    tcp: Vec<(SocketAddr, TcpListener)>,
    unix: Vec<(PathBuf, UnixListener)>,
}

impl HandedOverSockets {
    /// Takes the sockets from the environment of the process. Call it once, before threads are started.
    ///
    /// # Errors
    /// A sentence for each descriptor that is not a listening TCP or Unix socket.
    pub fn take() -> Result<Self, Vec<String>> {
        // Read first: the library removes the other variables.
        let names = std::env::var(NAMES).unwrap_or_default();
        let mut descriptors = ListenFd::from_env();
        let (mut sockets, mut faults) = (Self::default(), Vec::new());
        for place in 0..descriptors.len() {
            match sockets.take_one(&mut descriptors, place) {
                Ok(()) => {}
                Err(fault) => faults.push(format!(
                    "the service manager passed {}, which is not a listening TCP socket ({fault}); expected one \
                     ListenStream= with an address and a port for each listener, or with the path of sasl_service.socket \
                     or socketmap.socket",
                    name(&names, place)
                )),
            }
        }
        if faults.is_empty() { Ok(sockets) } else { Err(faults) }
    }

    /// What is no TCP socket may be a Unix socket; if neither, the fault is about TCP.
    fn take_one(&mut self, descriptors: &mut ListenFd, place: usize) -> io::Result<()> {
        match descriptors.take_tcp_listener(place) {
            Ok(socket) => self.tcp.extend(socket.map(prepared).transpose()?),
            Err(fault) => match descriptors.take_unix_listener(place) {
                Ok(socket) => self.unix.extend(socket.map(prepared_unix).transpose()?),
                Err(_) => return Err(fault),
            },
        }
        Ok(())
    }

    /// The Unix socket that is bound to a path, if there is one.
    pub fn take_unix(&mut self, path: &Path) -> Option<UnixListener> {
        let place = self.unix.iter().position(|(bound, _)| bound == path)?;
        Some(self.unix.swap_remove(place).1)
    }

    /// The socket that is bound to a listener's address, if there is one.
    pub(super) fn take_at(&mut self, address: SocketAddr) -> Option<TcpListener> {
        let place = self.tcp.iter().position(|(bound, _)| *bound == address)?;
        Some(self.tcp.swap_remove(place).1)
    }

    /// A sentence for each socket that nobody has taken: clients could connect there, and nobody would answer.
    pub(super) fn left_over(&self) -> Vec<String> {
        let tcp = self.tcp.iter().map(|(address, _)| {
            format!(
                "the service manager passed a socket at {address}, but no listener has this address; expected the same \
                 addresses in the configuration as in ListenStream="
            )
        });
        let unix = self.unix.iter().map(|(path, _)| {
            format!(
                "the service manager passed a socket at {}, but neither sasl_service.socket nor socketmap.socket has this \
                 path; expected the same paths in the configuration as in ListenStream=",
                path.display()
            )
        });
        tcp.chain(unix).collect()
    }
}

fn prepared(socket: TcpListener) -> io::Result<(SocketAddr, TcpListener)> {
    socket.set_nonblocking(true)?;
    SockRef::from(&socket).set_tcp_nodelay(true)?;
    Ok((socket.local_addr()?, socket))
}

fn prepared_unix(socket: UnixListener) -> io::Result<(PathBuf, UnixListener)> {
    socket.set_nonblocking(true)?;
    let path = socket.local_addr()?.as_pathname().map(Path::to_owned).unwrap_or_default();
    Ok((path, socket))
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
        let mut handed_over = HandedOverSockets { tcp: sockets, ..HandedOverSockets::default() };
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
