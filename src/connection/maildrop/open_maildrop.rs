//! The open maildrop of a session. File calls that may block run on threads of their own.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread::panicking;

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use super::lease::{MaildropLease, MaildropLeases};
use super::message_reader::MessageReader;
use super::opening::{OpenFault, OpenRequest, Openings};
use super::pool::{BlockingPool, CallFault, Pooled};
use crate::maildir::{Committed, Expiry, FetchFault, Maildrop, MaildropPath, PinFault};
use crate::pop3::Listing;

/// The open maildrop of one session.
pub(crate) struct OpenMaildrop {
    maildrop: Whereabouts,
    pool: BlockingPool,
    /// The messages that were sent completely.
    retrieved: BTreeSet<usize>,
    /// The buffer of the last message, reused while messages are fetched one after the other.
    spare: Vec<u8>,
    /// The next message, if they are fetched in order.
    next: usize,
    /// The client accepts UTF-8 in headers.
    utf8: bool,
    lease: Option<Arc<MaildropLease>>,
}

/// A maildrop, which is closed in its pool wherever it is dropped, and then the lease, which must not end before.
type Open = Pooled<Box<(Maildrop, Option<Arc<MaildropLease>>)>>;

/// Where the maildrop is between two calls.
enum Whereabouts {
    Here(Open),
    /// A call has it and is late; it comes back when the call ends.
    InCall(oneshot::Receiver<Open>),
    Lost,
}

/// A maildrop that a call has. It comes back when the call ends, or cannot begin because no thread is free; after a
/// panic it does not.
struct Lent {
    open: Option<Open>,
    back: Option<oneshot::Sender<Open>>,
}

/// Why unique-ids may not be sent now.
pub(crate) enum UnpinnedFault {
    Pin(PinFault),
    Call(CallFault),
}

impl fmt::Display for UnpinnedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pin(fault) => fault.fmt(f),
            Self::Call(fault) => fault.fmt(f),
        }
    }
}

impl OpenMaildrop {
    /// Takes a snapshot of a Maildir, once no other session has it that must not.
    pub(crate) async fn open(
        openings: &Openings,
        leases: &Arc<MaildropLeases>,
        path: &MaildropPath,
        person: Option<&str>,
        expiry: Option<Expiry>,
        utf8: bool,
    ) -> Result<(Self, Listing), OpenFault> {
        let (hold, lease) = leases.acquire(openings, path).await?.unzip();
        let wanted = OpenRequest { path: path.clone(), person: person.unwrap_or_default().to_owned(), expiry };
        let (maildrop, pool) = openings.enter(wanted, hold).await?;
        Ok(Self::with(maildrop, pool, lease, utf8))
    }

    fn with(maildrop: Maildrop, pool: BlockingPool, lease: Option<Arc<MaildropLease>>, utf8: bool) -> (Self, Listing) {
        let listing = maildrop.listing(utf8);
        let (retrieved, spare) = (BTreeSet::new(), Vec::new());
        let maildrop = Whereabouts::Here(Pooled::new(Box::new((maildrop, lease.clone())), pool.clone()));
        (Self { maildrop, pool, retrieved, spare, next: 0, utf8, lease }, listing)
    }

    /// Ends the session's use of the maildrop. Where it may have one session only, it is free when this returns, unless
    /// the file system does not answer in time.
    pub(crate) async fn close(mut self) {
        if self.lease.take().is_some() && !self.pool.is_local() {
            // Whether it succeeds or not, the maildrop is closed as soon as possible.
            if let Ok(open) = self.take().await {
                let _ = self.pool.run(move || drop(open.take())).await;
            }
        }
    }

    /// Whether there is no Maildir, so that clients see an empty one.
    pub(crate) fn is_missing(&self) -> bool {
        let Whereabouts::Here(open) = &self.maildrop else { return false };
        open.get().is_some_and(|open| open.0.is_missing())
    }

    /// The session's lease, where the maildrop may have one session only.
    pub(crate) fn lease(&self) -> Option<Arc<MaildropLease>> {
        self.lease.clone()
    }

    /// Pins unique-ids before they are sent; returns the listing that is valid from now on.
    pub(crate) async fn pin(&mut self, indices: Vec<usize>) -> Result<Listing, UnpinnedFault> {
        let utf8 = self.utf8;
        let pinned = self.call(move |maildrop| maildrop.pin(&indices).map(|()| maildrop.listing(utf8)));
        pinned.await.map_err(UnpinnedFault::Call)?.map_err(UnpinnedFault::Pin)
    }

    /// Opens a message and reads its first block: here if it is in memory, else on a thread that may wait.
    pub(crate) async fn fetch(&mut self, index: usize) -> Result<MessageReader, FetchFault> {
        let in_order = std::mem::replace(&mut self.next, index + 1) == index;
        let utf8 = self.utf8;
        if let Whereabouts::Here(open) = &mut self.maildrop
            && let Some(open) = open.get_mut()
            && let Some(message) = open.0.fetch_cached(index)?
        {
            let wraps = !utf8 && open.0.wraps(index);
            let mut reading = MessageReader::new(message, wraps, std::mem::take(&mut self.spare), self.pool.clone());
            if reading.fill_cached().map_err(FetchFault::Io)? {
                return Ok(reading);
            }
            if reading.is_plain() {
                return reading.waited_for().await.map_err(FetchFault::Io);
            }
            // Nothing is in memory, or it is compressed.
            self.spare = reading.into_block();
        }
        let (block, pool) = (std::mem::take(&mut self.spare), self.pool.clone());
        let fetched = self.call(move |maildrop| {
            let message = maildrop.fetch(index)?;
            let wraps = !utf8 && maildrop.wraps(index);
            let mut reading = MessageReader::new(message, wraps, block, pool);
            reading.fill()?;
            if in_order {
                maildrop.read_ahead(index + 1);
            }
            Ok(reading)
        });
        fetched.await.unwrap_or_else(|why| Err(FetchFault::Io(io::Error::other(why.to_string()))))
    }

    /// Makes a call that may block.
    async fn call<T: Send + 'static>(
        &mut self,
        call: impl FnOnce(&mut Maildrop) -> T + Send + 'static,
    ) -> Result<T, CallFault> {
        let open = self.take().await?;
        let (back, mut away) = oneshot::channel();
        let mut lent = Lent { open: Some(open), back: Some(back) };
        let call = move || lent.open.as_mut().and_then(Pooled::get_mut).map(|open| call(&mut open.0));
        let called = self.pool.run(call).await;
        self.maildrop = match away.try_recv() {
            Ok(open) => Whereabouts::Here(open),
            Err(TryRecvError::Empty) => Whereabouts::InCall(away),
            Err(TryRecvError::Closed) => Whereabouts::Lost,
        };
        called?.ok_or(CallFault::Internal)
    }

    async fn take(&mut self) -> Result<Open, CallFault> {
        match std::mem::replace(&mut self.maildrop, Whereabouts::Lost) {
            Whereabouts::Here(open) => Ok(open),
            Whereabouts::Lost => Err(CallFault::Internal),
            Whereabouts::InCall(mut away) => match self.pool.in_time(&mut away).await {
                Ok(open) => open.map_err(|_| CallFault::Internal),
                Err(late) => {
                    self.maildrop = Whereabouts::InCall(away);
                    Err(late)
                }
            },
        }
    }

    /// A message was sent completely; `octets` as RETR counts them.
    pub(crate) fn was_sent(&mut self, reading: MessageReader, octets: u64) {
        reading.was_sent(octets);
        self.give_back(reading);
    }

    /// Keeps the buffer for the next message.
    pub(crate) fn give_back(&mut self, reading: MessageReader) {
        self.spare = reading.into_block();
    }

    /// Frees what an idle session does not need: buffers and open files.
    pub(crate) fn rest(&mut self) {
        self.spare = Vec::new();
        if let Whereabouts::Here(open) = &mut self.maildrop
            && let Some(open) = open.get_mut()
        {
            open.0.rest();
        }
    }

    /// Notes that a message was sent completely.
    pub(crate) fn note_retrieved(&mut self, index: usize) {
        self.retrieved.insert(index);
    }

    /// Removes marked messages.
    pub(crate) async fn commit(&mut self, marks: Vec<usize>) -> Result<Committed, CallFault> {
        let retrieved: Vec<usize> = self.retrieved.iter().copied().collect();
        let commit = move |maildrop: &mut Maildrop| {
            maildrop.note_read(&retrieved);
            maildrop.commit(&marks)
        };
        self.call(commit).await
    }

    /// Does what else is due at the end of a session. It has a deadline of its own: even if it hangs, removed messages
    /// stay removed.
    pub(crate) async fn leave(&mut self, marks: Vec<usize>) -> Result<(), CallFault> {
        if !self.leaves_something() {
            return Ok(());
        }
        let retrieved: Vec<usize> = std::mem::take(&mut self.retrieved).into_iter().collect();
        self.call(move |maildrop| maildrop.leave(&marks, &retrieved)).await
    }

    /// Whether [`OpenMaildrop::leave`] would do anything.
    pub(crate) fn leaves_something(&self) -> bool {
        let Whereabouts::Here(open) = &self.maildrop else { return false };
        open.get().is_some_and(|open| open.0.leaves_something(!self.retrieved.is_empty()))
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(open), Some(back), false) = (self.open.take(), self.back.take(), panicking()) {
            // The receiver is gone where the session is over.
            let _ = back.send(open);
        }
    }
}
