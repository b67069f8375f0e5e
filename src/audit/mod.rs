//! The audit: problems in the directory and below the mail root that would affect logins, found before anybody logs in.
//!
//! Names, paths and Maildirs are checked by the same policy, template and code as at a login. People are read page by
//! page; only their names and DNs are kept in memory.
//!
//! | file | rule |
//! |---|---|
//! | `people` | everybody, by number |
//! | `namesakes` | ambiguous login names |
//! | `mailboxes`, `pairs` | people without a Maildir, Maildirs without a person, and which may belong together |
//! | `coverage`, `sample` | the same for some people only, for `check` and the start of the service |
//! | `name_usage`, `path_guesses` | which names people have, and which path leads to their mail, for `init` |
//! | `compare` | an old server's listing compared with ours, for `uidl compare` |
//! | `finding` | the kinds of findings, and their severity |

mod compare;
mod coverage;
mod finding;
mod mailboxes;
mod name_usage;
mod namesakes;
mod pairs;
mod path_guesses;
mod people;
mod sample;

pub use compare::{Difference, DifferenceKind, LocalMessage, differences};
pub use coverage::Coverage;
pub use finding::{AmbiguousName, AuditFinding, Person, Severity};
pub use name_usage::{NameUsage, name_usage};
pub use path_guesses::{PathGuess, guess_paths};
pub use sample::{Sample, SampleEnd, Sampled, sample};

use std::collections::{BTreeMap, HashSet};

use self::mailboxes::{MailboxSurvey, Mailboxes};
use self::namesakes::{NameIndex, Policies};
use self::people::People;
use crate::directory::{Attributes, Directory, Entry, Fault, WalkEnd};
use crate::identity::{self, Identity, MailHost, RetentionSource};
use crate::maildir::Store;

/// The result of an audit.
#[derive(Debug, Default)]
pub struct AuditReport {
    /// People seen.
    pub people: u64,
    /// Different values that are somebody's name.
    pub names: u64,
    /// The people of each host to which sessions are passed on.
    pub hosts: BTreeMap<String, u64>,
    /// Maildirs seen below the mail root.
    pub mailboxes: u64,
    /// Everything that was found, the most severe first, without names that are ambiguous only under a preset that is not
    /// configured.
    pub found: Vec<AuditFinding>,
    /// Why the paths are probably wrong, if so.
    pub doubt: Option<String>,
    /// Names that would be ambiguous under a preset that is not configured.
    pub would_be: Vec<AmbiguousName>,
    /// A sentence for each part that could not be checked completely.
    pub cut_short: Vec<String>,
}

/// What an audit is about to do, or doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// People are read; their number is not known before the end.
    People,
    /// This many names are judged.
    Names(u64),
    /// The mail root is gone through.
    Mailboxes,
}

/// Follows an audit on its way.
pub trait AuditProgress {
    /// A stage begins.
    fn begin(&self, stage: Stage);
    /// One more of what the stage is about was done.
    fn step(&self);
}

impl AuditReport {
    /// Whether everything was checked, and there are neither errors nor warnings.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.count(Severity::Error) + self.count(Severity::Warning) == 0 && self.cut_short.is_empty()
    }

    /// The number of findings of a severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.found.iter().filter(|finding| finding.severity() == severity).count()
    }
}

/// Audits directories and mail root, if mail is here. Blocks while the disk answers, so it needs a thread other than the one that
/// receives the directory's answers.
///
/// # Errors
/// A directory gives no answer.
pub async fn audit(
    directories: &[Directory],
    settings: &identity::Settings,
    store: Option<&Store>,
    progress: &dyn AuditProgress,
) -> Result<AuditReport, Fault> {
    let (mut report, mut index, mut people) = (AuditReport::default(), NameIndex::default(), People::default());
    let mut mailboxes = store.map(Mailboxes::below);
    progress.begin(Stage::People);
    for directory in directories {
        let (mut walk, before) = (directory.walk(), people.count());
        let of = directory.settings();
        while let Some(entry) = walk.next().await {
            progress.step();
            let entry = match entry {
                Ok(entry) => entry,
                Err(fault) => {
                    report.found.push(AuditFinding::Unreadable(fault.to_string()));
                    continue;
                }
            };
            // Entries out of scope cannot log in, and make no name ambiguous.
            if entry.out_of_scope.is_some() {
                report.found.extend(lost_conflict(&entry, &of.attributes, settings));
                continue;
            }
            let identity = Identity::new(&entry, &of.attributes, settings);
            let number = people.note(&identity);
            index.note(number, &entry, of);
            match (&identity.mail_host, &mut mailboxes) {
                (MailHost::Elsewhere(target), _) => *report.hosts.entry(target.host.clone()).or_default() += 1,
                (MailHost::Rejected(why), _) => {
                    report.found.push(AuditFinding::NoHost(people.person(number), why.clone()));
                }
                (MailHost::Here, Some(mailboxes)) => {
                    report.found.extend(mailboxes.note(number, &identity, &people));
                    mailboxes.note_names(number, &entry, of);
                }
                (MailHost::Here, None) => {}
            }
            if let RetentionSource::Unclear(why) = identity.retention.source {
                report.found.push(AuditFinding::UnclearRetention(people.person(number), why.into()));
            }
        }
        if let WalkEnd::CutShort(why) = walk.end().await.map_err(|fault| fault.of_directory(&of.name))? {
            let given = people.count() - before;
            report.cut_short.push(format!("directory {} returned only {given} people: {why}", of.name));
        }
    }
    (report.people, report.names) = (people.count(), index.names());
    judge_names(&mut report, &index, &people, settings, progress);
    if let Some(mailboxes) = mailboxes {
        report.found.extend(mailboxes.shared(&people));
        judge_mail_root(&mut report, &mailboxes, &people, settings, progress);
    }
    report.found.sort_by_key(AuditFinding::severity);
    Ok(report)
}

/// The finding about the loser of a replication conflict, if the entry is one.
fn lost_conflict(entry: &Entry, attributes: &Attributes, settings: &identity::Settings) -> Option<AuditFinding> {
    let Identity { canonical_name, dn, .. } = Identity::new(entry, attributes, settings);
    let person = Person { canonical_name, dn: dn.to_string() };
    entry.lost_conflict().then_some(AuditFinding::ReplicationConflict(person))
}

fn judge_names(
    report: &mut AuditReport,
    index: &NameIndex,
    people: &People,
    settings: &identity::Settings,
    progress: &dyn AuditProgress,
) {
    progress.begin(Stage::Names(index.names()));
    let found = index.ambiguous(&Policies::around(&settings.policy), people, &mut || progress.step());
    for namesakes in found {
        if namesakes.configured {
            report.found.push(AuditFinding::Ambiguous(namesakes));
        } else {
            report.would_be.push(namesakes);
        }
    }
}

/// Unless all people are known, no Maildir can be called unowned.
fn judge_mail_root(
    report: &mut AuditReport,
    mailboxes: &Mailboxes<'_>,
    people: &People,
    settings: &identity::Settings,
    progress: &dyn AuditProgress,
) {
    progress.begin(Stage::Mailboxes);
    let mut seen = 0;
    let below = mailboxes.survey(&mut || {
        seen += 1;
        progress.step();
    });
    report.mailboxes = seen;
    match below {
        Ok(MailboxSurvey { unowned, hidden }) if report.cut_short.is_empty() => {
            report.found.extend(hidden);
            report.doubt = mailboxes.coverage(&settings.root, &unowned, people).doubt();
            report.found.extend(mailboxes.unmatched(unowned, people));
        }
        Ok(MailboxSurvey { hidden, .. }) => {
            report.found.extend(hidden);
            report.found.extend(mailboxes.without(&HashSet::new(), people));
            report.cut_short.push("unowned mailboxes not checked, since not all people are known".to_owned());
        }
        Err(fault) => report.cut_short.push(format!("mail root: {fault}")),
    }
}
