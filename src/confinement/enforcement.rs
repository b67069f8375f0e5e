//! The rules are handed to the kernel, which enforces as many of them as it knows.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, BitFlags, CompatLevel, Compatible as _, LandlockStatus, PathBeneath, PathFd,
    RestrictionStatus, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus, make_bitflags,
};

use super::Settings;
use super::allowed::{AllowedFolders, FolderUse};

/// The newest version of Landlock whose rules are used: version 6 and 7 bring none about files. The right to connect to a
/// Unix socket by its path (version 9) is not restricted: `ldapi:`, the service manager and the name service cache are
/// reached by it.
const NEWEST: ABI = ABI::V5;

/// How much of the confinement the kernel enforces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfinementLevel {
    /// All rules, in all threads.
    Full,
    /// Those that this kernel knows.
    Partial,
    /// None: the service reaches every file that its user may reach.
    None,
}

/// The confinement of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confinement {
    level: ConfinementLevel,
    reason: Option<String>,
    allowed: AllowedFolders,
}

impl Confinement {
    /// Confines the calling thread, and those that it starts from now on, for good. Call it before the first thread is
    /// started, after sockets are bound and the user was changed.
    ///
    /// It never fails: what cannot be enforced is reported by [`Self::level`] and [`Self::reason`].
    #[must_use]
    pub fn enforce(settings: &Settings) -> Self {
        if !settings.is_on {
            return Self::none("switched off by `landlock: off`");
        }
        let allowed = AllowedFolders::of(settings);
        let others = other_threads();
        match restrict(&allowed) {
            Err(fault) => Self::none(&fault.to_string()),
            Ok(status) => {
                let (level, reason) = judge(status.landlock, &status.ruleset, others);
                Self { level, reason, allowed }
            }
        }
    }

    /// No confinement, for a reason.
    #[must_use]
    pub fn none(reason: &str) -> Self {
        Self { level: ConfinementLevel::None, reason: Some(reason.to_owned()), allowed: AllowedFolders::default() }
    }

    /// How much is enforced.
    #[must_use]
    pub fn level(&self) -> ConfinementLevel {
        self.level
    }

    /// Why not everything is enforced.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The paths of other settings that this process cannot reach any more: it must be restarted to use them.
    #[must_use]
    pub fn out_of_reach(&self, settings: &Settings) -> BTreeSet<PathBuf> {
        if self.level == ConfinementLevel::None { BTreeSet::new() } else { self.allowed.leave_out(settings) }
    }
}

impl fmt::Display for ConfinementLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "full",
            Self::Partial => "part",
            Self::None => "none",
        })
    }
}

/// Without the right to move files between folders (version 2), no message could be moved from `new` to `cur`. So it is
/// required, and everything else is used as far as it exists. What is not there is left out.
fn restrict(allowed: &AllowedFolders) -> Result<RestrictionStatus, RulesetError> {
    let ruleset = Ruleset::default().set_compatibility(CompatLevel::SoftRequirement).handle_access(AccessFs::Refer)?;
    let ruleset = ruleset.set_compatibility(CompatLevel::BestEffort).handle_access(AccessFs::from_all(NEWEST))?;
    let mut ruleset = ruleset.create()?;
    for (folder, used) in allowed.iter() {
        let Ok(opened) = PathFd::new(folder) else { continue };
        ruleset = ruleset.add_rule(PathBeneath::new(opened, rights(folder, used)))?;
    }
    ruleset.restrict_self()
}

/// The right to execute programs is never among them.
fn rights(path: &Path, used: FolderUse) -> BitFlags<AccessFs> {
    let rights = match used {
        FolderUse::Read => make_bitflags!(AccessFs::{ReadFile | ReadDir}),
        FolderUse::Device => make_bitflags!(AccessFs::{ReadFile | WriteFile}),
        FolderUse::Sockets => make_bitflags!(AccessFs::{MakeSock | RemoveFile}),
        FolderUse::Mail => make_bitflags!(AccessFs::{
            ReadFile | ReadDir | WriteFile | Truncate | MakeReg | MakeDir | MakeSym | RemoveFile | RemoveDir | Refer
        }),
    };
    // Those about the entries of a folder mean nothing for a file.
    let of_files = make_bitflags!(AccessFs::{ReadFile | WriteFile | Truncate});
    if path.is_dir() { rights } else { rights & of_files }
}

/// The threads of this process besides the calling one.
fn other_threads() -> usize {
    fs::read_dir("/proc/self/task").map_or(0, |threads| threads.count().saturating_sub(1))
}

fn judge(landlock: LandlockStatus, ruleset: &RulesetStatus, others: usize) -> (ConfinementLevel, Option<String>) {
    let kernel = match landlock {
        LandlockStatus::NotEnabled => {
            return none("Landlock is switched off in this kernel: see lsm= in its command line");
        }
        LandlockStatus::NotImplemented => {
            return none(
                "this kernel has no Landlock (Linux 5.19 or newer has it), or SystemCallFilter= of the unit refuses its \
                 system calls",
            );
        }
        LandlockStatus::Available { effective_abi, kernel_abi } => kernel_abi.unwrap_or(effective_abi as i32),
    };
    match ruleset {
        RulesetStatus::NotEnforced => none(&format!(
            "version {kernel} of Landlock in this kernel would not let mail be moved; Linux 5.19 or newer is needed"
        )),
        _ if others > 0 => {
            (ConfinementLevel::Partial, Some(format!("{others} threads had been started before and are not confined")))
        }
        RulesetStatus::PartiallyEnforced => (
            ConfinementLevel::Partial,
            Some(format!(
                "version {kernel} of Landlock in this kernel does not know every right; Linux 6.10 or newer does"
            )),
        ),
        RulesetStatus::FullyEnforced => (ConfinementLevel::Full, None),
    }
}

fn none(reason: &str) -> (ConfinementLevel, Option<String>) {
    (ConfinementLevel::None, Some(reason.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::ErrorKind;

    use super::*;

    const FULL: LandlockStatus = LandlockStatus::Available { effective_abi: ABI::V7, kernel_abi: None };

    #[test]
    fn what_is_not_enforced_has_a_reason() {
        let old = LandlockStatus::Available { effective_abi: ABI::V2, kernel_abi: None };
        let older = LandlockStatus::Available { effective_abi: ABI::V1, kernel_abi: None };
        for (landlock, ruleset, others, level, words) in [
            (FULL, RulesetStatus::FullyEnforced, 0, ConfinementLevel::Full, ""),
            (FULL, RulesetStatus::FullyEnforced, 2, ConfinementLevel::Partial, "2 threads had been started before"),
            (old, RulesetStatus::PartiallyEnforced, 0, ConfinementLevel::Partial, "version 2 of Landlock"),
            (older, RulesetStatus::NotEnforced, 0, ConfinementLevel::None, "version 1 of Landlock"),
            (LandlockStatus::NotEnabled, RulesetStatus::NotEnforced, 0, ConfinementLevel::None, "switched off"),
            (LandlockStatus::NotImplemented, RulesetStatus::NotEnforced, 0, ConfinementLevel::None, "has no Landlock"),
        ] {
            let (found, reason) = judge(landlock, &ruleset, others);
            assert_eq!((found, reason.is_none()), (level, words.is_empty()), "{landlock:?}");
            assert!(reason.unwrap_or_default().contains(words), "{words}");
        }
    }

    /// The rules apply to the thread that asks for them and to those that it starts: so a thread can try them. Where the
    /// kernel has no Landlock, this is what is tested: that it says so.
    #[test]
    fn a_confined_thread_and_those_that_it_starts_reach_only_what_is_allowed() {
        let disk = tempfile::tempdir().unwrap();
        let root = disk.path().to_owned();
        for folder in ["mail/new", "mail/cur", "tls", "run", "other"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        for file in ["mail/new/1", "tls/key.pem", "other/key.pem"] {
            fs::write(root.join(file), "").unwrap();
        }
        let settings = Settings {
            is_on: true,
            mail: vec![root.join("mail")],
            files: vec![root.join("tls/key.pem")],
            sockets: vec![root.join("run/admin.sock")],
        };
        let confined = std::thread::spawn(move || {
            let confinement = Confinement::enforce(&settings);
            // The test program has other threads, so it is never enforced in all of them.
            if confinement.level() == ConfinementLevel::None {
                assert!(confinement.reason().is_some());
                return;
            }
            let other = Settings { files: vec![root.join("other/key.pem")], ..settings };
            assert_eq!(confinement.out_of_reach(&other), BTreeSet::from([root.join("other/key.pem")]));
            std::thread::spawn(move || try_everything(&root)).join().unwrap();
        });
        confined.join().unwrap();
    }

    fn try_everything(root: &Path) {
        let refused =
            |outcome: std::io::Result<()>| outcome.is_err_and(|fault| fault.kind() == ErrorKind::PermissionDenied);
        let read = |file: &str| File::open(root.join(file)).map(drop);
        fs::rename(root.join("mail/new/1"), root.join("mail/cur/1")).unwrap();
        fs::write(root.join("mail/cur/2"), "x").unwrap();
        read("mail/cur/1").unwrap();
        read("tls/key.pem").unwrap();
        fs::write(root.join("tls/next"), "").unwrap_err();
        assert!(refused(read("other/key.pem")));
        assert!(
            refused(fs::rename(root.join("mail/cur/2"), root.join("run/2")))
                || fs::metadata(root.join("run/2")).is_err()
        );
        let socket = std::os::unix::net::UnixListener::bind(root.join("run/admin.sock")).unwrap();
        drop(socket);
        fs::remove_file(root.join("run/admin.sock")).unwrap();
        assert!(refused(fs::write(root.join("run/file"), "")));
        read("mail").unwrap();
        File::open("/etc/passwd").unwrap();
        File::open("/proc/self/mountinfo").unwrap();
        fs::write("/dev/null", "x").unwrap();
        assert!(refused(std::process::Command::new("/bin/true").status().map(drop)), "no program can be run");
    }
}
