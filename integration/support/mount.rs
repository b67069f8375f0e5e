//! File systems that a test mounts, for which it must run as root.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, kill_process};

use super::wait_until;

/// A mounted file system. It is unmounted when dropped, whoever still uses it.
pub struct Mount(PathBuf);

/// A directory of another machine, of which the kernel remembers names and attributes for a minute.
pub struct Remembered {
    program: Child,
    _mount: Mount,
}

impl Remembered {
    /// Shows `what` at `at`. Returns when it is there.
    pub fn new(what: &Path, at: &Path) -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("integration/support/caching_fs.py");
        let mut python = Command::new("/usr/bin/python3");
        let program = python.arg(program).arg(what).arg(at).spawn().expect("python3-pyfuse3, of Debian");
        let remembered = Self { program, _mount: Mount(at.to_owned()) };
        let mounted = || std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        wait_until("the file system is mounted", || mounted().contains(&*at.to_string_lossy()));
        remembered
    }
}

impl Drop for Remembered {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// A directory shown at another place by a program, through FUSE, which can be made to hang.
pub struct Shown {
    program: Child,
    _mount: Mount,
}

impl Mount {
    /// A file system in memory, of so many octets.
    pub fn memory(at: &Path, octets: usize) -> Self {
        Self::memory_by(at, &format!("size={octets}"))
    }

    /// The same with options of tmpfs(5).
    pub fn memory_by(at: &Path, options: &str) -> Self {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at);
        assert!(mount.status().unwrap().success(), "mounting wants root");
        Self(at.to_owned())
    }

    /// A file system on a disk whose time stamps count whole seconds: what changes within one of them looks unchanged. The
    /// disk is a file in `folder`.
    pub fn with_whole_seconds(at: &Path, folder: &Path) -> Self {
        let disk = folder.join("disk");
        std::fs::File::create(&disk).unwrap().set_len(64 << 20).unwrap();
        let mut make = Command::new("mkfs.ext4");
        assert!(make.args(["-q", "-I", "128", "-N", "20000"]).arg(&disk).status().unwrap().success());
        let mut mount = Command::new("mount");
        assert!(mount.args(["-o", "loop"]).arg(&disk).arg(at).status().unwrap().success(), "mounting wants root");
        Self(at.to_owned())
    }

    /// From now on nothing can be written to it.
    pub fn read_only(&self) {
        let mut mount = Command::new("mount");
        assert!(mount.args(["-o", "remount,ro"]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

impl Shown {
    /// Shows `what` at `at`. Returns when it is there.
    pub fn new(what: &Path, at: &Path) -> Self {
        Self::by(Command::new("bindfs").arg("-f"), what, at)
    }

    /// The same by a program that goes on to answer while one of its own calls hangs.
    pub fn by_threads(what: &Path, at: &Path) -> Self {
        Self::by(Command::new("bindfs").args(["-f", "--multithreaded"]), what, at)
    }

    /// The same, where the kernel remembers names and attributes for a second, and locks are those of the directory itself:
    /// as NFS does, mounted with `actimeo=1`.
    pub fn as_nfs(what: &Path, at: &Path) -> Self {
        let timeouts = "attr_timeout=1,entry_timeout=1,negative_timeout=1";
        Self::by(
            Command::new("bindfs").args(["-f", "--multithreaded", "--enable-lock-forwarding", "-o", timeouts]),
            what,
            at,
        )
    }

    fn by(bindfs: &mut Command, what: &Path, at: &Path) -> Self {
        let program = bindfs.args(["-o", "nonempty"]).arg(what).arg(at).spawn().expect("bindfs, of Debian");
        let shown = Self { program, _mount: Mount(at.to_owned()) };
        let mounted = || std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        wait_until("bindfs has mounted", || mounted().contains(&*at.to_string_lossy()));
        shown
    }

    /// From now on every call on it hangs.
    pub fn freeze(&self) {
        kill_process(Pid::from_child(&self.program), Signal::STOP).unwrap();
    }

    /// Its program is gone: every call on it fails.
    pub fn fall_down(&mut self) {
        self.program.kill().unwrap();
        self.program.wait().unwrap();
    }

    /// It answers again, those first that waited.
    pub fn thaw(&self) {
        kill_process(Pid::from_child(&self.program), Signal::CONT).unwrap();
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        // A dead program's calls fail instead of hanging.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
