//! One message on its way to the client.

use std::fmt;
use std::fs::File;
use std::io::{self, IoSliceMut, Seek as _};
use std::sync::Arc;

use rustix::io::{Errno, ReadWriteFlags, preadv2};

use crate::maildir::files::{Compression, FileState, Inflater, MARK, read};
use crate::maildir::mail_root::MaildropPath;
use crate::maildir::snapshot::{CachedMaildrop, Correction, Snapshot};

/// The octets of a message as they are on disk; if its file is compressed, those of the message within. Keeps the file
/// open until it is dropped.
pub struct Message {
    body: Body,
    /// Its first octets were read, and the file is the message itself.
    is_plain: bool,
    state: FileState,
    /// Octets on disk not yet read.
    left: u64,
    ended: bool,
    source: MessageSource,
}

enum Body {
    /// The file is the message itself.
    File(File),
    Inflated(Box<Inflater<File>>),
}

/// Where a message comes from, so that its listed octets can be corrected.
pub(in crate::maildir) struct MessageSource {
    pub(in crate::maildir) path: MaildropPath,
    pub(in crate::maildir) cached: Arc<CachedMaildrop>,
    pub(in crate::maildir) snapshot: Arc<Snapshot>,
    pub(in crate::maildir) index: usize,
}

impl Message {
    pub(in crate::maildir) fn new(file: File, state: FileState, source: MessageSource) -> Self {
        Self { body: Body::File(file), is_plain: false, state, left: state.size, ended: false, source }
    }

    /// Examines the first octets before any is sent. A compressed stream is read through, unless that was done when the
    /// message was counted, so that a damaged one is rejected before anything of it is sent. Blocks while the disk
    /// answers.
    pub(in crate::maildir) fn begin(self, largest: u64, is_counted: bool) -> io::Result<Self> {
        let Body::File(mut file) = self.body else { return Ok(self) };
        let form = Compression::look(&file)?;
        if form == Compression::Plain {
            return Ok(Self { body: Body::File(file), is_plain: true, ..self });
        }
        if !is_counted {
            form.verify(&file, largest)?;
            file.rewind()?;
        }
        let content = form.content(file, largest)?;
        Ok(Self { body: Body::Inflated(Box::new(content)), ..self })
    }

    pub(in crate::maildir) fn state(&self) -> FileState {
        self.state
    }

    /// Octets that may still come: those on disk that were not read yet. Of a compressed message the number is not
    /// known.
    #[must_use]
    pub fn left(&self) -> u64 {
        if matches!(self.body, Body::Inflated(_)) { u64::MAX } else { self.left }
    }

    /// Whether its first octets were read, and the file is the message itself.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Reads the next octets into `block`, and returns how many; 0 at the end. Blocks while the disk answers.
    ///
    /// # Errors
    /// The file cannot be read, ends before the size it had when it was opened (`UnexpectedEof`), has grown, or is not
    /// mail (`InvalidData`). What was read so far is not a whole message then.
    pub fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        if self.ended || block.is_empty() {
            return Ok(0);
        }
        match &mut self.body {
            Body::File(file) => {
                if !self.is_plain {
                    // A compressed file must not be sent as it is on disk.
                    Compression::look(file)?.require_plain()?;
                    self.is_plain = true;
                }
                let length = read(file, block)?;
                self.take(length, block.len())
            }
            Body::Inflated(content) => {
                let length = read(content, block)?;
                self.ended = length == 0;
                Ok(length)
            }
        }
    }

    /// The same with octets that are in memory already; none if that would mean waiting for the disk, or if the file
    /// turns out to be compressed: then [`Maildrop::fetch`] is needed.
    ///
    /// # Errors
    /// As [`Message::read`].
    ///
    /// [`Maildrop::fetch`]: crate::maildir::Maildrop::fetch
    pub fn read_cached(&mut self, block: &mut [u8]) -> io::Result<Option<usize>> {
        /// The current position of the file (preadv2(2)).
        const HERE: u64 = u64::MAX;
        if self.ended || block.is_empty() {
            return Ok(Some(0));
        }
        let Body::File(file) = &self.body else { return Ok(None) };
        match preadv2(file, &mut [IoSliceMut::new(block)], HERE, ReadWriteFlags::NOWAIT) {
            Ok(length) => {
                if !self.is_plain {
                    let form = if length < MARK { Compression::look(file)? } else { Compression::of(block) };
                    if form != Compression::Plain {
                        return Ok(None);
                    }
                    self.is_plain = true;
                }
                self.take(length, block.len()).map(Some)
            }
            // A file system may not support it.
            Err(Errno::AGAIN | Errno::INTR | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::PERM) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// All of it was sent; `octets` as RETR counts them. If another number was listed, that is logged, and the next
    /// session lists the right one.
    pub fn was_sent(&self, octets: u64) {
        self.source.compare(octets, self.state);
    }

    /// `room`: how many octets were asked for.
    fn take(&mut self, length: usize, room: usize) -> io::Result<usize> {
        if length == 0 && self.left > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file ended early"));
        }
        let Some(left) = self.left.checked_sub(length as u64) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the file grew while it was read"));
        };
        self.left = left;
        // There was room for more, and no more came.
        self.ended = left == 0 && length < room;
        Ok(length)
    }
}

impl MessageSource {
    /// The number of octets sent is right, whatever was listed; the next session lists it.
    fn compare(&self, sent: u64, state: FileState) {
        let Some((entry, listed)) = self.snapshot.entries.get(self.index).zip(self.snapshot.listed.get(self.index))
        else {
            return;
        };
        if listed.octets == sent {
            return;
        }
        let file = String::from_utf8_lossy(&entry.found.name);
        tracing::warn!(
            name: "octets_listed_differ",
            maildrop = self.path.to_string(),
            file = &*file,
            listed = listed.octets,
            sent,
            "octets listed differ from octets sent"
        );
        self.cached.correct(&entry.found, Correction::Sent(sent, state));
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("state", &self.state).field("left", &self.left).finish_non_exhaustive()
    }
}
