//! Whether the client has taken what was sent: asked of the kernel, which counts what the peer has not acknowledged.
//!
//! `sock_diag(7)` tells it for one socket by a safe call; the `SIOCOUTQ` ioctl would need `unsafe`.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

/// What the kernel says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivered {
    /// The peer has acknowledged every octet.
    Yes,
    /// It has not, within the time given.
    No,
    /// This kernel does not tell.
    Unknown,
}

/// Waits until the peer has acknowledged everything, at most for `patience`.
pub(super) async fn delivered(socket: Option<&TcpStream>, patience: Duration) -> Delivered {
    let deadline = Instant::now() + patience;
    let mut pause = Duration::from_millis(1);
    loop {
        match socket.and_then(unacknowledged) {
            Some(0) => return Delivered::Yes,
            None => return Delivered::Unknown,
            Some(_) if Instant::now() >= deadline => return Delivered::No,
            Some(_) => {}
        }
        // The kernel has no event for an acknowledgement.
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Octets written to a socket that its peer has not acknowledged.
fn unacknowledged(socket: &TcpStream) -> Option<u32> {
    let (local, peer) = (socket.local_addr().ok()?, socket.peer_addr().ok()?);
    let kernel = kernel().ok()?;
    send(&kernel, &request(local, peer), SendFlags::empty()).ok()?;
    let mut answer = [0; 512];
    let (_, length) = recv(&kernel, answer.as_mut_slice(), RecvFlags::DONTWAIT).ok()?;
    write_queue(answer.get(..length)?)
}

fn kernel() -> Result<OwnedFd, Errno> {
    socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC, Some(netlink::SOCK_DIAG))
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
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// More than the socket buffers of both ends hold, so that it stays unacknowledged until the peer reads.
    const MUCH: usize = 64 * 1024 * 1024;

    async fn until_taken(host: &str) {
        let listener = TcpListener::bind((host, 0)).await.unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut socket, _) = listener.accept().await.unwrap();
        assert_eq!(delivered(Some(&socket), Duration::ZERO).await, Delivered::Yes);
        let mut written = 0;
        while written < MUCH
            && let Ok(Ok(count)) = tokio::time::timeout(Duration::from_millis(200), socket.write(&[0; 8192])).await
        {
            written += count;
        }
        assert_eq!(delivered(Some(&socket), Duration::from_millis(20)).await, Delivered::No);
        let mut taken = vec![0; written];
        peer.read_exact(&mut taken).await.unwrap();
        assert_eq!(delivered(Some(&socket), Duration::from_secs(10)).await, Delivered::Yes);
    }

    #[tokio::test]
    async fn the_kernel_tells_what_the_peer_has_not_taken() {
        until_taken("127.0.0.1").await;
    }

    #[tokio::test]
    async fn it_tells_it_over_ipv6() {
        until_taken("::1").await;
    }
}
