//! The `restante` program. Only this file knows exit statuses.

use std::process::ExitCode;

use restante::cli::{self, ExitStatus};

/// `EX_CONFIG` of sysexits.h: "something was found in an unconfigured or misconfigured state".
const BAD_CONFIGURATION: u8 = 78;

/// The same status as that of the command line's own parser.
const USED_WRONGLY: u8 = 2;

fn main() -> ExitCode {
    match cli::run() {
        ExitStatus::Success => ExitCode::SUCCESS,
        ExitStatus::ProblemFound => ExitCode::FAILURE,
        ExitStatus::UsageError => ExitCode::from(USED_WRONGLY),
        ExitStatus::BadConfiguration => ExitCode::from(BAD_CONFIGURATION),
    }
}
