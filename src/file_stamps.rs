//! Whether files have changed since they were read, for files that are read again while the service runs.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

/// The state of some files at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStamps(Vec<Option<FileVersion>>);

/// Changes when a file is written or replaced: time of change, inode, octets. None for a missing file.
type FileVersion = (SystemTime, u64, u64);

impl FileStamps {
    /// The files as they are now.
    pub fn of<P: AsRef<Path>>(files: impl IntoIterator<Item = P>) -> Self {
        Self(files.into_iter().map(|file| stamp(file.as_ref()).ok()).collect())
    }

    /// Whether one of the same files has changed.
    pub fn are_outdated<P: AsRef<Path>>(&self, files: impl IntoIterator<Item = P>) -> bool {
        *self != Self::of(files)
    }
}

fn stamp(file: &Path) -> io::Result<FileVersion> {
    let metadata = fs::metadata(file)?;
    Ok((metadata.modified()?, metadata.ino(), metadata.len()))
}
