//! Whether files have changed since they were read, for files that are read again while the service runs.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

/// The state of some files at one moment; of a missing one none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStamps(Vec<Option<FileVersion>>);

/// Changes when a file, or one that a link leads to, is written or replaced: device and inode, octets, the times of the
/// last change of its content and of its attributes.
type FileVersion = ((u64, u64), u64, SystemTime, (i64, i64));

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
    let changed = (metadata.ctime(), metadata.ctime_nsec());
    Ok(((metadata.dev(), metadata.ino()), metadata.len(), metadata.modified()?, changed))
}
