//! Where mail is: which template leads from people to the Maildirs below the mail root.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::arguments::InitArgs;
use super::fault::InitFault;
use super::interview::Interview;
use super::link::DirectoryLink;
use super::people::{FoundPeople, in_people};
use super::trial;
use crate::audit::{Coverage, PathGuess, Sample, guess_paths};
use crate::cli::layout::counted;
use crate::config::Configuration;
use crate::maildir::{PathTemplate, Store, Surveyed};
use crate::names::Kind;

/// The mail root of the reference configuration.
const USUAL_ROOT: &str = "/srv/mail";

/// How deep Maildirs are searched for, and how many of them and of other directories at most.
const DEPTH: usize = 4;
const MAILDIRS: usize = 1_000;
const DIRECTORIES: usize = 20_000;

/// Paths named as alternatives.
const ALTERNATIVES: usize = 3;

/// Other servers' lists of unique-ids, as they lie in Maildirs.
const LISTS: [(&str, &str); 2] = [("dovecot-uidlist", "Dovecot"), ("courierpop3dsizelist", "Courier")];

/// The place of mail.
pub(super) struct FoundMail {
    pub(super) root: PathBuf,
    /// Whether the root was looked at.
    pub(super) is_inspected: bool,
    pub(super) path: String,
    /// What lies there, and which templates lead to it; a sentence each.
    pub(super) notes: Vec<String>,
    /// Whose lists of unique-ids lie in the Maildirs, and in how many.
    pub(super) lists: Vec<(&'static str, usize)>,
}

impl FoundMail {
    /// Looks below the mail root, if there is one.
    pub(super) fn find(
        link: &DirectoryLink,
        people: &FoundPeople,
        arguments: &InitArgs,
        interview: &Interview,
    ) -> Result<Self, InitFault> {
        let given = match &arguments.mail_root {
            Some(root) => Some(root.clone()),
            None => interview.optional("Directory below which the Maildirs are (empty: none yet)")?.map(PathBuf::from),
        };
        if let Some(path) = &arguments.mail_path {
            PathTemplate::parse(path).map_err(|fault| InitFault::Option("--mail-path", fault.what))?;
        }
        let path = arguments.mail_path.clone().unwrap_or_else(|| usual_path(people).to_owned());
        let Some(root) = given else {
            let note = format!("not looked at: no mail root was given; {USUAL_ROOT} is the usual one");
            let root = PathBuf::from(USUAL_ROOT);
            return Ok(Self { root, is_inspected: false, path, notes: vec![note], lists: Vec::new() });
        };
        let root = std::path::absolute(root)?;
        let settings = trial::mail(link.address(), people.base.as_str(), people.schema, &root, &path)?;
        let store = Store::new(settings.maildir.clone()).map_err(|fault| InitFault::MailRoot(fault.to_string()))?;
        let maildirs = maildirs(&store)?;
        let mut mail = Self { lists: lists(&root, &maildirs), root, is_inspected: true, path, notes: Vec::new() };
        mail.decide(&Below { store: &store, settings: &settings, maildirs: &maildirs }, people, arguments, interview)?;
        Ok(mail)
    }

    fn decide(
        &mut self,
        below: &Below<'_>,
        people: &FoundPeople,
        arguments: &InitArgs,
        interview: &Interview,
    ) -> Result<(), InitFault> {
        if arguments.mail_path.is_some() {
            self.notes.push(coverage_in_words(&below.coverage(people), people));
            return Ok(());
        }
        if below.maildirs.is_empty() {
            self.notes.push("there is no Maildir yet: mail is expected where this path leads".to_owned());
            return Ok(());
        }
        let guesses = below.guesses(people);
        let best = best(&guesses);
        let described: Vec<String> = best.iter().map(|guess| in_words(guess, people)).collect();
        let chosen = match best.len() {
            0 => return self.unknown(below, interview),
            1 => 0,
            _ => interview.choose("several paths lead to the same number of Maildirs", &described, "--mail-path")?,
        };
        self.path = best.get(chosen).map(|guess| guess.text.clone()).unwrap_or_default();
        let others = guesses.iter().filter(|guess| guess.text != self.path).map(|guess| in_words(guess, people));
        self.notes.extend(described.get(chosen).cloned());
        self.notes.extend(others.take(ALTERNATIVES));
        Ok(())
    }

    fn unknown(&mut self, below: &Below<'_>, interview: &Interview) -> Result<(), InitFault> {
        let first = below.maildirs.first().map(|path| path.display().to_string()).unwrap_or_default();
        let what = format!(
            "no known path leads from people to the {} below {}, such as {first}",
            counted(below.maildirs.len(), "Maildir"),
            self.root.display()
        );
        let Some(text) =
            interview.optional(&format!("{what}. The path of a person's Maildir, such as {}", self.path))?
        else {
            return Err(InitFault::Missing { what, flag: "--mail-path" });
        };
        PathTemplate::parse(&text).map_err(|fault| InitFault::Option("--mail-path", fault.what))?;
        self.path = text;
        Ok(())
    }
}

/// What lies below the mail root.
struct Below<'b> {
    store: &'b Store,
    settings: &'b Configuration,
    maildirs: &'b [PathBuf],
}

impl Below<'_> {
    fn guesses(&self, people: &FoundPeople) -> Vec<PathGuess> {
        let identity = &self.settings.identity;
        guess_paths(self.store, &people.directory, identity, &people.entries, self.maildirs, &people.end)
    }

    fn coverage(&self, people: &FoundPeople) -> Coverage {
        let (attributes, identity) = (&people.directory.settings().attributes, &self.settings.identity);
        let sample = Sample::of_entries(&people.entries, people.end.clone(), attributes, identity);
        Coverage::compare(self.store, &identity.root, &[sample], 1)
    }
}

/// Those that lead most people to their mail.
fn best(guesses: &[PathGuess]) -> Vec<&PathGuess> {
    let most = guesses.iter().map(|guess| guess.coverage.with_maildir()).max().unwrap_or_default();
    guesses.iter().filter(|guess| guess.coverage.with_maildir() == most).collect()
}

/// The path that mail has if none is there: by a name that everybody has, and nobody shares.
fn usual_path(people: &FoundPeople) -> &'static str {
    let having = |kind: Kind| people.names.iter().filter(|name| name.kind == kind).map(|name| name.having).max();
    if having(Kind::Mail) > having(Kind::ShortName) { "{mail}/Maildir" } else { "{short_name}/Maildir" }
}

fn in_words(guess: &PathGuess, people: &FoundPeople) -> String {
    format!("{}: {}", guess.text, coverage_in_words(&guess.coverage, people))
}

fn coverage_in_words(coverage: &Coverage, people: &FoundPeople) -> String {
    let (all, with_maildir) = (people.entries.len(), coverage.with_maildir());
    let without_path = match all.saturating_sub(coverage.people()) {
        0 => String::new(),
        count => format!(" ({count} without a value for this path)"),
    };
    format!(
        "{with_maildir} of {} a Maildir there; left over: {}{without_path}, {}",
        if all == 1 { "1 person has".to_owned() } else { format!("{all} people have") },
        in_people(all.saturating_sub(with_maildir)),
        counted(coverage.others(), "Maildir")
    )
}

/// The Maildirs below the root, as far as they are looked for.
fn maildirs(store: &Store) -> Result<Vec<PathBuf>, InitFault> {
    let (mut found, mut directories) = (Vec::new(), 0);
    let surveyed = store.survey(DEPTH, &mut |surveyed| {
        match surveyed {
            Surveyed::Maildir(path, _) => found.push(path),
            Surveyed::Directory => directories += 1,
            Surveyed::Unreadable(..) => {}
        }
        let is_enough = found.len() >= MAILDIRS || directories >= DIRECTORIES;
        if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    surveyed.map_err(|fault| InitFault::MailRoot(fault.to_string()))?;
    Ok(found)
}

fn lists(root: &Path, maildirs: &[PathBuf]) -> Vec<(&'static str, usize)> {
    let count = |file: &str| maildirs.iter().filter(|path| root.join(path).join(file).is_file()).count();
    LISTS.into_iter().map(|(file, server)| (server, count(file))).filter(|(_, count)| *count > 0).collect()
}
