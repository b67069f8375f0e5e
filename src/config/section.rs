//! A section of the file: it returns the values of its keys, records what is wrong with them, and continues with the
//! default, so that one run reports every mistake.
//!
//! The keys that are asked for are the known ones: a key in the file that no code asks for is a mistake.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::faults::ConfigFault;
use super::tree::{Node, NodeKind, Position, StringValue};
use super::value_kind::ValueKind;
use super::values;

/// What was found while a file was read: mistakes, and the known keys.
#[derive(Default)]
pub(super) struct Findings {
    faults: RefCell<Vec<ConfigFault>>,
    asked: RefCell<BTreeMap<String, AskedKey>>,
}

/// What the code said about a key when it asked for it.
#[derive(Clone, Default)]
pub(super) struct AskedKey {
    /// The kinds of its value, each once.
    pub(super) kinds: BTreeSet<ValueKind>,
    /// Whether its section must have it.
    pub(super) is_required: bool,
}

impl Findings {
    /// Records a mistake.
    pub(super) fn push(&self, fault: ConfigFault) {
        self.faults.borrow_mut().push(fault);
    }

    /// Every key that was asked for, as `limits.idle`; the items of a list share the list's name.
    pub(super) fn asked(&self) -> BTreeSet<String> {
        self.asked.borrow().keys().cloned().collect()
    }

    /// The same, with what was said about each key.
    pub(super) fn into_asked(self) -> BTreeMap<String, AskedKey> {
        self.asked.into_inner()
    }

    /// All faults so far.
    pub(super) fn into_faults(self) -> Vec<ConfigFault> {
        self.faults.into_inner()
    }
}

/// A mapping of keys; empty if the file does not have it.
#[derive(Clone)]
pub(super) struct Section<'f> {
    findings: &'f Findings,
    /// Its key, such as `limits`; empty for the whole file.
    name: String,
    place: Position,
    block: Option<&'f Node>,
}

impl<'f> Section<'f> {
    /// The whole file. Anything but a mapping of keys is a mistake.
    pub(super) fn root(node: &'f Node, findings: &'f Findings) -> Self {
        let root = Self { findings, name: String::new(), place: node.place, block: Some(node) };
        match node.kind {
            NodeKind::Map(_) => {}
            NodeKind::Null => {
                root.fault_at(Position::START, "the file is empty; expected at least directories and tls");
            }
            _ => root.fault_at(node.place, format!("must be a mapping of keys, `key: value`, not {}", node.describe())),
        }
        root
    }

    /// The section under a key.
    pub(super) fn section(&self, key: &str) -> Section<'f> {
        let is_block = |node: &&Node| self.expect(key, node.pairs(), node, "a mapping of keys").is_some();
        self.accept(key, ValueKind::Mapping);
        let block = self.get(key).filter(is_block);
        let place = block.map_or(self.place, |node| node.place);
        Section { findings: self.findings, name: self.path(key), place, block }
    }

    /// The sections of a list; none if the file has no such list. Items that are not mappings are mistakes and are left out.
    pub(super) fn sections(&self, key: &str) -> Option<Vec<Section<'f>>> {
        let item = |node: &'f Node| {
            self.expect(key, node.pairs(), node, "a mapping of keys")?;
            Some(Section { findings: self.findings, name: self.path(key), place: node.place, block: Some(node) })
        };
        self.accept(key, ValueKind::MappingList);
        Some(self.items(key)?.iter().filter_map(item).collect())
    }

    /// The items of a list of texts; none if the file has no such list.
    pub(super) fn list(&self, key: &str) -> Option<&'f [Node]> {
        self.accept(key, ValueKind::List(Vec::new()));
        self.items(key)
    }

    /// The items of a list of words.
    pub(super) fn word_list<T>(&self, key: &str, words: &[(&'static str, T)]) -> Option<&'f [Node]> {
        self.accept(key, ValueKind::List(words.iter().map(|(word, _)| *word).collect()));
        self.items(key)
    }

    /// A text, or the items of a list of texts, without a difference.
    pub(super) fn one_or_list(&self, key: &str) -> Option<&'f [Node]> {
        self.accept(key, ValueKind::Text);
        self.accept(key, ValueKind::List(Vec::new()));
        let node = self.get(key)?;
        match &node.kind {
            NodeKind::List(items) => Some(items),
            _ => Some(std::slice::from_ref(node)),
        }
    }

    /// Whether the file has a list under this key, and the list is empty.
    pub(super) fn is_empty_list(&self, key: &str) -> bool {
        self.get(key).is_some_and(|node| matches!(&node.kind, NodeKind::List(items) if items.is_empty()))
    }

    fn items(&self, key: &str) -> Option<&'f [Node]> {
        let node = self.get(key)?;
        let items = match &node.kind {
            NodeKind::List(items) => Some(items.as_slice()),
            _ => None,
        };
        self.expect(key, items, node, "a list, such as [a, b]")
    }

    /// A string, if the file has it; an empty one is a mistake.
    pub(super) fn text(&self, key: &str) -> Option<&'f str> {
        self.accept(key, ValueKind::Text);
        self.text_of(key, self.get(key)?).map(|text| text.value.as_str())
    }

    /// A string that another function parses, if the file has it.
    pub(super) fn parsed<T, E: fmt::Display>(&self, key: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        self.accept(key, ValueKind::Text);
        self.parsed_of(key, self.get(key)?, parse)
    }

    /// As [`Section::parsed`], for a value that may be an item of the key's list.
    pub(super) fn parsed_of<T, E: fmt::Display>(
        &self,
        key: &str,
        node: &Node,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text_of(key, node)?;
        parse(&text.value).map_err(|fault| self.fault(key, node.place, fault)).ok()
    }

    /// The value as a string.
    pub(super) fn text_of<'n>(&self, key: &str, node: &'n Node) -> Option<&'n StringValue> {
        let text = match &node.kind {
            NodeKind::String(text) => Some(text),
            _ => None,
        };
        let text = self.expect(key, text, node, "a string, in quotes if it looks like something else")?;
        if text.value.is_empty() {
            self.fault(key, node.place, "\"\" is empty; expected a value, or nothing after the key");
            return None;
        }
        Some(text)
    }

    /// One of several words, each with its meaning.
    pub(super) fn word<T: Copy>(&self, key: &str, default: T, words: &[(&'static str, T)]) -> T {
        self.chosen(key, words).unwrap_or(default)
    }

    /// As [`Section::word`], for a key without a default.
    pub(super) fn chosen<T: Copy>(&self, key: &str, words: &[(&'static str, T)]) -> Option<T> {
        self.accept(key, ValueKind::Word(words.iter().map(|(word, _)| *word).collect()));
        self.parsed_of(key, self.get(key)?, |text| values::word(text, words))
    }

    /// `true` or `false`, the latter by default.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.accept(key, ValueKind::Flag);
        let Some(node) = self.get(key) else { return false };
        let flag = match node.kind {
            NodeKind::Bool(flag) => Some(flag),
            _ => None,
        };
        self.expect(key, flag, node, "true or false, without quotes").unwrap_or(false)
    }

    /// A length of time, its bounds included.
    pub(super) fn duration(&self, key: &str, default: Duration, bounds: RangeInclusive<Duration>) -> Duration {
        self.accept(key, ValueKind::Time);
        self.scalar(key, |written| values::duration(written, &bounds)).unwrap_or(default)
    }

    /// A whole number, its bounds included.
    pub(super) fn count(&self, key: &str, default: u64, bounds: RangeInclusive<u64>) -> u64 {
        self.accept(key, ValueKind::Count(*bounds.start(), *bounds.end()));
        self.scalar(key, |written| values::count(written, &bounds)).unwrap_or(default)
    }

    /// A number of octets, its bounds included.
    pub(super) fn octets(&self, key: &str, default: u64, bounds: RangeInclusive<u64>) -> u64 {
        self.accept(key, ValueKind::Size(*bounds.start(), *bounds.end()));
        self.scalar(key, |written| values::octets(written, &bounds)).unwrap_or(default)
    }

    /// Reports a key without a default if it is missing.
    pub(super) fn require(&self, key: &str, right: &str) {
        self.note(key, |asked| asked.is_required = true);
        if self.get(key).is_none() {
            self.fault_at(self.place, format!("{} is missing; expected {right}", self.path(key)));
        }
    }

    /// The value of a key; none if it is absent or null, which both mean the default.
    pub(super) fn get(&self, key: &str) -> Option<&'f Node> {
        self.note(key, |_| {});
        let (_, node) = self.block?.pairs()?.iter().find(|(found, _)| found.name == key)?;
        (!matches!(node.kind, NodeKind::Null)).then_some(node)
    }

    /// Says that a key accepts values of this kind. The methods that read a value say it themselves; it is needed where one is
    /// called only for some files.
    pub(super) fn accept(&self, key: &str, kind: ValueKind) {
        self.note(key, |asked| asked.kinds.extend([kind]));
    }

    fn note(&self, key: &str, note: impl FnOnce(&mut AskedKey)) {
        note(self.findings.asked.borrow_mut().entry(self.path(key)).or_default());
    }

    /// The position of a key's value; that of the section if the key is absent.
    pub(super) fn place_of(&self, key: &str) -> Position {
        self.get(key).map_or(self.place, |node| node.place)
    }

    /// Records a mistake in a key's value: what is wrong with it, and what is expected.
    pub(super) fn fault(&self, key: &str, place: Position, what: impl fmt::Display) {
        self.fault_at(place, format!("{}: {what}", self.path(key)));
    }

    /// Records a mistake in this section.
    pub(super) fn fault_at(&self, place: Position, what: impl Into<String>) {
        self.findings.push(ConfigFault::at(place, what));
    }

    fn scalar<T>(&self, key: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let node = self.get(key)?;
        let written = match &node.kind {
            NodeKind::Number(number) => number,
            NodeKind::String(text) => &text.value,
            _ => return self.expect(key, None, node, "a number"),
        };
        read(written).map_err(|fault| self.fault(key, node.place, fault)).ok()
    }

    fn expect<T>(&self, key: &str, found: Option<T>, node: &Node, right: &str) -> Option<T> {
        if found.is_none() {
            self.fault(key, node.place, format!("must be {right}, not {}", node.describe()));
        }
        found
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }
}
