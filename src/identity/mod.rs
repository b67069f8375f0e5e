//! The identity map: from credentials to a person and their maildrop, held in memory for a while.

mod settings;

pub use settings::{Lifetimes, Settings};
