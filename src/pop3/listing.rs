//! The messages that one session sees, and which of them are marked as deleted.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use super::message_number::MessageNumber;
use super::reply;
use super::reply_style::ReplyStyle;
use super::text::Text;

/// A unique-id: "one to 70 characters in the range 0x21 to 0x7E" (RFC 1939 §7).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UniqueId(Box<str>);

impl UniqueId {
    /// The longest that the standard allows, in characters.
    pub const MOST: usize = 70;

    /// The longest that is kept when it was imported from another server, in characters.
    ///
    /// "Responses may be up to 512 characters long, including the terminating CRLF." (RFC 1939 §3); that leaves room for
    /// `+OK`, blanks and any message-number.
    pub const MOST_IMPORTED: usize = 480;

    /// A string that conforms to the standard; none otherwise.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        Self::imported(text).filter(|unique_id| !unique_id.is_over_long())
    }

    /// A string that another server sent, even if it is too long for the standard: clients know it.
    #[must_use]
    pub fn imported(text: &str) -> Option<Self> {
        let fits = (1..=Self::MOST_IMPORTED).contains(&text.len());
        let fits = fits && text.bytes().all(|octet| (0x21..=0x7e).contains(&octet));
        fits.then(|| Self(text.into()))
    }

    /// Whether it is longer than the standard allows.
    #[must_use]
    pub fn is_over_long(&self) -> bool {
        self.0.len() > Self::MOST
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a client can learn about a message before it fetches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Size in octets as RETR sends it: CRLF counted, stuffing and final dot not.
    pub octets: u64,
    /// The same in every session, and never given to another message.
    pub unique_id: UniqueId,
}

/// The messages of a maildrop in order, with their totals and the replies to LIST and UIDL, which are built once.
/// Shared by all sessions that see the maildrop in the same state.
#[derive(Debug)]
pub struct Messages {
    listed: Box<[Listed]>,
    octets: u64,
    list: OnceLock<Arc<[u8]>>,
    uidl: OnceLock<Arc<[u8]>>,
}

impl Messages {
    /// Octets of memory at most that the allocator, the message-numbers and the sizes take for each message.
    const OVERHEAD: usize = 80;

    /// Octets of memory that these messages take at most, once both replies are built.
    #[must_use]
    pub fn memory(&self) -> usize {
        let text = |message: &Listed| 2 * message.unique_id.as_str().len();
        self.iter().map(|message| size_of::<Listed>() + Self::OVERHEAD + text(message)).sum()
    }

    /// The reply to LIST, for a session in English without marks.
    pub(super) fn list(&self) -> Arc<[u8]> {
        let make = || {
            let (count, octets) = self.totals();
            reply::list(ReplyStyle::default().ok(Text::Messages { count, octets }), sizes(numbered(self))).into()
        };
        self.list.get_or_init(make).clone()
    }

    /// The reply to UIDL, for a session in English without marks.
    pub(super) fn uidl(&self) -> Arc<[u8]> {
        let make = || reply::uidl(ReplyStyle::default().ok(Text::UniqueIdsFollow), unique_ids(numbered(self))).into();
        self.uidl.get_or_init(make).clone()
    }

    fn totals(&self) -> (usize, u64) {
        (self.len(), self.octets)
    }
}

impl FromIterator<Listed> for Messages {
    fn from_iter<I: IntoIterator<Item = Listed>>(listed: I) -> Self {
        let listed: Box<[Listed]> = listed.into_iter().collect();
        let octets = listed.iter().map(|message| message.octets).fold(0, u64::saturating_add);
        Self { listed, octets, list: OnceLock::new(), uidl: OnceLock::new() }
    }
}

impl Deref for Messages {
    type Target = [Listed];

    fn deref(&self) -> &[Listed] {
        &self.listed
    }
}

/// Each message with its message-number.
fn numbered(messages: &[Listed]) -> impl Iterator<Item = (usize, &Listed)> {
    (1..).zip(messages)
}

/// The sizes of messages with their message-numbers.
pub(super) fn sizes<'l>(messages: impl Iterator<Item = (usize, &'l Listed)>) -> impl Iterator<Item = (usize, u64)> {
    messages.map(|(number, message)| (number, message.octets))
}

/// The unique-ids of messages with their message-numbers.
pub(super) fn unique_ids<'l>(
    messages: impl Iterator<Item = (usize, &'l Listed)>,
) -> impl Iterator<Item = (usize, &'l str)> {
    messages.map(|(number, message)| (number, message.unique_id.as_str()))
}

/// A maildrop as it was at login, in order, with this session's marks.
pub struct Listing {
    messages: Arc<Messages>,
    /// One for each message; empty while none is marked.
    marked: Vec<bool>,
    /// Number of messages not marked, and their octets together.
    left: (usize, u64),
    /// Some unique-ids must be pinned before they are sent.
    unpinned: bool,
}

impl Listing {
    /// Begins with nothing marked.
    #[must_use]
    pub fn new(messages: Arc<Messages>) -> Self {
        let left = messages.totals();
        Self { messages, marked: Vec::new(), left, unpinned: false }
    }

    /// The same, where some unique-ids must be pinned before they are sent.
    #[must_use]
    pub fn with_unpinned(self, unpinned: bool) -> Self {
        Self { unpinned, ..self }
    }

    /// Whether some unique-ids must be pinned before they are sent.
    #[must_use]
    pub fn has_unpinned(&self) -> bool {
        self.unpinned
    }

    /// Takes over the unique-ids of the same messages after they were pinned; marks stay.
    pub(super) fn renew(&mut self, pinned: Self) {
        if pinned.messages.len() == self.messages.len() {
            (self.messages, self.unpinned) = (pinned.messages, pinned.unpinned);
        }
    }

    /// The index of a message in the maildrop; none if there is no such message, or it is marked as deleted.
    #[must_use]
    pub fn index(&self, number: MessageNumber) -> Option<usize> {
        let index = number.index();
        (index < self.messages.len() && !self.is_marked(index)).then_some(index)
    }

    /// The message at an index given by [`Listing::index`].
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Listed> {
        self.messages.get(index)
    }

    /// The messages not marked, with the numbers they had from the beginning.
    pub fn unmarked(&self) -> impl Iterator<Item = (usize, &Listed)> {
        numbered(&self.messages).filter(|(number, _)| !self.is_marked(number - 1))
    }

    /// The messages that every session shares, if this one has marked none of them.
    pub(super) fn shared(&self) -> Option<&Messages> {
        self.marked.is_empty().then_some(&self.messages)
    }

    /// Number of messages not marked, and their octets together.
    #[must_use]
    pub fn totals(&self) -> (usize, u64) {
        self.left
    }

    /// DELE: marks a message; it stays until the commit.
    pub fn mark(&mut self, index: usize) {
        let Some(message) = self.messages.get(index) else { return };
        if self.marked.is_empty() {
            self.marked = vec![false; self.messages.len()];
        }
        if let Some(mark) = self.marked.get_mut(index).filter(|mark| !**mark) {
            *mark = true;
            let (count, octets) = self.left;
            self.left = (count - 1, octets.saturating_sub(message.octets));
        }
    }

    /// RSET: "if any messages have been marked as deleted by the POP3 server, they are unmarked" (RFC 1939 §5).
    pub fn reset(&mut self) {
        self.marked = Vec::new();
        self.left = self.messages.totals();
    }

    /// The indices of the marked messages, ascending.
    #[must_use]
    pub fn marks(&self) -> Vec<usize> {
        self.marked.iter().enumerate().filter(|(_, marked)| **marked).map(|(index, _)| index).collect()
    }

    fn is_marked(&self, index: usize) -> bool {
        self.marked.get(index).copied().unwrap_or(false)
    }
}
