//! The effective configuration key by key, to compare two configurations.

use super::yaml::{self, Value};

/// The keys with their values as text, such as `listeners[1].address`; items are counted from 1.
pub(super) fn flat(value: &Value) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    add(value, String::new(), &mut pairs);
    pairs
}

fn add(value: &Value, key: String, to: &mut Vec<(String, String)>) {
    match value {
        Value::Map(pairs) => {
            for (name, value) in pairs {
                add(value, if key.is_empty() { name.clone() } else { format!("{key}.{name}") }, to);
            }
        }
        Value::List(items) if items.iter().any(|item| matches!(item, Value::Map(_))) => {
            for (number, item) in (1..).zip(items) {
                add(item, format!("{key}[{number}]"), to);
            }
        }
        value => to.push((key, yaml::inline(value))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_path() {
        let text = |text: &str| Value::Text(text.to_owned());
        let map = |pairs: &[(&str, Value)]| {
            Value::Map(pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
        };
        let listener = |address| map(&[("address", text(address)), ("tls", text("none"))]);
        let whole = map(&[
            ("listeners", Value::List(vec![listener("a"), listener("b")])),
            ("tls", map(&[("crls", Value::List(vec![text("c"), text("d e")]))])),
        ]);
        let flat = flat(&whole);
        let flat: Vec<String> = flat.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        let expected = [
            "listeners[1].address=a",
            "listeners[1].tls=none",
            "listeners[2].address=b",
            "listeners[2].tls=none",
            "tls.crls=[c, \"d e\"]",
        ];
        assert_eq!(flat, expected);
    }
}
