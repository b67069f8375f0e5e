//! The open maildrop of a session. File calls block, so they run on threads of their own.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::wire::BLOCK;
use crate::maildir::{Committed, EnterFault, FetchFault, Maildrop, MaildropPath, Message, Store};
use crate::pop3::Listing;

/// A maildrop, at home between two calls.
pub(super) struct Mail {
    maildrop: Option<Maildrop>,
}

/// A message on its way, with the octets read last.
pub(super) struct Reading {
    message: Message,
    pub(super) block: Vec<u8>,
    pub(super) is_whole: bool,
}

impl Mail {
    /// Takes a snapshot of a Maildir.
    pub(super) async fn open(store: &Arc<Store>, path: &MaildropPath) -> Result<(Self, Listing), EnterFault> {
        let (store, path) = (store.clone(), path.clone());
        let entered = spawn_blocking(move || store.enter(&path)).await;
        let maildrop = entered.unwrap_or_else(|_| Err(EnterFault::Unavailable("internal error".to_owned())))?;
        let listing = maildrop.listing();
        Ok((Self { maildrop: Some(maildrop) }, listing))
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
        self.maildrop = Some(maildrop);
        pinned
    }

    /// Opens a message and reads its first block.
    pub(super) async fn fetch(&mut self, index: usize) -> Result<Reading, FetchFault> {
        let Some(mut maildrop) = self.maildrop.take() else { return Err(FetchFault::Gone) };
        let fetched = spawn_blocking(move || {
            let reading = maildrop.fetch(index).and_then(|message| Reading::begin(message).map_err(FetchFault::Io));
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
    fn begin(message: Message) -> std::io::Result<Self> {
        let mut reading = Self { message, block: vec![0; BLOCK], is_whole: false };
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
        Ok(())
    }
}
