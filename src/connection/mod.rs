//! One client: its socket, its session, and the loop that drives both.

mod settings;

pub use settings::{Limits, Settings};
