//! The types of file systems: which have their data on this machine.

use std::os::fd::BorrowedFd;

use rustix::fs::{FsWord, fstatfs};

/// The types whose data are on this machine; [`is_local_number`] has the same ones by number.
const LOCAL: [&str; 9] = ["ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "zfs", "overlay", "f2fs"];

/// The types whose data the kernel makes up, or that are on a medium of this machine as well.
const HARMLESS: [&str; 30] = [
    "bdev",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "cpuset",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "exfat",
    "fusectl",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nsfs",
    "proc",
    "pstore",
    "ramfs",
    "rootfs",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "squashfs",
    "sysfs",
    "tracefs",
    "udf",
    "vfat",
    "ntfs3",
];

/// Whether all file systems of a list of mounts are local; not if the list is empty or has a line that is not understood.
pub(super) fn answer_at_once(list: &[u8]) -> bool {
    let mut lines = list.split(|octet| *octet == b'\n').filter(|line| !line.is_empty()).peekable();
    let is_harmless = |kind: &[u8]| LOCAL.iter().chain(&HARMLESS).any(|harmless| harmless.as_bytes() == kind);
    lines.peek().is_some() && lines.all(|line| kind(line).is_some_and(is_harmless))
}

/// The type of a mount.
pub(super) fn kind(line: &[u8]) -> Option<&[u8]> {
    line.split(|octet| *octet == b' ').skip_while(|field| *field != b"-").nth(1)
}

/// Whether file systems of a type, as the list of mounts calls it, have their data on this machine.
pub(super) fn is_local_type(kind: &[u8]) -> bool {
    LOCAL.iter().any(|local| local.as_bytes() == kind)
}

/// Whether a directory is on a file system that uses this machine's clock, and whose attributes are never stale.
pub(in crate::maildir) fn is_local(directory: BorrowedFd<'_>) -> bool {
    fstatfs(directory).is_ok_and(|about| is_local_number(about.f_type))
}

fn is_local_number(kind: FsWord) -> bool {
    const EXT: FsWord = 0xef53;
    const XFS: FsWord = 0x5846_5342;
    const BTRFS: FsWord = 0x9123_683e;
    const TMPFS: FsWord = 0x0102_1994;
    const ZFS: FsWord = 0x2fc1_2fc1;
    const OVERLAY: FsWord = 0x794c_7630;
    const F2FS: FsWord = 0xf2f5_2010;
    matches!(kind, EXT | XFS | BTRFS | TMPFS | ZFS | OVERLAY | F2FS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_matter_only_if_a_file_system_is_mounted_that_may_hang() {
        let local = "21 1 254:0 / / rw - ext4 /dev/vda rw\n22 21 0:5 / /proc rw - proc proc rw\n";
        assert!(answer_at_once(local.as_bytes()));
        for other in ["nfs4 nas:/", "fuse.sshfs host:/", "autofs auto", "9p share", "cifs //nas/share", "unheard-of x"]
        {
            assert!(!answer_at_once(format!("{local}30 21 0:52 / /mnt rw - {other} rw\n").as_bytes()), "{other}");
        }
        assert!(!answer_at_once(b""), "there is no such list");
        assert!(!answer_at_once(b"nonsense\n"));
    }
}
