//! Which template of `mailboxes.path` leads from people to the Maildirs that are there.

use std::collections::{BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};

use super::coverage::Coverage;
use super::sample::{Sample, SampleEnd};
use crate::directory::{Attributes, Directory, Entry};
use crate::identity;
use crate::maildir::{PathTemplate, Store};
use crate::names::{Kind, fold};

/// One template, and where it leads.
#[derive(Debug)]
pub struct PathGuess {
    /// As `mailboxes.path` has it.
    pub text: String,
    /// How many people have a Maildir there, and what is left over.
    pub coverage: Coverage,
}

/// Layouts of common servers, tried whatever lies below the mail root.
const USUAL: [&str; 6] = [
    "{short_name}/Maildir",
    "{short_name}",
    "{mail.domain}/{mail.local}/Maildir",
    "{mail.domain}/{mail.local}",
    "{mail}/Maildir",
    "{mail}",
];

/// Maildirs from whose paths templates are derived.
const LOOKED_AT: usize = 50;

/// Templates tried at most; the rest would need a tree in which nearly every directory is somebody's name.
const MOST: usize = 40;

/// Tries the usual templates, those that `attributes_of_paths` give (such as `homeDirectory`), and those that the paths of
/// `maildirs` suggest. Returns the ones that lead to at least one Maildir, those that lead to the most first. Blocks while
/// the disk answers.
#[must_use]
pub fn guess_paths(
    store: &Store,
    directory: &Directory,
    settings: &identity::Settings,
    entries: &[Entry],
    maildirs: &[PathBuf],
    end: &SampleEnd,
) -> Vec<PathGuess> {
    let attributes = &directory.settings().attributes;
    let further = &directory.settings().further_attributes;
    let named = further.iter().flat_map(|name| [format!("{{attr:{name}}}"), format!("{{attr:{name}}}/Maildir")]);
    let derived = Names::of(entries, attributes).templates(maildirs);
    let mut tried = BTreeSet::new();
    let texts = USUAL.map(str::to_owned).into_iter().chain(named).chain(derived);
    let texts = texts.filter(|text| tried.insert(text.clone())).take(MOST);
    let mut guesses: Vec<PathGuess> = texts
        .filter_map(|text| {
            let template = PathTemplate::parse(&text).ok()?.looked_up(&settings.root);
            let settings = identity::Settings { template, ..settings.clone() };
            let sample = Sample::of_entries(entries, end.clone(), attributes, &settings);
            let coverage = Coverage::compare(store, &settings.root, &[sample], 1);
            (coverage.with_maildir() > 0).then_some(PathGuess { text, coverage })
        })
        .collect();
    guesses.sort_by_key(|guess| std::cmp::Reverse(guess.coverage.with_maildir()));
    guesses
}

/// Which fields have a value, folded as the directory compares them.
struct Names(HashMap<String, BTreeSet<&'static str>>);

impl Names {
    fn of(entries: &[Entry], attributes: &Attributes) -> Self {
        let mut names = Self(HashMap::new());
        for entry in entries {
            let values = |kind| {
                attributes.of(kind).iter().flat_map(|own| {
                    entry.values(&own.attribute).iter().filter_map(|value| own.name_in(value)).collect::<Vec<_>>()
                })
            };
            values(Kind::ShortName).for_each(|name| names.note(name, "{short_name}"));
            for mail in values(Kind::Mail) {
                names.note(mail, "{mail}");
                if let Some((local, domain)) = mail.rsplit_once('@') {
                    names.note(local, "{mail.local}");
                    names.note(domain, "{mail.domain}");
                }
            }
        }
        names
    }

    fn note(&mut self, value: &str, field: &'static str) {
        self.0.entry(fold(value)).or_default().insert(field);
    }

    /// The paths with each part that is somebody's name replaced by its field, in every way.
    fn templates(&self, maildirs: &[PathBuf]) -> BTreeSet<String> {
        maildirs.iter().take(LOOKED_AT).flat_map(|path| self.templates_of(path)).collect()
    }

    fn templates_of(&self, path: &Path) -> Vec<String> {
        let mut texts = vec![String::new()];
        for part in path.components() {
            let Component::Normal(part) = part else { return Vec::new() };
            let Some(part) = part.to_str().filter(|part| !part.contains(['{', '}'])) else { return Vec::new() };
            let fields = self.0.get(&fold(part)).into_iter().flatten().copied();
            // A name stands for itself only where it is nobody's: `ajones/Maildir` is the path of one person.
            let mut forms: Vec<&str> = fields.collect();
            if forms.is_empty() {
                forms.push(part);
            }
            let join = |before: &String, form: &str| {
                if before.is_empty() { form.to_owned() } else { format!("{before}/{form}") }
            };
            texts = texts.iter().flat_map(|before| forms.iter().map(move |form| join(before, form))).collect();
            texts.truncate(MOST);
        }
        texts.retain(|text| text.contains('{'));
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_suggests_every_field_that_its_parts_are() {
        let entries = [
            Entry::with(&[("uid", "ajones"), ("mail", "ajones@example.org")]),
            Entry::with(&[("uid", "mbrown"), ("mail", "mary@example.org")]),
        ];
        let names = Names::of(&entries, &Attributes::default());
        for (path, templates) in [
            ("ajones/Maildir", &["{mail.local}/Maildir", "{short_name}/Maildir"][..]),
            ("users/mary", &["users/{mail.local}"]),
            ("Example.org/mbrown/mail", &["{mail.domain}/{short_name}/mail"]),
            ("spool/nobody", &[]),
            ("{x}/ajones", &[]),
        ] {
            assert_eq!(names.templates_of(Path::new(path)), templates, "{path}");
        }
    }
}
