//! The `restante` program. Only this file knows exit statuses.

use std::process::ExitCode;

use restante::cli::{self, Ended};

/// `EX_CONFIG` of sysexits.h: "something was found in an unconfigured or misconfigured state".
const BAD_CONFIGURATION: u8 = 78;

/// As the command line's own parser has it.
const USED_WRONGLY: u8 = 2;

fn main() -> ExitCode {
    match cli::run() {
        Ended::Fine => ExitCode::SUCCESS,
        Ended::FoundWrong => ExitCode::FAILURE,
        Ended::UsedWrongly => ExitCode::from(USED_WRONGLY),
        Ended::BadConfiguration => ExitCode::from(BAD_CONFIGURATION),
    }
}
