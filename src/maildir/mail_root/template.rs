//! The template of a maildrop's path: text with fields to be filled in.

use std::fmt;
use std::path::{Path, PathBuf};

/// A path below the mail root with fields to be filled in, such as `{short_name}/Maildir`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTemplate {
    parts: Vec<TemplatePart>,
    lists: Option<Box<(Self, PathBuf)>>,
    markers: Vec<Self>,
    /// Where the root of these paths really is, if that was looked up.
    real_root: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::maildir) enum TemplatePart {
    Text(String),
    Field { field: Field, lower: bool },
}

/// A field in braces; each also with `|lower`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// `{short_name}`
    ShortName,
    /// `{mail}`: the whole address.
    Mail,
    /// `{mail.local}`: the part before the last `@`.
    MailLocal,
    /// `{mail.domain}`: the part after it.
    MailDomain,
    /// `{canonical_name}`
    CanonicalName,
    /// `{attr:NAME}`: any attribute of the entry.
    Attribute(String),
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFault {
    /// Where, in characters from the beginning.
    pub at: usize,
    /// What is wrong, and what is expected.
    pub what: String,
}

impl PathTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// The first fault in it: an unknown field, a brace without its other half, `..`, nothing at all, a `/` in front
    /// (the path counts from the mail root), or no field (everybody would share one maildrop).
    pub fn parse(text: &str) -> Result<Self, TemplateFault> {
        let template = Self::parse_marker(text)?;
        if template.has_fields() {
            return Ok(template);
        }
        Err(fault(0, "the template has no field: everybody would share one maildrop".to_owned()))
    }

    /// Reads the template of a marker, which needs no fields: then it is the same for everybody.
    ///
    /// # Errors
    /// As [`PathTemplate::parse`].
    pub fn parse_marker(text: &str) -> Result<Self, TemplateFault> {
        check_components(text)?;
        Self::of_parts(text)
    }

    fn of_parts(text: &str) -> Result<Self, TemplateFault> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let at = text.chars().count() - rest.chars().count();
            let (part, behind) = if first == '{' { field(rest, at)? } else { literal(rest, at)? };
            parts.push(part);
            rest = behind;
        }
        Ok(Self { parts, lists: None, markers: Vec::new(), real_root: None })
    }

    /// Reads the template of a text that is no path, such as a user name elsewhere.
    ///
    /// # Errors
    /// An unknown field, a brace without its other half, or no field: everybody would have one name.
    pub fn parse_text(text: &str) -> Result<Self, TemplateFault> {
        let template = Self::of_parts(text)?;
        if template.has_fields() {
            return Ok(template);
        }
        Err(fault(0, "the template has no field: everybody would have one name".to_owned()))
    }

    /// Whether paths made from it differ.
    fn has_fields(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, TemplatePart::Field { .. }))
    }

    /// The path, if it is the same for everybody.
    #[must_use]
    pub fn fixed(&self) -> Option<PathBuf> {
        let text = |part: &TemplatePart| match part {
            TemplatePart::Text(text) => Some(text.clone()),
            TemplatePart::Field { .. } => None,
        };
        self.parts.iter().map(text).collect::<Option<String>>().map(PathBuf::from)
    }

    /// The same, with markers below the same root: each path will have its own. Those without a field are left out,
    /// since they belong to the root.
    #[must_use]
    pub fn with_markers(self, markers: &[Self]) -> Self {
        Self { markers: markers.iter().filter(|marker| marker.has_fields()).cloned().collect(), ..self }
    }

    /// The same, after looking up where its root really is, and that of the lists. Blocks while the disk answers; from
    /// now on, making a path does not ask the file system.
    #[must_use]
    pub fn looked_up(mut self, root: &Path) -> Self {
        self.real_root = Some(root.canonicalize().unwrap_or_else(|_| root.to_owned()));
        for marker in &mut self.markers {
            marker.real_root.clone_from(&self.real_root);
        }
        if let Some(lists) = self.lists.take() {
            let (template, root) = *lists;
            self.lists = Some(Box::new((template.looked_up(&root), root)));
        }
        self
    }

    pub(super) fn real_root(&self) -> Option<&Path> {
        self.real_root.as_deref()
    }

    pub(in crate::maildir) fn markers(&self) -> &[Self] {
        &self.markers
    }

    /// The same, with the path to another server's lists below a root of their own, which each path will have as well.
    #[must_use]
    pub fn with_lists(self, lists: Self, root: PathBuf) -> Self {
        Self { lists: Some(Box::new((lists, root))), ..self }
    }

    /// The path to another server's lists, and their root.
    pub(in crate::maildir) fn lists(&self) -> Option<&(Self, PathBuf)> {
        self.lists.as_deref()
    }

    /// The attributes that it names by `{attr:NAME}`.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.fields().filter_map(|field| match field {
            Field::Attribute(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Everything that it fills in.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        let templates = [Some(self), self.lists().map(|(lists, _)| lists)].into_iter().flatten();
        let all = templates.flat_map(|template| std::iter::once(template).chain(&template.markers));
        all.flat_map(|template| &template.parts).filter_map(|part| match part {
            TemplatePart::Field { field, .. } => Some(field),
            TemplatePart::Text(_) => None,
        })
    }

    pub(in crate::maildir) fn parts(&self) -> &[TemplatePart] {
        &self.parts
    }
}

fn fault(at: usize, what: String) -> TemplateFault {
    TemplateFault { at, what }
}

/// Checks the parts between the slashes, before any field is filled in.
fn check_components(text: &str) -> Result<(), TemplateFault> {
    if text.split('/').all(|component| matches!(component, "" | ".")) {
        return Err(fault(0, "the template is empty; expected {short_name}/Maildir".to_owned()));
    }
    if text.starts_with('/') {
        return Err(fault(0, "the path is relative to the mail root; leave out the leading /".to_owned()));
    }
    let mut at = 0;
    for component in text.split('/') {
        if component == ".." {
            return Err(fault(at, "\"..\" would lead out of the mail root".to_owned()));
        }
        at += component.chars().count() + 1;
    }
    match text.chars().position(char::is_control) {
        Some(at) => Err(fault(at, "a control character can stand in no path".to_owned())),
        None => Ok(()),
    }
}

/// Takes plain text off the front.
fn literal(rest: &str, at: usize) -> Result<(TemplatePart, &str), TemplateFault> {
    let (text, behind) = rest.split_at(rest.find(['{', '}']).unwrap_or(rest.len()));
    if behind.starts_with('}') {
        return Err(fault(at + text.chars().count(), "this } closes nothing".to_owned()));
    }
    Ok((TemplatePart::Text(text.to_owned()), behind))
}

/// Takes `{field}` or `{field|lower}` off the front.
fn field(rest: &str, at: usize) -> Result<(TemplatePart, &str), TemplateFault> {
    let inside = rest.strip_prefix('{').unwrap_or(rest);
    let end = inside.find(['{', '}']).filter(|end| inside.get(*end..).is_some_and(|tail| tail.starts_with('}')));
    let Some((inside, behind)) = end.and_then(|end| inside.split_at_checked(end)) else {
        return Err(fault(at, "this { is never closed".to_owned()));
    };
    let (word, lower) = match inside.split_once('|') {
        None => (inside, false),
        Some((word, "lower")) => (word, true),
        Some((_, change)) => return Err(fault(at, format!("\"|{change}\" is unknown; expected |lower"))),
    };
    let field = Field::from_word(word).ok_or_else(|| fault(at, unknown(word)))?;
    Ok((TemplatePart::Field { field, lower }, behind.strip_prefix('}').unwrap_or(behind)))
}

impl Field {
    const PLAIN: [Self; 5] = [Self::ShortName, Self::Mail, Self::MailLocal, Self::MailDomain, Self::CanonicalName];

    /// The field of a word in braces.
    fn from_word(word: &str) -> Option<Self> {
        if let Some(name) = word.strip_prefix("attr:") {
            return is_attribute(name).then(|| Self::Attribute(name.to_owned()));
        }
        Self::PLAIN.into_iter().find(|field| field.word() == word)
    }

    /// The word in the braces; of an attribute only the beginning.
    fn word(&self) -> &'static str {
        match self {
            Self::ShortName => "short_name",
            Self::Mail => "mail",
            Self::MailLocal => "mail.local",
            Self::MailDomain => "mail.domain",
            Self::CanonicalName => "canonical_name",
            Self::Attribute(_) => "attr:",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(name) => write!(f, "{{attr:{name}}}"),
            plain => write!(f, "{{{}}}", plain.word()),
        }
    }
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at character {})", self.what, self.at + 1)
    }
}

impl std::error::Error for TemplateFault {}

/// A name or OID of an attribute, with its options (RFC 4512 §2.5); `_` is not in the standard, but used by some
/// directories.
fn is_attribute(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ';');
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(allowed)
}

/// The message about a word that is not a field.
fn unknown(word: &str) -> String {
    if word.starts_with("attr") {
        return format!("\"{word}\" names no attribute; expected {{attr:homeDirectory}}");
    }
    let nearest = Field::PLAIN.iter().min_by_key(|field| distance(word, field.word()));
    match nearest.filter(|field| 2 * distance(word, field.word()) < field.word().len()) {
        Some(field) => format!("\"{word}\" is no field; did you mean {field}?"),
        None => format!(
            "\"{word}\" is no field; known are {{short_name}}, {{mail}}, {{mail.local}}, {{mail.domain}}, \
             {{canonical_name}} and {{attr:NAME}}"
        ),
    }
}

/// The number of letters to insert, delete or change to turn one word into the other (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let first: Vec<usize> = (0..=to.len()).collect();
    let last = from.bytes().enumerate().fold(first, |above, (line, letter)| {
        let mut row = vec![line + 1];
        for (other, corner) in to.bytes().zip(above.windows(2)) {
            let [diagonal, up] = corner else { break };
            let left = row.last().copied().unwrap_or_default();
            row.push((diagonal + usize::from(letter != other)).min(up + 1).min(left + 1));
        }
        row
    });
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_field_with_and_without_lower() {
        let known = ["short_name", "mail", "mail.local", "mail.domain", "canonical_name", "attr:homeDirectory"];
        for word in known {
            for (text, lower) in [(format!("a/{{{word}}}/b"), false), (format!("a/{{{word}|lower}}/b"), true)] {
                let template = PathTemplate::parse(&text).unwrap();
                let [
                    TemplatePart::Text(before),
                    TemplatePart::Field { field, lower: read },
                    TemplatePart::Text(behind),
                ] = template.parts()
                else {
                    panic!("{text}: {template:?}")
                };
                assert_eq!((before.as_str(), behind.as_str(), *read), ("a/", "/b", lower));
                assert_eq!(field.to_string(), format!("{{{word}}}"));
            }
        }
    }

    #[test]
    fn names_its_attributes() {
        let template = PathTemplate::parse("{attr:homeDirectory}/{mail}/{attr:x-box;lang-de|lower}").unwrap();
        assert_eq!(template.attributes().collect::<Vec<_>>(), ["homeDirectory", "x-box;lang-de"]);
        let marker = |text| PathTemplate::parse_marker(text).unwrap();
        let template = template.with_markers(&[marker(".mounted"), marker("{attr:disk}/.mounted")]);
        assert_eq!(template.attributes().last(), Some("disk"));
        assert_eq!(template.markers().len(), 1, "one without a field is the same for everybody");
        assert_eq!(marker(".mounted").fixed(), Some(".mounted".into()));
        assert_eq!(marker("{attr:disk}/.mounted").fixed(), None);
    }

    #[test]
    fn tells_where_a_template_is_wrong() {
        for (text, at, word) in [
            ("", 0, "empty"),
            ("./", 0, "empty"),
            ("é/{shortname}", 2, "{short_name}"),
            ("{maildomain}", 0, "{mail.domain}"),
            ("{uid}", 0, "known are"),
            ("{attr:}", 0, "homeDirectory"),
            ("{attr:a/b}", 0, "homeDirectory"),
            ("{mail|upper}", 0, "|lower"),
            ("x/{mail", 2, "never closed"),
            ("{mail{mail}", 0, "never closed"),
            ("x}/{mail}", 1, "closes nothing"),
            ("{mail}}", 6, "closes nothing"),
            ("{mail}/../x", 7, ".."),
            ("/srv/{mail}", 0, "mail root"),
            ("short_name/Maildir", 0, "no field"),
            ("{mail}/\u{7}", 7, "control"),
        ] {
            let fault = PathTemplate::parse(text).unwrap_err();
            assert_eq!(fault.at, at, "{text}: {fault}");
            assert!(fault.what.contains(word), "{text}: {fault}");
        }
    }
}
