//! Whether a directory answers: when it last answered, and whether it has fallen silent since.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::fault::Fault;

/// Searches and binds may fall silent independently.
#[derive(Default)]
pub(super) struct Health {
    searches: Mutex<LastAnswers>,
    binds: Mutex<LastAnswers>,
}

/// The last answer, and the last time when there was none.
#[derive(Clone, Copy, Default)]
struct LastAnswers {
    answered: Option<Instant>,
    silent: Option<Instant>,
}

impl Health {
    /// Records the result of a search.
    pub(super) fn note_search<T>(&self, answer: &Result<T, Fault>) {
        note(&self.searches, answer);
    }

    /// Records the result of a bind as a person.
    pub(super) fn note_bind<T>(&self, answer: &Result<T, Fault>) {
        note(&self.binds, answer);
    }

    /// Whether there was an answer since a moment, and the last search had one.
    pub(super) fn was_heard_since(&self, moment: Instant) -> bool {
        !self.are_searches_silent() && self.last_answer().is_some_and(|answered| answered >= moment)
    }

    /// Whether searches or binds have fallen silent, after an answer within this time.
    pub(super) fn fell_silent_within(&self, time: Duration) -> bool {
        self.both().into_iter().any(LastAnswers::is_silent)
            && self.last_answer().is_some_and(|answered| answered.elapsed() < time)
    }

    /// Whether the last search had no answer.
    pub(super) fn are_searches_silent(&self) -> bool {
        let [searches, _] = self.both();
        searches.is_silent()
    }

    fn last_answer(&self) -> Option<Instant> {
        self.both().into_iter().filter_map(|last| last.answered).max()
    }

    fn both(&self) -> [LastAnswers; 2] {
        [&self.searches, &self.binds].map(|last| *last.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl LastAnswers {
    fn is_silent(self) -> bool {
        self.silent.is_some() && self.silent > self.answered
    }
}

/// An error in our request is an answer as well.
fn note<T>(last: &Mutex<LastAnswers>, answer: &Result<T, Fault>) {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    match answer {
        Err(fault) if fault.is_silence() => last.silent = Some(Instant::now()),
        _ => last.answered = Some(Instant::now()),
    }
}
