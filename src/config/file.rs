//! From a YAML file to a [`Node`]. The only place that knows the YAML library.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_yaml::{Error, Location, MessageFormatter, Options, Spanned, UserMessageFormatter};

use super::faults::ConfigFault;
use super::tree::{Node, NodeKey, NodeKind, Position, StringValue};
use super::{DEFAULT_FILE, FILE_VARIABLE};

/// No configuration is larger; a wrong file name (a mailbox, a device) is reported before it fills the memory.
const LARGEST: u64 = 1024 * 1024;

/// Reads a file.
pub(super) fn read(file: &Path) -> Result<Node, ConfigFault> {
    parse(&octets(file)?)
}

fn octets(file: &Path) -> Result<Vec<u8>, ConfigFault> {
    let unreadable = |fault: std::io::Error| {
        let right = match fault.kind() {
            std::io::ErrorKind::NotFound => format!(
                "the configuration is the file named by --config FILE, or by the variable {FILE_VARIABLE}, or else \
                 {DEFAULT_FILE}"
            ),
            _ => "expected a file that this user may read".to_owned(),
        };
        ConfigFault { place: None, what: format!("cannot be read: {fault}; {right}") }
    };
    let mut octets = Vec::new();
    File::open(file).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut octets)).map_err(unreadable)?;
    if octets.len() as u64 > LARGEST {
        let what = "is larger than 1 MiB; expected a file like the restante.yaml shipped with this program";
        return Err(ConfigFault { place: None, what: what.to_owned() });
    }
    Ok(octets)
}

/// Reads the octets of a file.
pub(super) fn parse(octets: &[u8]) -> Result<Node, ConfigFault> {
    let source = std::str::from_utf8(octets).map_err(|fault| {
        let place = end_of(octets.get(..fault.valid_up_to()).unwrap_or_default());
        ConfigFault::at(place, "is not UTF-8 from here; expected a text saved as UTF-8")
    })?;
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let root = serde_yaml::from_str_with_options::<Spanned<Raw>>(source, options()).map_err(|e| fault_of(&e))?;
    Ok(node(root, source))
}

fn options() -> Options {
    serde_yaml::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
    }
}

/// The place right behind some octets.
fn end_of(octets: &[u8]) -> Position {
    let text = String::from_utf8_lossy(octets);
    let last = text.rsplit('\n').next().unwrap_or_default();
    let line = text.matches('\n').count() as u64 + 1;
    Position { line, column: 1 }.right_by(last.chars().count())
}

/// The parser cannot continue after a syntax error, so this is the only mistake reported.
fn fault_of(error: &Error) -> ConfigFault {
    let error = error.without_snippet();
    let place = error.location().map_or(Position::START, place);
    let what = match error {
        Error::MultipleDocuments { .. } => {
            "a second document begins here; expected one document, without a line `---` inside".to_owned()
        }
        Error::UnsupportedTag { .. } => {
            "tags (words that begin with !) are not supported; expected the value alone, in quotes if the ! \
             belongs to it"
                .to_owned()
        }
        _ => format!(
            "is not valid YAML: {}; expected `key: value`, indented by blanks, with quotes around values such as \
             \"[::]:110\" or \"{{mail}}/Maildir\"",
            UserMessageFormatter.format_message(error)
        ),
    };
    ConfigFault::at(place, what)
}

fn place(location: Location) -> Position {
    Position { line: location.line().max(1), column: location.column().max(1) }
}

/// A value as the library returns it.
enum Raw {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = entries.next_entry()? {
            pairs.push(pair);
        }
        Ok(Raw::Map(pairs))
    }
}

fn node(raw: Spanned<Raw>, source: &str) -> Node {
    let written = written(raw.defined, source);
    let here = place(raw.referenced);
    let is_alias = raw.referenced != raw.defined;
    let kind = match raw.value {
        Raw::Null => NodeKind::Null,
        Raw::Bool(value) => NodeKind::Bool(value),
        Raw::Number(number) => NodeKind::Number(written.map_or(number, str::to_owned)),
        Raw::String(value) => {
            let begins = if is_alias { None } else { begins(&value, written, here) };
            NodeKind::String(StringValue { value, begins })
        }
        Raw::List(items) => NodeKind::List(items.into_iter().map(|item| node(item, source)).collect()),
        Raw::Map(pairs) => NodeKind::Map(pairs.into_iter().map(|(key, value)| pair(key, value, source)).collect()),
    };
    Node { place: here, kind }
}

fn pair(key: Spanned<Raw>, value: Spanned<Raw>, source: &str) -> (NodeKey, Node) {
    let Node { place, kind } = node(key, source);
    let name = match kind {
        NodeKind::String(text) => text.value,
        kind => Node { place, kind }.describe(),
    };
    (NodeKey { place, name }, node(value, source))
}

/// A scalar as it is in the file, including quotes.
fn written(at: Location, source: &str) -> Option<&str> {
    let start = usize::try_from(at.span().byte_offset()?).ok()?;
    let length = usize::try_from(at.span().byte_len()?).ok()?;
    source.get(start..start.checked_add(length)?)
}

fn begins(value: &str, written: Option<&str>, at: Position) -> Option<Position> {
    let written = written?;
    if written == value {
        return Some(at);
    }
    let inside = ['"', '\''].into_iter().find_map(|quote| written.strip_prefix(quote)?.strip_suffix(quote))?;
    (inside == value).then(|| at.right_by(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(text: &str) -> String {
        let ConfigFault { place, what } = parse(text.as_bytes()).unwrap_err();
        let Position { line, column } = place.unwrap();
        format!("{line}:{column}: {}", what.split(';').next().unwrap())
    }

    #[test]
    fn invalid_yaml_is_reported_with_its_position() {
        for (text, expected) in [
            ("a:\n\tb: 1\n", "2:2: is not valid YAML: tabs disallowed within this context (block indentation)"),
            ("a: \"x\n", "1:4: is not valid YAML: unclosed quote"),
            ("ü: b: c\n", "1:5: is not valid YAML: mapping values are not allowed in this context"),
            ("a: *x\n", "1:4: is not valid YAML: reference to unknown value"),
            ("a: !env 1\n", "1:9: tags (words that begin with !) are not supported"),
            ("a: 1\n---\nb: 2\n", "3:1: a second document begins here"),
        ] {
            assert_eq!(fault(text), expected);
        }
    }

    #[test]
    fn octets_that_are_not_utf_8_are_reported_with_their_position() {
        let fault = parse(b"# ok\na: \xc3\xbc\xff\n").unwrap_err();
        assert_eq!(fault.place, Some(Position { line: 2, column: 5 }));
    }

    fn value(text: &str) -> Node {
        let NodeKind::Map(pairs) = parse(text.as_bytes()).unwrap().kind else { panic!("{text} is no block") };
        pairs.into_iter().next().unwrap().1
    }

    #[test]
    fn only_true_and_false_are_booleans_and_numbers_stay_as_written() {
        for (text, described) in [
            ("a: true", "true"),
            ("a: yes", "\"yes\""),
            ("a: 0644", "\"0644\""),
            ("a: 1_000", "\"1_000\""),
            ("a: 1e3", "1e3"),
            ("a: 0x10", "0x10"),
            ("a: .inf", ".inf"),
            ("a: 99999999999999999999", "99999999999999999999"),
            ("a: ~", "nothing"),
            ("a: \"~\"", "\"~\""),
        ] {
            assert_eq!(value(text).describe(), described, "{text}");
        }
    }

    #[test]
    fn knows_where_a_text_begins_if_it_stands_there_letter_by_letter() {
        for (text, column) in [
            ("a: x", Some(4)),
            ("a: \"x y\"", Some(5)),
            ("ü: 'x' # y", Some(5)),
            ("a: \"\\x41\"", None),
            ("a: 'it''s'", None),
        ] {
            let NodeKind::String(found) = value(text).kind else { panic!("{text} is not a string") };
            assert_eq!(found.begins.map(|place| place.column), column, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_a_tree_or_a_fault(octets: Vec<u8>) {
            let _ = parse(&octets);
        }
    }
}
