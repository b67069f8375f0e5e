//! Keys that mean nothing where they stand, and keys that stand twice.

use std::collections::BTreeSet;

use super::faults::Fault;
use super::section::Findings;
use super::tree::{Key, Kind, Node, quoted};

/// Looks for keys that nobody asked for; to be called when all has been read.
pub(super) fn find(root: &Node, findings: &Findings) {
    Search { asked: &findings.asked(), findings }.block(root, "");
}

struct Search<'f> {
    asked: &'f BTreeSet<String>,
    findings: &'f Findings,
}

impl Search<'_> {
    fn block(&self, node: &Node, path: &str) {
        let pairs = node.pairs().unwrap_or_default();
        for (number, (key, value)) in pairs.iter().enumerate() {
            let own = join(path, &key.name);
            let earlier = pairs.iter().take(number).find(|(earlier, _)| earlier.name == key.name);
            match earlier {
                Some((earlier, _)) => self.twice(key, &own, earlier),
                None if !self.asked.contains(&own) => self.unknown(key, path),
                None => self.below(value, &own),
            }
        }
    }

    /// Goes on where keys are known below; elsewhere a block of keys is a fault of the value, told already.
    fn below(&self, value: &Node, path: &str) {
        if self.siblings(path).is_empty() {
            return;
        }
        match &value.kind {
            Kind::Map(_) => self.block(value, path),
            Kind::List(items) => items.iter().for_each(|item| self.block(item, path)),
            _ => {}
        }
    }

    fn twice(&self, key: &Key, path: &str, earlier: &Key) {
        let line = earlier.place.line;
        let what = format!("{path} stands here a second time; right would be once, and line {line} has it already");
        self.findings.push(Fault::at(key.place, what));
    }

    fn unknown(&self, key: &Key, path: &str) {
        let siblings = self.siblings(path);
        let elsewhere = self.asked.iter().find(|asked| last(asked) == key.name).map(String::as_str);
        // A key of that very name in another section is meant rather than a neighbour that is only somewhat like it.
        let near = |enough| nearest(&key.name, &siblings, enough);
        let right = match near(0.9).or(elsewhere).or_else(|| near(0.8)) {
            Some(key) => key.to_owned(),
            None => siblings.iter().map(|key| last(key)).collect::<Vec<_>>().join(", "),
        };
        let what = format!("{} is no key known here; right would be {right}", quoted(&join(path, &key.name)));
        self.findings.push(Fault::at(key.place, what));
    }

    /// The keys known in a section.
    fn siblings(&self, path: &str) -> Vec<&str> {
        let is_sibling = |asked: &&str| asked.rsplit_once('.').map_or("", |(section, _)| section) == path;
        self.asked.iter().map(String::as_str).filter(is_sibling).collect()
    }
}

/// The key that was meant, if one is near enough.
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
