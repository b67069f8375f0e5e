//! `restante kick`: ends sessions of the running service.

use super::admin_client::AdminClient;
use super::{ExitStatus, report_error};
use crate::admin::AdminCommand;

#[allow(clippy::print_stdout, reason = "the result of the command")]
pub(super) fn kick(service: &AdminClient, target: &str) -> ExitStatus {
    let command = match AdminCommand::parse(&format!("kick {target}")) {
        Ok(command) => command,
        Err(fault) => {
            report_error(&fault);
            return ExitStatus::UsageError;
        }
    };
    match service.send(&command) {
        Ok(done) => {
            println!("{done}");
            ExitStatus::Success
        }
        Err(ended) => ended,
    }
}
