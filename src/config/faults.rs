//! What is wrong with a configuration file: all of it, each with its place.

use std::fmt;
use std::path::{Path, PathBuf};

use super::tree::Place;

/// Everything that is wrong with one file, in the order of the places.
///
/// [`fmt::Display`] gives a line for each: `FILE:LINE:COLUMN: what is wrong; what would be right`.
#[derive(Debug)]
pub struct Faults {
    file: PathBuf,
    faults: Vec<Fault>,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fault {
    /// None if it is about the file as a whole.
    pub(super) place: Option<Place>,
    pub(super) what: String,
}

impl Fault {
    /// A mistake at a place.
    pub(super) fn at(place: Place, what: impl Into<String>) -> Self {
        Self { place: Some(place), what: what.into() }
    }
}

impl Faults {
    /// Sorts them by place. What quotes the file has nothing in it that could break a line or paint a terminal.
    pub(super) fn new(file: &Path, mut faults: Vec<Fault>) -> Self {
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
        for (number, Fault { place, what }) in self.faults.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            let file = self.file.display();
            match place {
                Some(Place { line, column }) => write!(f, "{file}:{line}:{column}: {what}")?,
                None => write!(f, "{file}: {what}")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
