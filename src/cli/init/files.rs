//! The files that are written: all new, or none.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::fault::InitFault;

/// The accepted authority, beside the configuration.
pub(super) const AUTHORITY: &str = "ldap-ca.pem";

/// The saved password of the service's entry, beside the configuration.
pub(super) const PASSWORD: &str = "ldap.password";

/// Certificate chain and key for mail programs, beside the configuration.
pub(super) const CERTIFICATE: [&str; 2] = ["fullchain.pem", "privkey.pem"];

/// The mode of files that only their owner may read, and of those that everybody may.
const SECRET: u32 = 0o600;
const PUBLIC: u32 = 0o644;

/// Files that are not there yet. Those written so far are removed if a later one cannot be written.
pub(super) struct NewFiles {
    configuration: PathBuf,
    written: Vec<PathBuf>,
    is_kept: bool,
}

impl NewFiles {
    /// Beside a configuration that must not be there.
    pub(super) fn beside(configuration: &Path) -> Result<Self, InitFault> {
        require_absence(configuration)?;
        let folder = configuration.parent().filter(|folder| !folder.as_os_str().is_empty());
        if !folder.unwrap_or(Path::new(".")).is_dir() {
            return Err(InitFault::Write(configuration.to_owned(), ErrorKind::NotADirectory.into()));
        }
        Ok(Self { configuration: configuration.to_owned(), written: Vec::new(), is_kept: false })
    }

    /// A file beside the configuration that must not be there.
    pub(super) fn require_free(&self, name: &str) -> Result<(), InitFault> {
        require_absence(&self.configuration.with_file_name(name))
    }

    /// Certificate chain and key under their usual names, if they lie there already.
    pub(super) fn certificate(&self) -> Option<(PathBuf, PathBuf)> {
        let is_there = CERTIFICATE.iter().all(|name| self.configuration.with_file_name(name).is_file());
        let [chain, key] = CERTIFICATE.map(PathBuf::from);
        is_there.then_some((chain, key))
    }

    /// The accepted authority.
    pub(super) fn authority(&mut self, pem: &str) -> Result<(), InitFault> {
        self.write(self.configuration.with_file_name(AUTHORITY), pem, PUBLIC)
    }

    /// The typed password.
    pub(super) fn password(&mut self, password: &str) -> Result<(), InitFault> {
        self.write(self.configuration.with_file_name(PASSWORD), password, SECRET)
    }

    /// The last one; from now on all are kept.
    pub(super) fn configuration(&mut self, text: &str) -> Result<(), InitFault> {
        self.write(self.configuration.clone(), text, PUBLIC)?;
        self.is_kept = true;
        Ok(())
    }

    /// Creates a file; one that is there, or a link, is a fault.
    fn write(&mut self, file: PathBuf, content: &str, mode: u32) -> Result<(), InitFault> {
        let mut created = match OpenOptions::new().write(true).create_new(true).mode(mode).open(&file) {
            Ok(created) => created,
            Err(fault) if fault.kind() == ErrorKind::AlreadyExists => return Err(InitFault::Exists(file)),
            Err(fault) => return Err(InitFault::Write(file, fault)),
        };
        self.written.push(file.clone());
        created.write_all(content.as_bytes()).map_err(|fault| InitFault::Write(file, fault))
    }
}

fn require_absence(file: &Path) -> Result<(), InitFault> {
    match fs::symlink_metadata(file) {
        Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(()),
        Err(fault) => Err(InitFault::Write(file.to_owned(), fault)),
        Ok(_) => Err(InitFault::Exists(file.to_owned())),
    }
}

impl Drop for NewFiles {
    fn drop(&mut self) {
        for file in self.written.iter().filter(|_| !self.is_kept) {
            let _gone = fs::remove_file(file);
        }
    }
}
