//! Which file system a path lies on, by the kernel's own list: asking it touches none of them, so it never hangs.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

const LIST: &str = "/proc/self/mountinfo";

/// The kinds whose data lie on this machine, as [`super::stamp::is_local`] knows them by number.
const LOCAL: [&str; 9] = ["ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "zfs", "overlay", "f2fs"];

/// A file system that is mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// What tells it from others.
    pub number: u64,
    /// Its data lie on this machine: only a failing disk makes it wait for long.
    pub is_local: bool,
}

/// The list, read again whenever it has changed.
#[derive(Debug)]
pub(super) struct Mounts {
    /// Tells when it has changed; none where there is no such list.
    list: Option<File>,
    mounted: Mutex<Vec<(PathBuf, FileSystem)>>,
}

impl Mounts {
    /// Reads the list.
    pub(super) fn new() -> Self {
        Self { list: File::open(LIST).ok(), mounted: Mutex::new(read()) }
    }

    /// The file system of an absolute path without links; none if nobody knows.
    pub(super) fn of(&self, path: &Path) -> Option<FileSystem> {
        let mut mounted = self.mounted.lock().unwrap_or_else(PoisonError::into_inner);
        if self.has_changed() {
            *mounted = read();
        }
        innermost(&mounted, path)
    }

    /// The kernel tells each reader of the list once of each change, as urgent data (proc(5)).
    fn has_changed(&self) -> bool {
        let Some(list) = &self.list else { return false };
        let mut asked = [PollFd::new(list, PollFlags::PRI)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut asked, Some(&at_once)).is_ok_and(|changed| changed > 0)
    }
}

fn read() -> Vec<(PathBuf, FileSystem)> {
    fs::read(LIST).map(|list| list.split(|octet| *octet == b'\n').filter_map(mount).collect()).unwrap_or_default()
}

/// Of those that hold the path the innermost; of those at one place the one mounted last, which covers the others.
fn innermost(mounted: &[(PathBuf, FileSystem)], path: &Path) -> Option<FileSystem> {
    let holding = mounted.iter().filter(|(point, _)| path.starts_with(point));
    holding.max_by_key(|(point, _)| point.as_os_str().len()).map(|(_, found)| *found)
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue` (proc(5)).
fn mount(line: &[u8]) -> Option<(PathBuf, FileSystem)> {
    let mut fields = line.split(|octet| *octet == b' ');
    let (_, _, device) = (fields.next()?, fields.next()?, fields.next()?);
    let (major, minor) = std::str::from_utf8(device).ok()?.split_once(':')?;
    let number = u64::from(major.parse::<u32>().ok()?) << 32 | u64::from(minor.parse::<u32>().ok()?);
    let point = PathBuf::from(OsString::from_vec(unescaped(fields.nth(1)?)));
    let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
    let is_local = LOCAL.iter().any(|local| local.as_bytes() == kind);
    Some((point, FileSystem { number, is_local }))
}

/// Blanks and the like stand as `\040`.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        octets.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { behind.get(3..).unwrap_or_default() } else { behind };
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: &str = r"21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 21 0:52 / /srv/mail rw - nfs4 nas:/mail rw,vers=4.2
31 30 0:53 / /srv/mail/local rw - xfs /dev/vdb rw
32 21 0:54 / /srv/a\040b rw,nosuid shared:7 master:2 - fuse.sshfs host:/ rw
33 30 0:55 / /srv/mail rw - tmpfs none rw
nonsense";

    fn of(path: &str) -> Option<(u64, bool)> {
        let mounted: Vec<_> = SEEN.lines().filter_map(|line| mount(line.as_bytes())).collect();
        innermost(&mounted, Path::new(path)).map(|found| (found.number, found.is_local))
    }

    #[test]
    fn a_path_lies_on_the_innermost_mount_that_covers_the_others() {
        assert_eq!(of("/srv/mailbox"), Some((254 << 32, true)));
        assert_eq!(of("/srv/mail/ajones/Maildir"), Some((55, true)));
        assert_eq!(of("/srv/mail/local/ajones"), Some((53, true)));
        assert_eq!(of("/srv/a b/x"), Some((54, false)));
        assert_eq!(of("relative"), None);
    }

    #[test]
    fn the_list_of_this_machine_has_a_root() {
        assert!(Mounts::new().of(Path::new("/")).is_some());
    }
}
