//! Lines in, replies out, each within its time.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroize;

use super::delivery::{Delivery, delivered};
use super::handshake::handshake;
use super::stream::ClientStream;
use super::transport::Transport;
use crate::connection::report::CloseReason;
use crate::connection::settings::BLOCK;
use crate::ledger::LiveSession;
use crate::pop3::{Input, Line, Lines};

/// A stream, with input that was not yet taken as lines, and replies that were not yet sent.
pub(crate) struct Wire<T> {
    pub(crate) stream: ClientStream<T>,
    lines: Lines,
    out: Vec<u8>,
    /// The length of `out` up to the last octet of a message. Replies follow it.
    message_end: usize,
    /// Octets of messages were sent that the client may not have received.
    unconfirmed: bool,
    /// The last read filled its buffer, so more may be at hand.
    more_at_hand: bool,
    slow_reader: Duration,
    /// The session, which an administrator may end while the client takes its replies.
    live: Arc<LiveSession>,
}

/// Why messages are not known to have reached the client.
pub(crate) enum DeliveryFault {
    /// They could not be sent.
    NotSent(CloseReason),
    /// The client did not acknowledge them in time.
    NotAcknowledged,
}

/// Octets read at once. They are on the stack, so that a silent client costs no buffer.
const READ: usize = 4096;

/// How long the end of a connection may take.
const FAREWELL: Duration = Duration::from_secs(5);

impl<T: Transport> Wire<T> {
    pub(crate) fn new(stream: ClientStream<T>, slow_reader: Duration, live: Arc<LiveSession>) -> Self {
        Self {
            stream,
            lines: Lines::default(),
            out: Vec::new(),
            message_end: 0,
            unconfirmed: false,
            more_at_hand: false,
            slow_reader,
            live,
        }
    }

    /// Reads until there is a line.
    pub(crate) async fn next_line(&mut self, limit: usize, deadline: Instant) -> Result<Input, CloseReason> {
        loop {
            if let Some(input) = self.lines.next(limit) {
                return Ok(input);
            }
            let read = timeout_at(deadline, read_some(&mut self.stream, &mut self.lines)).await;
            let count = read.map_err(|_| CloseReason::Deadline)?.map_err(|fault| CloseReason::broken(&fault))?;
            self.more_at_hand = count == READ;
            if count == 0 {
                return Err(CloseReason::ByClient);
            }
        }
    }

    /// Takes a line from what the client has already sent, without waiting for more. Many clients send all their
    /// commands at once and close without reading: a reply sent before their last command is read would break the
    /// connection.
    pub(crate) async fn line_at_hand(&mut self, limit: usize) -> Option<Input> {
        loop {
            if let Some(input) = self.lines.next(limit) {
                return Some(input);
            }
            if !std::mem::take(&mut self.more_at_hand) {
                return None;
            }
            let read = read_some(&mut self.stream, &mut self.lines);
            // An error comes again with the next wait.
            let Poll::Ready(Ok(count)) = at_once(read).await else { return None };
            self.more_at_hand = count == READ;
        }
    }

    /// What the client has sent behind the last line, for a host to which its session is passed on.
    pub(crate) fn take_input(&mut self) -> Line {
        self.lines.take_rest()
    }

    /// Replies are collected here until no complete command is left in the input.
    pub(crate) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Sends what was collected once it is a block.
    pub(crate) async fn flush_block(&mut self) -> Result<(), CloseReason> {
        if self.out.len() < BLOCK { Ok(()) } else { self.flush().await }
    }

    /// The same for replies to many commands at once: messages that the client has received by then count even if it
    /// reads no reply.
    pub(crate) async fn flush_replies(&mut self) -> Result<(), CloseReason> {
        if self.out.len() >= BLOCK && self.message_end == 0 && self.unconfirmed {
            self.unconfirmed =
                delivered(self.stream.transport(), Duration::ZERO, self.slow_reader).await != Delivery::Yes;
        }
        self.flush_block().await
    }

    /// What is collected from here on is a message.
    pub(crate) fn message_begins(&mut self) {
        self.unconfirmed = true;
    }

    /// What was collected so far ends with the last octet of a message.
    pub(crate) fn message_ends(&mut self) {
        self.message_end = self.out.len();
    }

    /// Sends the octets of messages, and waits until the client has acknowledged them; if it has not, returns why. The
    /// replies that follow them need not arrive.
    ///
    /// `patience`: how long the client may acknowledge nothing.
    pub(crate) async fn messages_taken(&mut self, patience: Duration) -> Result<(), DeliveryFault> {
        if self.message_end > 0 {
            let replies = self.out.split_off(self.message_end);
            let sent = self.flush().await;
            self.out = replies;
            sent.map_err(DeliveryFault::NotSent)?;
        }
        if !self.unconfirmed {
            return Ok(());
        }
        match delivered(self.stream.transport(), patience, self.slow_reader).await {
            Delivery::No => return Err(DeliveryFault::NotAcknowledged),
            Delivery::Yes | Delivery::Unknown => self.unconfirmed = false,
        }
        Ok(())
    }

    /// Adds a reply that sessions share: copied if it is small, else sent at once without a copy.
    pub(crate) async fn share(&mut self, reply: &[u8]) -> Result<(), CloseReason> {
        if self.out.len() + reply.len() < BLOCK {
            self.out.extend_from_slice(reply);
            return Ok(());
        }
        self.flush().await?;
        self.send(reply).await
    }

    /// Sends everything collected. Where only replies cannot be sent any more, and every octet of a message was
    /// received, the commands that the client has sent are executed nevertheless.
    pub(crate) async fn flush(&mut self) -> Result<(), CloseReason> {
        let mut out = std::mem::take(&mut self.out);
        let message_octets = std::mem::take(&mut self.message_end);
        let sent = self.send(&out).await;
        out.clear();
        self.out = out;
        match sent {
            Err(CloseReason::Broken(_)) if message_octets == 0 && !self.unconfirmed => Ok(()),
            sent => sent,
        }
    }

    /// Frees the buffer for replies: an idle session needs none.
    pub(crate) fn rest(&mut self) {
        if self.out.is_empty() {
            self.out = Vec::new();
        }
    }

    async fn send(&mut self, octets: &[u8]) -> Result<(), CloseReason> {
        for block in blocks(octets) {
            let sending = async {
                self.stream.write_all(block).await?;
                self.stream.flush().await
            };
            let sent = tokio::select! {
                biased;
                sent = timeout(self.slow_reader, sending) => sent.map_err(|_| CloseReason::SlowReader)?,
                why = self.live.kicked() => return Err(CloseReason::Kicked(why)),
            };
            sent.map_err(|fault| CloseReason::broken(&fault))?;
        }
        Ok(())
    }

    /// Continues under TLS. Input read before is discarded: somebody in the middle may have injected it.
    pub(crate) async fn under_tls(&mut self, acceptor: &TlsAcceptor, limit: Duration) -> Result<(), CloseReason> {
        self.lines.forget();
        self.stream = match std::mem::replace(&mut self.stream, ClientStream::Gone) {
            ClientStream::Clear(transport) => handshake(acceptor, transport, limit, b"").await?,
            other => other,
        };
        Ok(())
    }

    /// Closes the connection: TLS sends `close_notify`, so that the client can distinguish an end from a cut. In clear
    /// the kernel closes with the socket.
    pub(crate) async fn close(&mut self) {
        if self.flush().await.is_ok() && !self.stream.is_clear() {
            let _ = timeout(FAREWELL, self.stream.shutdown()).await;
        }
    }

    /// Closes the connection to a client that may still be sending. What it sends is read and discarded: with unread
    /// input the kernel would reset the connection, and the last reply could be lost.
    pub(crate) async fn close_on_talker(&mut self) {
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

impl fmt::Display for DeliveryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(why) => write!(f, "a message could not be sent: {why}"),
            Self::NotAcknowledged => f.write_str("the client does not acknowledge what it was sent"),
        }
    }
}

/// Cuts what is to be sent into blocks; a small rest is sent with the last one.
fn blocks(mut octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = if octets.len() < BLOCK + BLOCK / 2 { octets.len() } else { BLOCK };
        let (block, rest) = octets.split_at_checked(length).filter(|(block, _)| !block.is_empty())?;
        octets = rest;
        Some(block)
    })
}

/// The result of a future, if there is one without a wait.
async fn at_once<T>(future: impl Future<Output = T>) -> Poll<T> {
    let mut future = pin!(future);
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

async fn read_some<T: Transport>(stream: &mut ClientStream<T>, lines: &mut Lines) -> io::Result<usize> {
    poll_fn(|cx| {
        let mut octets = [const { MaybeUninit::uninit() }; READ];
        let mut buffer = ReadBuf::uninit(&mut octets);
        ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer))?;
        lines.push(buffer.filled());
        let count = buffer.filled().len();
        // All that was written there: TLS may have used more than it filled.
        buffer.initialized_mut().zeroize();
        Poll::Ready(Ok(count))
    })
    .await
}
