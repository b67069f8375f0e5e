//! The directory is asked the same question once at a time, however many logins wait for the answer: a client with many
//! connections causes no more failed binds, or grace logins, than one.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OnceCell;

use super::flushes::Generation;
use crate::directory::EntryId;

/// What makes two binds the same question.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BindKey {
    pub(crate) person: EntryId,
    /// The DN of the entry: if the entry was moved, it is another question.
    pub(crate) dn: String,
    /// The password's keyed hash.
    pub(crate) password: Vec<u8>,
    /// The answer to a bind from before a flush is not used for logins after it.
    pub(crate) asked: Generation,
}

/// The questions that are being asked, each with the place where its answer will be.
pub(crate) struct SingleFlight<Question, NameAnswers>(Mutex<HashMap<Question, Weak<OnceCell<NameAnswers>>>>);

impl<Question, NameAnswers> Default for SingleFlight<Question, NameAnswers> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<Question: Eq + Hash, NameAnswers: Clone> SingleFlight<Question, NameAnswers> {
    /// Asks, or waits for the answer to the same question if somebody is asking it already. If that one is cancelled,
    /// the next one asks.
    pub(crate) async fn once(&self, question: Question, ask: impl Future<Output = NameAnswers>) -> NameAnswers {
        self.place(question).get_or_init(|| ask).await.clone()
    }

    /// Where the answer will be. An answer that is there already is not used again.
    fn place(&self, question: Question) -> Arc<OnceCell<NameAnswers>> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|_, place| place.strong_count() > 0);
        if let Some(place) = places.get(&question).and_then(Weak::upgrade).filter(|place| !place.initialized()) {
            return place;
        }
        let place = Arc::default();
        places.insert(question, Arc::downgrade(&place));
        place
    }
}
