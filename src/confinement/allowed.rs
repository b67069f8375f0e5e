//! Which folders are allowed, and for which use.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::links::folders_of;
use super::{Settings, system};

/// What a folder is allowed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FolderUse {
    /// Files are read.
    Read,
    /// Sockets are created, and removed.
    Sockets,
    /// Files and folders are read, written, created, moved and removed.
    Mail,
    /// It is a device, which is read and written.
    Device,
}

/// The allowed folders, without links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedFolders(BTreeSet<(PathBuf, FolderUse)>);

impl AllowedFolders {
    /// What these settings and the system need.
    pub(super) fn of(settings: &Settings) -> Self {
        let mut allowed = Self::default();
        settings.mail.iter().for_each(|root| allowed.add_mail(root));
        settings.sockets.iter().for_each(|socket| allowed.add(folder_of_socket(socket), FolderUse::Sockets));
        settings.files.iter().for_each(|file| allowed.add(folders_of(file), FolderUse::Read));
        allowed.add(system::folders().filter_map(|folder| folder.canonicalize().ok()), FolderUse::Read);
        system::files().for_each(|file| allowed.add(folders_of(&file), FolderUse::Read));
        allowed.add(system::devices().map(Path::to_owned), FolderUse::Device);
        allowed
    }

    /// Each with its use.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Path, FolderUse)> {
        self.0.iter().map(|(folder, used)| (folder.as_path(), *used))
    }

    /// The paths of these settings that are not allowed here.
    pub(super) fn leave_out(&self, settings: &Settings) -> BTreeSet<PathBuf> {
        let mail = settings.mail.iter().filter(|root| !self.allow(&real(root), FolderUse::Mail));
        let is_refused =
            |socket: &&PathBuf| folder_of_socket(socket).is_some_and(|folder| !self.allow(&folder, FolderUse::Sockets));
        let sockets = settings.sockets.iter().filter(is_refused);
        let is_unreadable =
            |file: &&PathBuf| folders_of(file).iter().any(|folder| !self.allow(folder, FolderUse::Read));
        let files = settings.files.iter().filter(is_unreadable);
        mail.chain(sockets).chain(files).cloned().collect()
    }

    /// The root, and the folder above it if it is a mount point: the rule on the root is about what is mounted now, and
    /// would be lost if it was unmounted and mounted again.
    fn add_mail(&mut self, root: &Path) {
        let root = real(root);
        let device = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev()).ok();
        let above = root.parent().filter(|above| above.parent().is_some() && device(above) != device(&root));
        self.add(above.map(Path::to_owned), FolderUse::Mail);
        self.add([root], FolderUse::Mail);
    }

    fn add(&mut self, folders: impl IntoIterator<Item = PathBuf>, used: FolderUse) {
        self.0.extend(folders.into_iter().map(|folder| (folder, used)));
    }

    /// Whether a folder without links may be used so.
    fn allow(&self, folder: &Path, wanted: FolderUse) -> bool {
        let is_enough = |used| used == wanted || (used, wanted) == (FolderUse::Mail, FolderUse::Read);
        self.iter().any(|(allowed, used)| folder.starts_with(allowed) && is_enough(used))
    }
}

fn folder_of_socket(socket: &Path) -> Option<PathBuf> {
    socket.parent().map(real)
}

/// The path without links; as it is while there is nothing.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(root: &Path) -> Settings {
        let within = |name: &str| vec![root.join(name)];
        Settings {
            is_on: true,
            mail: within("mail"),
            files: within("etc/restante.yaml"),
            sockets: within("run/admin.sock"),
        }
    }

    #[test]
    fn what_another_configuration_needs_besides_is_named() {
        let disk = tempfile::tempdir().unwrap();
        let root = disk.path().canonicalize().unwrap();
        for folder in ["mail/homes", "etc/tls", "run", "other"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let allowed = AllowedFolders::of(&settings(&root));
        assert_eq!(allowed.leave_out(&settings(&root)), BTreeSet::new());
        let within = |name: &str| root.join(name);
        let mut next = settings(&root);
        next.mail = vec![within("mail/homes"), within("other")];
        next.files = vec![within("etc/tls/key.pem"), within("mail/lists"), within("other/key.pem")];
        next.sockets = vec![within("run/http.sock"), within("etc/admin.sock"), within("mail/admin.sock")];
        let expected = ["etc/admin.sock", "mail/admin.sock", "other", "other/key.pem"].map(within);
        assert_eq!(allowed.leave_out(&next), BTreeSet::from(expected));
    }

    #[test]
    fn the_folder_above_a_mail_root_is_allowed_only_where_the_root_is_a_mount_point() {
        let disk = tempfile::tempdir().unwrap();
        let root = disk.path().canonicalize().unwrap();
        fs::create_dir(root.join("mail")).unwrap();
        let mail = |root: &Path| {
            let settings = Settings { mail: vec![root.to_owned()], ..Settings::default() };
            let allowed = AllowedFolders::of(&settings);
            let mail = allowed.iter().filter(|(_, used)| *used == FolderUse::Mail);
            mail.map(|(folder, _)| folder.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(mail(&root.join("mail")), [root.join("mail")]);
        assert_eq!(mail(Path::new("/dev/pts")), [PathBuf::from("/dev"), PathBuf::from("/dev/pts")]);
        assert_eq!(mail(Path::new("/proc")), [PathBuf::from("/proc")], "the whole file system is never allowed");
    }
}
