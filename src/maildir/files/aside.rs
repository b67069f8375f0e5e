//! Taking a file from its name before it is removed or moved.
//!
//! Between two of our system calls another program may rename a file and give its name to another one. So no file is
//! removed by the name under which it was examined: it is renamed to a name that nobody else uses, examined there, and
//! put back if it is not the right one.
//!
//! The other name begins with a dot, so mail programs do not take the file for a message. If the process is killed in
//! between, the file stays there until the names are read again: [`Parts::names`](super::Parts::names) waits until a file
//! is removed or has its name again, and puts back one that is left behind.

use std::os::fd::BorrowedFd;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, Stat, statat, unlinkat};
use rustix::io::Errno;

use super::renaming::{fresh_name, rename};
use super::scan::{MessageFile, Parts, Subdirectory};
use super::{file_name, taken_name};

/// For how long a file is put back to its name, if another file has that name by now. Then it gets a new one.
const PATIENCE: Duration = Duration::from_millis(500);

/// A file that is away from its name for so long was left behind by a process that was killed.
pub(super) const LEFT_BEHIND: Duration = Duration::from_secs(1);

/// How long to wait until a name or a file is looked at again.
pub(super) const PAUSE: Duration = Duration::from_millis(1);

/// A file that was taken from its name.
pub(in crate::maildir) struct TakenFile<'a> {
    directory: BorrowedFd<'a>,
    /// `new` of the Maildir, for a message.
    new: Option<BorrowedFd<'a>>,
    /// None if it was too long for the other name, and is therefore unknown.
    original: Option<&'a [u8]>,
    name: Vec<u8>,
}

impl<'a> TakenFile<'a> {
    /// Takes the file that has this name now, whichever it is.
    ///
    /// # Errors
    /// `NOENT` if no file has the name.
    fn take(directory: BorrowedFd<'a>, original: &'a [u8]) -> Result<Self, Errno> {
        let name = taken_name::take(directory, original)?;
        Ok(Self { directory, new: None, original: Some(original), name })
    }

    /// The same with a message.
    ///
    /// # Errors
    /// `NOENT` if no file has the name.
    pub(in crate::maildir) fn take_message(parts: &'a Parts, found: &'a MessageFile) -> Result<Self, Errno> {
        let directory = parts.get(found.place).ok_or(Errno::NOENT)?;
        Ok(Self { new: parts.get(Subdirectory::New), ..Self::take(directory, &found.name)? })
    }

    /// A message's file that stays under its name: no other file has its base name, so none can get that name.
    ///
    /// # Errors
    /// `NOENT` if the Maildir has no such directory.
    pub(in crate::maildir) fn in_place(parts: &'a Parts, found: &'a MessageFile) -> Result<Self, Errno> {
        let directory = parts.get(found.place).ok_or(Errno::NOENT)?;
        Ok(Self { directory, new: None, original: Some(&found.name), name: found.name.to_vec() })
    }

    /// The taken file of a name; none if it is not the name of a taken file.
    fn left_behind(directory: BorrowedFd<'a>, name: &'a [u8]) -> Option<Self> {
        let original = taken_name::original(name);
        taken_name::is_taken(name).then(|| Self { directory, new: None, original, name: name.to_vec() })
    }

    /// The file's attributes. No program but Restante changes the name that it has now.
    ///
    /// # Errors
    /// `NOENT` if it was put back by another session.
    pub(in crate::maildir) fn stat(&self) -> Result<Stat, Errno> {
        statat(self.directory, &*self.name, AtFlags::SYMLINK_NOFOLLOW)
    }

    /// The directory that contains it, and its name there.
    pub(in crate::maildir) fn place(&self) -> (BorrowedFd<'a>, &[u8]) {
        (self.directory, &self.name)
    }

    /// Removes it. If that fails, it is put back.
    ///
    /// # Errors
    /// `NOENT` if it was put back by another session.
    pub(in crate::maildir) fn remove(self) -> Result<(), Errno> {
        let removed = unlinkat(self.directory, &*self.name, AtFlags::empty());
        self.done_or_back(removed)
    }

    /// Moves it, never over another file.
    ///
    /// # Errors
    /// It was not moved, and is still taken. `EXIST` if another file has the name.
    pub(in crate::maildir) fn move_to(&self, to: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
        rename(self.directory, &self.name, to, name)
    }

    /// Returns the result of a change to it; after an error it is put back.
    pub(in crate::maildir) fn done_or_back<T, E>(self, done: Result<T, E>) -> Result<T, E> {
        if done.is_err() {
            self.put_back();
        }
        done
    }

    /// Puts it back. If another file has its name now, and keeps it, a message becomes an unread one with its base name, by
    /// which clients know it. If that name is in use as well, it gets a new one.
    fn put_back(self) {
        let put = self.try_to_put_back();
        if let Err(error) = put {
            let file = self.name.escape_ascii().to_string();
            tracing::warn!(
                name: "message_cannot_be_renamed_back",
                file, reason = error.to_string(),
                "a message that must stay cannot be renamed back yet"
            );
        }
    }

    fn try_to_put_back(&self) -> Result<(), Errno> {
        if self.original == Some(&*self.name) {
            return Ok(());
        }
        let (original, deadline) = (self.original.unwrap_or_default(), Instant::now() + PATIENCE);
        let put = loop {
            if original.is_empty() || Instant::now() > deadline {
                break self.put_elsewhere(original);
            }
            match self.move_to(self.directory, original) {
                Err(Errno::EXIST) => thread::sleep(PAUSE),
                done => break done,
            }
        };
        // Another session has done so, or removed it.
        if put == Err(Errno::NOENT) { Ok(()) } else { put }
    }

    fn put_elsewhere(&self, original: &[u8]) -> Result<(), Errno> {
        let base = file_name::base(original);
        let new = self.new.filter(|_| !base.is_empty());
        match new.map(|new| self.move_to(new, base)) {
            None | Some(Err(Errno::EXIST)) => self.move_to(self.directory, &fresh_name(original)),
            Some(put) => put,
        }
    }
}

/// Puts back a file that was taken from its name and left behind.
pub(super) fn put_back(parts: &Parts, place: Subdirectory, name: &[u8]) {
    let taken = parts.get(place).and_then(|directory| TakenFile::left_behind(directory, name));
    if let Some(taken) = taken {
        TakenFile { new: parts.get(Subdirectory::New), ..taken }.put_back();
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::fd::AsFd;

    use super::*;

    struct TakenFilesFixture {
        disk: tempfile::TempDir,
        directory: File,
    }

    impl TakenFilesFixture {
        fn with(names: &[&str]) -> Self {
            let disk = tempfile::tempdir().unwrap();
            let directory = File::open(disk.path()).unwrap();
            let disk = Self { disk, directory };
            for name in names {
                disk.put(name, name);
            }
            disk
        }

        fn put(&self, name: &str, text: &str) {
            fs::write(self.disk.path().join(name), text).unwrap();
        }

        fn files(&self) -> Vec<(String, String)> {
            let mut files: Vec<_> = fs::read_dir(self.disk.path())
                .unwrap()
                .map(|entry| {
                    let entry = entry.unwrap();
                    (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
                })
                .collect();
            files.sort_unstable();
            files
        }

        fn names(&self) -> Vec<String> {
            self.files().into_iter().map(|(name, _)| name).collect()
        }
    }

    #[test]
    fn a_file_that_was_taken_is_put_back_under_its_name() {
        let disk = TakenFilesFixture::with(&["1.a:2,S"]);
        let taken = TakenFile::take(disk.directory.as_fd(), b"1.a:2,S").unwrap();
        assert!(taken_name::is_taken(disk.names()[0].as_bytes()), "{:?}", disk.names());
        taken.put_back();
        assert_eq!(disk.names(), ["1.a:2,S"]);
    }

    #[test]
    fn what_a_killed_process_left_is_put_back() {
        let disk = TakenFilesFixture::with(&["1.a:2,S"]);
        drop(TakenFile::take(disk.directory.as_fd(), b"1.a:2,S").unwrap());
        let left = disk.names().remove(0);
        TakenFile::left_behind(disk.directory.as_fd(), left.as_bytes()).unwrap().put_back();
        assert_eq!(disk.names(), ["1.a:2,S"]);
    }

    #[test]
    fn it_is_not_put_over_a_file_that_got_its_name_meanwhile() {
        let disk = TakenFilesFixture::with(&["1.a,S=9:2,S"]);
        let taken = TakenFile::take(disk.directory.as_fd(), b"1.a,S=9:2,S").unwrap();
        disk.put("1.a,S=9:2,S", "another");
        taken.put_back();
        let files = disk.files();
        assert_eq!(files.len(), 2, "{files:?}");
        assert!(files.contains(&("1.a,S=9:2,S".to_owned(), "another".to_owned())), "{files:?}");
        let is_moved = |(name, text): &(String, String)| name.ends_with(",S=9:2,S") && text == "1.a,S=9:2,S";
        assert!(files.iter().any(is_moved), "{files:?}");
    }

    #[test]
    fn a_name_as_long_as_names_may_be_is_taken_and_put_back() {
        let long = format!("1.{}:2,S", "a".repeat(249));
        let disk = TakenFilesFixture::with(&[&long]);
        TakenFile::take(disk.directory.as_fd(), long.as_bytes()).unwrap().put_back();
        assert_eq!(disk.names(), [&*long]);
        drop(TakenFile::take(disk.directory.as_fd(), long.as_bytes()).unwrap());
        TakenFile::left_behind(disk.directory.as_fd(), disk.names()[0].as_bytes()).unwrap().put_back();
        let [(name, text)] = &disk.files()[..] else { panic!("{:?}", disk.names()) };
        assert!(*text == long && !taken_name::is_taken(name.as_bytes()), "{name}");
    }
}
