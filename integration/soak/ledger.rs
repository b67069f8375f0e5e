//! The account of every message where a message may have several files, several messages one name, and the service may be
//! killed at any moment.
//!
//! It is exact, by the moments at which things are known to have happened: what was put into the Maildir before a session
//! began is in its listing, and what a session deleted is in no listing of a session that began later.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What the test knows.
#[derive(Default)]
pub(super) struct Ledger(Mutex<Book>);

#[derive(Default)]
struct Book {
    mails: Vec<Mail>,
    /// The numbers of those that are there for certain.
    there: BTreeSet<usize>,
    by_octets: HashMap<u64, usize>,
    by_id: HashMap<String, usize>,
    /// The unique-ids of deleted messages, and when they were known to be deleted.
    retired: HashMap<String, Instant>,
}

/// A message, known by the number in its subject.
struct Mail {
    fate: Fate,
    unique_id: Option<String>,
    /// When the last of its files was put into the Maildir.
    placed: Instant,
    /// How many files it got besides the first.
    further: usize,
    /// Somebody is about to give it a further file, or its name to another message.
    is_in_work: bool,
    /// How many sessions have marked it, and have not ended.
    marks: usize,
}

enum Fate {
    /// Its file is not there yet.
    Coming,
    /// It is there since then, for certain.
    There(Instant),
    /// A session that marked it ended then, and did not say that it was deleted; or another file came meanwhile.
    InDoubt(Instant),
    /// It was known then to be gone.
    Deleted(Instant),
}

/// A message that a session marked: its number, and the unique-id under which it was listed.
pub(super) type Mark = (usize, String);

impl Ledger {
    /// The number of a message that is to be delivered.
    pub(super) fn number(&self) -> usize {
        let mut book = self.book();
        let placed = Instant::now();
        book.mails.push(Mail { fate: Fate::Coming, unique_id: None, placed, further: 0, is_in_work: false, marks: 0 });
        book.mails.len() - 1
    }

    /// Delivers a message; `put` says whether its file is there.
    pub(super) fn deliver(&self, number: usize, octets: &[u8], put: impl FnOnce() -> bool) -> bool {
        self.book().by_octets.insert(hash(octets), number);
        if !put() {
            return false;
        }
        let mut book = self.book();
        let now = Instant::now();
        book.mails[number].placed = now;
        book.mails[number].fate = Fate::There(now);
        book.there.insert(number);
        true
    }

    /// Does something with a message's file that no session may delete meanwhile. `act` says whether the message got a
    /// further file. Nothing is done if it is not there for certain.
    pub(super) fn work_on(&self, octets: &[u8], act: impl FnOnce() -> bool) {
        let number = {
            let mut book = self.book();
            let number = book.by_octets[&hash(octets)];
            let mail = &mut book.mails[number];
            if !matches!(mail.fate, Fate::There(_)) || mail.marks > 0 || mail.is_in_work {
                return;
            }
            mail.is_in_work = true;
            number
        };
        let is_further = act();
        let mail = &mut self.book().mails[number];
        mail.is_in_work = false;
        if is_further {
            mail.further += 1;
            mail.placed = Instant::now();
        }
    }

    /// The messages that are there for certain.
    pub(super) fn there(&self) -> BTreeSet<usize> {
        self.book().there.clone()
    }

    pub(super) fn number_of(&self, unique_id: &str) -> Option<usize> {
        self.book().by_id.get(unique_id).copied()
    }

    /// What a session listed that began then: no message came back, and none of those that must be there is missing; gives the
    /// first that is, and its unique-id.
    pub(super) fn listed(&self, begun: Instant, unique_ids: &[String]) -> Option<(usize, String)> {
        let book = self.book();
        let listed: BTreeSet<&str> = unique_ids.iter().map(String::as_str).collect();
        assert_eq!(listed.len(), unique_ids.len(), "a unique-id twice: {unique_ids:?}");
        for unique_id in unique_ids {
            let back = book.retired.get(unique_id).filter(|retired| begun > **retired);
            assert!(back.is_none(), "{unique_id} was deleted, and is listed again");
        }
        book.there.iter().find_map(|number| {
            let mail = &book.mails[*number];
            let is_certain = matches!(mail.fate, Fate::There(since) if since < begun) && mail.marks == 0;
            let unique_id = mail.unique_id.as_ref().filter(|_| is_certain)?;
            (!listed.contains(&**unique_id)).then(|| (*number, unique_id.clone()))
        })
    }

    /// What a session that began then has read under a unique-id.
    pub(super) fn saw(&self, begun: Instant, unique_id: &str, number: usize) {
        let mut book = self.book();
        let owner = *book.by_id.entry(unique_id.to_owned()).or_insert(number);
        assert_eq!(owner, number, "{unique_id} stood for another message");
        let back = book.retired.get(unique_id).is_some_and(|retired| begun > *retired);
        assert!(!back, "message {number} was deleted, and is back under the same {unique_id}");
        let now = Instant::now();
        let Book { mails, there, retired, .. } = &mut *book;
        let mail = &mut mails[number];
        let was_in_doubt = matches!(mail.fate, Fate::InDoubt(since) if begun > since);
        match mail.fate {
            Fate::Deleted(at) => assert!(begun < at, "message {number} was deleted, and is back as {unique_id}"),
            Fate::InDoubt(_) if was_in_doubt => {
                mail.fate = Fate::There(now);
                there.insert(number);
            }
            Fate::Coming | Fate::There(_) | Fate::InDoubt(_) => {}
        }
        let is_stale = retired.contains_key(unique_id);
        match &mail.unique_id {
            Some(known) if known == unique_id => {}
            // A further file that came during the session whose end was in doubt is known by another one.
            Some(known) if was_in_doubt => {
                assert!(mail.further > 0, "message {number} was {known}, and is {unique_id}");
                retired.insert(known.clone(), now);
                mail.unique_id = Some(unique_id.to_owned());
            }
            // A session that began before another one deleted it, or while one was about to.
            _ if is_stale || mail.marks > 0 => {}
            Some(known) => panic!("message {number} was {known}, and is {unique_id}"),
            None => mail.unique_id = Some(unique_id.to_owned()),
        }
    }

    /// Notes that a session is about to mark a message; not if somebody works with its file.
    pub(super) fn mark(&self, number: usize) -> bool {
        let mail = &mut self.book().mails[number];
        let may_be_marked = !mail.is_in_work && !matches!(mail.fate, Fate::Coming);
        mail.marks += usize::from(may_be_marked);
        may_be_marked
    }

    /// A session that began then ended with `+OK`: what it marked is gone. Of a message that got a further file since it
    /// began, that one may be there, but never under the same unique-id.
    pub(super) fn deleted(&self, begun: Instant, marks: Vec<Mark>) {
        let mut book = self.book();
        let now = Instant::now();
        let Book { mails, there, retired, .. } = &mut *book;
        for (number, unique_id) in marks {
            let mail = &mut mails[number];
            mail.marks -= 1;
            there.remove(&number);
            let is_gone = mail.further == 0 || mail.placed < begun || matches!(mail.fate, Fate::Deleted(_));
            mail.fate = if is_gone { Fate::Deleted(now) } else { Fate::InDoubt(now) };
            if mail.unique_id.as_ref() == Some(&unique_id) {
                mail.unique_id = None;
            }
            retired.entry(unique_id).or_insert(now);
        }
    }

    /// A session ended after its QUIT, and did not say that all it had marked is gone.
    pub(super) fn in_doubt(&self, marks: Vec<Mark>) {
        let mut book = self.book();
        let Book { mails, there, .. } = &mut *book;
        for (number, _) in marks {
            let mail = &mut mails[number];
            mail.marks -= 1;
            if matches!(mail.fate, Fate::There(_) | Fate::InDoubt(_)) {
                there.remove(&number);
                mail.fate = Fate::InDoubt(Instant::now());
            }
        }
    }

    /// A session ended without QUIT: nothing is deleted.
    pub(super) fn unmarked(&self, marks: Vec<Mark>) {
        let mut book = self.book();
        for (number, _) in marks {
            book.mails[number].marks -= 1;
        }
    }

    /// Compares with what lies in the Maildir while nothing happens there, and gives the files of each message, by their
    /// places in the list. Then nothing is in doubt any more.
    pub(super) fn settle(&self, files: &[(PathBuf, Vec<u8>)]) -> BTreeMap<usize, Vec<usize>> {
        let mut book = self.book();
        let Book { mails, there, by_octets, .. } = &mut *book;
        let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (place, (_, octets)) in files.iter().enumerate() {
            let number = by_octets.get(&hash(octets)).expect("octets that were never delivered");
            found.entry(*number).or_default().push(place);
        }
        let lost: Vec<&usize> = there.iter().filter(|number| !found.contains_key(number)).collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
        for (number, mail) in mails.iter_mut().enumerate() {
            assert_eq!((mail.marks, mail.is_in_work), (0, false), "message {number}");
            let Some(places) = found.get(&number) else {
                if matches!(mail.fate, Fate::InDoubt(_)) {
                    mail.fate = Fate::Deleted(Instant::now());
                }
                continue;
            };
            let left = || places.iter().map(|place| &files[*place].0).collect::<Vec<_>>();
            if let Fate::Deleted(at) = mail.fate {
                let Mail { placed, further, unique_id, .. } = mail;
                let age = (at.elapsed(), placed.elapsed());
                panic!(
                    "message {number}, {unique_id:?}, {further} further files, deleted and placed {age:?} ago, is still there: {:?}",
                    left()
                );
            }
            assert!(places.len() <= 1 + mail.further, "message {number} has {} files", places.len());
            if matches!(mail.fate, Fate::InDoubt(_)) {
                mail.fate = Fate::There(Instant::now());
                there.insert(number);
                // What is left of it may be a further file, known by another one.
                mail.unique_id = mail.unique_id.take().filter(|_| mail.further == 0);
            }
        }
        found
    }

    /// How many messages there are, and how many unique-ids.
    pub(super) fn sums(&self) -> String {
        let book = self.book();
        let deleted = book.mails.iter().filter(|mail| matches!(mail.fate, Fate::Deleted(_))).count();
        format!(
            "{} messages, {} deleted, {} there, {} unique-ids",
            book.mails.iter().filter(|mail| !matches!(mail.fate, Fate::Coming)).count(),
            deleted,
            book.there.len(),
            book.by_id.len()
        )
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // One thread's failed assertion is enough.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(octets: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    octets.hash(&mut hasher);
    hasher.finish()
}
