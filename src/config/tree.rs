//! A configuration file as a tree of values with their positions. Nothing here knows what the keys mean.

/// A position in the file, for people: line and column (in characters), from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) line: u64,
    pub(super) column: u64,
}

/// A value and where it begins.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Position,
    pub(super) kind: NodeKind,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum NodeKind {
    /// There is no value, or `null`, or `~`.
    Null,
    Bool(bool),
    /// As it is written in the file: `0x10` is not `16`.
    Number(String),
    String(StringValue),
    List(Vec<Node>),
    /// Pairs in the file's order, including duplicate keys.
    Map(Vec<(NodeKey, Node)>),
}

/// A text, plain or in quotes.
#[derive(Debug)]
pub(super) struct StringValue {
    pub(super) value: String,
    /// The position of its first character, if the file contains it literally: not folded, not escaped, not an alias.
    pub(super) begins: Option<Position>,
}

/// A key and where it begins.
#[derive(Debug)]
pub(super) struct NodeKey {
    pub(super) place: Position,
    pub(super) name: String,
}

impl Position {
    /// The first character of the file.
    pub(super) const START: Self = Self { line: 1, column: 1 };

    /// So many characters further on the same line.
    pub(super) fn right_by(self, characters: usize) -> Self {
        let characters = u64::try_from(characters).unwrap_or(u64::MAX);
        Self { line: self.line, column: self.column.saturating_add(characters) }
    }
}

impl Node {
    /// How an error message refers to this value.
    pub(super) fn describe(&self) -> String {
        match &self.kind {
            NodeKind::Null => "nothing".to_owned(),
            NodeKind::Bool(value) => value.to_string(),
            NodeKind::Number(number) => shortened(number),
            NodeKind::String(text) => quoted(&text.value),
            NodeKind::List(_) => "a list".to_owned(),
            NodeKind::Map(_) => "a mapping of keys".to_owned(),
        }
    }

    /// The pairs, if it is a mapping of keys.
    pub(super) fn pairs(&self) -> Option<&[(NodeKey, Node)]> {
        match &self.kind {
            NodeKind::Map(pairs) => Some(pairs),
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
    let mut short: String = text.chars().take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}
