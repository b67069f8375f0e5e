//! Whether the client has acknowledged what it was sent.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::transport::{Transport, Unacknowledged};
use crate::connection::settings::BLOCK;

/// The same type as the counts of the kernel.
#[allow(clippy::cast_possible_truncation, reason = "64 KiB")]
const BLOCK_OF_OCTETS: u32 = BLOCK as u32;

/// Whether everything was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// The peer has acknowledged every octet.
    Yes,
    /// It has not, within the time given, or never will: the connection is broken.
    No,
    /// The kernel cannot say.
    Unknown,
}

/// Waits until the peer has acknowledged everything: as long as it goes on acknowledging octets, but for `patience` at
/// most while it acknowledges none. In total it may take `slow_reader` for each 64 KiB.
pub(super) async fn delivered(
    transport: Option<&impl Transport>,
    patience: Duration,
    slow_reader: Duration,
) -> Delivery {
    let (mut left, mut pause) = (u32::MAX, Duration::from_millis(1));
    let (mut deadline, mut latest) = (Instant::now() + patience, None);
    loop {
        match transport.map_or(Unacknowledged::Broken, Transport::unacknowledged) {
            Unacknowledged::Octets(0) => return Delivery::Yes,
            Unacknowledged::Broken => return Delivery::No,
            Unacknowledged::Unknown => return Delivery::Unknown,
            Unacknowledged::Octets(octets) => {
                let now = Instant::now();
                let latest =
                    *latest.get_or_insert_with(|| now + slow_reader.max(patience) * (1 + octets / BLOCK_OF_OCTETS));
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

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

    #[tokio::test]
    async fn unread_octets_are_not_delivered() {
        until_taken("127.0.0.1").await;
    }

    /// A client that dies before it has read everything did not receive it.
    #[tokio::test]
    async fn octets_lost_with_the_connection_are_not_delivered() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.write_all(b"unread").await.unwrap();
        drop(peer);
        // The kernel of a peer that closed with unread octets breaks the connection.
        socket.readable().await.unwrap();
        assert_eq!(delivered(Some(&socket), PATIENT, PATIENT).await, Delivery::No);
        assert_eq!(delivered(None::<&TcpStream>, PATIENT, PATIENT).await, Delivery::No);
    }

    #[tokio::test]
    async fn unread_octets_are_not_delivered_over_ipv6() {
        until_taken("::1").await;
    }
}
