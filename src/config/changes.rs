//! Which keys differ between two configurations.

use std::collections::{BTreeMap, BTreeSet};

use super::effective::Effective;
use super::tree::Node;
use super::yaml::Value;

/// The value of every key, defaults included. The keys of a list's items have no number: `listeners.address` has as many
/// values as there are listeners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EffectiveValues(BTreeMap<String, Vec<Value>>);

impl EffectiveValues {
    /// The values of a file.
    pub(super) fn of(file: &Node, reference: &Node, of: &Effective<'_>) -> Self {
        let mut values = Self::default();
        values.add("", of.of(file, reference));
        values
    }

    fn add(&mut self, path: &str, value: Value) {
        match value {
            Value::Map(pairs) => {
                for (key, value) in pairs {
                    let own = if path.is_empty() { key } else { format!("{path}.{key}") };
                    self.add(&own, value);
                }
            }
            Value::List(items) if items.iter().any(|item| matches!(item, Value::Map(_))) => {
                for item in items {
                    self.add(path, item);
                }
            }
            value => self.0.entry(path.to_owned()).or_default().push(value),
        }
    }

    /// The keys whose values differ, in the order of the alphabet.
    #[must_use]
    pub fn changed(&self, other: &Self) -> Vec<String> {
        let keys: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        keys.into_iter().filter(|key| self.0.get(*key) != other.0.get(*key)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::file;
    use super::super::paths::Base;
    use super::*;

    fn values(yaml: &str) -> EffectiveValues {
        let parse = |text: &str| file::parse(text.as_bytes()).unwrap_or_else(|fault| panic!("{}", fault.what));
        let base = Base::of(Path::new("/etc/restante/restante.yaml"));
        let effective = Effective { all: true, base: &base };
        EffectiveValues::of(&parse(yaml), &parse(super::super::effective::REFERENCE), &effective)
    }

    #[test]
    fn only_keys_whose_values_mean_something_else_have_changed() {
        let before =
            "hostname: a.example\ncache: { found: 5m }\nlisteners:\n  - { address: \"[::]:110\", tls: none }\n";
        for (after, changed) in [
            (before.to_owned(), &[][..]),
            (before.replace(", tls", ",   tls"), &[]),
            (before.replace("a.example", "b.example"), &["hostname"]),
            (before.replace("cache: { found: 5m }\n", ""), &[]),
            (before.replace("found: 5m", "found: 6m"), &["cache.found"]),
            (format!("{before}log: {{ level: debug }}\n"), &["log.level"]),
        ] {
            assert_eq!(values(before).changed(&values(&after)), changed, "{after}");
        }
        let two = format!("{before}  - {{ address: \"[::]:995\", tls: none }}\n");
        assert!(values(before).changed(&values(&two)).contains(&"listeners.address".to_owned()));
    }
}
