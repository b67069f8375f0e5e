//! The messages of a Maildir in order, each once, and none left out while other programs rename them.
//!
//! Reading a directory while others rename files in it may miss a file that was there all the time: its old name is
//! gone before the reading reaches it, and its new name appears where the reading has already been. So a list is used
//! only if nothing changed in between, as the stamps show; or if each directory answered in one call; or if several
//! readings in a row find nothing new.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, FileType, statat};

use super::aside::{self, LEFT_BEHIND, PAUSE};
use super::fresh;
use super::scan::{MessageFile, Parts, ScanResult, Subdirectory};
use super::stamp::{Moment, Stamps};

/// How often the names are read again while they change.
const ROUNDS: usize = 40;

/// This many readings in a row must find no new message.
const CALM: usize = 6;

/// How old a change on another machine's file system must be for no other to share its stamp, its clock being a little
/// ahead of ours, or behind.
const ELSEWHERE: Duration = Duration::from_secs(2);

/// How long to wait for files that sessions have taken from their names.
const PATIENCE: Duration = Duration::from_secs(3);

/// For how long the same stamps show that the names are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::maildir) enum Validity {
    /// Not at all: something may have changed while they were read, or a later change may get the same stamp.
    None,
    /// Within the session. Nothing changed while they were read, so a message that is not among them is gone, and no
    /// later change gets the same stamp unless the clock is set back.
    Session,
    /// For later sessions as well: the last change is older than the configured granularity.
    Lasting,
}

/// The messages of a Maildir in order, each once.
#[derive(Clone, Debug)]
pub(in crate::maildir) struct FileList {
    pub(in crate::maildir) found: Vec<MessageFile>,
    pub(in crate::maildir) stamps: Stamps,
    /// The directories lie on local file systems.
    pub(in crate::maildir) local: bool,
    pub(in crate::maildir) validity: Validity,
    /// The first entry that is not a regular file.
    pub(in crate::maildir) odd: Option<PathBuf>,
}

impl FileList {
    /// The file that now contains the message of `wanted`: its flags may have been changed, it may have moved from
    /// `new` to `cur`, or `,U=<n>` may have been added; or another file replaced it. `others`: the messages listed with
    /// it, and the further files of any.
    pub(in crate::maildir) fn follow<'a>(
        &self,
        wanted: &MessageFile,
        others: impl Iterator<Item = &'a MessageFile>,
    ) -> Option<&MessageFile> {
        if let Some(same) = self.like(wanted).find(|found| found.is_same_message(wanted)) {
            return Some(same);
        }
        let is_beside = |other: &&MessageFile| other.order(wanted) == Ordering::Equal && !other.is_same_message(wanted);
        let taken: Vec<&MessageFile> = others.filter(is_beside).collect();
        // If inodes are unknown, only the name identifies it.
        let may_be =
            |found: &&MessageFile| wanted.inode == 0 || (found.place, &found.name) == (wanted.place, &wanted.name);
        let mut left = self.like(wanted).filter(|found| !taken.iter().any(|other| other.is_same_message(found)));
        left.find(may_be)
    }

    /// Whether a message is among them, under whatever name.
    pub(in crate::maildir) fn has(&self, wanted: &MessageFile) -> bool {
        has(&self.found, wanted)
    }

    /// Adds what a further reading found.
    fn add(&mut self, further: Vec<MessageFile>) {
        let missing: Vec<MessageFile> = further.into_iter().filter(|found| !self.has(found)).collect();
        if !missing.is_empty() {
            self.found.extend(missing);
            self.found = in_order(std::mem::take(&mut self.found));
        }
    }

    /// Those that differ from a message in `,U=<n>` at most.
    pub(in crate::maildir) fn like(&self, wanted: &MessageFile) -> impl Iterator<Item = &MessageFile> {
        like(&self.found, wanted)
    }
}

fn like<'a>(found: &'a [MessageFile], wanted: &MessageFile) -> impl Iterator<Item = &'a MessageFile> {
    let start = found.partition_point(|found| found.order(wanted) == Ordering::Less);
    found.iter().skip(start).take_while(|found| found.order(wanted) == Ordering::Equal)
}

fn has(found: &[MessageFile], wanted: &MessageFile) -> bool {
    like(found, wanted).any(|found| found.is_same_message(wanted))
}

/// Reading the names until they are complete.
struct RepeatedScan<'a> {
    parts: &'a Parts,
    local: bool,
    /// All that was found so far, in order.
    found: Vec<MessageFile>,
    odd: Option<PathBuf>,
    /// The number of readings in a row that found no new message.
    calm: usize,
}

/// What one reading found, and when it began.
struct StampedScan {
    begun: Moment,
    /// The stamps of that moment.
    before: Stamps,
    look: ScanResult,
}

impl Parts {
    /// Reads the names until no message can be missing. `timestamp_granularity`: how old a change must be for no later
    /// one to share its stamp.
    ///
    /// # Errors
    /// They cannot be read, or further messages appeared for as long as they were read.
    pub(in crate::maildir) fn names(&self, timestamp_granularity: Duration) -> io::Result<FileList> {
        let local = self.are_local();
        let mut reading = RepeatedScan { parts: self, local, found: Vec::new(), odd: None, calm: 0 };
        for round in 0..ROUNDS {
            if let Some(names) = reading.round(round, timestamp_granularity)? {
                return Ok(names);
            }
        }
        Err(io::Error::other("the names in new and cur never hold still: no list of them would be whole"))
    }

    /// Looks a second time for earlier messages that are not among the names: on a file system whose answers may be
    /// old, or while others rename files, a message that is not found may still exist. `indexed`: messages of which
    /// only the inode is known.
    pub(in crate::maildir) fn look_again<'f>(
        &self,
        names: &mut FileList,
        known: impl Iterator<Item = &'f MessageFile>,
        mut indexed: impl Iterator<Item = u64>,
    ) -> io::Result<()> {
        if names.validity >= Validity::Session {
            return Ok(());
        }
        // Another file under the same name is in its place.
        let is_replaced = |found: &MessageFile| names.like(found).any(|other| other.name == found.name);
        let inodes: HashSet<u64> = names.found.iter().map(|found| found.inode).filter(|inode| *inode != 0).collect();
        let may_be_missing = known.filter(|found| !inodes.contains(&found.inode));
        let missing: Vec<&MessageFile> =
            may_be_missing.filter(|found| !names.has(found) && !is_replaced(found)).collect();
        if missing.is_empty() && indexed.all(|inode| inode == 0 || inodes.contains(&inode)) {
            return Ok(());
        }
        // Asks the server, and drops what the kernel has cached.
        self.stamps(names.local)?;
        names.add(in_order(self.look()?.found));
        let still_there = missing.into_iter().filter(|found| self.lies_there(found)).cloned().collect();
        names.add(still_there);
        Ok(())
    }

    /// Whether a message still has the name that it had.
    fn lies_there(&self, found: &MessageFile) -> bool {
        let look = |part| {
            fresh::look_up(part, &found.name).ok()?;
            statat(part, &*found.name, AtFlags::SYMLINK_NOFOLLOW).ok()
        };
        self.get(found.place)
            .and_then(look)
            .is_some_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
    }
}

impl RepeatedScan<'_> {
    /// Reads once more. None if a message may be missing.
    fn round(&mut self, round: usize, timestamp_granularity: Duration) -> io::Result<Option<FileList>> {
        let StampedScan { begun, before, mut look } = self.look()?;
        self.odd = look.odd.take();
        let is_still = before == self.parts.stamps(self.local)?;
        let is_of_one_moment = self.local && look.is_of_one_moment;
        let margin = if self.local { Duration::ZERO } else { ELSEWHERE };
        let found = in_order(look.found);
        if is_still && (is_of_one_moment || before.are_older_than(begun.earlier_by(margin))) {
            let validity = match () {
                () if !self.local || !before.are_older_than(begun) => Validity::None,
                () if before.are_older_than(begun.earlier_by(timestamp_granularity)) => Validity::Lasting,
                () => Validity::Session,
            };
            return Ok(Some(FileList { validity, ..self.names(before, found) }));
        }
        let is_like_the_last = found == self.found;
        self.take(found);
        if is_of_one_moment {
            // A message that went back from `cur` to `new` in between was seen in neither.
            let mut again = ScanResult::empty();
            self.parts.look_into(Subdirectory::New, &mut again)?;
            if again.is_of_one_moment {
                self.take(in_order(again.found));
                return Ok(Some(self.names(before, self.found.clone())));
            }
        }
        let is_whole = (is_still && is_like_the_last && round > 0) || self.calm >= CALM;
        Ok(is_whole.then(|| self.names(before, self.found.clone())))
    }

    /// Reads the names at a moment when no session has taken a file from its name. A file that was left behind is put back.
    fn look(&self) -> io::Result<StampedScan> {
        let mut since: HashMap<Box<[u8]>, Instant> = HashMap::new();
        let mut deadline = None;
        loop {
            let begun = Moment::before(Duration::ZERO);
            let before = self.parts.stamps(self.local)?;
            let look = self.parts.look()?;
            if look.taken.is_empty() || Instant::now() > *deadline.get_or_insert_with(|| Instant::now() + PATIENCE) {
                return Ok(StampedScan { begun, before, look });
            }
            for (place, name) in look.taken {
                let is_left_behind = since.entry(name.clone()).or_insert_with(Instant::now).elapsed() > LEFT_BEHIND;
                if is_left_behind {
                    aside::put_back(self.parts, place, &name);
                }
            }
            thread::sleep(PAUSE);
        }
    }

    /// Adds what one more reading found; of a message under several names the last one read.
    fn take(&mut self, found: Vec<MessageFile>) {
        if self.found.is_empty() || found.is_empty() {
            self.found.extend(found);
            return;
        }
        // A message in `new` may have been delivered just now, so no earlier reading missed it.
        let is_news = |found: &MessageFile| found.place == Subdirectory::Cur && !has(&self.found, found);
        self.calm = if found.iter().any(is_news) { 0 } else { self.calm + 1 };
        let missed: Vec<MessageFile> = self.found.drain(..).filter(|old| !has(&found, old)).collect();
        let mut all = found;
        if !missed.is_empty() {
            all.extend(missed);
            all = in_order(all);
        }
        self.found = all;
    }

    fn names(&self, stamps: Stamps, found: Vec<MessageFile>) -> FileList {
        FileList { found, stamps, local: self.local, validity: Validity::None, odd: self.odd.clone() }
    }
}

/// Sorts, and keeps one name of each file: that in `cur` rather than that in `new`, and that with `,U=<n>`. A file that
/// was seen both before and after it was renamed is kept once, too.
fn in_order(mut found: Vec<MessageFile>) -> Vec<MessageFile> {
    found.sort_unstable_by(MessageFile::full_order);
    let mut ordered: Vec<MessageFile> = Vec::with_capacity(found.len());
    for found in found {
        let mut same = ordered.iter_mut().rev().take_while(|other| other.order(&found) == Ordering::Equal);
        match same.find(|other| other.is_same_message(&found)) {
            Some(other) => *other = found,
            None => ordered.push(found),
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: &[(Subdirectory, &str, u64)]) -> Vec<String> {
        let found =
            found.iter().map(|(place, name, inode)| MessageFile::new(*place, name.as_bytes(), *inode)).collect();
        in_order(found).iter().map(|found| found.path().display().to_string()).collect()
    }

    #[test]
    fn a_file_seen_twice_counts_once() {
        let moved = [(Subdirectory::Cur, "1.a:2,S", 7), (Subdirectory::New, "1.a", 7), (Subdirectory::New, "0.b", 8)];
        assert_eq!(names(&moved), ["new/0.b", "cur/1.a:2,S"]);
        let renamed_by_mbsync = [(Subdirectory::Cur, "1.a:2,S", 7), (Subdirectory::Cur, "1.a,U=5:2,S", 7)];
        assert_eq!(names(&renamed_by_mbsync), ["cur/1.a,U=5:2,S"]);
        let two_messages = [(Subdirectory::Cur, "1.a,U=5:2,S", 7), (Subdirectory::Cur, "1.a:2,S", 8)];
        assert_eq!(names(&two_messages), ["cur/1.a:2,S", "cur/1.a,U=5:2,S"]);
    }

    /// Some file systems give no inodes with the names: then one number stands for all of them.
    #[test]
    fn without_inodes_two_messages_are_not_taken_for_one() {
        for unknown in [0, 0xffff_ffff] {
            let two_messages = [(Subdirectory::Cur, "1.a,U=5:2,S", unknown), (Subdirectory::Cur, "1.a:2,S", unknown)];
            assert_eq!(names(&two_messages).len(), 2);
        }
    }
}
