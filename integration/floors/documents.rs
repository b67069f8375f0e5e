//! The texts for people: every command, key, file, test and log event that they name exists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use super::markdown::{self, Document};
use super::{display, root};

/// Directories of a running system that texts may name. Other absolute paths lead out of the repository.
const SYSTEM: [&str; 8] = ["/etc", "/srv", "/usr", "/run", "/home", "/proc", "/sys", "/dev"];

/// What the admin HTTP listener serves, which are no files.
const SERVED: [&str; 3] = ["/metrics", "/healthz", "/readyz"];

/// Code spans that begin so are paths of the repository.
const OWN_FOLDERS: [&str; 4] = ["src/", "integration/", "config/", ".github/"];

/// Names of files that look like keys of the configuration.
const FILE_ENDINGS: [&str; 2] = [".sock", ".md"];

/// What lines of code begin with whose further words may be called `restante` without being the command.
const OF_OTHERS: [&str; 4] = ["install", "mv", "note:", "samba-tool"];

const REFERENCE: &str = include_str!("../../config/restante.yaml");

#[test]
fn commands_exist_with_their_options() {
    let mut helps = Helps::default();
    let mut faults = Vec::new();
    for document in markdown::documents() {
        let commands = document.code().into_iter().chain(document.comments());
        for (line, code) in commands {
            faults.extend(helps.fault(&code).map(|fault| format!("{}:{line}: {fault}", document.name)));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(helps.seen.len() > 8, "commands are found at all: {:?}", helps.seen.keys());
}

/// What `--help` says of each command that was asked for.
#[derive(Default)]
struct Helps {
    seen: BTreeMap<Vec<String>, Help>,
}

#[derive(Clone, Default)]
struct Help {
    commands: BTreeSet<String>,
    options: BTreeSet<String>,
}

impl Helps {
    /// What is wrong with the command lines in a piece of code; none if it holds none.
    fn fault(&mut self, code: &str) -> Option<String> {
        let words = shell_words(code);
        if words.iter().find(|word| *word != "$").is_some_and(|first| OF_OTHERS.contains(&&**first)) {
            return None;
        }
        let own = words.iter().position(|word| word == "restante" || word.ends_with("/restante"));
        let by_cargo = code.contains("cargo run").then(|| words.iter().position(|word| word == "--")).flatten();
        let rest = words.get(own.or(by_cargo)? + 1..)?;
        self.fault_of(rest, code)
    }

    fn fault_of(&mut self, words: &[String], code: &str) -> Option<String> {
        let is_placeholder = |word: &str| word.chars().all(|character| character.is_ascii_uppercase());
        let first = words.first().filter(|word| !is_placeholder(word))?;
        let mut path = Vec::new();
        let mut help = self.help(&path);
        for word in words.iter().take_while(|word| !word.starts_with('-')) {
            if !help.commands.contains(word) {
                break;
            }
            path.push(word.clone());
            help = self.help(&path);
        }
        if path.is_empty() && !first.starts_with('-') {
            return Some(format!("`{code}`: there is no command {first}"));
        }
        let unknown = words.iter().filter(|word| word.starts_with("--")).find(|word| {
            let name = word.split('=').next().unwrap();
            !help.options.contains(name)
        })?;
        Some(format!("`{code}`: {} has no option {unknown}", path.join(" ")))
    }

    fn help(&mut self, path: &[String]) -> Help {
        self.seen.entry(path.to_vec()).or_insert_with(|| Help::of(path)).clone()
    }
}

impl Help {
    fn of(path: &[String]) -> Self {
        let output = Command::new(env!("CARGO_BIN_EXE_restante")).args(path).arg("--help").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{path:?}: {text}");
        let (mut help, mut section) = (Self::default(), "");
        for line in text.lines() {
            section = if line.starts_with(' ') || line.is_empty() { section } else { line };
            let words = line.split_whitespace().map(|word| word.trim_end_matches(','));
            if section == "Commands:" && line.starts_with("  ") {
                help.commands.extend(words.take(1).map(str::to_owned));
            } else if section == "Options:" && line.trim_start().starts_with('-') {
                help.options.extend(words.take_while(|word| word.starts_with('-')).map(str::to_owned));
            }
        }
        help
    }
}

/// The words of the first command in a line of code, up to what belongs to another command.
pub(super) fn shell_words(code: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for character in code.chars().chain([' ']) {
        match quote {
            Some(open) if character == open => quote = None,
            None if character == '"' || character == '\'' => quote = Some(character),
            None if character.is_whitespace() => words.push(std::mem::take(&mut word)),
            _ => word.push(character),
        }
    }
    words.retain(|word| !word.is_empty());
    let end = words.iter().position(|word| ["|", "&&", ";", "#"].contains(&word.as_str()));
    words.truncate(end.unwrap_or(words.len()));
    words
}

#[test]
fn keys_are_in_the_reference() {
    let keys = keys_of_the_reference();
    assert!(keys.contains("directories[].timeouts.connect") && keys.contains("tokens[].required_scope"), "{keys:?}");
    let mut faults = Vec::new();
    for document in markdown::documents() {
        let named = document.spans().into_iter().flat_map(|(line, span)| {
            let keys = keys_in(&span);
            keys.into_iter().map(move |key| (line, key))
        });
        let unknown = named.filter(|(_, key)| !is_key(key, &keys));
        faults.extend(unknown.map(|(line, key)| format!("{}:{line}: {key} is no key", document.name)));
        for fence in document.fences.iter().filter(|fence| fence.language == "yaml") {
            let unknown = flattened(&fence.body).into_iter().filter(|key| !keys.contains(key));
            faults.extend(unknown.map(|key| format!("{}:{}: {key} is no key", document.name, fence.line)));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Every key of the reference, also those of the commented examples of tokens and hosts: `directories[].timeouts.connect`.
fn keys_of_the_reference() -> BTreeSet<String> {
    let mut keys = flattened(REFERENCE);
    for (begins, indent, above) in [("#     tokens:", "", "tokens:\n"), ("#     hosts:", "  ", "relay:\n  hosts:\n")] {
        let (_, example) = REFERENCE.split_once(&format!("\n{indent}{begins}\n")).unwrap();
        let lines = example.lines().map_while(|line| line.strip_prefix(indent)?.strip_prefix('#'));
        let example = lines.fold(above.to_owned(), |text, line| text + line.strip_prefix(' ').unwrap_or(line) + "\n");
        keys.extend(flattened(&example));
    }
    keys
}

fn flattened(yaml: &str) -> BTreeSet<String> {
    let value: serde_json::Value = serde_yaml::from_str(yaml).unwrap_or_else(|fault| panic!("{fault}\n{yaml}"));
    let mut keys = BTreeSet::new();
    flatten(&value, "", &mut keys);
    keys
}

fn flatten(value: &serde_json::Value, path: &str, keys: &mut BTreeSet<String>) {
    for item in value.as_array().into_iter().flatten() {
        flatten(item, &format!("{path}[]"), keys);
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        let own = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        flatten(value, &own, keys);
        keys.insert(own);
    }
}

/// The keys that a code span names: `cache.found`, `follow: true`, `lockout:`, `{ keep_for: 14d }`. A colon before several
/// words is one of a sentence.
fn keys_in(span: &str) -> Vec<String> {
    let is_name = |word: &str| {
        let is_inner = |character: char| character.is_ascii_lowercase() || "_.[]".contains(character);
        word.starts_with(|first: char| first.is_ascii_lowercase()) && word.chars().all(is_inner)
    };
    let is_dotted = is_name(span) && span.contains('.') && !FILE_ENDINGS.iter().any(|ending| span.ends_with(ending));
    let is_value = |value: &str| {
        value.is_empty() || value.starts_with(' ') && (value.matches(' ').count() == 1 || value.contains('"'))
    };
    let parts = span.split(['{', ',', '}']).map(str::trim_end).filter_map(|part| part.split_once(':'));
    let before_colons = parts.filter(|(_, value)| is_value(value)).map(|(key, _)| key.trim());
    let mut keys: Vec<String> = before_colons.filter(|key| is_name(key)).map(str::to_owned).collect();
    keys.extend(is_dotted.then(|| span.to_owned()));
    keys
}

/// Whether it is a key, or the end of one: `timeouts.connect` stands for `directories[].timeouts.connect`. Names of files
/// and hosts begin with no key.
fn is_key(named: &str, keys: &BTreeSet<String>) -> bool {
    let first = named.split(['.', '[']).next().unwrap();
    let begins = |key: &String| key.split('.').any(|part| part.trim_end_matches("[]") == first);
    let ends = |key: &String| *key == named || key.ends_with(&format!(".{named}"));
    keys.iter().any(ends) || (named.contains('.') && !keys.iter().any(begins))
}

#[test]
fn links_lead_to_files_and_headings() {
    let mut faults = Vec::new();
    for document in markdown::documents() {
        for (line, target) in document.links() {
            let fault = fault_of_link(&document, &target);
            faults.extend(fault.map(|fault| format!("{}:{line}: {target}: {fault}", document.name)));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn fault_of_link(document: &Document, target: &str) -> Option<&'static str> {
    if target.starts_with("https://") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let file = if path.is_empty() { Some(document.path.clone()) } else { within(document, path) };
    let Some(file) = file else { return Some("leads out of the repository") };
    if !file.exists() {
        return Some("there is no such file");
    }
    let is_heading = || Document::read(&file).headings().iter().any(|heading| heading == anchor);
    (!anchor.is_empty() && !is_heading()).then_some("there is no such heading")
}

/// A path as it is written in a document, if it stays in the repository.
fn within(document: &Document, path: &str) -> Option<PathBuf> {
    let mut resolved = document.path.parent().unwrap().to_owned();
    for component in Path::new(path).components() {
        match component {
            Component::ParentDir => drop(resolved.pop()),
            Component::Normal(name) => resolved.push(name),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    resolved.starts_with(root()).then_some(resolved)
}

#[test]
fn paths_stay_in_the_repository() {
    let mut faults = Vec::new();
    for document in markdown::documents() {
        for (line, code) in document.code() {
            for word in shell_words(&code) {
                let place = format!("{}:{line}: {word}", document.name);
                let is_absolute = word.starts_with('/')
                    && word.chars().nth(1).is_some_and(char::is_alphabetic)
                    && !SERVED.contains(&&*word);
                if word.contains("../") || (is_absolute && !SYSTEM.iter().any(|folder| word.starts_with(folder))) {
                    faults.push(format!("{place} leads out of the repository"));
                } else if OWN_FOLDERS.iter().any(|folder| word.starts_with(folder)) && !root().join(&word).exists() {
                    faults.push(format!("{place} is not there"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn faults_are_seen() {
    let mut helps = Helps::default();
    assert_eq!(helps.fault("$ restante uidl plan --config FILE --all"), None);
    assert_eq!(helps.fault("restante COMMAND --help"), None);
    assert_eq!(helps.fault("sudo -u restante id").unwrap(), "`sudo -u restante id`: there is no command id");
    assert!(helps.fault("cargo run --release -- demo --save x").unwrap().contains("demo has no option --save"));
    assert!(helps.fault("restante uidl plan --with OLDHOST").is_some());
    let keys = keys_of_the_reference();
    for (span, all_are) in [
        ("cache.found", true),
        ("cache.fond", false),
        ("timeouts.connect", true),
        ("directories[].ca", true),
        ("lockout:", true),
        ("uidl: { import: read }", true),
        ("{ keep: 14d }", false),
        ("nobody: the entry cannot be read", true),
        ("pop.example.org", true),
    ] {
        let named = keys_in(span);
        assert_eq!(named.iter().all(|key| is_key(key, &keys)), all_are, "{span}: {named:?}");
    }
    let document = Document::read(&root().join("README.md"));
    for target in ["LICENSE-MIT", "config/guide/log.md#json-output", "#standards", "https://example.org/"] {
        assert_eq!(fault_of_link(&document, target), None, "{target}");
    }
    for target in ["LICENSE", "config/guide/log.md#jason", "#standard", "../elsewhere", "/etc/passwd"] {
        assert!(fault_of_link(&document, target).is_some(), "{target}");
    }
    super::programs::wrong_names_are_seen();
    assert_eq!(display(&document.path), "README.md");
}
