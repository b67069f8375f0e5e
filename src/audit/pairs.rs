//! Which mailbox without a person may be that of a person without a mailbox: a login name was changed, or the path uses
//! another name than the one under which the mail is.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::people::PersonNumber;
use crate::directory::{self, Entry};
use crate::names::{Kind, fold};

/// The names of people without a mailbox, in every form that a mailbox may be called by.
#[derive(Default)]
pub(super) struct MissingMailboxNames {
    holders: HashMap<Box<str>, Vec<PersonNumber>>,
}

impl MissingMailboxNames {
    /// Records the names of a person without a mailbox.
    pub(super) fn note(&mut self, person: PersonNumber, entry: &Entry, of: &directory::Settings) {
        for form in forms(entry, of) {
            self.holders.entry(form.into()).or_default().push(person);
        }
    }

    /// The likely owner of each unowned mailbox, by its index: the only person to whom it may belong, if no other of the
    /// mailboxes may belong to them.
    pub(super) fn pairs(&self, unowned: &[&Path]) -> HashMap<usize, PersonNumber> {
        let candidates: Vec<HashSet<PersonNumber>> = unowned.iter().map(|path| self.candidates(path)).collect();
        let mut claims: HashMap<PersonNumber, usize> = HashMap::new();
        candidates.iter().flatten().for_each(|person| *claims.entry(*person).or_default() += 1);
        let only = |people: &HashSet<PersonNumber>| match people.iter().collect::<Vec<_>>().as_slice() {
            [person] if claims.get(person) == Some(&1) => Some(**person),
            _ => None,
        };
        candidates.iter().enumerate().filter_map(|(place, people)| Some((place, only(people)?))).collect()
    }

    /// The people who have the name of any directory on the way to a Maildir.
    fn candidates(&self, path: &Path) -> HashSet<PersonNumber> {
        let names = path.components().map(|name| plain(&name.as_os_str().to_string_lossy()));
        names.filter_map(|name| self.holders.get(&*name)).flatten().copied().collect()
    }
}

/// The values themselves, the local part of an address, and for names of several words: all words, first and last, and
/// either of them as an initial.
fn forms(entry: &Entry, of: &directory::Settings) -> HashSet<String> {
    let values = |kind: Kind| {
        let sources = of.attributes.of(kind).iter();
        sources.flat_map(|own| entry.values(&own.attribute).iter().filter_map(|value| own.name_in(value)))
    };
    let mut forms = HashSet::new();
    for name in [Kind::ShortName, Kind::CommonName].into_iter().flat_map(values) {
        forms.extend(of_words(&words(name)));
    }
    for address in values(Kind::Mail) {
        let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
        forms.insert(plain(address));
        forms.extend(of_words(&words(local)));
    }
    for first in values(Kind::FirstName) {
        forms.extend(values(Kind::LastName).flat_map(|last| of_words(&[plain(first), plain(last)])));
    }
    forms.remove("");
    forms
}

fn of_words(words: &[String]) -> Vec<String> {
    let mut forms = vec![words.concat()];
    if let [first, .., last] = words {
        let initial = |word: &str| word.chars().next().map(String::from).unwrap_or_default();
        forms.extend([
            format!("{first}{last}"),
            format!("{last}{first}"),
            format!("{}{last}", initial(first)),
            format!("{first}{}", initial(last)),
            format!("{last}{}", initial(first)),
        ]);
    }
    forms
}

fn words(name: &str) -> Vec<String> {
    name.split(|character: char| !character.is_alphanumeric()).map(plain).filter(|word| !word.is_empty()).collect()
}

/// Letters and digits alone, in lower case; umlauts as mailboxes spell them.
fn plain(name: &str) -> String {
    let mut plain = String::new();
    for character in fold(name).chars().filter(|character| character.is_alphanumeric()) {
        match character {
            'ä' => plain.push_str("ae"),
            'ö' => plain.push_str("oe"),
            'ü' => plain.push_str("ue"),
            'ß' => plain.push_str("ss"),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(people: &[(&str, PersonNumber)]) -> MissingMailboxNames {
        let mut wanted = MissingMailboxNames::default();
        for (name, number) in people {
            for form in of_words(&words(name)) {
                wanted.holders.entry(form.into()).or_default().push(*number);
            }
        }
        wanted
    }

    #[test]
    fn a_name_is_spelt_in_many_ways() {
        let wanted = wanted(&[("Alan Jones", 1), ("Jürgen Müller", 2), ("pat.o'neil", 3)]);
        for (path, person) in [
            ("ajones/Maildir", 1),
            ("jonesa/Maildir", 1),
            ("Alan.Jones/Maildir", 1),
            ("renovations.example/alan-jones/Maildir", 1),
            ("jmueller", 2),
            ("juergenm", 2),
            ("patoneil/Maildir", 3),
        ] {
            assert_eq!(wanted.pairs(&[Path::new(path)]), HashMap::from([(0, person)]), "{path}");
        }
        for path in ["jones/Maildir", "alan/Maildir", "asmith/Maildir", "Maildir"] {
            assert_eq!(wanted.pairs(&[Path::new(path)]), HashMap::new(), "{path}");
        }
    }

    #[test]
    fn what_may_be_two_peoples_or_two_mailboxes_is_not_paired() {
        let two = wanted(&[("Alan Jones", 1), ("Anna Jones", 2)]);
        assert_eq!(two.pairs(&[Path::new("ajones/Maildir")]), HashMap::new());
        let one = wanted(&[("Alan Jones", 1)]);
        assert_eq!(one.pairs(&[Path::new("ajones/Maildir"), Path::new("alan.jones/Maildir")]), HashMap::new());
    }
}
