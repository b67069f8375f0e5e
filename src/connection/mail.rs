//! The open maildrop of a session. File calls that may block run on threads of their own.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::Service;
use super::turns::{self, InUse, Turn};
use super::wire::BLOCK;
use crate::maildir::{Committed, EnterFault, FetchFault, Maildrop, MaildropPath, Message};
use crate::pop3::{Listing, Wrapping};

/// A maildrop, at home between two calls.
pub(super) struct Mail {
    maildrop: Option<Maildrop>,
    /// The messages that went out whole, each once.
    retrieved: BTreeSet<usize>,
    /// The client takes UTF-8 in headers.
    utf8: bool,
    /// Behind the maildrop, so that it ends after that is let go.
    turn: Option<Turn>,
}

/// Why a maildrop is not open.
pub(super) enum NotEntered {
    InUse,
    Fault(EnterFault),
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
    /// Takes a snapshot of a Maildir, once nobody else has it who must not.
    pub(super) async fn open(
        service: &Service,
        path: &MaildropPath,
        person: Option<&str>,
        utf8: bool,
    ) -> Result<(Self, Listing), NotEntered> {
        let turn = turns::hold(service, path).await.map_err(|InUse| NotEntered::InUse)?;
        let (hold, turn) = turn.unzip();
        let person = person.unwrap_or_default();
        // Two hops between threads cost more than everything else that a login needs.
        let unchanged = service.store.enter_unchanged(path).and_then(|maildrop| maildrop.of(person).ok());
        let maildrop = if let Some(maildrop) = unchanged {
            maildrop.held(hold)
        } else {
            let (store, path, person) = (Arc::clone(&service.store), path.clone(), person.to_owned());
            let entered = spawn_blocking(move || store.enter(&path)?.held(hold).of(&person)).await;
            let internal = |_| Err(EnterFault::Unavailable("internal error".to_owned()));
            entered.unwrap_or_else(internal).map_err(NotEntered::Fault)?
        };
        let listing = maildrop.listing(utf8);
        Ok((Self { maildrop: Some(maildrop), retrieved: BTreeSet::new(), utf8, turn }, listing))
    }

    /// The session's turn, where the maildrop may have one session only.
    pub(super) fn turn(&self) -> Option<&Turn> {
        self.turn.as_ref()
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

    /// Notes that a message went out whole.
    pub(super) fn note_retrieved(&mut self, index: usize) {
        self.retrieved.insert(index);
    }

    /// Removes marked messages, and does what else is to be done at the end of a session.
    pub(super) async fn commit(&mut self, marks: Vec<usize>) -> Committed {
        let lost = || Committed { removed: 0, already_gone: 0, failed: vec!["internal error".to_owned()] };
        let Some(mut maildrop) = self.maildrop.take() else { return lost() };
        let retrieved: Vec<usize> = std::mem::take(&mut self.retrieved).into_iter().collect();
        let update = move || {
            let committed = maildrop.commit(&marks);
            maildrop.leave(&marks, &retrieved);
            committed
        };
        spawn_blocking(update).await.unwrap_or_else(|_| lost())
    }

    /// Whether a commit without marks would do anything.
    pub(super) fn leaves_something(&self) -> bool {
        let retrieved = !self.retrieved.is_empty();
        self.maildrop.as_ref().is_some_and(|maildrop| maildrop.leaves_something(retrieved))
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
