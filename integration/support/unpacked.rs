//! Debian packages that cannot be installed beside others, unpacked into a folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::process::{program, succeed};

/// Where these packages are unpacked; done once for all tests.
pub fn unpacked(name: &str, packages: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    let turn = File::create(folder.join("lock")).unwrap();
    turn.lock().unwrap();
    let root = folder.join("root");
    if root.is_dir() {
        return root;
    }
    let begun = folder.join("begun");
    let _left_by_one_cut_off = fs::remove_dir_all(&begun);
    fs::create_dir(&begun).unwrap();
    succeed(program("apt-get").args(["download", "-q"]).args(packages).current_dir(&begun), "");
    for entry in fs::read_dir(&begun).unwrap() {
        let package = entry.unwrap().path();
        if package.extension().is_some_and(|extension| extension == "deb") {
            succeed(program("dpkg").arg("-x").arg(&package).arg(begun.join("root")), "");
        }
    }
    fs::rename(begun.join("root"), &root).unwrap();
    root
}
