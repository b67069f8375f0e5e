//! The file of the pins, and how it changes: lines are appended, and at times a new file replaces it.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{
    AtFlags, FileType, FlockOperation, Mode, OFlags, flock, fstat, fsync, linkat, lstat, openat, renameat, statat,
    unlinkat,
};
use rustix::io::Errno;

use super::line::PinLine;
use super::text::LineReader;
use super::{Day, Pins};
use crate::maildir::files::{FileBounds, FileStamp, ReadLimit, bounds, fresh};

const NAME: &str = "restante-pins";
/// The file before the last rewriting.
const PREVIOUS: &str = "restante-pins.previous";
/// A file that is being written; nobody reads it.
const BEGUN: &str = "restante-pins.begun";
/// The file that is being replaced, until it becomes the previous one.
const REPLACED: &str = "restante-pins.replaced";

/// The first line, for a person who finds the file.
const HEAD: &[u8] =
    b"# Restante: the unique-ids that clients were told. Without them clients download their mail again.\n";

/// The kernel writes data older than this to the disk by itself.
const RECENT: Duration = Duration::from_secs(120);

/// How long to wait for the lock of others.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);

const READ: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
const WRITE: OFlags = OFlags::RDWR
    .union(OFlags::APPEND)
    .union(OFlags::CREATE)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

/// Mode of new files: unique-ids and retrievals are private.
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// Reads the pins of a Maildir. Writers may be active: no client has seen the content of an incomplete line.
pub(in crate::maildir) fn read(maildir: BorrowedFd<'_>) -> io::Result<Pins> {
    fresh::refresh(maildir)?;
    match open(maildir, NAME)? {
        Some(file) => {
            let (pins, _) = content(maildir, &file)?;
            // Its writer may be about to sync it, or may have been killed before that.
            if pins.stamp.is_some_and(|stamp| stamp.is_younger_than(RECENT)) {
                file.sync_data()?;
            }
            Ok(pins)
        }
        None => Ok(match open(maildir, PREVIOUS)? {
            Some(previous) => Pins { damaged: 1, stamp: None, ..parse(maildir, &previous)?.0 },
            None => Pins::default(),
        }),
    }
}

/// The state of the file in a Maildir, by one `stat` call; none if there is none.
pub(in crate::maildir) fn stamp(maildir: &Path) -> io::Result<Option<FileStamp>> {
    // A link in its place is never followed: its target may not answer.
    match lstat(maildir.join(NAME)) {
        Ok(stat) => Ok(Some(FileStamp::of(&stat))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// The file, locked against other writers.
pub(in crate::maildir) struct LockedPins<'d> {
    maildir: BorrowedFd<'d>,
    file: File,
    pub(in crate::maildir) pins: Pins,
}

impl<'d> LockedPins<'d> {
    /// Waits for the lock, and reads what others have written. Creates the file if there is none.
    pub(in crate::maildir) fn take(maildir: BorrowedFd<'d>) -> io::Result<Self> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // The cached name may lead to a file that another node has replaced: lines appended to that one would be
            // lost.
            fresh::look_up(maildir, NAME.as_bytes())?;
            let file = File::from(openat(maildir, NAME, WRITE, PRIVATE)?);
            if lock(&file, deadline)? && is_current(maildir, &file)? {
                return Self::read(maildir, file);
            }
            if Instant::now() >= deadline {
                return Err(io::Error::new(io::ErrorKind::TimedOut, format!("{NAME} is locked by another process")));
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn read(maildir: BorrowedFd<'d>, file: File) -> io::Result<Self> {
        let (pins, whole) = content(maildir, &file)?;
        let mut locked = Self { maildir, file, pins };
        if locked.has_further_names()? {
            locked.replace_linked_file()?;
        } else if fstat(&locked.file)?.st_size.unsigned_abs() != whole {
            // No client has seen the content of an incomplete last line; nothing may be appended to it.
            locked.file.set_len(whole)?;
        }
        Ok(locked)
    }

    /// Whether the file has further names. An interrupted rewrite leaves one, which is removed.
    fn has_further_names(&self) -> io::Result<bool> {
        let ours = fstat(&self.file)?;
        if ours.st_nlink <= 1 {
            return Ok(false);
        }
        match statat(self.maildir, REPLACED, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(left) if (left.st_dev, left.st_ino) == (ours.st_dev, ours.st_ino) => remove(self.maildir, REPLACED)?,
            Ok(_) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno.into()),
        }
        Ok(fstat(&self.file)?.st_nlink > 1)
    }

    /// Continues in a copy: the file has a further name, such as that of another person's message, or in a back-up, and
    /// must not be written to.
    fn replace_linked_file(&mut self) -> io::Result<()> {
        let lines = self.pins.everything();
        let begun = self.begin(&lines)?;
        self.put_in_place(begun, lines)
    }

    /// Writes lines, and syncs them to the disk together with earlier lines of others. If that fails, they are removed
    /// again: no client has seen them yet.
    pub(in crate::maildir) fn append(&mut self, lines: Vec<PinLine>) -> io::Result<()> {
        let before = fstat(&self.file)?.st_size.unsigned_abs();
        // If the file was lost, the pins come from the previous one, which a new line must not hide.
        let (mut text, known) = if before == 0 { (HEAD.to_vec(), self.pins.everything()) } else { Default::default() };
        for line in known.iter().chain(&lines) {
            line.write(&mut text);
        }
        let written = self.file.write_all(&text).and_then(|()| self.file.sync_data());
        let written = written.and_then(|()| if before == 0 { sync_directory(self.maildir) } else { Ok(()) });
        if let Err(error) = written {
            self.file.set_len(before)?;
            return Err(error);
        }
        for line in lines {
            self.pins.take(line);
        }
        self.pins.stamp = Some(FileStamp::of(&fstat(&self.file)?));
        Ok(())
    }

    /// Writes a new file without obsolete lines, and keeps the old one. If this is interrupted, either the old file
    /// remains together with the previous one, which it may need, or the new one is complete.
    pub(in crate::maildir) fn rewrite(&mut self, present: &HashSet<Box<[u8]>>, today: Day) -> io::Result<()> {
        let lines = self.pins.lines(present, today);
        let begun = self.begin(&lines)?;
        remove(self.maildir, REPLACED)?;
        linkat(self.maildir, NAME, self.maildir, REPLACED, AtFlags::empty())?;
        self.put_in_place(begun, lines)?;
        Ok(renameat(self.maildir, REPLACED, self.maildir, PREVIOUS)?)
    }

    fn put_in_place(&mut self, begun: File, lines: Vec<PinLine>) -> io::Result<()> {
        renameat(self.maildir, BEGUN, self.maildir, NAME)?;
        self.file = begun;
        let mut pins = Pins { stamp: Some(FileStamp::of(&fstat(&self.file)?)), ..Pins::default() };
        for line in lines {
            pins.take(line);
        }
        self.pins = pins;
        sync_directory(self.maildir)
    }

    /// Writes a new file, and syncs it to the disk.
    fn begin(&self, lines: &[PinLine]) -> io::Result<File> {
        self.try_begin(lines).inspect_err(|_| {
            // An unfinished file takes room on a disk that may be full.
            let _ = remove(self.maildir, BEGUN);
        })
    }

    fn try_begin(&self, lines: &[PinLine]) -> io::Result<File> {
        let mut text = HEAD.to_vec();
        for line in lines {
            line.write(&mut text);
        }
        remove(self.maildir, BEGUN)?;
        let mut begun = File::from(openat(self.maildir, BEGUN, WRITE | OFlags::EXCL, PRIVATE)?);
        // A process that opens the new file waits until we are done.
        flock(&begun, FlockOperation::NonBlockingLockExclusive)?;
        begun.write_all(&text)?;
        begun.sync_all()?;
        Ok(begun)
    }
}

fn open(maildir: BorrowedFd<'_>, name: &str) -> io::Result<Option<File>> {
    match openat(maildir, name, READ, Mode::empty()) {
        Ok(file) => Ok(Some(file.into())),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// The pins of a file, completed from the previous one if it is damaged, and the octets of its whole lines.
fn content(maildir: BorrowedFd<'_>, file: &File) -> io::Result<(Pins, u64)> {
    // Its size may be cached from before another node wrote to it.
    fresh::refresh(file.as_fd())?;
    let (mut pins, whole) = parse(maildir, file)?;
    if (pins.damaged > 0 || whole == 0)
        && let Some(previous) = open(maildir, PREVIOUS)?
    {
        pins.complete(parse(maildir, &previous)?.0);
        // The file was emptied: the lines of the previous one must be restored.
        pins.damaged = pins.damaged.max(1);
    }
    Ok((pins, whole))
}

/// Reads a file line by line: its pins, with its state before that, and the octets of its whole lines.
fn parse(maildir: BorrowedFd<'_>, file: &File) -> io::Result<(Pins, u64)> {
    let stat = fstat(file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(io::Error::other(format!("{NAME}, or the file before it, is no regular file")));
    }
    let _turn = bounds::turn(&stat);
    let mut room = ReadLimit::new(FileBounds::PINS, || bounds::messages(maildir));
    let size = stat.st_size.unsigned_abs();
    let mut text = LineReader::of(file.take(size));
    let (mut pins, mut headed, mut lines) = (Pins::default(), false, 0);
    while room.has(size, lines)? {
        let Some(line) = text.next()? else {
            // Without the first line, the beginning was cut off, and perhaps other lines with it.
            let is_cut = !headed && text.ended > 0 && pins.damaged == 0;
            pins.damaged += usize::from(is_cut);
            pins.stamp = Some(FileStamp::of(&stat));
            return Ok((pins, text.ended));
        };
        lines += 1;
        if line == HEAD {
            headed = true;
            continue;
        }
        match PinLine::parse(line.strip_suffix(b"\n").unwrap_or(line)) {
            Some(line) => pins.take(line),
            None => pins.damaged += 1,
        }
    }
    Err(io::Error::other(format!("{NAME}, or the file before it, is far larger than pins of these messages can be")))
}

/// Whether the lock was acquired before the deadline.
fn lock(file: &File, deadline: Instant) -> io::Result<bool> {
    loop {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(true),
            Err(Errno::INTR) => {}
            Err(Errno::WOULDBLOCK) if Instant::now() >= deadline => return Ok(false),
            Err(Errno::WOULDBLOCK) => std::thread::sleep(PAUSE),
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Whether the file still has its name: it may have been replaced while we waited for its lock.
fn is_current(maildir: BorrowedFd<'_>, file: &File) -> io::Result<bool> {
    let ours = fstat(file)?;
    fresh::look_up(maildir, NAME.as_bytes())?;
    match statat(maildir, NAME, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(named) => Ok((named.st_dev, named.st_ino) == (ours.st_dev, ours.st_ino)),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

fn remove(maildir: BorrowedFd<'_>, name: &str) -> io::Result<()> {
    match unlinkat(maildir, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// A new name is safe once its directory is.
fn sync_directory(maildir: BorrowedFd<'_>) -> io::Result<()> {
    match fsync(maildir.as_fd()) {
        // Some file systems do not sync directories; nothing more can be done there.
        Err(Errno::INVAL | Errno::NOTSUP) => Ok(()),
        result => Ok(result?),
    }
}
