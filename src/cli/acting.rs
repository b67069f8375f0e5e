//! The user as whom a command accesses files: that of the service.
//!
//! A service that is started as root reads configuration and keys as root, and then becomes `user`. One whose unit has
//! `User=` reads them as that user. Commands that root runs do the same.

use std::path::Path;

use super::unit::Unit;
use crate::config;
use crate::server::{become_user, is_root, is_user};

/// Who reads the configuration, determined before it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ActingUser {
    /// A user, for a reason.
    User {
        /// The user.
        name: String,
        /// Why, such as `User= of FILE`.
        why: String,
    },
    /// root, who becomes the `user` of the configuration afterwards.
    RootAtFirst(String),
    /// root all the time: nothing says who the service is.
    Root,
    /// Whoever runs the command.
    Oneself,
}

/// Becomes the user that reads the configuration for the service: `wanted`, if given.
///
/// # Errors
/// A sentence: there is no such user, or only root could become them.
pub(super) fn begin(configuration: &Path, wanted: Option<&str>) -> Result<ActingUser, String> {
    if let Some(wanted) = wanted {
        return begin_as(wanted, "--as".to_owned());
    }
    if !is_root() {
        return Ok(ActingUser::Oneself);
    }
    if let Some(user) = config::outline(configuration).ok().and_then(|outline| outline.user) {
        return Ok(ActingUser::RootAtFirst(user));
    }
    let Some(unit) = Unit::serving(configuration) else { return Ok(ActingUser::Root) };
    let Some(user) = unit.user else { return Ok(ActingUser::Root) };
    begin_as(&user, format!("User= of {}", unit.file.display()))
}

fn begin_as(user: &str, why: String) -> Result<ActingUser, String> {
    if is_root() {
        become_user(user).map_err(|fault| format!("{why}: {fault}"))?;
    } else if !is_user(user) {
        return Err(format!("{why}: only root can access files as {user}; run the command as root"));
    }
    Ok(ActingUser::User { name: user.to_owned(), why })
}

impl ActingUser {
    /// The user whose rights apply to what the service reads and writes while it runs.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::User { name, .. } | Self::RootAtFirst(name) => name,
            Self::Root => "root",
            Self::Oneself => "this user",
        }
    }

    /// What an administrator should know about it.
    pub(super) fn note(&self) -> Option<String> {
        match self {
            Self::User { name, why } => Some(format!("checked as {name} ({why})")),
            Self::RootAtFirst(name) => {
                Some(format!("checked as {name} (`user` of the configuration), after root has read keys and passwords"))
            }
            Self::Root => Some("checked as root; if the service is started as another user, use --as USER".to_owned()),
            Self::Oneself => None,
        }
    }
}

/// The `systemd-run` command that runs this one with the credentials of the unit; none if the configuration needs none, or
/// they exist.
pub(super) fn with_credentials(configuration: &Path) -> Option<String> {
    if std::env::var_os("CREDENTIALS_DIRECTORY").is_some() {
        return None;
    }
    let outline = config::outline(configuration).ok().filter(|outline| !outline.credentials.is_empty())?;
    let unit = Unit::serving(configuration).unwrap_or_default();
    let mut words: Vec<String> =
        ["systemd-run", "--pipe", "--wait", "--quiet", "--collect", "--same-dir"].map(str::to_owned).into();
    let user = unit.user.filter(|_| outline.user.is_none()).map(|user| format!("User={user}"));
    let missing = outline.credentials.iter().filter(|name| !unit.credentials.iter().any(|known| loads(known, name)));
    let folder = configuration.parent().unwrap_or(Path::new("."));
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let missing = missing.map(|name| format!("LoadCredential={name}:{}", folder.join(name).display()));
    for property in user.into_iter().chain(unit.credentials.iter().cloned()).chain(missing) {
        words.extend(["-p".to_owned(), property]);
    }
    let program = std::env::current_exe().unwrap_or_else(|_| "restante".into());
    words.push(program.display().to_string());
    words.extend(std::env::args().skip(1));
    Some(words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "))
}

/// Whether `LoadCredential=NAME:PATH` loads the credential of that name.
fn loads(property: &str, name: &str) -> bool {
    property.split_once('=').is_some_and(|(_, value)| value.split(':').next() == Some(name))
}

/// A word, quoted for a shell if necessary.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_split_them() {
        assert_eq!(quoted("LoadCredential=a:/etc/a.b"), "LoadCredential=a:/etc/a.b");
        assert_eq!(quoted("Alan Jones"), "'Alan Jones'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
        assert!(loads("LoadCredential=ldap.password:/etc/x", "ldap.password"));
        assert!(loads("LoadCredentialEncrypted=key", "key") && !loads("LoadCredential=keys:/x", "key"));
    }
}
