//! Octets both ways until one side ends. Each direction has one buffer of fixed size: a side that reads slowly slows down
//! the other.

use std::io;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf, copy_bidirectional_with_sizes};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::traffic::Traffic;
use crate::ledger::SessionEnding;

/// Octets read at once from the client, which sends commands, and from the host, which sends messages.
const FROM_CLIENT: usize = 2 * 1024;
const FROM_HOST: usize = 16 * 1024;

/// How long the client may take to close after the host has.
const FAREWELL: Duration = Duration::from_secs(5);

/// How long nothing must have been passed on before a shutdown ends a session: replies to commands that were already sent
/// are passed on.
const SHUTDOWN_QUIET: Duration = Duration::from_millis(250);

/// The time limits of a session that is passed on.
#[derive(Clone, Copy, Debug)]
pub struct PassOnLimits {
    /// How long nothing may be passed on.
    pub idle: Duration,
    /// How long a client may take nothing while something waits for it.
    pub slow_reader: Duration,
}

/// Why nothing more is passed on.
#[derive(Debug)]
pub enum RelayEnd {
    /// The client closed.
    Client,
    /// The host closed.
    Host,
    /// Nothing was passed on for too long.
    Idle,
    /// The client took nothing for too long.
    SlowReader,
    /// An administrator ends the session.
    Kicked(SessionEnding),
    /// The service shuts down.
    Shutdown,
    /// The connection to the client failed.
    ClientBroken(io::Error),
    /// The connection to the host failed.
    HostBroken(io::Error),
}

/// Which side closed or failed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RelaySide {
    Client,
    Host,
}

/// What both sides report to whoever watches the time.
struct Watch<'t> {
    traffic: &'t Traffic,
    /// The side that closed or failed first.
    first: Mutex<Option<RelaySide>>,
    changed: Notify,
    /// Something waits for the client.
    waits_for_client: std::sync::atomic::AtomicBool,
}

/// One side, watched.
struct Watched<'w, 't, S> {
    stream: S,
    side: RelaySide,
    watch: &'w Watch<'t>,
}

/// Passes octets on until one side ends, a limit is reached, or one of two events happens. `pipelined`: what the client has
/// already sent.
pub async fn pass_on<C, H>(
    client: C,
    host: H,
    pipelined: &[u8],
    traffic: &Traffic,
    limits: PassOnLimits,
    kicked: impl Future<Output = SessionEnding>,
    draining: impl Future<Output = ()>,
) -> RelayEnd
where
    C: AsyncRead + AsyncWrite + Unpin,
    H: AsyncRead + AsyncWrite + Unpin,
{
    let watch = Watch { traffic, first: Mutex::new(None), changed: Notify::new(), waits_for_client: false.into() };
    let mut client = Watched { stream: client, side: RelaySide::Client, watch: &watch };
    let mut host = Watched { stream: host, side: RelaySide::Host, watch: &watch };
    let copying = async {
        traffic.note_from_client(pipelined);
        host.stream.write_all(pipelined).await?;
        host.stream.flush().await?;
        copy_bidirectional_with_sizes(&mut client, &mut host, FROM_CLIENT, FROM_HOST).await
    };
    let shutdown = async {
        draining.await;
        while traffic.quiet() < SHUTDOWN_QUIET {
            sleep(SHUTDOWN_QUIET).await;
        }
    };
    let copied = tokio::select! {
        biased;
        copied = copying => copied,
        why = kicked => return RelayEnd::Kicked(why),
        () = shutdown => return RelayEnd::Shutdown,
        end = watch.out_of_time(limits) => return end,
    };
    match (copied, watch.first()) {
        (Ok(_), Some(RelaySide::Host)) => RelayEnd::Host,
        (Ok(_), _) => RelayEnd::Client,
        (Err(fault), Some(RelaySide::Client)) => RelayEnd::ClientBroken(fault),
        (Err(fault), _) => RelayEnd::HostBroken(fault),
    }
}

impl Watch<'_> {
    /// Completes once a limit is reached. The end of one side shortens the time for the other.
    async fn out_of_time(&self, limits: PassOnLimits) -> RelayEnd {
        loop {
            let is_slow = self.waits_for_client.load(std::sync::atomic::Ordering::Relaxed);
            let (most, end) = match self.first() {
                Some(RelaySide::Host) => (FAREWELL, RelayEnd::Host),
                Some(RelaySide::Client) => (limits.slow_reader, RelayEnd::Client),
                None if is_slow => (limits.slow_reader.min(limits.idle), RelayEnd::SlowReader),
                None => (limits.idle, RelayEnd::Idle),
            };
            let left = most.saturating_sub(self.traffic.quiet());
            if left.is_zero() {
                return end;
            }
            tokio::select! {
                // Looked at again in time for a client that became slow meanwhile.
                () = sleep(left.min(limits.slow_reader)) => {}
                () = self.changed.notified() => {}
            }
        }
    }

    fn first(&self) -> Option<RelaySide> {
        *self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_end(&self, side: RelaySide) {
        self.first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(side);
        self.changed.notify_one();
    }

    fn note_waiting(&self, waits: bool) {
        self.waits_for_client.store(waits, std::sync::atomic::Ordering::Relaxed);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<'_, '_, S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (this, before) = (self.get_mut(), buffer.filled().len());
        let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(cx, buffer) else { return Poll::Pending };
        let octets = buffer.filled().get(before..).unwrap_or_default();
        match read {
            Ok(()) if !octets.is_empty() => {
                if this.side == RelaySide::Client {
                    this.watch.traffic.note_from_client(octets);
                }
                Poll::Ready(Ok(()))
            }
            // Without TLS's `close_notify` it is an end as well: a message that it cuts has no final dot.
            Ok(()) => {
                this.watch.note_end(this.side);
                Poll::Ready(Ok(()))
            }
            Err(fault) if fault.kind() == io::ErrorKind::UnexpectedEof => {
                this.watch.note_end(this.side);
                Poll::Ready(Ok(()))
            }
            Err(fault) => {
                this.watch.note_end(this.side);
                Poll::Ready(Err(fault))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<'_, '_, S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, octets);
        if this.side == RelaySide::Client {
            this.watch.note_waiting(written.is_pending());
        }
        match &written {
            Poll::Ready(Ok(count)) if this.side == RelaySide::Client => this.watch.traffic.note_to_client(*count),
            Poll::Ready(Err(_)) => this.watch.note_end(this.side),
            _ => {}
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        if this.side == RelaySide::Client {
            this.watch.note_waiting(flushed.is_pending());
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
