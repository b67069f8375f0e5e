//! A quick look at some people and at their mail, for `check` and for the start of the service: is anybody found, and do
//! their paths lead to mail? The audit looks at everybody, which takes its time.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::directory::{Attributes, Directory, Entry, Fault, WalkEnd};
use crate::identity::{Identity, Settings};
use crate::maildir::{Condition, MaildropPath, PathRefusal, Place, Store, Surveyed};
use crate::names::Kind;

/// The most people of each directory in a sample.
const PEOPLE: usize = 1_000;

/// The most Maildirs that are looked for below the mail root, and the most directories gone through for them.
const MAILDIRS: usize = 1_000;
const DIRECTORIES: usize = 20_000;

/// How much deeper than anybody's path Maildirs are looked for: a mail root that is too high up is noticed, too.
const DEEPER: usize = 2;

/// The first people of one directory.
#[derive(Debug)]
pub struct Sample {
    /// Those that the directory is for.
    pub people: Vec<Sampled>,
    /// How many are outside `names_below` and `mail_domains`.
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
    /// The directory gave no more: one of its limits; the result.
    CutShort(String),
}

/// One person of a sample.
#[derive(Debug)]
pub struct Sampled {
    /// The canonical name.
    pub canonical_name: String,
    /// A login name that the policy allows, if the entry has one.
    pub login: Option<String>,
    /// Where their mail is, or why that cannot be told.
    pub maildrop: Result<MaildropPath, PathRefusal>,
}

/// What the mail root holds of the people of some samples.
#[derive(Debug, Default)]
pub struct MailRoot {
    root: PathBuf,
    /// People whose entry tells where their mail is.
    people: usize,
    with_maildir: usize,
    missing: usize,
    /// Whether everybody was in the samples, so that what is not theirs is nobody's.
    knows_everybody: bool,
    first_without: Option<(String, String)>,
    /// Maildirs that are not of these people; whether there may be more, and the first.
    others: usize,
    may_hold_more: bool,
    first_other: Option<PathBuf>,
    /// Whose Maildir may not be read or not be written; why.
    pub unserved: Vec<String>,
}

/// Takes a sample of a directory's people.
///
/// # Errors
/// The directory gives no answer.
pub async fn sample(directory: &Directory, settings: &Settings) -> Result<Sample, Fault> {
    let attributes = &directory.settings().attributes;
    let mut walk = directory.walk();
    let mut sample = Sample {
        people: Vec::new(),
        outside_limits: 0,
        kinds: Vec::new(),
        unreadable: Vec::new(),
        end: SampleEnd::Complete,
    };
    while let Some(entry) = walk.next().await {
        match entry {
            Ok(entry) if entry.misfit.is_some() => sample.outside_limits += 1,
            Ok(entry) => {
                sample.note_kinds(&entry, attributes);
                sample.people.push(Sampled::of(&entry, attributes, settings));
            }
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

    /// Entries that the directory gave.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.people.len() + self.outside_limits + self.unreadable.len()
    }

    /// Whether these are all.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.end == SampleEnd::Complete
    }

    /// How many people the directory is for, in words.
    #[must_use]
    pub fn counted(&self) -> String {
        let at_least = if self.is_complete() { "" } else { "at least " };
        format!("{at_least}{} {}", self.people.len(), if self.people.len() == 1 { "person" } else { "people" })
    }
}

impl Sampled {
    fn of(entry: &Entry, attributes: &Attributes, settings: &Settings) -> Self {
        let Identity { canonical_name, maildrop, .. } = Identity::new(entry, attributes, settings);
        let allowed = Kind::ALL.into_iter().filter(|kind| settings.policy.allows(*kind));
        let login = allowed.flat_map(|kind| attributes.of(kind)).find_map(|source| {
            entry.values(&source.attribute).iter().find_map(|value| source.name_in(value)).map(str::to_owned)
        });
        let is_by_dn =
            !Kind::ALL.into_iter().any(|kind| settings.policy.allows(kind) && !attributes.of(kind).is_empty());
        let by_dn = || is_by_dn.then(|| entry.dn.to_string());
        Self { canonical_name, login: login.or_else(by_dn), maildrop }
    }
}

impl MailRoot {
    /// Looks for the Maildirs of these people, and for Maildirs of others, which are nobody's if there is a whole sample of
    /// every directory. Blocks while the disk answers.
    #[must_use]
    pub fn compare(store: &Store, root: &Path, samples: &[Sample], directories: usize) -> Self {
        let knows_everybody = samples.len() == directories && samples.iter().all(Sample::is_complete);
        let mut found = Self { root: root.to_owned(), knows_everybody, ..Self::default() };
        let (mut places, mut deepest) = (HashSet::new(), 1);
        for person in samples.iter().flat_map(|sample| &sample.people) {
            let Ok(path) = &person.maildrop else { continue };
            deepest = deepest.max(AsRef::<Path>::as_ref(path).components().count());
            places.extend(found.look_at(store, person, path));
        }
        found.look_for_others(store, deepest + DEEPER, &places);
        found
    }

    fn look_at(&mut self, store: &Store, person: &Sampled, path: &MaildropPath) -> Option<Place> {
        self.people += 1;
        let name = &person.canonical_name;
        match store.inspect(path) {
            Condition::Missing => {
                self.missing += 1;
                self.first_without.get_or_insert_with(|| (name.clone(), path.to_string()));
                None
            }
            Condition::Fine(place) => {
                self.with_maildir += 1;
                Some(place)
            }
            Condition::Forbidden(why) => {
                self.unserved.push(format!("{name}: {why}"));
                None
            }
            Condition::Unusable(place, why) => {
                self.unserved.push(format!("{name}: {why}"));
                self.first_without.get_or_insert_with(|| (name.clone(), path.to_string()));
                place
            }
        }
    }

    fn look_for_others(&mut self, store: &Store, depth: usize, own: &HashSet<Place>) {
        let (mut maildirs, mut directories) = (0, 0);
        let surveyed = store.survey(depth, &mut |surveyed| {
            match surveyed {
                Surveyed::Maildir(path, place) => {
                    maildirs += 1;
                    if !own.contains(&place) {
                        self.others += 1;
                        self.first_other.get_or_insert(path);
                    }
                }
                Surveyed::Unreadable(..) => {}
                Surveyed::Directory => directories += 1,
            }
            self.may_hold_more = maildirs >= MAILDIRS || directories >= DIRECTORIES;
            if self.may_hold_more { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        self.may_hold_more |= surveyed.is_err();
    }

    /// People whose entry tells where their mail is.
    #[must_use]
    pub fn people(&self) -> usize {
        self.people
    }

    /// Those of them whose Maildir is there and can be used.
    #[must_use]
    pub fn with_maildir(&self) -> usize {
        self.with_maildir
    }

    /// Maildirs that are not of these people, as far as they were looked for.
    #[must_use]
    pub fn others(&self) -> usize {
        self.others
    }

    /// Why the paths can hardly be right: (nearly) nobody has a Maildir, and there are Maildirs that are not theirs.
    #[must_use]
    pub fn doubt(&self) -> Option<String> {
        let (name, expected) = self.first_without.as_ref()?;
        let other = self.first_other.as_ref()?;
        let is_rare = self.with_maildir * 10 <= self.people && self.with_maildir < self.others;
        is_rare.then(|| {
            format!(
                "{} has a Maildir, {}: is mailboxes.path right? It gives {expected} for {name}; below {} there is {}",
                self.who_has(),
                self.whose_others(),
                self.root.display(),
                other.display()
            )
        })
    }

    /// What is worth knowing, and right on many a server.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let (missing, root) = (self.missing, self.root.display());
        if self.is_empty() {
            return Some(format!(
                "{} has a Maildir, and there is none below {root}: right on a new server only; else, is mailboxes.root \
                 right, and its disk mounted?",
                self.who_has()
            ));
        }
        let without = (missing > 0).then(|| {
            format!("{missing} of {} people have no Maildir yet; their clients see an empty mailbox", self.people)
        });
        let others = (self.others > 0 && self.knows_everybody).then(|| self.whose_others());
        let parts: Vec<String> = without.into_iter().chain(others).collect();
        (!parts.is_empty()).then(|| format!("{}; `restante audit` lists them", parts.join("; ")))
    }

    /// Whether no Maildir at all was found, of anybody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.with_maildir == 0 && self.others == 0 && self.missing > 0 && !self.may_hold_more
    }

    fn who_has(&self) -> String {
        let looked_at = if self.knows_everybody { "" } else { " looked at" };
        match self.with_maildir {
            0 => format!("none of {} people{looked_at}", self.people),
            few => format!("only {few} of {} people{looked_at}", self.people),
        }
    }

    fn whose_others(&self) -> String {
        let at_least = if self.may_hold_more { "at least " } else { "" };
        let (maildirs, belong) = if self.others == 1 { ("Maildir", "belongs") } else { ("Maildirs", "belong") };
        let whose = if self.knows_everybody { "nobody" } else { "none of them" };
        format!("{at_least}{} {maildirs} {belong} to {whose}", self.others)
    }
}
