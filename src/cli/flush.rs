//! `restante flush`: clears the running service's caches.

use serde_json::json;

use super::admin_client::AdminClient;
use super::{ExitStatus, report_error};
use crate::admin::AdminCommand;

#[allow(clippy::print_stdout, reason = "the result of the command")]
pub(super) fn flush(service: &AdminClient, target: Option<&str>, json: bool) -> ExitStatus {
    let command = match AdminCommand::parse(&format!("flush {}", target.unwrap_or_default())) {
        Ok(command) => command,
        Err(fault) => {
            report_error(&fault);
            return ExitStatus::UsageError;
        }
    };
    let (done, ended) = match service.send(&command) {
        Ok(done) => (Some(done), ExitStatus::Success),
        Err(ended) => (None, ended),
    };
    if json {
        println!("{:#}", json!({ "clean": done.is_some(), "answer": done }));
    } else if let Some(done) = done {
        println!("{done}");
    }
    ended
}
