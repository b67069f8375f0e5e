//! Questions under way: the same one is asked of the directory once, however many want its answer at the same time, so that
//! a client with many connections costs no more failed binds, or logins by grace, than one.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OnceCell;

use crate::directory::EntryId;
use crate::identity::cache::flushes::Generation;

/// A bind that the directory is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BindKey {
    pub(crate) person: EntryId,
    /// Where the entry lies: one that moved is asked about anew.
    pub(crate) dn: String,
    /// The password's keyed hash.
    pub(crate) password: Vec<u8>,
    /// What is asked before a flush answers nobody who came behind it.
    pub(crate) asked: Generation,
}

/// The questions under way, each with the place where its answer will be.
pub(crate) struct SingleFlight<Question, NameAnswers>(Mutex<HashMap<Question, Weak<OnceCell<NameAnswers>>>>);

impl<Question, NameAnswers> Default for SingleFlight<Question, NameAnswers> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<Question: Eq + Hash, NameAnswers: Clone> SingleFlight<Question, NameAnswers> {
    /// Asks, or waits for the answer to the same question that somebody asks already. If that one goes away, the next asks.
    pub(crate) async fn once(&self, question: Question, ask: impl Future<Output = NameAnswers>) -> NameAnswers {
        self.place(question).get_or_init(|| ask).await.clone()
    }

    /// Where the answer will be; one that is there already is no longer under way.
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
