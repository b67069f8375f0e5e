//! `restante config`: the effective configuration.

use std::path::Path;

use anyhow::anyhow;

use super::{ExitStatus, with_configuration};
use crate::config;

/// Prints what differs from the defaults, or everything.
#[allow(clippy::print_stdout, reason = "the result of the command")]
pub(super) fn configuration(file: &Path, all: bool) -> ExitStatus {
    with_configuration(file, |_| {
        let text = config::effective(file, all).map_err(|faults| anyhow!("{faults}"))?;
        print!("# restante {}: {}\n{text}", env!("CARGO_PKG_VERSION"), file.display());
        Ok(true)
    })
}
