//! The open maildrop of a session. File calls that may block run on threads of their own.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::wire::BLOCK;
use crate::maildir::{Committed, EnterFault, FetchFault, Maildrop, MaildropPath, Message, Store};
use crate::pop3::Listing;

/// A maildrop, at home between two calls.
pub(super) struct Mail {
    maildrop: Option<Maildrop>,
    /// What the last message was read into, while one is fetched after the other.
    spare: Vec<u8>,
    /// Which message would be next if they are fetched in order.
    next: usize,
}

/// A message on its way, with the octets read last.
pub(super) struct Reading {
    message: Message,
    block: Vec<u8>,
    filled: usize,
    pub(super) is_whole: bool,
}

/// Octets that are read at a time where the disk has to be waited for: each time costs two hops between threads.
const LARGE: usize = 4 * BLOCK;

impl Mail {
    /// Takes a snapshot of a Maildir.
    pub(super) async fn open(store: &Arc<Store>, path: &MaildropPath) -> Result<(Self, Listing), EnterFault> {
        // Two hops between threads cost more than everything else that a login needs.
        if let Some(maildrop) = store.enter_unchanged(path) {
            return Ok(Self::with(maildrop));
        }
        let (store, path) = (store.clone(), path.clone());
        let entered = spawn_blocking(move || store.enter(&path)).await;
        let maildrop = entered.unwrap_or_else(|_| Err(EnterFault::Unavailable("internal error".to_owned())))?;
        Ok(Self::with(maildrop))
    }

    fn with(maildrop: Maildrop) -> (Self, Listing) {
        let listing = maildrop.listing();
        (Self { maildrop: Some(maildrop), spare: Vec::new(), next: 0 }, listing)
    }

    /// Opens a message and reads its first block: here if it is in memory, else on a thread that may wait.
    pub(super) async fn fetch(&mut self, index: usize) -> Result<Reading, FetchFault> {
        let Some(maildrop) = &mut self.maildrop else { return Err(FetchFault::Gone) };
        let in_order = std::mem::replace(&mut self.next, index + 1) == index;
        let block = std::mem::take(&mut self.spare);
        if let Some(message) = maildrop.fetch_cached(index)? {
            let mut reading = Reading::new(message, block);
            if !reading.fill_cached().map_err(FetchFault::Io)? {
                reading = reading.waited_for().await.map_err(FetchFault::Io)?;
            }
            return Ok(reading);
        }
        let Some(mut maildrop) = self.maildrop.take() else { return Err(FetchFault::Gone) };
        let fetched = spawn_blocking(move || {
            let reading = maildrop.fetch(index).and_then(|message| {
                let mut reading = Reading::new(message, block);
                reading.fill().map(|()| reading).map_err(FetchFault::Io)
            });
            if in_order {
                maildrop.read_ahead(index + 1);
            }
            (maildrop, reading)
        });
        let Ok((maildrop, reading)) = fetched.await else { return Err(FetchFault::Gone) };
        self.maildrop = Some(maildrop);
        reading
    }

    /// All of a message was sent, so many octets as RETR counts them.
    pub(super) fn was_sent(&mut self, reading: Reading, octets: u64) {
        reading.message.was_sent(octets);
        self.give_back(reading);
    }

    /// What a message was read into serves the next one.
    pub(super) fn give_back(&mut self, reading: Reading) {
        self.spare = reading.block;
    }

    /// Nothing is wanted for a while: an idle session needs no memory and no open file.
    pub(super) fn rest(&mut self) {
        self.spare = Vec::new();
        if let Some(maildrop) = &mut self.maildrop {
            maildrop.rest();
        }
    }

    /// Removes marked messages.
    pub(super) async fn commit(&mut self, marks: Vec<usize>) -> Committed {
        let lost = || Committed { removed: 0, already_gone: 0, failed: vec!["internal error".to_owned()] };
        let Some(mut maildrop) = self.maildrop.take() else { return lost() };
        spawn_blocking(move || maildrop.commit(&marks)).await.unwrap_or_else(|_| lost())
    }
}

impl Reading {
    fn new(message: Message, mut block: Vec<u8>) -> Self {
        // One octet more than there is shows that there is no more.
        let room = usize::try_from(message.left()).map_or(BLOCK, |left| BLOCK.min(left + 1));
        if block.len() < room {
            block.resize(room, 0);
        }
        Self { message, block, filled: 0, is_whole: false }
    }

    /// The octets read last.
    pub(super) fn octets(&self) -> &[u8] {
        self.block.get(..self.filled).unwrap_or_default()
    }

    /// Reads the next block.
    pub(super) async fn go_on(mut self) -> std::io::Result<Self> {
        self.filled = 0;
        if self.fill_cached()? {
            return Ok(self);
        }
        self.waited_for().await
    }

    /// The rest of the block, however long the disk takes.
    async fn waited_for(mut self) -> std::io::Result<Self> {
        let reading = spawn_blocking(move || {
            if self.message.left() > BLOCK as u64 {
                self.block.resize(LARGE, 0);
            }
            self.fill().map(|()| self)
        });
        reading.await.unwrap_or_else(|_| Err(std::io::Error::other("internal error")))
    }

    /// Fills the block, or reads to the end of the message.
    fn fill(&mut self) -> std::io::Result<()> {
        self.fill_by(|message, room| message.read(room).map(Some)).map(|_| ())
    }

    /// The same by what is in memory; false if that was not all.
    fn fill_cached(&mut self) -> std::io::Result<bool> {
        self.fill_by(Message::read_cached)
    }

    fn fill_by(
        &mut self,
        read: impl Fn(&mut Message, &mut [u8]) -> std::io::Result<Option<usize>>,
    ) -> std::io::Result<bool> {
        while let Some(room) = self.block.get_mut(self.filled..).filter(|room| !room.is_empty()) {
            match read(&mut self.message, room)? {
                None => return Ok(false),
                Some(0) => {
                    self.is_whole = true;
                    break;
                }
                Some(count) => self.filled += count,
            }
        }
        Ok(true)
    }
}
