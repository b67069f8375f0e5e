//! Whether people's paths lead to mail: a quick look for `check` and the start of the service, and its evaluation,
//! which the audit shares.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::sample::{Sample, Sampled};
use crate::maildir::{DirectoryId, MaildirCondition, MaildropPath, Store, Surveyed};

/// The most Maildirs that are looked for below the mail root, and the most directories gone through for them.
const MAILDIRS: usize = 1_000;
const DIRECTORIES: usize = 20_000;

/// A mail root that is up to this many directories too high is noticed, too.
const DEEPER: usize = 2;

/// How many people have a Maildir where their path leads, and how many Maildirs are not theirs.
#[derive(Debug, Default)]
pub struct Coverage {
    pub(super) root: PathBuf,
    /// People whose entry gives the path of their mail.
    pub(super) people: usize,
    pub(super) with_maildir: usize,
    pub(super) missing: usize,
    /// Whether all people are known, so that other Maildirs have no owner.
    pub(super) knows_everybody: bool,
    pub(super) first_without: Option<(String, String)>,
    /// Maildirs that are not of these people; whether there may be more, and the first.
    pub(super) others: usize,
    pub(super) may_hold_more: bool,
    pub(super) first_other: Option<PathBuf>,
    /// People whose Maildir may not be read or not be written, each with the reason.
    pub unserved: Vec<String>,
}

impl Coverage {
    /// Looks for the Maildirs of these people, and for others, which are unowned if the sample of every directory is
    /// complete. Blocks while the disk answers.
    #[must_use]
    pub fn compare(store: &Store, root: &Path, samples: &[Sample], directories: usize) -> Self {
        let knows_everybody = samples.len() == directories && samples.iter().all(Sample::is_complete);
        let mut found = Self { root: root.to_owned(), knows_everybody, ..Self::default() };
        let (mut places, mut deepest) = (HashSet::new(), 1);
        for person in samples.iter().flat_map(Sample::here) {
            let Ok(path) = &person.maildrop else { continue };
            deepest = deepest.max(AsRef::<Path>::as_ref(path).components().count());
            places.extend(found.look_at(store, person, path));
        }
        found.look_for_others(store, found.depth(deepest), &places);
        found
    }

    /// How many levels of directories are searched for Maildirs. If nobody has one, more than the deepest path has, since
    /// the paths or the mail root may be wrong.
    pub(super) fn depth(&self, deepest: usize) -> usize {
        deepest + if self.with_maildir == 0 { DEEPER } else { 0 }
    }

    fn look_at(&mut self, store: &Store, person: &Sampled, path: &MaildropPath) -> Option<DirectoryId> {
        self.people += 1;
        let name = &person.canonical_name;
        match store.inspect(path) {
            MaildirCondition::Missing => {
                self.missing += 1;
                self.first_without.get_or_insert_with(|| (name.clone(), path.to_string()));
                None
            }
            MaildirCondition::Fine(place) => {
                self.with_maildir += 1;
                Some(place)
            }
            MaildirCondition::Forbidden(why) => {
                self.unserved.push(format!("{name}: {why}"));
                None
            }
            MaildirCondition::Unusable(place, why) => {
                self.unserved.push(format!("{name}: {why}"));
                self.first_without.get_or_insert_with(|| (name.clone(), path.to_string()));
                place
            }
        }
    }

    fn look_for_others(&mut self, store: &Store, depth: usize, own: &HashSet<DirectoryId>) {
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

    /// People whose entry gives the path of their mail.
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

    /// Why the paths are probably wrong: (nearly) nobody has a Maildir, and there are Maildirs that are not theirs.
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

    /// Notes: worth knowing, but not necessarily wrong.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let (missing, root) = (self.missing, self.root.display());
        if self.is_empty() {
            return Some(format!(
                "{} has a Maildir, and there is none below {root}: normal on a new server only; else, is mailboxes.root \
                 right, and its disk mounted?",
                self.who_has()
            ));
        }
        let without = (missing > 0).then(|| {
            let have = if missing == 1 { "has" } else { "have" };
            format!("{missing} of {} people {have} no Maildir yet; clients see an empty mailbox", self.people)
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
