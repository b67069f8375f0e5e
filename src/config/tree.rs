//! A configuration file as a tree: what stands where. Nothing here knows what the keys mean.

/// A place in the file, for people: line and column (in characters) count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) line: u64,
    pub(super) column: u64,
}

/// A value and where it begins.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Kind {
    /// Nothing stands behind the key, or `null`, or `~`.
    Null,
    Bool(bool),
    /// As it is written in the file: `0x10` is not `16`.
    Number(String),
    Text(Text),
    List(Vec<Node>),
    /// Pairs in the file's order, keys that stand twice included.
    Map(Vec<(Key, Node)>),
}

/// A text, plain or in quotes.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) value: String,
    /// Where its first character stands, if the file holds it letter by letter: not folded, not escaped, no alias.
    pub(super) begins: Option<Place>,
}

/// A key and where it begins.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) place: Place,
    pub(super) name: String,
}

impl Place {
    /// The first character of the file.
    pub(super) const START: Self = Self { line: 1, column: 1 };

    /// So many characters further on the same line.
    pub(super) fn right_by(self, characters: usize) -> Self {
        let characters = u64::try_from(characters).unwrap_or(u64::MAX);
        Self { line: self.line, column: self.column.saturating_add(characters) }
    }
}

impl Node {
    /// How a fault names this value.
    pub(super) fn told(&self) -> String {
        match &self.kind {
            Kind::Null => "nothing".to_owned(),
            Kind::Bool(value) => value.to_string(),
            Kind::Number(number) => shortened(number),
            Kind::Text(text) => quoted(&text.value),
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a block of keys".to_owned(),
        }
    }

    /// The pairs, if it is a block of keys.
    pub(super) fn pairs(&self) -> Option<&[(Key, Node)]> {
        match &self.kind {
            Kind::Map(pairs) => Some(pairs),
            _ => None,
        }
    }
}

/// A text in quotes, short enough for a line of the log.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", shortened(text))
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut told: String = text.chars().take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        told.push('…');
    }
    told
}
