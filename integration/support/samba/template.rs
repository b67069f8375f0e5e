//! A domain as `samba-tool` sets it up, kept for all tests: that takes seconds, copying it does not.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::super::process::{output, program, succeed};
use super::{ADMIN_PASSWORD, DOMAIN, REALM};

/// What a domain controller's LDAP needs of what is set up.
const PARTS: [&str; 2] = ["private", "state"];
/// What one that runs makes for itself, below folders that it wants to find.
const FOLDERS: [&str; 4] = ["cache", "lock", "run", "ncalrpc"];

/// Copies the domain into a folder; sets it up first, if no test did before.
pub(super) fn copy(folder: &Path) {
    let template = template();
    let mut command = program("cp");
    command.arg("-a").args(PARTS.map(|part| template.join(part))).arg(folder);
    succeed(&mut command, "");
    for name in FOLDERS {
        fs::create_dir(folder.join(name)).unwrap();
    }
}

/// The kept domain's folder. Who sets it up holds a lock; a set-up that did not end leaves a folder of another name.
fn template() -> PathBuf {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let lock = File::create(kept.join("samba.lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let template = kept.join(format!("samba-{:016x}", recipe()));
    if template.exists() {
        return template;
    }
    let draft = tempfile::tempdir_in(kept).unwrap();
    let mut command = program("samba-tool");
    command.args(arguments()).arg(format!("--targetdir={}", draft.path().display()));
    succeed(&mut command, "");
    fs::remove_dir_all(draft.path().join("state/sysvol")).unwrap();
    fs::rename(draft.keep(), &template).unwrap();
    template
}

/// Another Samba, or another way to set up, makes another domain.
fn recipe() -> u64 {
    let mut hasher = DefaultHasher::new();
    output(program("samba").arg("--version"), "").stdout.hash(&mut hasher);
    arguments().hash(&mut hasher);
    hasher.finish()
}

fn arguments() -> Vec<String> {
    let options = ["--configfile=/dev/null", "--server-role=dc", "--dns-backend=NONE", "--host-name=dc"];
    let mut arguments = ["domain", "provision"].into_iter().chain(options).map(str::to_owned).collect::<Vec<_>>();
    arguments.extend([
        format!("--realm={REALM}"),
        format!("--domain={DOMAIN}"),
        format!("--adminpass={ADMIN_PASSWORD}"),
        "--host-ip=127.88.0.1".to_owned(),
        "--option=interfaces=127.88.0.1/8".to_owned(),
        "--option=bind interfaces only=yes".to_owned(),
    ]);
    arguments
}
