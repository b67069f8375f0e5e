//! How many octets the peer of a TCP socket has not acknowledged, asked from the kernel.
//!
//! `sock_diag(7)` answers that for one socket with safe calls; the `SIOCOUTQ` ioctl would need `unsafe`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with};
use tokio::net::TcpStream;

use super::transport::{Transport, Unacknowledged};

impl Transport for TcpStream {
    fn unacknowledged(&self) -> Unacknowledged {
        unacknowledged(self)
    }
}

/// Whether this kernel answers that; tried with a connection of our own on the loopback interface.
///
/// # Errors
/// No such connection could be made.
pub fn kernel_reports_delivery() -> std::io::Result<bool> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let socket = std::net::TcpStream::connect(listener.local_addr()?)?;
    Ok(matches!(ask(&request(socket.local_addr()?, socket.peer_addr()?)), Ok(Some(_))))
}

/// Asks the kernel about a socket.
fn unacknowledged(socket: &TcpStream) -> Unacknowledged {
    let (Ok(local), Ok(peer)) = (socket.local_addr(), socket.peer_addr()) else { return Unacknowledged::Broken };
    match ask(&request(local, peer)) {
        Ok(Some(octets)) => Unacknowledged::Octets(octets),
        // The kernel may not have found the socket because it was broken just now.
        Ok(None) if socket.peer_addr().is_err() => Unacknowledged::Broken,
        Err(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS) => Unacknowledged::NotNow,
        _ => Unacknowledged::Unknown,
    }
}

fn ask(request: &[u8]) -> Result<Option<u32>, Errno> {
    let kernel =
        socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC, Some(netlink::SOCK_DIAG))?;
    send(&kernel, request, SendFlags::empty())?;
    let mut answer = [0; 512];
    let (_, length) = recv(&kernel, answer.as_mut_slice(), RecvFlags::DONTWAIT)?;
    Ok(answer.get(..length).and_then(write_queue))
}

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const HEADER: usize = 16;
const REQUEST: usize = HEADER + 56;
const IPPROTO_TCP: u8 = 6;

/// `struct nlmsghdr` and `struct inet_diag_req_v2`, naming exactly one socket.
fn request(local: SocketAddr, peer: SocketAddr) -> Vec<u8> {
    let mut octets = Vec::with_capacity(REQUEST);
    octets.extend_from_slice(&u32::try_from(REQUEST).unwrap_or_default().to_ne_bytes());
    octets.extend_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    octets.extend_from_slice(&NLM_F_REQUEST.to_ne_bytes());
    octets.extend_from_slice(&[0; 8]); // sequence number, port id
    let family = if local.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    octets.extend_from_slice(&[u8::try_from(family.as_raw()).unwrap_or_default(), IPPROTO_TCP, 0, 0]);
    octets.extend_from_slice(&u32::MAX.to_ne_bytes()); // any state
    octets.extend_from_slice(&local.port().to_be_bytes());
    octets.extend_from_slice(&peer.port().to_be_bytes());
    octets.extend_from_slice(&padded(local.ip()));
    octets.extend_from_slice(&padded(peer.ip()));
    octets.extend_from_slice(&[0; 4]); // any interface
    octets.extend_from_slice(&[0xff; 8]); // no cookie
    octets
}

fn padded(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V6(address) => address.octets(),
        IpAddr::V4(address) => {
            let mut octets = [0; 16];
            for (to, from) in octets.iter_mut().zip(address.octets()) {
                *to = from;
            }
            octets
        }
    }
}

/// `idiag_wqueue` of `struct inet_diag_msg`.
fn write_queue(answer: &[u8]) -> Option<u32> {
    const KIND: std::ops::Range<usize> = 4..6;
    const WRITE_QUEUE: std::ops::Range<usize> = HEADER + 60..HEADER + 64;
    let kind = u16::from_ne_bytes(answer.get(KIND)?.try_into().ok()?);
    if kind != SOCK_DIAG_BY_FAMILY {
        return None;
    }
    Some(u32::from_ne_bytes(answer.get(WRITE_QUEUE)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_kernel_reports_unacknowledged_octets() {
        assert!(kernel_reports_delivery().unwrap());
    }
}
