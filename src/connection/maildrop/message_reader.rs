//! Reads a message, or its surrogate, block by block.

use std::io;

use super::pool::{BlockingPool, Pooled};
use crate::connection::settings::BLOCK;
use crate::maildir::Message;
use crate::pop3::{Octets, Wrapping};

/// A message that is being sent, with the block read last.
pub(crate) struct MessageReader {
    message: Pooled<Message>,
    block: Vec<u8>,
    filled: usize,
    /// Its surrogate, if that is sent in its place.
    wrapped: Option<Wrapped>,
    pub(crate) is_whole: bool,
    pool: BlockingPool,
}

/// The surrogate of a message: the octets that the last block becomes, and the state for the next block.
struct Wrapped {
    /// None at the end.
    wrapping: Option<Wrapping>,
    octets: Vec<u8>,
    /// The octets of the message itself.
    own: Octets,
}

/// Octets read at a time where the disk has to be waited for: each read costs two hops between threads.
const LARGE: usize = 4 * BLOCK;

impl MessageReader {
    /// `wraps`: read its surrogate. `block`: a buffer to reuse.
    pub(super) fn new(message: Message, wraps: bool, mut block: Vec<u8>, pool: BlockingPool) -> Self {
        // Room for one more octet than is left: a short read then shows the end.
        let room = usize::try_from(message.left()).map_or(BLOCK, |left| BLOCK.min(left.saturating_add(1)));
        if block.len() < room {
            block.resize(room, 0);
        }
        let wrapped = wraps.then(Wrapped::new);
        Self { message: Pooled::new(message, pool.clone()), block, filled: 0, wrapped, is_whole: false, pool }
    }

    pub(super) fn is_plain(&self) -> bool {
        self.message.get().is_some_and(Message::is_plain)
    }

    /// The block read last, or what is sent in its place.
    pub(crate) fn octets(&self) -> &[u8] {
        let read = || self.block.get(..self.filled).unwrap_or_default();
        self.wrapped.as_ref().map_or_else(read, |wrapped| &wrapped.octets)
    }

    /// It was sent completely; `octets` as RETR counts them.
    pub(super) fn was_sent(&self, octets: u64) {
        let octets = self.wrapped.as_ref().map_or(octets, |wrapped| wrapped.own.total());
        if let Some(message) = self.message.get() {
            message.was_sent(octets);
        }
    }

    /// The buffer, for reuse.
    pub(super) fn into_block(self) -> Vec<u8> {
        self.block
    }

    /// Reads the next block.
    pub(crate) async fn go_on(mut self) -> io::Result<Self> {
        self.filled = 0;
        if self.fill_cached()? {
            return Ok(self);
        }
        self.waited_for().await
    }

    /// Reads the rest of the block, however long the disk takes.
    pub(super) async fn waited_for(mut self) -> io::Result<Self> {
        let pool = self.pool.clone();
        let reading = pool.run(move || {
            if self.message.get().is_some_and(|message| message.left() > BLOCK as u64) {
                self.block.resize(LARGE, 0);
            }
            self.fill().map(|()| self)
        });
        reading.await.unwrap_or_else(|why| Err(io::Error::other(why.to_string())))
    }

    /// Fills the block, or reads up to the end of the message.
    pub(super) fn fill(&mut self) -> io::Result<()> {
        self.fill_by(|message, room| message.read(room).map(Some)).map(|_| ())
    }

    /// The same from the page cache; false if that did not suffice. Remote file systems are not asked.
    pub(super) fn fill_cached(&mut self) -> io::Result<bool> {
        if !self.pool.is_local() {
            return Ok(false);
        }
        self.fill_by(Message::read_cached)
    }

    fn fill_by(&mut self, read: impl Fn(&mut Message, &mut [u8]) -> io::Result<Option<usize>>) -> io::Result<bool> {
        let Some(message) = self.message.get_mut() else { return Ok(true) };
        while let Some(room) = self.block.get_mut(self.filled..).filter(|room| !room.is_empty()) {
            match read(message, room)? {
                None => return Ok(false),
                Some(0) => {
                    self.is_whole = true;
                    break;
                }
                Some(count) => self.filled += count,
            }
        }
        self.wrap();
        Ok(true)
    }

    /// Turns a block into what is sent in its place.
    fn wrap(&mut self) {
        let Some(wrapped) = &mut self.wrapped else { return };
        wrapped.take(self.block.get(..self.filled).unwrap_or_default());
        if self.is_whole {
            wrapped.end();
        }
    }
}

impl Wrapped {
    fn new() -> Self {
        Self { wrapping: Some(Wrapping::default()), octets: Vec::new(), own: Octets::default() }
    }

    fn take(&mut self, block: &[u8]) {
        self.octets.clear();
        self.own.push(block);
        if let Some(wrapping) = &mut self.wrapping {
            wrapping.push(block, &mut self.octets);
        }
    }

    fn end(&mut self) {
        if let Some(wrapping) = self.wrapping.take() {
            wrapping.finish(&mut self.octets);
        }
    }
}
