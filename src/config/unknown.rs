//! Unknown keys and duplicate keys.

use std::collections::BTreeSet;

use super::faults::ConfigFault;
use super::section::Findings;
use super::tree::{Node, NodeKey, NodeKind, quoted};

/// Reports the keys that no code has asked for; called after everything has been read.
pub(super) fn find(root: &Node, findings: &Findings) {
    UnknownKeys { asked: &findings.asked(), findings }.block(root, "");
}

struct UnknownKeys<'f> {
    asked: &'f BTreeSet<String>,
    findings: &'f Findings,
}

impl UnknownKeys<'_> {
    fn block(&self, node: &Node, path: &str) {
        let pairs = node.pairs().unwrap_or_default();
        for (number, (key, value)) in pairs.iter().enumerate() {
            let own = join(path, &key.name);
            let earlier = pairs.iter().take(number).find(|(earlier, _)| earlier.name == key.name);
            match earlier {
                Some((earlier, _)) => self.report_duplicate(key, &own, earlier),
                None if !self.asked.contains(&own) => self.report_unknown(key, path),
                None => self.below(value, &own),
            }
        }
    }

    /// Descends where keys are known below; elsewhere a mapping is an error of the value, which was reported already.
    fn below(&self, value: &Node, path: &str) {
        if self.siblings(path).is_empty() {
            return;
        }
        match &value.kind {
            NodeKind::Map(_) => self.block(value, path),
            NodeKind::List(items) => items.iter().for_each(|item| self.block(item, path)),
            _ => {}
        }
    }

    fn report_duplicate(&self, key: &NodeKey, path: &str, earlier: &NodeKey) {
        let line = earlier.place.line;
        let what = format!("{path} is a duplicate key; expected only once, and line {line} has it");
        self.findings.push(ConfigFault::at(key.place, what));
    }

    fn report_unknown(&self, key: &NodeKey, path: &str) {
        let siblings = self.siblings(path);
        let elsewhere = self.asked.iter().find(|asked| last(asked) == key.name).map(String::as_str);
        // A key of the same name in another section is a better suggestion than a vaguely similar sibling.
        let near = |enough| nearest(&key.name, &siblings, enough);
        let right = match near(0.9).or(elsewhere).or_else(|| near(0.8)) {
            Some(key) => format!("did you mean {key}?"),
            None => format!("expected {}", siblings.iter().map(|key| last(key)).collect::<Vec<_>>().join(", ")),
        };
        let what = format!("{} is an unknown key; {right}", quoted(&join(path, &key.name)));
        self.findings.push(ConfigFault::at(key.place, what));
    }

    /// The keys known in a section.
    fn siblings(&self, path: &str) -> Vec<&str> {
        let is_sibling = |asked: &&str| asked.rsplit_once('.').map_or("", |(section, _)| section) == path;
        self.asked.iter().map(String::as_str).filter(is_sibling).collect()
    }
}

/// The most similar key, if it is similar enough.
fn nearest<'k>(name: &str, known: &[&'k str], enough: f64) -> Option<&'k str> {
    let likeness = known.iter().map(|known| (*known, strsim::jaro_winkler(name, last(known))));
    let (known, likeness) = likeness.max_by(|a, b| a.1.total_cmp(&b.1))?;
    (likeness > enough).then_some(known)
}

fn last(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(_, last)| last)
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
