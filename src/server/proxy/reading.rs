//! The octets of a PROXY header, and not one more: what follows is the client's.

use std::io;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::fault::HeaderFault;
use super::header::{self, FIXED, ProxyHeader};

/// A proxy sends the header with its first segment; a lost one is sent again within this time.
const TIME: Duration = Duration::from_secs(5);

/// "a 108-byte buffer is always enough to store all the line and a trailing zero" (§2.1)
const LONGEST_LINE: usize = 107;

/// The octets of a header of version 2. The protocol allows 65,551; addresses and TLS fields need some hundred, a client's
/// certificate some thousand.
const LONGEST: usize = 16 * 1024;

/// Reads the header that a connection begins with, and leaves everything after it unread.
pub(in crate::server) async fn read_header(socket: &mut TcpStream) -> Result<ProxyHeader, HeaderFault> {
    timeout(TIME, read(socket)).await.unwrap_or(Err(HeaderFault::Late))
}

/// The first octet tells the versions apart.
async fn read(socket: &mut TcpStream) -> Result<ProxyHeader, HeaderFault> {
    match socket.read_u8().await {
        Ok(b'P') => header::text(&line(socket).await?),
        Ok(b'\r') => header::binary(&block(socket).await?),
        Ok(_) => Err(HeaderFault::Missing),
        Err(_) => Err(HeaderFault::NothingSent),
    }
}

/// A line that begins with `P`, to its LF. Octets are looked at before they are taken, since the client's own follow.
async fn line(socket: &mut TcpStream) -> Result<Vec<u8>, HeaderFault> {
    let mut line = vec![b'P'];
    while line.last() != Some(&b'\n') {
        let mut ahead = [0; LONGEST_LINE];
        let room = ahead.get_mut(line.len()..).filter(|room| !room.is_empty()).ok_or(HeaderFault::TooLong)?;
        let count = socket.peek(room).await.map_err(|_| HeaderFault::Cut)?;
        let peeked = room.get(..count).filter(|peeked| !peeked.is_empty()).ok_or(HeaderFault::Cut)?;
        let length = peeked.iter().position(|octet| *octet == b'\n').map_or(count, |at| at + 1);
        let known = line.len();
        line.resize(known + length, 0);
        take(socket, line.get_mut(known..).unwrap_or_default()).await?;
    }
    Ok(line)
}

/// A block that begins with CR: version 2 says how long it is.
async fn block(socket: &mut TcpStream) -> Result<Vec<u8>, HeaderFault> {
    let mut fixed = [b'\r'; FIXED];
    let [_, rest @ ..] = &mut fixed;
    take(socket, rest).await?;
    let length = FIXED + header::further(&fixed)?;
    if length > LONGEST {
        return Err(HeaderFault::TooLong);
    }
    let mut block = fixed.to_vec();
    block.resize(length, 0);
    take(socket, block.get_mut(FIXED..).unwrap_or_default()).await?;
    Ok(block)
}

async fn take(socket: &mut TcpStream, octets: &mut [u8]) -> Result<(), HeaderFault> {
    let read: io::Result<usize> = socket.read_exact(octets).await;
    read.map(drop).map_err(|_| HeaderFault::Cut)
}
