//! The `restante` program. Only this file knows exit statuses.

use std::process::ExitCode;

use restante::cli::{self, Ended};

/// `EX_CONFIG` of sysexits.h: "something was found in an unconfigured or misconfigured state".
const BAD_CONFIGURATION: u8 = 78;

fn main() -> ExitCode {
    match cli::run() {
        Ended::Fine => ExitCode::SUCCESS,
        Ended::FoundWrong => ExitCode::FAILURE,
        Ended::BadConfiguration => ExitCode::from(BAD_CONFIGURATION),
    }
}
