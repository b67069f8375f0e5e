//! Whether the client has taken what was sent: asked of the kernel, which counts what the peer has not acknowledged.
//!
//! `sock_diag(7)` tells it for one socket by a safe call; the `SIOCOUTQ` ioctl would need `unsafe`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

/// Octets that a client must take within the limit for slow readers.
const BLOCK: u32 = 64 * 1024;

/// What the kernel says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// The peer has acknowledged every octet.
    Yes,
    /// It has not, within the time given, or never will: the connection is broken.
    No,
    /// This kernel does not tell.
    Unknown,
}

/// Waits until the peer has acknowledged everything: as long as it goes on taking octets, but for `patience` at most while
/// it takes none. Over all, `slow_reader` is how long it may take for each 64 KiB.
pub(crate) async fn delivered(socket: Option<&TcpStream>, patience: Duration, slow_reader: Duration) -> Delivery {
    let (mut left, mut pause) = (u32::MAX, Duration::from_millis(1));
    let (mut deadline, mut latest) = (Instant::now() + patience, None);
    loop {
        match socket.map_or(Unacknowledged::Broken, unacknowledged) {
            Unacknowledged::Octets(0) => return Delivery::Yes,
            Unacknowledged::Broken => return Delivery::No,
            Unacknowledged::Unknown => return Delivery::Unknown,
            Unacknowledged::Octets(octets) => {
                let now = Instant::now();
                let latest = *latest.get_or_insert_with(|| now + slow_reader.max(patience) * (1 + octets / BLOCK));
                if octets < left {
                    (left, deadline) = (octets, latest.min(now + patience));
                } else if now >= deadline {
                    return Delivery::No;
                }
            }
            Unacknowledged::NotNow if Instant::now() >= deadline => return Delivery::No,
            Unacknowledged::NotNow => {}
        }
        // The kernel has no event for an acknowledgement.
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Whether this kernel tells at all; asked of a connection of our own on the loopback interface.
///
/// # Errors
/// No such connection could be made.
pub fn kernel_tells_delivery() -> std::io::Result<bool> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let socket = std::net::TcpStream::connect(listener.local_addr()?)?;
    Ok(matches!(ask(&request(socket.local_addr()?, socket.peer_addr()?)), Ok(Some(_))))
}

/// What asking the kernel about a socket comes to.
enum Unacknowledged {
    /// Octets written to it that its peer has not acknowledged.
    Octets(u32),
    /// The peer broke the connection off; what it had not taken is lost.
    Broken,
    /// Too many open files, or no memory.
    NotNow,
    Unknown,
}

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
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// More than the socket buffers of both ends hold, so that it stays unacknowledged until the peer reads.
    const PATIENT: Duration = Duration::from_secs(10);
    const MUCH: usize = 64 * 1024 * 1024;

    async fn until_taken(host: &str) {
        let listener = TcpListener::bind((host, 0)).await.unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut socket, _) = listener.accept().await.unwrap();
        assert_eq!(delivered(Some(&socket), Duration::ZERO, PATIENT).await, Delivery::Yes);
        let mut written = 0;
        while written < MUCH
            && let Ok(Ok(count)) = tokio::time::timeout(Duration::from_millis(200), socket.write(&[0; 8192])).await
        {
            written += count;
        }
        assert_eq!(delivered(Some(&socket), Duration::from_millis(20), Duration::ZERO).await, Delivery::No);
        let mut taken = vec![0; written];
        peer.read_exact(&mut taken).await.unwrap();
        assert_eq!(delivered(Some(&socket), PATIENT, PATIENT).await, Delivery::Yes);
    }

    #[test]
    fn this_kernel_tells() {
        assert!(kernel_tells_delivery().unwrap());
    }

    #[tokio::test]
    async fn the_kernel_tells_what_the_peer_has_not_taken() {
        until_taken("127.0.0.1").await;
    }

    /// A client that dies before it has read everything did not get it.
    #[tokio::test]
    async fn what_was_lost_with_the_connection_was_not_delivered() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.write_all(b"unread").await.unwrap();
        drop(peer);
        // The kernel of a peer that closed with unread octets breaks the connection.
        socket.readable().await.unwrap();
        assert_eq!(delivered(Some(&socket), PATIENT, PATIENT).await, Delivery::No);
        assert_eq!(delivered(None, PATIENT, PATIENT).await, Delivery::No);
    }

    #[tokio::test]
    async fn it_tells_it_over_ipv6() {
        until_taken("::1").await;
    }
}
