//! Files that the configuration names, and the passwords in them.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use super::tree::quoted;
use crate::secret::Password;

/// A path may begin with this, which stands for the directory of the unit's credentials.
const CREDENTIALS: &str = "$CREDENTIALS_DIRECTORY";

/// No password is longer, in octets.
const LONGEST_PASSWORD: usize = 4096;

/// What paths are relative to.
pub(super) struct Base {
    folder: PathBuf,
    credentials: Option<PathBuf>,
}

impl Base {
    /// Relative paths are relative to the folder of the configuration file.
    pub(super) fn of(file: &Path) -> Self {
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        Self::new(
            file.parent().unwrap_or(Path::new("/")).to_owned(),
            std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
        )
    }

    fn new(folder: PathBuf, credentials: Option<PathBuf>) -> Self {
        Self { folder, credentials }
    }

    /// The file that a path means.
    pub(super) fn resolve(&self, path: &str) -> Result<PathBuf, String> {
        let Some(rest) = path.strip_prefix(CREDENTIALS) else { return Ok(self.folder.join(path)) };
        let name = rest
            .strip_prefix('/')
            .filter(|name| !name.is_empty())
            .ok_or_else(|| format!("{} names no file; expected {CREDENTIALS}/ldap.password", quoted(path)))?;
        let directory = self.credentials.as_ref().ok_or_else(|| {
            format!(
                "{}: {CREDENTIALS} is set only inside the systemd service; expected LoadCredential= in its unit, or a \
                 path",
                quoted(path)
            )
        })?;
        Ok(directory.join(name))
    }

    /// The password in the first line of a file.
    pub(super) fn password(&self, path: &str) -> Result<Password, String> {
        let file = self.resolve(path)?;
        let shown = file.display();
        let right = "expected a file whose first line is the password";
        // Room for all of it, so that no copy is left behind by growing.
        let mut octets = Vec::with_capacity(LONGEST_PASSWORD + 32);
        File::open(&file)
            .and_then(|file| file.take(LONGEST_PASSWORD as u64 + 1).read_to_end(&mut octets))
            .map_err(|fault| format!("{shown} cannot be read: {fault}; {right}"))?;
        octets.truncate(octets.iter().position(|octet| *octet == b'\n').unwrap_or(octets.len()));
        if octets.last() == Some(&b'\r') {
            octets.pop();
        }
        if octets.len() > LONGEST_PASSWORD {
            return Err(format!("{shown} begins with a line of more than {LONGEST_PASSWORD} octets; {right}"));
        }
        Password::new(octets).map_err(|fault| format!("{shown}: {fault}; {right}"))
    }
}

/// The name of the credential that a path means, if it means one.
pub(super) fn credential(path: &str) -> Option<&str> {
    path.strip_prefix(CREDENTIALS)?.strip_prefix('/')
}

/// A path that stays below where it begins.
pub(super) fn below(path: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(path);
    if path.components().all(|part| matches!(part, Component::Normal(_))) {
        return Ok(path);
    }
    let shown = path.display().to_string();
    Err(format!("{} leads out of the mail root; expected a path below it, such as .mounted", quoted(&shown)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn relative_paths_are_relative_to_the_folder_of_the_file() {
        let base = Base::of(Path::new("/etc/restante/restante.yaml"));
        assert_eq!(base.resolve("tls/key.pem"), Ok(PathBuf::from("/etc/restante/tls/key.pem")));
        assert_eq!(base.resolve("/srv/mail"), Ok(PathBuf::from("/srv/mail")));
    }

    #[test]
    fn a_systemd_credential_is_found() {
        let base = Base::new("/etc".into(), Some("/run/credentials/restante.service".into()));
        let found = base.resolve("$CREDENTIALS_DIRECTORY/ldap.password");
        assert_eq!(found, Ok(PathBuf::from("/run/credentials/restante.service/ldap.password")));
        assert!(base.resolve("$CREDENTIALS_DIRECTORY").is_err());
        let base = Base::new("/etc".into(), None);
        assert!(base.resolve("$CREDENTIALS_DIRECTORY/x").unwrap_err().contains("LoadCredential="));
    }

    #[test]
    fn a_password_is_the_first_line_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let base = Base::new(folder.path().to_owned(), None);
        for (content, password) in [
            (&b"secret"[..], Some("secret")),
            (b"secret\n", Some("secret")),
            (b" two words \r\nnot this\n", Some(" two words ")),
            (b"", None),
            (b"\nsecret\n", None),
            (b"\xff\n", None),
        ] {
            fs::write(folder.path().join("p"), content).unwrap();
            let found = base.password("p");
            assert_eq!(found.as_ref().ok().map(Password::expose), password, "{content:?}");
        }
        assert!(base.password("none").unwrap_err().contains("none cannot be read: "));
    }

    #[test]
    fn the_marker_stays_below_the_root() {
        assert_eq!(below(".mounted"), Ok(PathBuf::from(".mounted")));
        for path in ["/etc/passwd", "../x", "a/../../x", "."] {
            assert!(below(path).is_err(), "{path}");
        }
    }
}
