//! What a key can have as its value. The code that reads a key says so, and the schema for editors is made of that.

/// A kind of value. A key of several kinds accepts a value of any of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValueKind {
    /// A mapping of keys.
    Mapping,
    /// A list of mappings of keys.
    MappingList,
    /// A list of texts, or of these words if there are any.
    List(Vec<&'static str>),
    /// A text.
    Text,
    /// One of these words.
    Word(Vec<&'static str>),
    /// `true` or `false`.
    Flag,
    /// A duration, such as `30s` or `5m`.
    Time,
    /// A whole number within these bounds, included.
    Count(u64, u64),
    /// A number of octets within these bounds, included, such as `1024` or `64KiB`.
    Size(u64, u64),
}
