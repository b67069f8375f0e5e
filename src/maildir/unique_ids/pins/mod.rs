//! The permanent record of what clients have seen: the unique-id of each message, and who retrieved it.
//!
//! It is in the file `restante-pins` of the Maildir, and is not a cache: without it a client could be shown another
//! unique-id of a message that it has, and would download it again. So lines are appended and synced to disk before a
//! client sees anything, each has a checksum, and the file before the last rewrite is kept.
//!
//! Several nodes write to one file. They take turns by a lock on it, and read new lines before they write: a message's
//! first pin is valid.

mod file;
mod line;
mod text;

use std::collections::{HashMap, HashSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::maildir::files::KEY_SEPARATOR;
use crate::maildir::files::{FileStamp, file_name};
use crate::maildir::unique_ids::Rank;
pub(in crate::maildir) use file::{LockedPins, read, stamp};
pub(in crate::maildir) use line::PinLine;

use memchr::memchr;

use crate::pop3::UniqueId;

/// Days since 1970.
pub(in crate::maildir) type Day = u32;

/// How long a pin outlives the last name of its message, in days: an IMAP client may move a message out and back.
const OUTLIVES: Day = 180;

/// The most lines that outlive their messages, those of the messages that were removed last: no file may become too
/// large to be read.
const MOST_GONE: usize = 400_000;

const SECONDS_A_DAY: u64 = 24 * 60 * 60;

/// The unique-id under which clients know a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::maildir) struct Pin {
    pub(in crate::maildir) unique_id: UniqueId,
    /// Its place in another server's order.
    pub(in crate::maildir) rank: Option<Rank>,
    /// The day since which no file has its name; none while one has.
    pub(in crate::maildir) gone: Option<Day>,
}

/// A retrieval of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retrieval {
    /// The canonical name of the person.
    pub by: Box<str>,
    /// When they first did so, in seconds since 1970.
    pub at: u64,
}

/// The contents of one Maildir's file, by each message's key: its base name without `,U=<n>`, or with it if two
/// messages differ only in that.
#[derive(Debug, Default)]
pub(in crate::maildir) struct Pins {
    by_key: HashMap<Box<[u8]>, Pin>,
    retrieved: HashMap<Box<[u8]>, Vec<Retrieval>>,
    /// How many days the mail of each person stays who has used this maildrop; none for ever.
    terms: HashMap<Box<str>, Option<u64>>,
    /// The names without `,U=<n>` of messages that share them with others, which have keys of their own.
    shared_names: HashSet<Box<[u8]>>,
    /// Valid lines of a kind that a later version knows.
    unknown: Vec<Box<[u8]>>,
    /// Lines read, including those that say nothing new.
    lines: usize,
    /// Lines that could not be read.
    pub(in crate::maildir) damaged: usize,
    /// The state of the file when it was read; none if there is none.
    pub(in crate::maildir) stamp: Option<FileStamp>,
}

impl Pins {
    /// Whether nothing is known about any message.
    pub(in crate::maildir) fn is_empty(&self) -> bool {
        self.by_key.is_empty() && self.retrieved.is_empty()
    }

    /// The pin of a message, and its key.
    pub(in crate::maildir) fn get(&self, base: &[u8]) -> Option<(&[u8], &Pin)> {
        if self.by_key.is_empty() {
            return None;
        }
        self.get_exactly(base).or_else(|| self.get_exactly(&file_name::identity(base)))
    }

    /// The pin with exactly this key.
    pub(in crate::maildir) fn get_exactly(&self, key: &[u8]) -> Option<(&[u8], &Pin)> {
        self.by_key.get_key_value(key).map(|(key, pin)| (&**key, pin))
    }

    /// Whether any message shares its name with others, and has a key of its own.
    pub(in crate::maildir) fn have_shared_names(&self) -> bool {
        !self.shared_names.is_empty()
    }

    /// Whether one of these has.
    pub(in crate::maildir) fn have_shared_name_of(&self, identity: &[u8]) -> bool {
        self.have_shared_names() && self.shared_names.contains(identity)
    }

    /// Who retrieved the message with exactly this key.
    pub(in crate::maildir) fn retrievals(&self, key: &[u8]) -> &[Retrieval] {
        self.retrieved.get(key).map_or(&[], Vec::as_slice)
    }

    /// The messages identified by their base names with `,U=<n>`, since the name without it identifies another one.
    pub(in crate::maildir) fn ambiguous_names(&self) -> HashSet<Box<[u8]>> {
        self.by_key.keys().filter(|key| *file_name::identity(key) != ***key).cloned().collect()
    }

    /// How many days the mail of each person stays who has used this maildrop; none for ever.
    pub(in crate::maildir) fn terms(&self) -> &HashMap<Box<str>, Option<u64>> {
        &self.terms
    }

    /// Who retrieved each message.
    pub(in crate::maildir) fn into_retrieved(self) -> HashMap<Box<[u8]>, Vec<Retrieval>> {
        self.retrieved
    }

    /// The unique-ids that clients have seen, with the keys of their messages.
    pub(in crate::maildir) fn owners(&self) -> HashMap<&str, &[u8]> {
        self.by_key.iter().map(|(key, pin)| (pin.unique_id.as_str(), &**key)).collect()
    }

    /// Adds the content of a line; an existing pin stays.
    pub(in crate::maildir) fn take(&mut self, line: PinLine) {
        self.lines += 1;
        match line {
            PinLine::Pin(key, pin) => match self.by_key.get_mut(&key) {
                None => self.add_pin(key, pin),
                // The same pin again: its message is back, or gone.
                Some(first) if first.unique_id == pin.unique_id => first.gone = pin.gone,
                Some(_) => {}
            },
            PinLine::Retrieved(key, retrieval) => {
                let so_far = self.retrieved.entry(key).or_default();
                if so_far.iter().all(|earlier| earlier.by != retrieval.by) {
                    so_far.push(retrieval);
                }
            }
            PinLine::Term(by, days) => drop(self.terms.insert(by, days)),
            PinLine::Unknown(text) => self.unknown.push(text),
        }
    }

    fn add_pin(&mut self, key: Box<[u8]>, pin: Pin) {
        if let Some(at) = memchr(KEY_SEPARATOR, &key) {
            self.shared_names.insert(file_name::identity(key.get(..at).unwrap_or_default()).into());
        }
        self.by_key.insert(key, pin);
    }

    /// Adds what an earlier file says and this one does not.
    fn complete(&mut self, earlier: Self) {
        for (key, pin) in earlier.by_key {
            if !self.by_key.contains_key(&key) {
                self.add_pin(key, pin);
            }
        }
        for (key, retrievals) in earlier.retrieved {
            self.retrieved.entry(key).or_insert(retrievals);
        }
        for (by, days) in earlier.terms {
            self.terms.entry(by).or_insert(days);
        }
        if self.unknown.is_empty() {
            self.unknown = earlier.unknown;
        }
    }

    /// Whether the file should be rewritten, if there are this many messages: it is damaged, or more than `SLACK` lines
    /// are duplicates, are obsolete, or belong to messages that are gone without a record of since when.
    pub(in crate::maildir) fn want_rewriting(&self, present: usize) -> bool {
        self.want_rewriting_on(present, today())
    }

    fn want_rewriting_on(&self, present: usize, today: Day) -> bool {
        /// Fewer lines are not worth it.
        const SLACK: usize = 1_000;
        let marks: usize = self.retrieved.values().map(Vec::len).sum();
        let twice = self.lines.saturating_sub(self.by_key.len() + marks + self.terms.len() + self.unknown.len());
        let over = self.by_key.values().filter(|pin| pin.gone.is_some_and(|day| has_expired(day, today))).count();
        let here = self.by_key.values().filter(|pin| pin.gone.is_none()).count();
        // Retrievals without a pin are dropped with their message.
        let marked = self.retrieved.keys().filter(|key| !self.by_key.contains_key(*key)).count();
        let needless = [twice, over, here.saturating_sub(present), marked.saturating_sub(present)];
        let gone = self.by_key.iter().filter(|(_, pin)| pin.gone.is_some()).map(|(key, _)| self.lines_of(key));
        let is_full = gone.sum::<usize>() > MOST_GONE + MOST_GONE / 4;
        self.damaged > 0 || is_full || needless.iter().any(|lines| *lines > SLACK + present / 4)
    }

    /// Everything that is known, as lines.
    fn everything(&self) -> Vec<PinLine> {
        let pins = self.by_key.iter().map(|(key, pin)| PinLine::Pin(key.clone(), pin.clone()));
        let retrieved = self.retrieved.iter().flat_map(|(key, retrievals)| {
            retrievals.iter().map(|retrieval| PinLine::Retrieved(key.clone(), retrieval.clone()))
        });
        pins.chain(retrieved).chain(self.other_lines()).collect()
    }

    /// The lines that are not about messages.
    fn other_lines(&self) -> impl Iterator<Item = PinLine> {
        let terms = self.terms.iter().map(|(by, days)| PinLine::Term(by.clone(), *days));
        terms.chain(self.unknown.iter().cloned().map(PinLine::Unknown))
    }

    /// The lines of a message that was pinned.
    fn lines_of(&self, key: &[u8]) -> usize {
        1 + self.retrievals(key).len()
    }

    /// The keys that do not outlive their messages, since too many others were removed later.
    fn too_many(&self, present: &HashSet<Box<[u8]>>, today: Day, most: usize) -> HashSet<&[u8]> {
        let absent = self.by_key.iter().filter(|(key, _)| !present.contains(*key));
        let mut absent: Vec<(Day, &[u8])> = absent.map(|(key, pin)| (pin.gone.unwrap_or(today), &**key)).collect();
        absent.sort_unstable_by(|one, other| other.cmp(one));
        let mut lines = 0;
        let fits = |(_, key): &(Day, &[u8])| {
            lines += self.lines_of(key);
            lines <= most
        };
        absent.into_iter().skip_while(fits).map(|(_, key)| key).collect()
    }

    /// Every line that a new file needs. `present`: the keys of the messages that have a file now.
    fn lines(&self, present: &HashSet<Box<[u8]>>, today: Day) -> Vec<PinLine> {
        let mut lines = Vec::with_capacity(self.by_key.len());
        let too_many = self.too_many(present, today, MOST_GONE);
        let kept = |key: &[u8], gone: Option<Day>| match gone {
            _ if present.contains(key) => Some(None),
            _ if too_many.contains(key) => None,
            None => Some(Some(today)),
            Some(day) => (!has_expired(day, today)).then_some(Some(day)),
        };
        for (key, pin) in &self.by_key {
            if let Some(gone) = kept(key, pin.gone) {
                lines.push(PinLine::Pin(key.clone(), Pin { gone, ..pin.clone() }));
            }
        }
        for (key, retrievals) in &self.retrieved {
            // A retrieval lives as long as the pin; without one, as long as the file.
            let gone = self.by_key.get(key).and_then(|pin| pin.gone);
            if present.contains(key) || self.by_key.contains_key(key) && kept(key, gone).is_some() {
                lines.extend(retrievals.iter().map(|retrieval| PinLine::Retrieved(key.clone(), retrieval.clone())));
            }
        }
        lines.extend(self.other_lines());
        lines
    }
}

/// Whether a pin whose name is gone since a day has outlived it for long enough.
fn has_expired(gone: Day, today: Day) -> bool {
    gone.saturating_add(OUTLIVES) < today
}

/// The day of a time since 1970.
pub(in crate::maildir) fn day(moment: Duration) -> Day {
    Day::try_from(moment.as_secs() / SECONDS_A_DAY).unwrap_or(Day::MAX)
}

/// The current day, by this machine's clock.
fn today() -> Day {
    day(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(unique_id: &str, gone: Option<Day>) -> Pin {
        Pin { unique_id: UniqueId::new(unique_id).unwrap(), rank: None, gone }
    }

    fn pins(lines: &[(&str, &str, Option<Day>)]) -> Pins {
        let mut pins = Pins::default();
        for (key, unique_id, gone) in lines {
            pins.take(PinLine::Pin(key.as_bytes().into(), pin(unique_id, *gone)));
        }
        pins
    }

    #[test]
    fn the_first_pin_counts() {
        let pins = pins(&[("a", "1", Some(5)), ("a", "2", None), ("b", "3", None), ("a", "1", None)]);
        assert_eq!(pins.get(b"a,U=7"), Some((&b"a"[..], &pin("1", None))));
        assert_eq!(pins.get(b"b"), Some((&b"b"[..], &pin("3", None))));
    }

    #[test]
    fn a_pin_outlives_its_name_by_180_days() {
        let pins =
            pins(&[("here", "1", Some(1)), ("gone", "2", None), ("long gone", "3", Some(20)), ("over", "4", Some(19))]);
        let mut kept: Vec<(String, Option<Day>)> = Vec::new();
        for line in pins.lines(&HashSet::from([b"here".as_slice().into()]), 200) {
            let PinLine::Pin(_, pin) = line else { panic!("{line:?}") };
            kept.push((pin.unique_id.as_str().to_owned(), pin.gone));
        }
        kept.sort();
        assert_eq!(kept, [("1".to_owned(), None), ("2".to_owned(), Some(200)), ("3".to_owned(), Some(20))]);
    }

    #[test]
    fn a_file_is_rewritten_when_that_makes_it_better_and_not_again() {
        let names: Vec<String> = (0..3_000).map(|number| format!("{number}.a")).collect();
        let mut file = Pins::default();
        for name in &names {
            file.take(PinLine::Pin(name.as_bytes().into(), pin(name, None)));
        }
        assert!(!file.want_rewriting_on(3_000, 500), "all messages are there");
        assert!(file.want_rewriting_on(10, 500), "most are gone");
        let rewritten = |file: &Pins, today| {
            let mut pins = Pins::default();
            file.lines(&HashSet::new(), today).into_iter().for_each(|line| pins.take(line));
            pins
        };
        let file = rewritten(&file, 500);
        assert!(!file.want_rewriting_on(10, 680), "noted since when, and not over yet");
        assert!(file.want_rewriting_on(10, 681));
        let mut twice = Pins::default();
        for _ in 0..3 {
            for name in &names {
                twice.take(PinLine::Pin(name.as_bytes().into(), pin(name, None)));
            }
        }
        assert!(twice.want_rewriting_on(3_000, 500));
        assert_eq!(rewritten(&file, 681).by_key.len(), 0);
        assert!(Pins { damaged: 1, ..Pins::default() }.want_rewriting_on(0, 500));
    }

    #[test]
    fn of_a_great_many_that_are_gone_those_that_went_last_are_kept() {
        let mut file = pins(&[
            ("here", "1", Some(1)),
            ("a", "2", Some(2)),
            ("b", "3", Some(3)),
            ("c", "4", Some(4)),
            ("d", "5", None),
        ]);
        file.take(PinLine::Retrieved(b"c".as_slice().into(), Retrieval { by: "ajones".into(), at: 7 }));
        let present = HashSet::from([b"here".as_slice().into()]);
        let too_many = |most: usize| {
            let mut keys: Vec<&[u8]> = file.too_many(&present, 5, most).into_iter().collect();
            keys.sort_unstable();
            keys.concat()
        };
        assert_eq!(too_many(5), b"", "four pins and a mark");
        assert_eq!(too_many(4), b"a");
        assert_eq!(too_many(3), b"ab");
        assert_eq!(too_many(2), b"abc", "a mark goes with its pin");
    }

    #[test]
    fn marks_of_messages_long_gone_are_not_gathered_for_ever() {
        let mark = |number: usize| {
            let key = format!("{number}.a").into_bytes().into();
            PinLine::Retrieved(key, Retrieval { by: "ajones".into(), at: 7 })
        };
        let mut pins = Pins::default();
        (0..3_000).map(mark).for_each(|line| pins.take(line));
        assert!(!pins.want_rewriting_on(2_000, 500), "most messages are there");
        assert!(pins.want_rewriting_on(10, 500));
        let mut pinned = Pins::default();
        for number in 0..3_000 {
            pinned.take(PinLine::Pin(format!("{number}.a").into_bytes().into(), pin(&number.to_string(), Some(500))));
            pinned.take(mark(number));
        }
        assert!(!pinned.want_rewriting_on(10, 500), "a pin keeps its marks");
    }

    #[test]
    fn retrievals_live_as_long_as_their_message() {
        let mut pins = pins(&[("pinned", "1", None)]);
        for key in ["pinned", "here", "gone"] {
            for (by, at) in [("ajones", 7), ("mbrown", 8), ("ajones", 9)] {
                pins.take(PinLine::Retrieved(key.as_bytes().into(), Retrieval { by: by.into(), at }));
            }
        }
        let retrievals: Vec<(&str, u64)> = pins.retrievals(b"here").iter().map(|one| (&*one.by, one.at)).collect();
        assert_eq!(retrievals, [("ajones", 7), ("mbrown", 8)]);
        let lines = pins.lines(&HashSet::from([b"here".as_slice().into()]), 200);
        let marks = lines.iter().filter(|line| matches!(line, PinLine::Retrieved(key, _) if **key != *b"gone"));
        assert_eq!((lines.len(), marks.count()), (5, 4));
    }
}
