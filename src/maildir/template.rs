//! How the path of a maildrop is made from a person's entry.

/// A path below the mail root with fields to be filled in, such as `{short_name}/Maildir`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTemplate {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Field { field: Field, lower: bool },
}

/// What may stand in braces; each also with `|lower`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// `{short_name}`
    ShortName,
    /// `{mail}`: the whole address.
    Mail,
    /// `{mail.local}`: what stands before the last `@`.
    MailLocal,
    /// `{mail.domain}`: what stands behind it.
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
    /// What, and what would be right.
    pub what: String,
}

impl PathTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// The first fault in it.
    pub fn parse(text: &str) -> Result<Self, TemplateFault> {
        let _ = text;
        Ok(Self { parts: vec![] })
    }

    /// The attributes that it names by `{attr:NAME}`.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Field { field: Field::Attribute(name), .. } => Some(name.as_str()),
            _ => None,
        })
    }
}
