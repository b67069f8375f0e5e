//! Everything that is wrong with a configuration file, each mistake with its position.

use std::fmt;
use std::path::{Path, PathBuf};

use super::tree::Position;

/// Everything that is wrong with one file, ordered by position.
///
/// [`fmt::Display`] writes a line for each: `FILE:LINE:COLUMN: what is wrong; what is expected`.
#[derive(Debug)]
pub struct Faults {
    file: PathBuf,
    faults: Vec<ConfigFault>,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ConfigFault {
    /// None if it is about the file as a whole.
    pub(super) place: Option<Position>,
    pub(super) what: String,
}

impl ConfigFault {
    /// A mistake at a place.
    pub(super) fn at(place: Position, what: impl Into<String>) -> Self {
        Self { place: Some(place), what: what.into() }
    }
}

impl Faults {
    /// Sorts them by position. Control characters in quotations are replaced, since they could break a line or affect a terminal.
    pub(super) fn new(file: &Path, mut faults: Vec<ConfigFault>) -> Self {
        for fault in &mut faults {
            fault.what = fault.what.replace(char::is_control, "\u{fffd}");
        }
        faults.sort();
        faults.dedup();
        Self { file: file.to_owned(), faults }
    }

    /// How many there are; never zero.
    #[must_use]
    pub fn count(&self) -> usize {
        self.faults.len()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, ConfigFault { place, what }) in self.faults.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            let file = self.file.display();
            match place {
                Some(Position { line, column }) => write!(f, "{file}:{line}:{column}: {what}")?,
                None => write!(f, "{file}: {what}")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
