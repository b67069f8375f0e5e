//! A dry run of a move: what clients would be told of a maildrop's messages, and what of it the old server did not tell.
//! Nothing is pinned, and nothing written.

use std::time::Duration;

use super::fault::EnterFault;
use super::ids::Sought;
use super::import::{ImportMode, ListKind, UniqueIdSettings};
use super::path::MaildropPath;
use super::scan::{Found, Parts};
use super::settle::{Origin, Settled, Sources};
use super::store::{Store, changed};

/// What a move would come to for one maildrop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// Messages there are.
    pub messages: usize,
    /// Those whose unique-id was told already, and stays.
    pub pinned: usize,
    /// Those that get the unique-id that the old server's list has.
    pub listed: usize,
    /// Those that no list has: our own rule gives their unique-ids. Normal for mail that the old server has not seen yet.
    pub unlisted: usize,
    /// Those left out until the old server has listed them, or `follow_wait` has passed.
    pub waiting: usize,
    /// The base name of each whose listed unique-id cannot be told: not printable, or too long.
    pub invalid: Vec<String>,
    /// The base name of each whose listed unique-id another message has.
    pub duplicate: Vec<String>,
    /// Unique-ids of over 70 characters that are told all the same.
    pub over_long: usize,
    /// Records of the lists without a message. Normal: servers drop them late.
    pub dead: usize,
    /// The lists found, by the names of their files.
    pub lists: Vec<&'static str>,
    /// Dovecot's list and Courier's were both found, and Dovecot's does not tell whether its POP3 server ever ran.
    pub both: bool,
    /// What is wrong with the lists.
    pub faults: Vec<String>,
    /// Some base names with the unique-ids to be told, to compare with the old server.
    pub samples: Vec<(String, String)>,
    /// There are messages, and no list that tells of them.
    pub without_list: bool,
}

/// Samples told: enough to see a wrong format.
const SAMPLES: usize = 3;

impl Planned {
    /// Whether some client would download something again, or somebody must decide which list counts.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.both
            || self.without_list
            || !(self.invalid.is_empty() && self.duplicate.is_empty() && self.faults.is_empty())
    }
}

impl Store {
    /// Plans the move of one maildrop, as if lists were read, whatever the settings say of that. Blocks while the disk
    /// answers; no message is opened.
    ///
    /// # Errors
    /// See [`EnterFault`].
    pub fn plan(&self, path: &MaildropPath) -> Result<Planned, EnterFault> {
        let import = self.unique_ids().import;
        let import = if import.reads() { import } else { ImportMode::Read };
        let settings = UniqueIdSettings { import, ..self.unique_ids().clone() };
        let root = self.root().open()?;
        let parts = Parts::open(&root, path.as_ref())?;
        let sought = Sought::read(&root, path, &settings)?;
        if parts.are_missing() {
            return Ok(Planned::default());
        }
        let names = parts.names(Duration::ZERO).map_err(|error| EnterFault::unavailable(path, &error))?;
        Ok(planned(&sought.sources(&settings), names.found, &parts))
    }
}

fn planned(sources: &Sources<'_>, found: Vec<Found>, parts: &Parts) -> Planned {
    let Some(lists) = &sources.lists else { return Planned::default() };
    let messages = found.len();
    let dead = lists.dead(&found.iter().map(Found::base).collect());
    let settlement = sources.settle(found, |_| None, |found| changed(parts, found));
    let settled = &settlement.messages;
    let count = |origin| settled.iter().filter(|message| message.origin == origin).count();
    let pinned = count(Origin::Pin);
    let has_rule = sources.settings.precedence.contains(&ListKind::BaseName);
    Planned {
        messages,
        pinned,
        listed: count(Origin::List),
        unlisted: count(Origin::Own),
        waiting: messages - settled.len(),
        invalid: bases(settled, Origin::Invalid),
        duplicate: bases(settled, Origin::Duplicate),
        over_long: settled.iter().filter(|message| message.unique_id.is_over_long()).count(),
        dead,
        lists: lists.found(),
        both: lists.is_doubtful(),
        faults: lists.faults.clone(),
        samples: samples(settled),
        without_list: messages > pinned && !lists.is_any() && !has_rule,
    }
}

fn bases(settled: &[Settled], origin: Origin) -> Vec<String> {
    settled.iter().filter(|message| message.origin == origin).map(base).collect()
}

fn base(message: &Settled) -> String {
    String::from_utf8_lossy(message.found.base()).into_owned()
}

/// Those from a list: the others show nothing of the old server.
fn samples(settled: &[Settled]) -> Vec<(String, String)> {
    let listed = settled.iter().filter(|message| message.origin == Origin::List);
    listed.take(SAMPLES).map(|message| (base(message), message.unique_id.as_str().to_owned())).collect()
}
