//! `restante reload`: the running service reads its configuration again.

use super::admin_client::AdminClient;
use super::{ExitStatus, report_error};
use crate::admin::{AdminCommand, ReloadOutcome};

#[allow(clippy::print_stdout, reason = "the result of the command")]
pub(super) fn reload(service: &AdminClient, json: bool) -> ExitStatus {
    let data = match service.send_for_data(&AdminCommand::Reload) {
        Ok(data) => data,
        Err(ended) => return ended,
    };
    let Some(outcome) = ReloadOutcome::read(&data) else {
        report_error(&"the service's answer cannot be read; is it of another version?");
        return ExitStatus::ProblemFound;
    };
    if json {
        println!("{data:#}");
    }
    match outcome {
        ReloadOutcome::Applied { changed, needs_restart } => {
            if !json {
                println!(
                    "reloaded: {}",
                    if changed.is_empty() { "nothing has changed".into() } else { changed.join(", ") }
                );
                for key in needs_restart {
                    println!("needs a restart: {key}");
                }
            }
            ExitStatus::Success
        }
        ReloadOutcome::Mistakes(faults) => not_reloaded(&faults, json, ExitStatus::BadConfiguration),
        ReloadOutcome::Impossible(faults) => not_reloaded(&faults, json, ExitStatus::ProblemFound),
    }
}

fn not_reloaded(faults: &[String], json: bool, ended: ExitStatus) -> ExitStatus {
    if !json {
        let faults = faults.join("\n");
        report_error(&format!("not reloaded: the previous configuration stays in force\n{faults}"));
    }
    ended
}
