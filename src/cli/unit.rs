//! The systemd unit that serves a configuration: who the service is, and which credentials it gets (systemd.unit(5),
//! systemd.exec(5)).

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use crate::config::DEFAULT_FILE;

/// Where systemd looks for units; a unit hides units of the same name in later folders.
const FOLDERS: &str =
    "/etc/systemd/system:/run/systemd/system:/usr/local/lib/systemd/system:/usr/lib/systemd/system:/lib/systemd/system";

/// The variable that replaces these folders in systemd's tools; a colon at its end appends these.
const VARIABLE: &str = "SYSTEMD_UNIT_PATH";

/// What a unit says about its process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Unit {
    /// Its file.
    pub(super) file: PathBuf,
    /// `User=`; root if none.
    pub(super) user: Option<String>,
    /// `LoadCredential=` and `LoadCredentialEncrypted=`, each as it is written, key included.
    pub(super) credentials: Vec<String>,
    /// The command lines of `ExecStart=`.
    commands: Vec<String>,
    /// `LimitNOFILE=`, the hard limit; `u64::MAX` for `infinity`.
    open_files: Option<u64>,
    /// The assignments of `Environment=`, several of which may stand in one line.
    environment: Vec<String>,
}

/// The hard limit of open files where a unit sets none (`DefaultLimitNOFILE=` of systemd-system.conf(5)).
const USUAL_OPEN_FILES: u64 = 524_288;

impl Unit {
    /// The unit that serves that file: by `--config` in `ExecStart=`, by `RESTANTE_CONFIG` in `Environment=`, or as the usual
    /// one.
    pub(super) fn serving(configuration: &Path) -> Option<Self> {
        let folders = folders(std::env::var_os(VARIABLE));
        by_name(&folders, "service")
            .into_values()
            .map(|file| Self::read(file, &folders))
            .find(|unit| unit.serves(configuration))
    }

    /// The limit of open files of its process.
    pub(super) fn open_files(&self) -> u64 {
        self.open_files.unwrap_or(USUAL_OPEN_FILES)
    }

    /// A unit with its drop-in files.
    fn read(file: PathBuf, folders: &[PathBuf]) -> Self {
        let name = file.file_name().unwrap_or_default().to_owned();
        let beside: Vec<PathBuf> = folders.iter().map(|folder| folder.join(with_d(&name))).collect();
        let mut unit = Self { file, ..Self::default() };
        let texts: Vec<String> = std::iter::once(unit.file.clone())
            .chain(by_name(&beside, "conf").into_values())
            .filter_map(|file| fs::read_to_string(file).ok())
            .collect();
        for (key, value) in texts.iter().flat_map(|text| assignments(text)) {
            unit.take(&key, &value);
        }
        unit
    }

    /// An assignment; an empty one resets those before it.
    fn take(&mut self, key: &str, value: &str) {
        let list = match key {
            "User" => {
                self.user = (!value.is_empty()).then(|| value.to_owned());
                return;
            }
            "LimitNOFILE" => {
                // `hard`, or `soft:hard`.
                let hard = value.rsplit(':').next().unwrap_or_default();
                self.open_files = if hard == "infinity" { Some(u64::MAX) } else { hard.parse().ok() };
                return;
            }
            "ExecStart" => &mut self.commands,
            "Environment" => &mut self.environment,
            "LoadCredential" | "LoadCredentialEncrypted" => &mut self.credentials,
            _ => return,
        };
        match (value, key) {
            ("", _) => list.clear(),
            (text, "ExecStart" | "Environment") => list.push(text.to_owned()),
            (credential, key) => list.push(format!("{key}={credential}")),
        }
    }

    fn serves(&self, configuration: &Path) -> bool {
        let usual = self.usual();
        self.commands.iter().any(|command| names(command, usual, configuration))
    }

    /// The configuration of a command line without `--config`. Of several assignments of a variable, the last counts
    /// (systemd.exec(5), Environment=).
    fn usual(&self) -> &str {
        let words = self.environment.iter().flat_map(|line| line.split_whitespace());
        let mut values = words.filter_map(|word| word.trim_matches(['"', '\'']).strip_prefix("RESTANTE_CONFIG="));
        values.next_back().unwrap_or(DEFAULT_FILE)
    }
}

/// Whether a command line serves that configuration.
pub(super) fn serves(command: &str, configuration: &Path) -> bool {
    names(command, DEFAULT_FILE, configuration)
}

/// The same; `usual` is the configuration of a command line without `--config`.
fn names(command: &str, usual: &str, configuration: &Path) -> bool {
    let is_same = |file: &str| match (fs::canonicalize(file), fs::canonicalize(configuration)) {
        (Ok(named), Ok(wanted)) => named == wanted,
        _ => Some(Path::new(file)) == std::path::absolute(configuration).ok().as_deref(),
    };
    configuration_of(command, usual).is_some_and(is_same)
}

/// The configuration that a command line serves: the value of `--config`, or the usual one.
fn configuration_of<'c>(command: &'c str, usual: &'c str) -> Option<&'c str> {
    let mut words = command.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
    let named = words.clone().find_map(|word| match word.strip_prefix("--config").or(word.strip_prefix("-c")) {
        Some("") => Some(None),
        Some(rest) => rest.strip_prefix('=').map(Some),
        None => None,
    });
    let Some(value) = named else {
        let is_ours = words.next().is_some_and(|program| program.ends_with("restante"));
        return (is_ours && words.next() == Some("serve")).then_some(usual);
    };
    value.or_else(|| words.skip_while(|word| !matches!(*word, "--config" | "-c")).nth(1))
}

/// `Key=value` of each line; a line that ends in a backslash continues on the next.
fn assignments(text: &str) -> Vec<(String, String)> {
    let text = text.replace("\\\n", " ");
    let is_comment = |line: &&str| line.starts_with(['#', ';']);
    let pair = |line: &str| line.split_once('=').map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
    text.lines().map(str::trim).filter(|line| !is_comment(line)).filter_map(pair).collect()
}

/// The files with this extension in some folders, by name; of several with one name, the first.
fn by_name(folders: &[PathBuf], extension: &str) -> BTreeMap<OsString, PathBuf> {
    let mut files = BTreeMap::new();
    let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    for entry in entries.filter(|entry| entry.path().extension() == Some(OsStr::new(extension))) {
        files.entry(entry.file_name()).or_insert_with(|| entry.path());
    }
    files
}

fn folders(variable: Option<OsString>) -> Vec<PathBuf> {
    let own = variable.map(|variable| variable.to_string_lossy().into_owned());
    let all = match own {
        None => FOLDERS.to_owned(),
        Some(own) if own.ends_with(':') => format!("{own}{FOLDERS}"),
        Some(own) => own,
    };
    all.split(':').filter(|folder| !folder.is_empty()).map(PathBuf::from).collect()
}

fn with_d(name: &OsStr) -> OsString {
    let mut name = name.to_owned();
    name.push(".d");
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(text: &str) -> Unit {
        let mut unit = Unit::default();
        for (key, value) in assignments(text) {
            unit.take(&key, &value);
        }
        unit
    }

    #[test]
    fn the_unit_of_this_repository_is_understood() {
        let unit = unit(include_str!("../../config/restante.service"));
        assert_eq!(unit.user.as_deref(), Some("restante"));
        assert_eq!(unit.open_files(), 65_536);
        assert_eq!(
            unit.commands.iter().filter_map(|line| configuration_of(line, DEFAULT_FILE)).collect::<Vec<_>>(),
            ["/etc/restante/restante.yaml"]
        );
    }

    #[test]
    fn later_lines_replace_or_add_and_empty_ones_reset() {
        let unit = unit(
            "[Service]\nUser=a\nExecStart=x --config=/a\nLoadCredential=one:/one\n# User=c\n\
             User=b\nExecStart=\nExecStart=/usr/bin/x \\\n  serve --config \"/b\"\nLoadCredentialEncrypted=two:/two\n",
        );
        assert_eq!(unit.user.as_deref(), Some("b"));
        assert_eq!(unit.credentials, ["LoadCredential=one:/one", "LoadCredentialEncrypted=two:/two"]);
        assert_eq!(unit.commands.len(), 1);
        assert_eq!(unit.open_files(), USUAL_OPEN_FILES);
        assert_eq!(configuration_of(unit.commands.first().unwrap(), DEFAULT_FILE), Some("/b"));
        assert_eq!(configuration_of("x serve", DEFAULT_FILE), None);
        assert_eq!(configuration_of("x --config", DEFAULT_FILE), None);
        assert_eq!(configuration_of("/usr/bin/restante serve -c /c", DEFAULT_FILE), Some("/c"));
        assert_eq!(configuration_of("/usr/bin/restante serve", DEFAULT_FILE), Some("/etc/restante/restante.yaml"));
        assert_eq!(configuration_of("/usr/bin/restante demo", DEFAULT_FILE), None);
    }

    #[test]
    fn the_variable_in_the_units_environment_names_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let configuration = folder.path().join("pop.yaml");
        fs::write(&configuration, "").unwrap();
        let file = configuration.display();
        for (lines, serves) in [
            (format!("Environment=RESTANTE_CONFIG={file}\nExecStart=/usr/bin/restante serve\n"), true),
            (format!("Environment=LANG=C \"RESTANTE_CONFIG={file}\" A=b\nExecStart=/usr/bin/restante serve\n"), true),
            (
                format!(
                    "Environment=RESTANTE_CONFIG=/a\nEnvironment=RESTANTE_CONFIG={file}\nExecStart=restante serve\n"
                ),
                true,
            ),
            (format!("Environment=RESTANTE_CONFIG={file}\nEnvironment=\nExecStart=/usr/bin/restante serve\n"), false),
            // The command line comes first.
            (format!("Environment=RESTANTE_CONFIG={file}\nExecStart=restante serve --config /other\n"), false),
            (format!("Environment=RESTANTE_CONFIG={file}\nExecStart=/usr/bin/other serve\n"), false),
            ("ExecStart=/usr/bin/restante serve\n".to_owned(), false),
        ] {
            assert_eq!(unit(&lines).serves(&configuration), serves, "{lines}");
        }
    }

    #[test]
    fn a_unit_is_found_by_its_configuration_and_read_with_what_is_dropped_in() {
        let root = tempfile::tempdir().unwrap();
        let (first, second) = (root.path().join("etc"), root.path().join("lib"));
        for folder in [&first, &second, &second.join("pop.service.d")] {
            fs::create_dir(folder).unwrap();
        }
        let configuration = root.path().join("pop.yaml");
        fs::write(&configuration, "").unwrap();
        let service = format!("ExecStart=restante serve --config {}\nUser=vmail\n", configuration.display());
        fs::write(second.join("pop.service"), &service).unwrap();
        fs::write(second.join("other.service"), "ExecStart=restante serve --config /other\nUser=other\n").unwrap();
        let folders = [first.clone(), second.clone()];
        let found = |configuration: &Path| {
            let units = by_name(&folders, "service").into_values();
            units.map(|file| Unit::read(file, &folders)).find(|unit| unit.serves(configuration))
        };
        assert_eq!(found(&configuration).unwrap().user.as_deref(), Some("vmail"));
        assert_eq!(found(&root.path().join("none.yaml")), None);
        fs::write(second.join("pop.service.d/user.conf"), "[Service]\nUser=mail\n").unwrap();
        assert_eq!(found(&configuration).unwrap().user.as_deref(), Some("mail"));
        // What an administrator wrote in its place hides the package's unit.
        fs::write(first.join("pop.service"), service.replace("vmail", "own")).unwrap();
        fs::remove_dir_all(second.join("pop.service.d")).unwrap();
        assert_eq!(found(&configuration).unwrap().user.as_deref(), Some("own"));
    }

    #[test]
    fn the_variable_replaces_the_folders_or_comes_before_them() {
        let own = |variable: &str| folders(Some(variable.into()));
        assert_eq!(own("/a:/b"), [PathBuf::from("/a"), PathBuf::from("/b")]);
        assert_eq!(own("/a:").len(), folders(None).len() + 1);
    }
}
