//! The reference configuration as a table of all keys: what the code that reads a key accepts, and what the reference says
//! about it. The schema for editors and the manual page are made of it.

use std::path::Path;

use super::paths::Base;
use super::section::Findings;
use super::value_kind::ValueKind;
use super::{file, read};

/// Every key, with a comment, at its default.
pub(super) const REFERENCE: &str = include_str!("../../config/restante.yaml");

/// A key of the configuration.
#[derive(Clone, Debug)]
pub struct KnownKey {
    /// Its path, such as `directories.timeouts.connect`; the items of a list share the list's name.
    pub path: String,
    /// The kinds of its value. Never none.
    pub kinds: Vec<ValueKind>,
    /// Whether its section must have it.
    pub is_required: bool,
    /// Its value in the reference, as written there: the default, or an example if it is required. Empty: no value, or one of
    /// several lines.
    pub written: String,
    /// The lines of its comment in the reference, without `# `. Keys within braces have none.
    pub comment: Vec<String>,
}

/// All keys in the order of the reference.
#[must_use]
pub fn known_keys() -> Vec<KnownKey> {
    let reference = with_examples(REFERENCE);
    let findings = Findings::default();
    if let Ok(tree) = file::parse(reference.as_bytes()) {
        // The files that the reference names are missing here; keys are asked for all the same.
        read(&tree, &Base::of(Path::new("/nonexistent/restante.yaml")), &findings);
    }
    let mut asked = findings.into_asked();
    let mut keys = Vec::new();
    for line in key_lines(&reference) {
        let children = format!("{}.", line.path);
        let Some(own) = asked.remove(&line.path) else { continue };
        keys.push(line.with(own.kinds, own.is_required));
        if line.is_flow {
            let inner: Vec<String> = asked.keys().filter(|path| path.starts_with(&children)).cloned().collect();
            let inner = inner.into_iter().filter_map(|path| asked.remove_entry(&path));
            keys.extend(inner.map(|(path, own)| KeyLine::within_braces(path).with(own.kinds, own.is_required)));
        }
    }
    keys
}

/// The introduction of the reference: the comment before its first key, without `# `.
#[must_use]
pub fn introduction() -> Vec<String> {
    REFERENCE.lines().map_while(|line| line.strip_prefix('#')).map(without_blank).collect()
}

/// A key in the reference.
struct KeyLine {
    path: String,
    written: String,
    comment: Vec<String>,
    /// Whether its keys are in braces.
    is_flow: bool,
}

impl KeyLine {
    fn within_braces(path: String) -> Self {
        Self { path, written: String::new(), comment: Vec::new(), is_flow: false }
    }

    fn with(&self, kinds: impl IntoIterator<Item = ValueKind>, is_required: bool) -> KnownKey {
        let kinds: Vec<ValueKind> = kinds.into_iter().collect();
        // Some code reads a word as a text a second time; the words are what it accepts.
        let has_words = kinds.iter().any(|kind| matches!(kind, ValueKind::Word(_)));
        let kinds = kinds.into_iter().filter(|kind| !(has_words && *kind == ValueKind::Text)).collect();
        let (path, written, comment) = (self.path.clone(), self.written.clone(), self.comment.clone());
        KnownKey { path, kinds, is_required, written, comment }
    }
}

/// The lines with a key, each path once, with the comment right above.
fn key_lines(reference: &str) -> Vec<KeyLine> {
    let (mut found, mut comment): (Vec<KeyLine>, Vec<String>) = (Vec::new(), Vec::new());
    let mut open: Vec<(usize, String)> = Vec::new();
    for line in reference.lines() {
        let text = line.trim_start();
        if let Some(words) = text.strip_prefix('#') {
            comment.push(without_blank(words));
            continue;
        }
        let comment = std::mem::take(&mut comment);
        let inner = text.trim_start_matches("- ");
        let Some((name, written)) = inner.split_once(':').filter(|(name, _)| is_name(name)) else {
            if inner.starts_with('{')
                && let Some(list) = found.last_mut()
            {
                list.is_flow = true;
            }
            continue;
        };
        let indent = line.len() - inner.len();
        open.retain(|(outer, _)| *outer < indent);
        let path = open.last().map_or_else(|| name.to_owned(), |(_, outer)| format!("{outer}.{name}"));
        open.push((indent, path.clone()));
        if found.iter().all(|line| line.path != path) {
            let written = written.trim().to_owned();
            found.push(KeyLine { path, is_flow: written.starts_with('{'), written, comment });
        }
    }
    found
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
}

fn without_blank(comment: &str) -> String {
    comment.strip_prefix(' ').unwrap_or(comment).to_owned()
}

/// The reference with the examples of its comments in the place of empty lists: the lines from `#     tokens:` to the end of
/// that comment in the place of `tokens: []`. Both may be indented.
fn with_examples(reference: &str) -> String {
    let mut whole = String::new();
    let mut example: Vec<&str> = Vec::new();
    for line in reference.lines() {
        let text = line.trim_start();
        let begins = text.strip_prefix("#     ").filter(|key| key.strip_suffix(':').is_some_and(is_name));
        if begins.is_some() || (!example.is_empty() && text.starts_with('#')) {
            example.push(line);
            continue;
        }
        let key = example.first().map(|first| first.trim_start().trim_start_matches("#     "));
        let is_for_this = key.is_some_and(|key| text == format!("{key} []"));
        let indent = " ".repeat(line.len() - text.len());
        let uncommented = |line: &str| format!("{indent}{}", line.trim_start().get(6..).unwrap_or_default());
        let lines = example.drain(..).map(|line| if is_for_this { uncommented(line) } else { line.to_owned() });
        lines.for_each(|line| add_line(&mut whole, &line));
        if !is_for_this {
            add_line(&mut whole, line);
        }
    }
    whole
}

fn add_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(path: &str) -> KnownKey {
        known_keys().into_iter().find(|key| key.path == path).unwrap_or_else(|| panic!("{path} is not known"))
    }

    #[test]
    fn every_key_that_is_read_is_in_the_table_with_the_kinds_of_its_value() {
        let without: Vec<String> =
            known_keys().into_iter().filter(|key| key.kinds.is_empty()).map(|key| key.path).collect();
        assert_eq!(without, Vec::<String>::new(), "asked for by Section::get alone; see Section::accept");
        let findings = Findings::default();
        let tree = file::parse(with_examples(REFERENCE).as_bytes()).unwrap();
        read(&tree, &Base::of(Path::new("/nonexistent/restante.yaml")), &findings);
        let in_table: std::collections::BTreeSet<String> = known_keys().into_iter().map(|key| key.path).collect();
        assert_eq!(findings.asked().difference(&in_table).collect::<Vec<_>>(), Vec::<&String>::new());
    }

    #[test]
    fn a_key_has_its_comment_and_its_value_from_the_reference() {
        let idle = key("limits.idle");
        assert_eq!((idle.kinds.as_slice(), idle.written.as_str()), ([ValueKind::Time].as_slice(), "10m"));
        assert!(idle.comment.concat().starts_with("Time between two commands"), "{idle:?}");
        let issuer = key("tokens.issuer");
        assert!(issuer.is_required && issuer.comment == ["The exact value of the claim iss."], "{issuer:?}");
        assert!(!key("tokens").comment.concat().contains("audience"));
        assert!(key("tls.certificates.chain").is_required);
        assert_eq!(key("listeners.tls").kinds, [ValueKind::Word(vec!["none", "starttls", "implicit"])]);
        assert_eq!(key("mailboxes.deletion").kinds, [ValueKind::Mapping, ValueKind::Word(vec!["remove"])]);
        assert!(introduction().concat().starts_with("Restante: the reference configuration."));
    }
}
