//! Which configuration a command reads.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::config::{DEFAULT_FILE, FILE_VARIABLE};

/// The configuration that a command reads: on every machine it is in one place, so that nobody has to name it.
#[derive(Args)]
pub(super) struct ConfigFile {
    /// The configuration of the service
    #[arg(long, short, value_name = "FILE", env = FILE_VARIABLE, default_value = DEFAULT_FILE)]
    config: PathBuf,
}

impl Deref for ConfigFile {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.config
    }
}
