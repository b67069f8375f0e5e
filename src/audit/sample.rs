//! Some people of a directory, for `check` and for the start of the service. The audit looks at everybody, which takes
//! longer.

use crate::directory::{Attributes, Directory, Entry, EntryId, Fault, WalkEnd};
use crate::identity::{self, Identity};
use crate::maildir::{MaildropPath, PathRefusal};
use crate::names::Kind;

/// The most people of each directory in a sample.
const PEOPLE: usize = 1_000;

/// The first people of one directory.
#[derive(Debug)]
pub struct Sample {
    /// Those within `names_below` and `mail_domains`.
    pub people: Vec<Sampled>,
    /// How many are outside these limits.
    pub outside_limits: usize,
    /// The kinds of name that any of them has.
    pub kinds: Vec<Kind>,
    /// Entries that cannot be read as people; why.
    pub unreadable: Vec<String>,
    /// Whether there are others.
    pub end: SampleEnd,
}

/// How a sample ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SampleEnd {
    /// These are all.
    Complete,
    /// There may be more than a sample takes.
    Enough,
    /// The directory returned no more because of one of its limits; its result.
    CutShort(String),
}

/// One person of a sample.
#[derive(Debug)]
pub struct Sampled {
    /// The entry's own id.
    pub id: EntryId,
    /// The canonical name.
    pub canonical_name: String,
    /// A login name that the policy allows, if the entry has one.
    pub login: Option<String>,
    /// Where their mail is, or why that is unknown.
    pub maildrop: Result<MaildropPath, PathRefusal>,
    /// Another host holds their mail.
    pub is_elsewhere: bool,
}

/// Takes a sample of a directory's people.
///
/// # Errors
/// The directory gives no answer.
pub async fn sample(directory: &Directory, settings: &identity::Settings) -> Result<Sample, Fault> {
    let attributes = &directory.settings().attributes;
    let mut walk = directory.walk();
    let mut sample = Sample::empty();
    while let Some(entry) = walk.next().await {
        match entry {
            Ok(entry) => sample.note(&entry, attributes, settings),
            Err(fault) => sample.unreadable.push(fault.to_string()),
        }
        if sample.seen() >= PEOPLE {
            sample.end = SampleEnd::Enough;
            return Ok(sample);
        }
    }
    if let WalkEnd::CutShort(why) = walk.end().await? {
        sample.end = SampleEnd::CutShort(why);
    }
    Ok(sample)
}

impl Sample {
    fn empty() -> Self {
        Self {
            people: Vec::new(),
            outside_limits: 0,
            kinds: Vec::new(),
            unreadable: Vec::new(),
            end: SampleEnd::Complete,
        }
    }

    /// A sample of entries that were read before.
    #[must_use]
    pub fn of_entries(
        entries: &[Entry],
        end: SampleEnd,
        attributes: &Attributes,
        settings: &identity::Settings,
    ) -> Self {
        let mut sample = Self { end, ..Self::empty() };
        for entry in entries {
            sample.note(entry, attributes, settings);
        }
        sample
    }

    fn note(&mut self, entry: &Entry, attributes: &Attributes, settings: &identity::Settings) {
        if entry.out_of_scope.is_some() {
            self.outside_limits += 1;
            return;
        }
        self.note_kinds(entry, attributes);
        self.people.push(Sampled::of(entry, attributes, settings));
    }

    fn note_kinds(&mut self, entry: &Entry, attributes: &Attributes) {
        let has = |kind: Kind| {
            attributes
                .of(kind)
                .iter()
                .any(|source| entry.values(&source.attribute).iter().any(|value| source.name_in(value).is_some()))
        };
        self.kinds
            .extend(Kind::ALL.into_iter().filter(|kind| has(*kind) && !self.kinds.contains(kind)).collect::<Vec<_>>());
    }

    /// The people whose mail no other host holds.
    pub fn here(&self) -> impl Iterator<Item = &Sampled> {
        self.people.iter().filter(|person| !person.is_elsewhere)
    }

    /// Entries that the directory returned.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.people.len() + self.outside_limits + self.unreadable.len()
    }

    /// Whether these are all.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.end == SampleEnd::Complete
    }

    /// How many people are within the limits, in words.
    #[must_use]
    pub fn counted(&self) -> String {
        let at_least = if self.is_complete() { "" } else { "at least " };
        format!("{at_least}{} {}", self.people.len(), if self.people.len() == 1 { "person" } else { "people" })
    }
}

impl Sampled {
    fn of(entry: &Entry, attributes: &Attributes, settings: &identity::Settings) -> Self {
        let identity = Identity::new(entry, attributes, settings);
        let here = identity.maildrop_here();
        let is_elsewhere = here.is_none();
        let Identity { id, canonical_name, maildrop, .. } = identity;
        let maildrop = here.unwrap_or(maildrop);
        let allowed = Kind::ALL.into_iter().filter(|kind| settings.policy.allows(*kind));
        let login = allowed.flat_map(|kind| attributes.of(kind)).find_map(|source| {
            entry.values(&source.attribute).iter().find_map(|value| source.name_in(value)).map(str::to_owned)
        });
        let is_by_dn =
            !Kind::ALL.into_iter().any(|kind| settings.policy.allows(kind) && !attributes.of(kind).is_empty());
        let by_dn = || is_by_dn.then(|| entry.dn.to_string());
        Self { id, canonical_name, login: login.or_else(by_dn), maildrop, is_elsewhere }
    }
}
