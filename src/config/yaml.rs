//! Values written as YAML: in blocks, with quotes only where they are needed.

use std::fmt::Write as _;

/// A value to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    /// A number, `true` or `false`, as it is.
    Scalar(String),
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

/// The text of a file.
pub(super) fn write(value: &Value) -> String {
    let mut text = String::new();
    if let Value::Map(pairs) = value {
        write_pairs(&mut text, pairs, 0, "");
    }
    text
}

/// `first` stands before the first key, in place of its indentation.
fn write_pairs(text: &mut String, pairs: &[(String, Value)], indent: usize, first: &str) {
    for (number, (key, value)) in pairs.iter().enumerate() {
        let lead = if number == 0 && !first.is_empty() { first.to_owned() } else { " ".repeat(indent) };
        let _ = write!(text, "{lead}{}:", quoted(key));
        write_value(text, value, indent + 2);
    }
}

fn write_value(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Map(pairs) if !pairs.is_empty() => {
            text.push('\n');
            write_pairs(text, pairs, indent, "");
        }
        Value::List(items) if items.iter().any(|item| matches!(item, Value::Map(pairs) if !pairs.is_empty())) => {
            text.push('\n');
            for item in items {
                write_item(text, item, indent);
            }
        }
        Value::Null => text.push('\n'),
        value => {
            let _ = writeln!(text, " {}", inline(value));
        }
    }
}

fn write_item(text: &mut String, item: &Value, indent: usize) {
    let lead = format!("{}- ", " ".repeat(indent));
    match item {
        Value::Map(pairs) if !pairs.is_empty() => write_pairs(text, pairs, indent + 2, &lead),
        item => {
            let _ = writeln!(text, "{lead}{}", inline(item));
        }
    }
}

/// A value within a line.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::Null => "~".to_owned(),
        Value::Scalar(scalar) => scalar.clone(),
        Value::Text(text) => quoted(text),
        Value::List(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Map(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| format!("{}: {}", quoted(key), inline(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A text in double quotes, unless it can be taken for nothing else.
fn quoted(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            character if character.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            // Byte order marks and line separators, which YAML treats like control characters.
            '\u{feff}' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// Letters, digits and a few marks; a number only with a unit.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let unit = text.trim_start_matches(|character: char| character.is_ascii_digit());
    let is_measure = unit.len() < text.len() && ["s", "m", "h", "d", "KiB", "MiB", "GiB"].contains(&unit);
    let is_mark = |character: char| matches!(character, '_' | '-' | '.' | '/' | '$' | ';');
    let begins = text.starts_with(|character: char| character.is_ascii_alphabetic() || "/$".contains(character));
    let is_word = begins && text.chars().all(|character| character.is_ascii_alphanumeric() || is_mark(character));
    is_measure || is_word && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::file;
    use super::super::tree::{Node, NodeKind};
    use super::*;

    /// What the reader makes of a text that was written.
    fn read_again(node: &Node) -> Value {
        match &node.kind {
            NodeKind::Null => Value::Null,
            NodeKind::Bool(value) => Value::Scalar(value.to_string()),
            NodeKind::Number(number) => Value::Scalar(number.clone()),
            NodeKind::String(text) => Value::Text(text.value.clone()),
            NodeKind::List(items) => Value::List(items.iter().map(read_again).collect()),
            NodeKind::Map(pairs) => {
                Value::Map(pairs.iter().map(|(key, value)| (key.name.clone(), read_again(value))).collect())
            }
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let texts = prop_oneof![any::<String>(), "[a-z0-9:#{}, -]{0,8}", "(yes|no|0x10|1e3|5m|~|null|\\.inf|off|---)"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(|value| Value::Scalar(value.to_string())),
            any::<u32>().prop_map(|value| Value::Scalar(value.to_string())),
            texts.prop_map(Value::Text)
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let keys = prop::collection::btree_map("[a-z_]{1,8}", inner.clone(), 1..4);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Value::List),
                keys.prop_map(|pairs| Value::Map(pairs.into_iter().collect()))
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value in values()) {
            let value = Value::Map(vec![("key".to_owned(), value)]);
            let text = write(&value);
            let node = file::parse(text.as_bytes());
            prop_assert!(node.is_ok(), "{text}");
            prop_assert_eq!(read_again(&node.unwrap()), value, "{}", text);
        }
    }
}
