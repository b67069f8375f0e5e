//! The open maildrop of a session. File calls that may block run on threads of their own.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::wire::BLOCK;
use crate::maildir::{Committed, EnterFault, FetchFault, Maildrop, MaildropPath, Message, Store};
use crate::pop3::{Listing, Wrapping};

/// A maildrop, at home between two calls.
pub(super) struct Mail {
    maildrop: Option<Maildrop>,
    /// The client takes UTF-8 in headers.
    utf8: bool,
}

/// A message on its way, with the octets read last.
pub(super) struct Reading {
    message: Message,
    /// What turns the message's octets into those of its surrogate, until its end.
    wrapping: Option<Wrapping>,
    pub(super) block: Vec<u8>,
    pub(super) is_whole: bool,
}

impl Mail {
    /// Takes a snapshot of a Maildir.
    pub(super) async fn open(
        store: &Arc<Store>,
        path: &MaildropPath,
        utf8: bool,
    ) -> Result<(Self, Listing), EnterFault> {
        // Two hops between threads cost more than everything else that a login needs.
        if let Some(maildrop) = store.enter_unchanged(path) {
            return Ok(Self::with(maildrop, utf8));
        }
        let (store, path) = (store.clone(), path.clone());
        let entered = spawn_blocking(move || store.enter(&path)).await;
        let maildrop = entered.unwrap_or_else(|_| Err(EnterFault::Unavailable("internal error".to_owned())))?;
        Ok(Self::with(maildrop, utf8))
    }

    fn with(maildrop: Maildrop, utf8: bool) -> (Self, Listing) {
        let listing = maildrop.listing(utf8);
        (Self { maildrop: Some(maildrop), utf8 }, listing)
    }

    /// Pins unique-ids before they are told; gives the listing that holds from now on.
    pub(super) async fn pin(&mut self, indices: Vec<usize>) -> Result<Listing, String> {
        let lost = || Err("internal error".to_owned());
        let Some(mut maildrop) = self.maildrop.take() else { return lost() };
        let pinned = spawn_blocking(move || {
            let pinned = maildrop.pin(&indices).map_err(|fault| fault.to_string());
            (maildrop, pinned)
        });
        let Ok((maildrop, pinned)) = pinned.await else { return lost() };
        let listing = maildrop.listing(self.utf8);
        self.maildrop = Some(maildrop);
        pinned.map(|()| listing)
    }

    /// Opens a message and reads its first block.
    pub(super) async fn fetch(&mut self, index: usize) -> Result<Reading, FetchFault> {
        let Some(mut maildrop) = self.maildrop.take() else { return Err(FetchFault::Gone) };
        let wrapping = (!self.utf8 && maildrop.wraps(index)).then(Wrapping::default);
        let fetched = spawn_blocking(move || {
            let message = maildrop.fetch(index);
            let reading = message.and_then(|message| Reading::begin(message, wrapping).map_err(FetchFault::Io));
            (maildrop, reading)
        });
        let Ok((maildrop, reading)) = fetched.await else { return Err(FetchFault::Gone) };
        self.maildrop = Some(maildrop);
        reading
    }

    /// Removes marked messages.
    pub(super) async fn commit(&mut self, marks: Vec<usize>) -> Committed {
        let lost = || Committed { removed: 0, already_gone: 0, failed: vec!["internal error".to_owned()] };
        let Some(mut maildrop) = self.maildrop.take() else { return lost() };
        spawn_blocking(move || maildrop.commit(&marks)).await.unwrap_or_else(|_| lost())
    }
}

impl Reading {
    fn begin(message: Message, wrapping: Option<Wrapping>) -> std::io::Result<Self> {
        let mut reading = Self { message, wrapping, block: vec![0; BLOCK], is_whole: false };
        reading.fill()?;
        Ok(reading)
    }

    /// Reads the next block.
    pub(super) async fn go_on(mut self) -> std::io::Result<Self> {
        let reading = spawn_blocking(move || {
            self.block.resize(BLOCK, 0);
            self.fill().map(|()| self)
        });
        reading.await.unwrap_or_else(|_| Err(std::io::Error::other("internal error")))
    }

    /// Fills the block, or reads to the end of the message.
    fn fill(&mut self) -> std::io::Result<()> {
        let mut filled = 0;
        while let Some(room) = self.block.get_mut(filled..).filter(|room| !room.is_empty()) {
            match self.message.read(room)? {
                0 => {
                    self.is_whole = true;
                    break;
                }
                count => filled += count,
            }
        }
        self.block.truncate(filled);
        self.wrap();
        Ok(())
    }

    /// Puts what the surrogate makes of the block in its place.
    fn wrap(&mut self) {
        let Some(wrapping) = &mut self.wrapping else { return };
        let mut wrapped = Vec::with_capacity(self.block.len());
        wrapping.push(&self.block, &mut wrapped);
        if self.is_whole
            && let Some(wrapping) = self.wrapping.take()
        {
            wrapping.finish(&mut wrapped);
        }
        self.block = wrapped;
    }
}
