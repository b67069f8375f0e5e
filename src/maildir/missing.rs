//! What a missing or incomplete Maildir means: no mail yet, or a missing disk.
//!
//! After an empty list every client would forget its unique-ids, and download everything again as soon as the mail is
//! back. So a missing Maildir is an empty one only if nothing contradicts it.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::Dir;
use rustix::io::Errno;

use crate::maildir::fault::EnterFault;
use crate::maildir::files::{Parts, Subdirectory};
use crate::maildir::mail_root::{MaildropPath, OpenRoot};
use crate::maildir::settings::{Missing, Settings};

/// The prefix of our own files, which prove that there is, or was, mail. The lock proves nothing: it is made in an
/// empty directory as well.
const OWN_FILE_PREFIX: &[u8] = b"restante-";

/// Requires that whatever is missing in `parts` was certainly never made. Fine if both parts exist.
pub(super) fn check(
    root: &OpenRoot<'_>,
    path: &MaildropPath,
    parts: &Parts,
    settings: &Settings,
) -> Result<(), EnterFault> {
    let lacks = [Subdirectory::New, Subdirectory::Cur].map(|place| parts.get(place).is_none());
    let (what, other) = match lacks {
        [false, false] => return Ok(()),
        [true, true] => ("new and cur are missing", None),
        [true, false] => ("new is missing", Some(Subdirectory::Cur)),
        [false, true] => ("cur is missing", Some(Subdirectory::New)),
    };
    root.require_same()?;
    root.require_mounted(path.as_ref(), &settings.mount_table)?;
    for place in [Subdirectory::New, Subdirectory::Cur].into_iter().filter(|place| parts.get(*place).is_none()) {
        let part = AsRef::<Path>::as_ref(path).join(place.directory());
        root.require_mounted(&part, &settings.mount_table)?;
    }
    let unavailable = |why: String| Err(EnterFault::Unavailable(format!("{path}: {what}{why}")));
    if settings.missing == Missing::Refuse {
        return unavailable(", and mailboxes.missing refuses that".to_owned());
    }
    if let Some(name) = own_file(root, path)? {
        return unavailable(format!(", and {name} is there"));
    }
    let Some((place, part)) = other.and_then(|place| Some((place, parts.get(place)?))) else { return Ok(()) };
    match first(part, |name| !name.starts_with(b".")) {
        Ok(None) => Ok(()),
        Ok(Some(_)) => unavailable(format!(", and {} holds mail", place.directory())),
        Err(errno) => Err(EnterFault::of(path, errno)),
    }
}

/// A file of our own in the Maildir that proves that it was in use.
fn own_file(root: &OpenRoot<'_>, path: &MaildropPath) -> Result<Option<String>, EnterFault> {
    let Some(maildir) = root.directory(path.as_ref())? else { return Ok(None) };
    let found = first(maildir.as_fd(), |name| name.starts_with(OWN_FILE_PREFIX));
    found.map_err(|errno| EnterFault::of(path, errno))
}

fn first(directory: BorrowedFd<'_>, is_wanted: impl Fn(&[u8]) -> bool) -> Result<Option<String>, Errno> {
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if is_wanted(name) {
            return Ok(Some(String::from_utf8_lossy(name).into_owned()));
        }
    }
    Ok(None)
}
