//! The mail root: opened anew each time, so that an administrator can unmount it.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags, fstat, openat, stat};
use rustix::io::Errno;

use super::beneath;
use super::file_system_type::is_local;
use super::mounts::{FileSystem, FileSystems, Located, Mounts, declared};
use super::template::PathTemplate;
use crate::maildir::fault::{EnterFault, StoreFault};

/// The root of the mail, or of another server's lists, as it was at the start.
#[derive(Debug)]
pub(in crate::maildir) struct Root {
    kind: RootKind,
    path: PathBuf,
    /// The markers that are the same for everybody.
    markers: Vec<PathBuf>,
    device: u64,
    inode: u64,
    local: bool,
    /// The path with links, but absolute.
    given: PathBuf,
    /// The path without links, and what is mounted on the way to it and below it.
    real: PathBuf,
    mounts: Arc<Mounts>,
    /// The file systems of other machines that the path itself leads over.
    way: FileSystems,
}

/// What is below a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::maildir) enum RootKind {
    Mail,
    Lists,
}

/// The mail root, open for a moment.
pub(in crate::maildir) struct OpenRoot<'a> {
    about: &'a Root,
    directory: OwnedFd,
}

impl Root {
    /// Looks at the root and its marker, and remembers which directory it is.
    pub(in crate::maildir) fn new(
        kind: RootKind,
        path: PathBuf,
        markers: &[PathTemplate],
        mounts: Arc<Mounts>,
    ) -> Result<Self, StoreFault> {
        let readable = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fault = |error| match kind {
            RootKind::Mail => StoreFault::Root(path.clone(), error),
            RootKind::Lists => StoreFault::Lists(path.clone(), error),
        };
        let unreadable = |errno: Errno| fault(errno.into());
        let directory = openat(CWD, &path, readable, Mode::empty()).map_err(unreadable)?;
        let found = fstat(&directory).map_err(unreadable)?;
        let markers = markers.iter().filter_map(PathTemplate::fixed).map(|marker| path.join(marker)).collect();
        let local = is_local(directory.as_fd());
        let real = path.canonicalize().map_err(fault)?;
        let given = std::path::absolute(&path).map_err(fault)?;
        let mut way = FileSystems::default();
        way.add(FileSystem { device: found.st_dev, is_local: local });
        let table = mounts.now();
        table.locate(&table.located(Path::new("/")), &given).on.into_iter().for_each(|on| way.add(on));
        let root =
            Self { kind, given, path, markers, device: found.st_dev, inode: found.st_ino, local, real, mounts, way };
        root.markers(&[]).map_err(|(marker, errno)| StoreFault::Marker(marker, errno.into()))?;
        Ok(root)
    }

    /// Whether the path to the root never leads to another machine.
    pub(in crate::maildir) fn answers_at_once(&self) -> bool {
        self.way.are_local()
    }

    /// Adds the file systems of a path, of its `parts`, of its `markers`, and of everything on the way. Asks only local
    /// ones.
    pub(in crate::maildir) fn add_file_systems(
        &self,
        path: &Path,
        parts: impl Iterator<Item = PathBuf>,
        markers: &[Arc<str>],
        to: &mut FileSystems,
    ) {
        let table = self.mounts.now();
        if self.local && self.way.are_local() && table.answers_at_once() {
            return;
        }
        let mut add = |found: &Located| {
            to.add(found.on.unwrap_or(FileSystem { device: self.device, is_local: self.local }));
        };
        let root = table.located(&self.real);
        let place = table.locate(&root, path);
        add(&place);
        parts.for_each(|part| add(&table.locate(&place, &part)));
        let of_everybody = self.markers.iter().filter_map(|marker| marker.strip_prefix(&self.path).ok());
        let own = markers.iter().map(|marker| Path::new(&**marker));
        of_everybody.chain(own).for_each(|marker| add(&table.locate(&root, marker)));
        *to = std::mem::take(to).and(&self.way);
    }

    /// Checks that the markers, if any are set, exist; returns the first that does not.
    fn markers(&self, own: &[Arc<str>]) -> Result<(), (PathBuf, Errno)> {
        let own = own.iter().map(|marker| self.path.join(&**marker));
        let mut all = self.markers.iter().cloned().chain(own);
        all.try_for_each(|marker| stat(&marker).map(drop).map_err(|errno| (marker, errno)))
    }

    /// Requires the markers: without one, the disk is not mounted. `own`: those of a person.
    pub(in crate::maildir) fn require_markers(&self, own: &[Arc<str>]) -> Result<(), EnterFault> {
        self.markers(own).map_err(|(marker, errno)| {
            EnterFault::Unavailable(format!("the marker {} is not there ({errno})", marker.display()))
        })
    }

    /// Requires that everything is mounted on the way to a path that was mounted at any time since the start, or that a
    /// table of file systems names, so that it is known after a restart as well.
    pub(in crate::maildir) fn require_mounted(&self, path: &Path, mount_table: &Path) -> Result<(), EnterFault> {
        let in_reality = |point: PathBuf| match point.strip_prefix(&self.given) {
            Ok(rest) => self.real.join(rest),
            Err(_) => point,
        };
        let declared = declared(mount_table).into_iter().map(in_reality).collect();
        let table = self.mounts.now();
        let real = table.locate(&table.located(&self.real), path).real;
        let Some(point) = table.was_unmounted(&real, &declared) else { return Ok(()) };
        Err(EnterFault::Unavailable(format!(
            "nothing is mounted at {}, where something was or should be",
            point.display()
        )))
    }

    /// Its path.
    pub(in crate::maildir) fn path(&self) -> &Path {
        &self.path
    }

    pub(in crate::maildir) fn open(&self) -> Result<OpenRoot<'_>, EnterFault> {
        let directory = openat(CWD, &self.path, beneath::PASSING, Mode::empty())
            .map_err(|errno| EnterFault::Unavailable(format!("{} {}: {errno}", self.kind, self.path.display())))?;
        Ok(OpenRoot { about: self, directory })
    }
}

impl AsFd for OpenRoot<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

impl OpenRoot<'_> {
    /// Opens a path beneath the root.
    pub(in crate::maildir) fn beneath(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        beneath::open(self.directory.as_fd(), path, flags)
    }

    /// Opens a directory to be read. None if it is missing; not if a link on its way leads to nothing.
    pub(in crate::maildir) fn directory(&self, path: &Path) -> Result<Option<OwnedFd>, EnterFault> {
        match self.beneath(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC) {
            Ok(directory) => Ok(Some(directory)),
            Err(Errno::NOENT) if beneath::dangles(self.directory.as_fd(), path) => {
                Err(EnterFault::Unavailable(format!("{}: a link leads to nothing", path.display())))
            }
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(EnterFault::of(path.display(), errno)),
        }
    }

    /// See [`Root::require_mounted`].
    pub(in crate::maildir) fn require_mounted(&self, path: &Path, mount_table: &Path) -> Result<(), EnterFault> {
        self.about.require_mounted(path, mount_table)
    }

    /// Requires that this is the directory seen at the start. An unmounted disk leaves another one in its place.
    pub(in crate::maildir) fn require_same(&self) -> Result<(), EnterFault> {
        let now = fstat(&self.directory).map_err(|errno| EnterFault::of(self.about.path.display(), errno))?;
        if (now.st_dev, now.st_ino) == (self.about.device, self.about.inode) {
            return Ok(());
        }
        let (kind, path) = (self.about.kind, self.about.path.display());
        Err(EnterFault::Unavailable(format!("{kind} {path} is not the directory seen at the start")))
    }
}

impl fmt::Display for RootKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mail => "the mail root",
            Self::Lists => "the root of lists",
        })
    }
}
