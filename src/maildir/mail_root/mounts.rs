//! Which file system a path leads to, determined without touching other machines' file systems, so that it never hangs.
//!
//! The kernel's list of mounts says what is mounted where; links on the path are read only on file systems of this
//! machine.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::file_system_type::{answer_at_once, is_local_type, kind};

const LIST: &str = "/proc/self/mountinfo";

/// The most links on a path; the kernel follows as many.
const MOST_LINKS: usize = 40;

/// The file systems of other machines, or of programs, that contain files of a maildrop; empty if all are local, where
/// only a failing disk makes a call wait for long.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FileSystems(Vec<u64>);

/// A file system that is mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::maildir) struct FileSystem {
    /// Its device: what distinguishes it from others.
    pub(in crate::maildir) device: u64,
    /// Its data are on this machine.
    pub(in crate::maildir) is_local: bool,
}

/// The list of mounts, read again whenever it has changed.
#[derive(Debug)]
pub(in crate::maildir) struct Mounts {
    /// Reports that it has changed; none if there is no such list.
    list: Option<File>,
    /// The directories, without links, whose mounts matter.
    trees: Vec<PathBuf>,
    table: Mutex<Arc<MountTable>>,
}

/// What was mounted where at one moment, on the way to the trees that matter and below them.
#[derive(Debug, Default)]
pub(in crate::maildir) struct MountTable {
    /// Another number means that something was mounted or unmounted in between.
    pub(in crate::maildir) generation: u64,
    mounted: HashMap<PathBuf, FileSystem>,
    /// Nothing at all that is mounted on this machine can make a call wait for another machine or a program.
    answers_at_once: bool,
    /// Every place where something was mounted since the start.
    seen: HashSet<PathBuf>,
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::maildir) struct Located {
    /// Without links, as far as these lie on file systems of this machine.
    pub(super) real: PathBuf,
    /// None if unknown.
    pub(super) on: Option<FileSystem>,
}

impl FileSystems {
    /// Whether all are this machine's own.
    #[must_use]
    pub fn are_local(&self) -> bool {
        self.0.is_empty()
    }

    /// One file system of another machine, by its device.
    #[must_use]
    pub fn remote(device: u64) -> Self {
        Self(vec![device])
    }

    pub(in crate::maildir) fn add(&mut self, found: FileSystem) {
        if !found.is_local
            && let Err(at) = self.0.binary_search(&found.device)
        {
            self.0.insert(at, found.device);
        }
    }

    /// These and others.
    #[must_use]
    pub fn and(mut self, others: &Self) -> Self {
        for device in &others.0 {
            self.add(FileSystem { device: *device, is_local: false });
        }
        self
    }
}

impl Mounts {
    /// Reads the list. `trees`: absolute paths without links.
    pub(in crate::maildir) fn new(trees: Vec<PathBuf>) -> Self {
        let mounts = Self { list: File::open(LIST).ok(), trees, table: Mutex::default() };
        mounts.read(&mut mounts.locked());
        mounts
    }

    /// The current list: one system call if it has not changed.
    pub(in crate::maildir) fn now(&self) -> Arc<MountTable> {
        let mut table = self.locked();
        if self.has_changed() {
            self.read(&mut table);
        }
        Arc::clone(&table)
    }

    /// The kernel reports each change to each reader of the list once, as urgent data (proc(5)).
    fn has_changed(&self) -> bool {
        let Some(list) = &self.list else { return false };
        let mut asked = [PollFd::new(list, PollFlags::PRI)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut asked, Some(&at_once)).is_ok_and(|changed| changed > 0)
    }

    fn read(&self, table: &mut Arc<MountTable>) {
        let matters = |point: &Path| self.trees.iter().any(|tree| tree.starts_with(point) || point.starts_with(tree));
        let list = fs::read(LIST).unwrap_or_default();
        let answers_at_once = answer_at_once(&list);
        let mounts = list.split(|octet| *octet == b'\n').filter_map(mount);
        // Of those at one place the one mounted last covers the others.
        let mounted: HashMap<_, _> = mounts.filter(|(point, _)| matters(point)).collect();
        if mounted != table.mounted || answers_at_once != table.answers_at_once {
            let seen = table.seen.iter().chain(mounted.keys()).cloned().collect();
            *table = Arc::new(MountTable { generation: table.generation + 1, mounted, answers_at_once, seen });
        }
    }

    fn locked(&self) -> MutexGuard<'_, Arc<MountTable>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MountTable {
    /// Whether no path on this machine leads to another machine's file system, or to a program's, whatever the links.
    pub(super) fn answers_at_once(&self) -> bool {
        self.answers_at_once
    }

    /// The file system of an absolute path without links: that of the innermost mount that contains it.
    fn of(&self, path: &Path) -> Option<FileSystem> {
        path.ancestors().find_map(|point| self.mounted.get(point)).copied()
    }

    /// The file system of a directory's entry: the directory's own, unless something is mounted there.
    fn of_step(&self, directory: Option<FileSystem>, entry: &Path, step: &OsString) -> Option<FileSystem> {
        if step == ".." || step == "/" { self.of(entry) } else { self.mounted.get(entry).copied().or(directory) }
    }

    /// A path without links.
    pub(super) fn located(&self, real: &Path) -> Located {
        Located { real: real.to_owned(), on: self.of(real) }
    }

    /// Where `path` leads from a directory. A file system that is not local is never asked: below it, only the names
    /// are used.
    pub(super) fn locate(&self, from: &Located, path: &Path) -> Located {
        let mut steps = Vec::new();
        add_steps(&mut steps, path);
        let (mut at, mut on, mut links) = (from.real.clone(), from.on, 0);
        while on.is_none_or(|on| on.is_local)
            && let Some(step) = steps.pop()
        {
            let next = moved(&at, &step);
            let next_on = self.of_step(on, &next, &step);
            let link = if next_on.is_some_and(|on| on.is_local) { fs::read_link(&next).ok() } else { None };
            match link {
                Some(link) if links < MOST_LINKS => {
                    links += 1;
                    add_steps(&mut steps, &link);
                }
                _ => (at, on) = (next, next_on),
            }
        }
        let real = steps.iter().rev().fold(at, |at, step| moved(&at, step));
        let on = if steps.is_empty() { on } else { self.of(&real) };
        Located { real, on }
    }

    /// A place on a path without links where something was mounted since the start, or should be mounted, and nothing
    /// is.
    pub(super) fn was_unmounted<'p>(&self, path: &'p Path, declared: &HashSet<PathBuf>) -> Option<&'p Path> {
        let is_expected = |point: &&Path| self.seen.contains(*point) || declared.contains(*point);
        path.ancestors().filter(is_expected).find(|point| !self.mounted.contains_key(*point))
    }
}

/// The places where a table such as `/etc/fstab` says something is mounted; none if there is no such table.
pub(super) fn declared(table: &Path) -> HashSet<PathBuf> {
    let table = fs::read(table).unwrap_or_default();
    let lines = table.split(|octet| *octet == b'\n').filter(|line| !line.trim_ascii_start().starts_with(b"#"));
    let points = lines.filter_map(|line| {
        let mut fields = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
        let point = PathBuf::from(OsString::from_vec(unescaped(fields.nth(1)?)));
        point.is_absolute().then_some(point)
    });
    points.collect()
}

/// The components of a path, the next last.
fn add_steps(steps: &mut Vec<OsString>, path: &Path) {
    for component in path.components().rev() {
        match component {
            Component::Normal(name) => steps.push(name.to_owned()),
            Component::ParentDir => steps.push("..".into()),
            Component::RootDir => steps.push("/".into()),
            Component::CurDir | Component::Prefix(_) => {}
        }
    }
}

fn moved(at: &Path, step: &OsString) -> PathBuf {
    if step == ".." { at.parent().unwrap_or(at).to_owned() } else { at.join(step) }
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue` (proc(5)).
fn mount(line: &[u8]) -> Option<(PathBuf, FileSystem)> {
    let mut fields = line.split(|octet| *octet == b' ');
    let (_, _, device) = (fields.next()?, fields.next()?, fields.next()?);
    let (major, minor) = std::str::from_utf8(device).ok()?.split_once(':')?;
    let device = rustix::fs::makedev(major.parse().ok()?, minor.parse().ok()?);
    let point = PathBuf::from(OsString::from_vec(unescaped(fields.nth(1)?)));
    let kind = kind(line)?;
    let is_local = is_local_type(kind);
    Some((point, FileSystem { device, is_local }))
}

/// Blanks and the like are written as `\040`.
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
    use std::os::unix::fs::symlink;

    use super::*;

    const SEEN: &str = r"21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 21 0:52 / /srv/mail rw - nfs4 nas:/mail rw,vers=4.2
31 30 0:53 / /srv/mail/local rw - xfs /dev/vdb rw
32 21 0:54 / /srv/a\040b rw,nosuid shared:7 master:2 - fuse.sshfs host:/ rw
33 30 0:55 / /srv/mail rw - tmpfs none rw
nonsense";

    fn table(list: &str) -> MountTable {
        let mounted: HashMap<_, _> = list.lines().filter_map(|line| mount(line.as_bytes())).collect();
        MountTable { generation: 1, seen: mounted.keys().cloned().collect(), answers_at_once: false, mounted }
    }

    #[test]
    fn a_path_lies_on_the_innermost_mount_that_covers_the_others() {
        let table = table(SEEN);
        let of = |path: &str| table.of(Path::new(path)).map(|found| (rustix::fs::minor(found.device), found.is_local));
        assert_eq!(of("/srv/mailbox"), Some((0, true)));
        assert_eq!(of("/srv/mail/ajones/Maildir"), Some((55, true)));
        assert_eq!(of("/srv/mail/local/ajones"), Some((53, true)));
        assert_eq!(of("/srv/a b/x"), Some((54, false)));
        assert_eq!(of("relative"), None);
    }

    /// The path's text says nothing: a link may lead to another file system, and from there back.
    #[test]
    fn a_link_into_a_mount_leads_to_that_mount() {
        let disk = tempfile::tempdir().unwrap();
        let root = disk.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("net/inner")).unwrap();
        fs::create_dir_all(root.join("here")).unwrap();
        symlink("net/ajones", root.join("relative")).unwrap();
        symlink(root.join("net/ajones"), root.join("absolute")).unwrap();
        symlink("../relative/Maildir", root.join("here/two")).unwrap();
        symlink("round", root.join("round")).unwrap();
        // Never asked for: it lies on the other file system.
        symlink("../here", root.join("net/back")).unwrap();
        let at = root.display();
        let table = table(&format!(
            "1 1 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:7 / {at}/net rw - nfs4 nas:/ rw\n3 2 0:8 / {at}/net/inner rw - nfs4 nas:/i rw\n"
        ));
        let located = |path: &str| {
            let located = table.locate(&table.located(&root), Path::new(path));
            let real = located.real.strip_prefix(&root).unwrap().display().to_string();
            (real, located.on.map(|on| (rustix::fs::minor(on.device), on.is_local)))
        };
        for (path, real, on) in [
            ("here/new", "here/new", (1, true)),
            ("nobody/Maildir", "nobody/Maildir", (1, true)),
            ("here/../here", "here", (1, true)),
            ("relative/new", "net/ajones/new", (7, false)),
            ("absolute/new", "net/ajones/new", (7, false)),
            ("here/two", "net/ajones/Maildir", (7, false)),
            ("net/back", "net/back", (7, false)),
            ("net/inner/x", "net/inner/x", (8, false)),
        ] {
            assert_eq!(located(path), (real.to_owned(), Some(on)), "{path}");
        }
        assert!(located("round").1.is_some(), "it ends");
    }

    #[test]
    fn a_place_where_something_was_mounted_is_missed() {
        let mut table = table(SEEN);
        let declared = HashSet::from([PathBuf::from("/srv/mail/disk2")]);
        let path = Path::new("/srv/mail/local/ajones");
        assert_eq!(table.was_unmounted(path, &declared), None);
        assert_eq!(
            table.was_unmounted(Path::new("/srv/mail/disk2/ajones"), &declared),
            Some(Path::new("/srv/mail/disk2"))
        );
        table.mounted.remove(Path::new("/srv/mail/local"));
        assert_eq!(table.was_unmounted(path, &declared), Some(Path::new("/srv/mail/local")));
    }

    #[test]
    fn a_table_of_file_systems_declares_where_they_are_mounted() {
        let table = tempfile::NamedTempFile::new().unwrap();
        fs::write(&table, "# /dev/sda /no ext4\nUUID=1 / ext4 defaults 0 1\n/dev/sdb\t/srv/a\\040b  xfs noauto\n/dev/sdc none swap sw\n\nx\n").unwrap();
        let declared = declared(table.path());
        assert_eq!(declared, HashSet::from(["/", "/srv/a b"].map(PathBuf::from)));
        assert!(super::declared(Path::new("/nothing/fstab")).is_empty());
    }

    #[test]
    fn the_list_of_this_machine_has_a_root_and_stays_as_it_is() {
        let mounts = Mounts::new(vec![PathBuf::from("/")]);
        let table = mounts.now();
        assert!(table.of(Path::new("/")).is_some());
        assert_eq!(mounts.now().generation, table.generation);
    }
}
