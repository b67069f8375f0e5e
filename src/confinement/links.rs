//! The folders that the links on a file's way lead to.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// As many links as the kernel follows (`path_resolution(7)`).
const MOST_LINKS: usize = 40;

/// The folders, without links, that must be readable so that a file can be read now and after its renewal: the folder of
/// the file, and where there are links on its way, the folders of each link and of its target.
///
/// - certbot: `live/NAME/privkey.pem` leads to `archive/NAME/privkey3.pem`, later to `privkey4.pem`.
/// - Kubernetes: `tls.key` leads to `..data/tls.key`, and `..data` to another folder after each change.
/// - `current/tls.key`, where `current` leads to `releases/3`, later to `releases/4`.
///
/// The file itself is returned if its folder is `/`, since that would allow everything.
pub(super) fn folders_of(file: &Path) -> BTreeSet<PathBuf> {
    let (mut found, mut at, mut links) = (BTreeSet::new(), PathBuf::from("/"), 0);
    let mut steps = steps_of(file);
    while let Some(step) = steps.pop() {
        let next = if step == ".." { at.parent().unwrap_or(&at).to_owned() } else { at.join(&step) };
        match fs::read_link(&next) {
            Ok(target) if links < MOST_LINKS => {
                links += 1;
                let real = next.canonicalize().unwrap_or_else(|_| at.join(&target));
                let is_file = steps.is_empty();
                found.extend(
                    [at.as_path()]
                        .into_iter()
                        .chain(real.parent())
                        .filter(|folder| is_own(folder, is_file))
                        .map(Path::to_owned),
                );
                if target.is_absolute() {
                    at = PathBuf::from("/");
                }
                steps.extend(steps_of(&target));
            }
            _ => at = next,
        }
    }
    let folder = at.parent().filter(|folder| is_own(folder, true)).map(Path::to_owned);
    found.insert(folder.unwrap_or(at));
    found
}

/// Whether a folder may be allowed for the sake of one file in it, or of a link on the way there. Links such as `/var/run`
/// belong to the system, and their folders hold everything.
fn is_own(folder: &Path, holds_file: bool) -> bool {
    let depth = folder.components().filter(|component| matches!(component, Component::Normal(_))).count();
    depth >= if holds_file { 1 } else { 2 }
}

/// The components of a path, the next last.
fn steps_of(path: &Path) -> Vec<OsString> {
    let step = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    };
    path.components().rev().filter_map(step).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// The folders of a file below `root`, counted from there.
    fn folders(root: &Path, file: &str) -> Vec<String> {
        let folders = folders_of(&root.join(file));
        let shown = |folder: &PathBuf| folder.strip_prefix(root).ok().map(|folder| folder.display().to_string());
        folders.iter().filter_map(shown).collect()
    }

    #[test]
    fn renewal_by_links_stays_within_the_folders() {
        let disk = tempfile::tempdir().unwrap();
        let root = disk.path().canonicalize().unwrap();
        for folder in ["live/n", "archive/n", "pod/..1", "opt/releases/3"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        for file in ["archive/n/key1.pem", "pod/..1/tls.key", "opt/releases/3/tls.key"] {
            fs::write(root.join(file), "").unwrap();
        }
        symlink("../../archive/n/key1.pem", root.join("live/n/key.pem")).unwrap();
        symlink("..1", root.join("pod/..data")).unwrap();
        symlink("..data/tls.key", root.join("pod/tls.key")).unwrap();
        symlink(root.join("opt/releases/3"), root.join("opt/current")).unwrap();
        assert_eq!(folders(&root, "live/n/key.pem"), ["archive/n", "live/n"]);
        assert_eq!(folders(&root, "pod/tls.key"), ["pod", "pod/..1"]);
        assert_eq!(folders(&root, "opt/current/tls.key"), ["opt", "opt/releases", "opt/releases/3"]);
        assert_eq!(folders(&root, "live/n/missing"), ["live/n"]);
        symlink("circle", root.join("pod/circle")).unwrap();
        assert!(folders(&root, "pod/circle").contains(&"pod".to_owned()));
    }

    #[test]
    fn neither_the_whole_file_system_nor_a_folder_of_the_system_is_allowed_for_one_file() {
        assert_eq!(folders_of(Path::new("/key.pem")), BTreeSet::from(["/key.pem".into()]));
        assert_eq!(folders_of(Path::new("/srv/key.pem")), BTreeSet::from(["/srv".into()]));
        // A link of the system on the way: /proc/self leads to /proc/1234.
        let way = folders_of(Path::new("/proc/self/fd/none"));
        assert!(way.iter().all(|folder| folder != Path::new("/proc") && folder != Path::new("/")), "{way:?}");
    }
}
