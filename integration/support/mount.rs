//! File systems that a test mounts, for which it must run as root.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted file system. It is unmounted when dropped, whoever still uses it.
pub struct Mount(PathBuf);

impl Mount {
    /// A file system in memory, of so many octets.
    pub fn memory(at: &Path, octets: usize) -> Self {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={octets}"), "tmpfs"]).arg(at);
        assert!(mount.status().unwrap().success(), "mounting wants root");
        Self(at.to_owned())
    }

    /// One that something else has mounted.
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}
