//! Files whose base names are the same, or differ in `,U=<n>` alone: one message, or several?
//!
//! Files with the same octets are one message: a back-up was restored, or a file was copied. Files with different
//! octets are several messages. The first one has the unique-id that belongs to its name. Each is pinned by a key made
//! from its name and its octets, which other programs do not change: so each keeps its unique-id, whichever of them is
//! removed, and none gets that of a deleted message. From then on, every message that arrives under the name is a later
//! one.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::io;

use rustix::fs::fstat;

use super::content_digest::{self, ContentDigest, ContentDigests, DuplicateFile, key_of};
use super::corrections::RemovedFiles;
use super::prior_sizes::PriorSizes;
use crate::maildir::fault::concerns_one_file;
use crate::maildir::files::{FileState, KEY_SEPARATOR, MessageFile, Moment, Parts, SharedName};
use crate::maildir::unique_ids::{Pins, unique};

/// The result of reading a file.
enum DigestResult {
    Read(ContentDigest),
    Unreadable,
    Gone,
}

/// Finds out which files of a maildrop are the same message, and which only share a name.
pub(in crate::maildir) struct SharedNames<'a> {
    parts: &'a Parts,
    pins: &'a Pins,
    known: Option<&'a PriorSizes<'a>>,
    removed: &'a RemovedFiles,
    resolved: SharedNameFiles,
}

/// The files and contents that were found.
#[derive(Debug, Default)]
pub(in crate::maildir) struct SharedNameFiles {
    pub(in crate::maildir) contents: ContentDigests,
    copies: HashMap<MessageFile, Vec<DuplicateFile>>,
}

/// One of several messages with the same name.
struct Member {
    found: MessageFile,
    content: Option<ContentDigest>,
    copies: Vec<DuplicateFile>,
    /// The key of its pin, which its first file gets in the end.
    key: Box<[u8]>,
}

impl SharedNameFiles {
    /// The further files of a message.
    pub(in crate::maildir) fn copies(&mut self, found: &MessageFile) -> Option<Vec<DuplicateFile>> {
        if self.copies.is_empty() { None } else { self.copies.remove(found) }
    }
}

impl<'a> SharedNames<'a> {
    pub(in crate::maildir) fn new(parts: &'a Parts, pins: &'a Pins, removed: &'a RemovedFiles) -> Self {
        Self { parts, pins, known: None, removed, resolved: SharedNameFiles::default() }
    }

    /// Adds what an earlier snapshot or the index says.
    pub(in crate::maildir) fn with(self, known: &'a PriorSizes<'a>) -> Self {
        Self { known: Some(known), ..self }
    }

    /// Makes messages of files, which come in order. Files are opened only if their names are not enough.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub(in crate::maildir) fn resolve(
        mut self,
        found: Vec<MessageFile>,
    ) -> io::Result<(Vec<MessageFile>, SharedNameFiles)> {
        let is_plain = |pair: &[MessageFile]| !matches!(pair, [one, other] if one.order(other) == Ordering::Equal);
        let knows_shared_names = self.pins.have_shared_names() || self.known.is_some_and(PriorSizes::has_shared_names);
        if !knows_shared_names && self.removed.is_empty() && found.windows(2).all(is_plain) {
            return Ok((found, self.resolved));
        }
        let mut messages = Vec::with_capacity(found.len());
        let mut rest = found.into_iter().peekable();
        while let Some(first) = rest.next() {
            let mut further = Vec::new();
            while let Some(next) = rest.next_if(|next| next.order(&first) == Ordering::Equal) {
                further.push(next);
            }
            if further.is_empty() {
                messages.push(self.without_others(first)?);
            } else {
                further.insert(0, first);
                messages.extend(self.group(further)?);
            }
        }
        Ok((messages, self.resolved))
    }

    /// A message that is now the only one of its name keeps its rank; if it was not listed before, but there were
    /// others, it is a later one.
    fn without_others(&mut self, mut found: MessageFile) -> io::Result<MessageFile> {
        let earlier = self.known.and_then(|known| known.shared_name(&found));
        if !self.had_others(&found) {
            found.shared_name =
                earlier.filter(|shared_name| matches!(shared_name, SharedName::Later(_))).cloned().map(Box::new);
            return Ok(found);
        }
        let content = match self.look(&found)? {
            DigestResult::Read(content) => Some(content),
            DigestResult::Unreadable => None,
            DigestResult::Gone => return Ok(found),
        };
        let key = key_of(&found, content.as_ref());
        let shared_name = self
            .earlier_shared_name(&found, &key)
            .or_else(|| (!self.is_listed(&found)).then_some(SharedName::Later(key)));
        found.shared_name = shared_name.map(Box::new);
        Ok(found)
    }

    /// Whether there were other messages of its name, which clients may know.
    fn had_others(&self, found: &MessageFile) -> bool {
        self.removed.has_another(found) || self.pins.have_shared_name_of(&found.identity())
    }

    fn is_listed(&self, found: &MessageFile) -> bool {
        self.known.is_some_and(|known| known.is_listed(found))
    }

    /// The earlier rank of a message among those that share its name, by its pin or by an earlier listing.
    fn earlier_shared_name(&self, found: &MessageFile, key: &[u8]) -> Option<SharedName> {
        if let Some((key, pin)) = self.pins.get_exactly(key) {
            let is_later = pin.unique_id == unique::hashed(key);
            return Some(if is_later { SharedName::Later(key.into()) } else { SharedName::First(key.into()) });
        }
        // By its name with `,U=<n>`, as in files from before such keys existed.
        if found.base() != &*found.identity() && self.pins.get_exactly(found.base()).is_some() {
            return Some(SharedName::Later(found.base().into()));
        }
        // Another file may have the inode of one that is gone.
        let is_of = |shared_name: &&SharedName| shared_name.key() == key || !shared_name.key().contains(&KEY_SEPARATOR);
        self.known.and_then(|known| known.shared_name(found)).filter(is_of).cloned()
    }

    fn group(&mut self, group: Vec<MessageFile>) -> io::Result<Vec<MessageFile>> {
        let mut members: Vec<Member> = Vec::new();
        for found in group {
            let content = match self.look(&found)? {
                DigestResult::Read(content) => Some(content),
                DigestResult::Unreadable => None,
                DigestResult::Gone => continue,
            };
            match (content, members.iter_mut().find(|member| member.is_same(content))) {
                (Some(content), Some(member)) => member.join(found, content, self.known),
                _ => members.push(Member { found, content, copies: Vec::new(), key: Box::default() }),
            }
        }
        let messages = if members.len() > 1 { self.rank_members(members) } else { members };
        let mut found = Vec::with_capacity(messages.len());
        for Member { found: mut message, copies, .. } in messages {
            if message.shared_name.is_none() {
                message = self.without_others(message)?;
            }
            if !copies.is_empty() {
                self.resolved.copies.insert(message.clone(), copies);
            }
            found.push(message);
        }
        Ok(found)
    }

    /// Assigns keys and ranks; the first one comes first.
    fn rank_members(&self, mut members: Vec<Member>) -> Vec<Member> {
        for member in &mut members {
            let key = key_of(&member.found, member.content.as_ref());
            let before = member.files().find_map(|file| self.earlier_shared_name(file, &key));
            let is_newcomer =
                |names: &Self| names.had_others(&member.found) && !member.files().any(|file| names.is_listed(file));
            let shared_name = before.or_else(|| is_newcomer(self).then(|| SharedName::Later(key.clone())));
            member.found.shared_name = shared_name.map(Box::new);
            member.key = key;
        }
        let has_first =
            members.iter().any(|member| matches!(member.found.shared_name.as_deref(), Some(SharedName::First(_))));
        let open = members.iter().enumerate().filter(|(_, member)| member.found.shared_name.is_none());
        let oldest = open.min_by_key(|(_, member)| self.seniority(member)).map(|(index, _)| index);
        let first = oldest.filter(|_| !has_first);
        for (index, member) in members.iter_mut().enumerate().filter(|(_, member)| member.found.shared_name.is_none()) {
            let key = std::mem::take(&mut member.key);
            let shared_name = if Some(index) == first { SharedName::First(key) } else { SharedName::Later(key) };
            member.found.shared_name = Some(Box::new(shared_name));
        }
        members.sort_by(|one, other| one.found.shared_name.cmp(&other.found.shared_name));
        members
    }

    /// Sorts the oldest message first: it was listed before, it is in the index, or its file is the oldest.
    fn seniority<'m>(&self, member: &'m Member) -> (bool, bool, bool, Option<[Moment; 2]>, &'m [u8], &'m MessageFile) {
        let is_listed = member.files().any(|file| self.is_listed(file));
        let is_indexed = member.files().any(|file| self.known.is_some_and(|known| known.is_indexed(file)));
        // Files that were made within one tick of the kernel's clock have the same age.
        let age = member
            .content
            .map(|ContentDigest { birth_time, state, .. }| [birth_time.unwrap_or(state.modified), state.modified]);
        (!is_listed, !is_indexed, age.is_none(), age, member.found.base(), &member.found)
    }

    /// Reads the content of a file.
    fn look(&mut self, found: &MessageFile) -> io::Result<DigestResult> {
        let file = match content_digest::opened(self.parts, found) {
            Ok(None) => return Ok(DigestResult::Gone),
            Ok(Some(file)) => file,
            Err(error) if concerns_one_file(&error) => return Ok(DigestResult::Unreadable),
            Err(error) => return Err(error),
        };
        let Some(state) = FileState::of(&fstat(&file)?) else { return Ok(DigestResult::Gone) };
        let earlier = self.known.and_then(|known| known.content(found)).filter(|content| content.state == state);
        let content = match earlier.map_or_else(|| content_digest::read(&file, state), Ok) {
            Ok(content) => content,
            Err(error) if concerns_one_file(&error) => return Ok(DigestResult::Unreadable),
            Err(error) => return Err(error),
        };
        self.resolved.contents.insert(found.inode, content);
        Ok(DigestResult::Read(content))
    }
}

impl Member {
    fn files(&self) -> impl Iterator<Item = &MessageFile> {
        [&self.found].into_iter().chain(self.copies.iter().map(|copy| &copy.found))
    }

    fn is_same(&self, content: Option<ContentDigest>) -> bool {
        let same = |one: ContentDigest, other: ContentDigest| {
            one.is_whole && other.is_whole && (one.state.size, one.digest) == (other.state.size, other.digest)
        };
        self.content.zip(content).is_some_and(|(one, other)| same(one, other))
    }

    /// Adds a further file; the one that was listed before stays first, or else the one in `cur` with more flags.
    fn join(&mut self, found: MessageFile, content: ContentDigest, known: Option<&PriorSizes<'_>>) {
        let is_listed = |found: &MessageFile| known.is_some_and(|known| known.is_listed(found));
        if let Some(own) = &mut self.content {
            own.birth_time = own.birth_time.min(content.birth_time);
        }
        let (mut copy, mut state) = (found, content.state);
        if !is_listed(&self.found)
            && let Some(own) = &mut self.content
        {
            std::mem::swap(&mut self.found, &mut copy);
            std::mem::swap(&mut own.state, &mut state);
        }
        self.copies.push(DuplicateFile { found: copy, state });
    }
}
