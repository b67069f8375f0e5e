//! Inspecting a Maildir without entering it: does it exist, and may the service read and write it?

use rustix::fs::{Access, AtFlags, accessat, fstat};
use rustix::io::Errno;

use crate::maildir::fault::EnterFault;
use crate::maildir::files::{Parts, Subdirectory};
use crate::maildir::mail_root::{MaildropPath, OpenRoot, PASSING};
use crate::maildir::missing;
use crate::maildir::settings::Settings;
use crate::maildir::store::Store;

/// Which directory it is, whatever path leads there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DirectoryId {
    device: u64,
    inode: u64,
}

/// What a login would find at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MaildirCondition {
    /// A Maildir that may be read and written.
    Fine(DirectoryId),
    /// Nothing, which is an empty maildrop.
    Missing,
    /// Something that leads out of the mail root; why.
    Forbidden(String),
    /// A Maildir that may not be read or not be written, or something that is not a Maildir; why.
    Unusable(Option<DirectoryId>, String),
}

impl DirectoryId {
    pub(in crate::maildir) fn of(stat: &rustix::fs::Stat) -> Self {
        Self { device: stat.st_dev, inode: stat.st_ino }
    }
}

impl Store {
    /// Looks at the Maildir of a path, with the rights of this process. Blocks while the disk answers; no message is
    /// opened.
    #[must_use]
    pub fn inspect(&self, path: &MaildropPath) -> MaildirCondition {
        let path = match self.choose(path) {
            Ok(path) => path,
            Err(fault) => return condition(None, fault),
        };
        let path = &*path;
        let root = match self.site().root().open() {
            Ok(root) => root,
            Err(fault) => return condition(None, fault),
        };
        match self.site().require_markers(path).and_then(|()| place(&root, path)) {
            Err(fault) => condition(None, fault),
            Ok(None) => match Parts::open(&root, path.as_ref()) {
                Ok(parts) => missing::check(&root, path, &parts, self.site().settings())
                    .map_or_else(|fault| condition(None, fault), |()| MaildirCondition::Missing),
                Err(fault) => condition(None, fault),
            },
            Ok(Some(place)) => match usable(&root, path, self.site().settings()) {
                Err(fault) => condition(Some(place), fault),
                Ok(()) => MaildirCondition::Fine(place),
            },
        }
    }
}

fn condition(place: Option<DirectoryId>, fault: EnterFault) -> MaildirCondition {
    match fault {
        EnterFault::Forbidden(why) => MaildirCondition::Forbidden(why),
        EnterFault::Unavailable(why) => MaildirCondition::Unusable(place, why),
    }
}

fn place(root: &OpenRoot<'_>, path: &MaildropPath) -> Result<Option<DirectoryId>, EnterFault> {
    let fault = |errno: Errno| EnterFault::of(path, errno);
    match root.beneath(path.as_ref(), PASSING) {
        Ok(directory) => fstat(directory).map(|stat| Some(DirectoryId::of(&stat))).map_err(fault),
        // Also finds out whether a link dangles, which is not a missing Maildir.
        Err(Errno::NOENT) => root.directory(path.as_ref()).map(|_| None),
        Err(errno) => Err(fault(errno)),
    }
}

/// `new` and `cur` are read at a login, and messages removed from them at QUIT.
fn usable(root: &OpenRoot<'_>, path: &MaildropPath, settings: &Settings) -> Result<(), EnterFault> {
    let parts = Parts::open(root, path.as_ref())?;
    if parts.are_missing() {
        return Err(EnterFault::Unavailable(format!("{path}: there is neither new nor cur in it")));
    }
    missing::check(root, path, &parts, settings)?;
    for place in [Subdirectory::New, Subdirectory::Cur] {
        let Some(part) = parts.get(place) else { continue };
        accessat(part, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).map_err(|errno| {
            EnterFault::Unavailable(format!("{path}/{}: may not be written: {errno}", place.directory()))
        })?;
    }
    Ok(())
}
