//! Lines in, replies out, each within its time.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroize;

use super::handshake::handshake;
use super::report::Closed;
use super::stream::Stream;
use crate::pop3::{Input, Lines};

/// A stream with what was read and not yet understood, and what was answered and not yet sent.
pub(super) struct Wire {
    pub(super) stream: Stream,
    lines: Lines,
    out: Vec<u8>,
    slow_reader: Duration,
}

/// Octets that a client must take within the limit for slow readers.
pub(super) const BLOCK: usize = 64 * 1024;

/// Octets read at once. They lie on the stack, so that a silent client costs no buffer.
const READ: usize = 4096;

/// How long the end of a connection may take.
const FAREWELL: Duration = Duration::from_secs(5);

impl Wire {
    pub(super) fn new(stream: Stream, slow_reader: Duration) -> Self {
        Self { stream, lines: Lines::default(), out: Vec::new(), slow_reader }
    }

    /// A line that was read already.
    pub(super) fn waiting_line(&mut self, limit: usize) -> Option<Input> {
        self.lines.next(limit)
    }

    /// Reads until a line is there.
    pub(super) async fn next_line(&mut self, limit: usize, deadline: Instant) -> Result<Input, Closed> {
        loop {
            if let Some(input) = self.lines.next(limit) {
                return Ok(input);
            }
            let read = timeout_at(deadline, read_some(&mut self.stream, &mut self.lines)).await;
            if read.map_err(|_| Closed::Deadline)?.map_err(|fault| Closed::broken(&fault))? == 0 {
                return Err(Closed::ByClient);
            }
        }
    }

    /// Where a reply is gathered until no complete command is left in the input.
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Sends what was gathered if it has become a block.
    pub(super) async fn flush_block(&mut self) -> Result<(), Closed> {
        if self.out.len() < BLOCK { Ok(()) } else { self.flush().await }
    }

    /// Takes a reply that others share: copied if it is small, else sent at once from where it lies.
    pub(super) async fn share(&mut self, reply: &[u8]) -> Result<(), Closed> {
        if self.out.len() + reply.len() < BLOCK {
            self.out.extend_from_slice(reply);
            return Ok(());
        }
        self.flush().await?;
        self.send(reply).await
    }

    /// Sends everything gathered.
    pub(super) async fn flush(&mut self) -> Result<(), Closed> {
        let mut out = std::mem::take(&mut self.out);
        self.send(&out).await?;
        out.clear();
        self.out = out;
        Ok(())
    }

    /// Gives back what replies are gathered in: an idle session needs nothing.
    pub(super) fn rest(&mut self) {
        if self.out.is_empty() {
            self.out = Vec::new();
        }
    }

    async fn send(&mut self, octets: &[u8]) -> Result<(), Closed> {
        for block in blocks(octets) {
            let sending = async {
                self.stream.write_all(block).await?;
                self.stream.flush().await
            };
            let sent = timeout(self.slow_reader, sending).await.map_err(|_| Closed::SlowReader)?;
            sent.map_err(|fault| Closed::broken(&fault))?;
        }
        Ok(())
    }

    /// Goes on under TLS. What was read before is forgotten: somebody in the middle may have put it there.
    pub(super) async fn under_tls(&mut self, acceptor: &TlsAcceptor, limit: Duration) -> Result<(), Closed> {
        self.lines.forget();
        self.stream = match std::mem::replace(&mut self.stream, Stream::Gone) {
            Stream::Clear(socket) => handshake(acceptor, socket, limit, b"").await?,
            other => other,
        };
        Ok(())
    }

    /// Says goodbye: TLS closes with an alert, so that the client can tell an end from a cut. In clear the kernel says it
    /// when the socket is closed.
    pub(super) async fn close(&mut self) {
        if self.flush().await.is_ok() && !self.stream.is_clear() {
            let _ = timeout(FAREWELL, self.stream.shutdown()).await;
        }
    }

    /// Says goodbye to a client that may be in the middle of a sentence. What it still sends is read and thrown away:
    /// closed with octets unread, the kernel would break the connection, and our last words could be lost with it.
    pub(super) async fn close_on_talker(&mut self) {
        if self.flush().await.is_err() {
            return;
        }
        let listening = async {
            self.stream.shutdown().await?;
            while read_some(&mut self.stream, &mut self.lines).await.is_ok_and(|count| count > 0) {
                self.lines.forget();
            }
            io::Result::Ok(())
        };
        let _ = timeout(FAREWELL, listening).await;
    }
}

/// Cuts what is to be sent into blocks; a small rest goes with the last one.
fn blocks(mut octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = if octets.len() < BLOCK + BLOCK / 2 { octets.len() } else { BLOCK };
        let (block, rest) = octets.split_at_checked(length).filter(|(block, _)| !block.is_empty())?;
        octets = rest;
        Some(block)
    })
}

async fn read_some(stream: &mut Stream, lines: &mut Lines) -> io::Result<usize> {
    poll_fn(|cx| {
        let mut octets = [const { MaybeUninit::uninit() }; READ];
        let mut buffer = ReadBuf::uninit(&mut octets);
        ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer))?;
        lines.push(buffer.filled());
        let count = buffer.filled().len();
        // Whatever was written there: TLS may have used more than it filled.
        buffer.initialized_mut().zeroize();
        Poll::Ready(Ok(count))
    })
    .await
}
