//! What the C library and the kernel's reports need while the service runs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Folders that are read.
///
/// Looking up a host name reads `nsswitch.conf`, `resolv.conf`, `hosts`, `host.conf` and `gai.conf` below `/etc`, and loads
/// modules from the folders of libraries; the system's authorities for TLS are below `/etc`, with links to `/usr/share` or
/// `/var/lib`. Below `/proc` are the list of mounts and the limits of the control group, by which the number of threads is
/// chosen; a rule for `/proc/self` would be about an inode that the kernel may drop and make anew.
const FOLDERS: [&str; 15] = [
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/proc",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/share/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/share/pki",
    "/usr/share/zoneinfo",
    "/var/lib/ca-certificates",
];

/// Files that are often links out of these folders, and that other programs replace.
const FILES: [&str; 4] = ["/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl/certs"];

/// Devices without content.
const DEVICES: [&str; 3] = ["/dev/null", "/dev/random", "/dev/urandom"];

/// The variables that name other authorities than the system's, for the directories' certificates.
const AUTHORITIES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Folders that are read.
pub(super) fn folders() -> impl Iterator<Item = PathBuf> {
    FOLDERS.into_iter().map(PathBuf::from)
}

/// Files that are read, with their folders and those that they lead to.
pub(super) fn files() -> impl Iterator<Item = PathBuf> {
    let named = AUTHORITIES.into_iter().filter_map(std::env::var_os).flat_map(|value| paths(&value));
    FILES.into_iter().map(PathBuf::from).chain(named)
}

/// Devices that are read and written.
pub(super) fn devices() -> impl Iterator<Item = &'static Path> {
    DEVICES.into_iter().map(Path::new)
}

/// The paths of a variable, separated by colons. A folder is named by something in it.
fn paths(value: &OsStr) -> Vec<PathBuf> {
    let path = |path: PathBuf| if path.is_dir() { path.join("certificate") } else { path };
    std::env::split_paths(value).filter(|path| path.is_absolute()).map(path).collect()
}
