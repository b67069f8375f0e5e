//! The client of the running service's admin socket.
//!
//! Nothing but the socket's path is read: whoever may write to the socket may send commands, and need not be able to read
//! the keys and passwords that the configuration names.

use std::fmt;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use rustix::net::sockopt::socket_peercred;
use serde_json::Value;

use super::config_file::ConfigFile;
use super::{ExitStatus, report_error};
use crate::admin::AdminCommand;
use crate::config;

/// The service may have to ask a slow directory.
const PATIENCE: Duration = Duration::from_secs(60);

/// The running service to which a command is sent.
#[derive(Args)]
pub(super) struct AdminClient {
    #[command(flatten)]
    config: ConfigFile,
    /// The path of the service's admin socket, for users who may not read the configuration
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
}

impl AdminClient {
    /// Sends a command to the service, and returns its answer.
    ///
    /// # Errors
    /// The exit status; what is wrong was reported.
    pub(super) fn send(&self, command: &AdminCommand) -> Result<String, ExitStatus> {
        let socket = self.socket()?;
        let answer = ask(&socket, command).map_err(|fault| {
            report_error(&fault);
            ExitStatus::ProblemFound
        })?;
        Ok(answer.sentence)
    }

    /// The same for a command whose answer is JSON.
    pub(super) fn send_for_data(&self, command: &AdminCommand) -> Result<Value, ExitStatus> {
        let answer = self.send(command)?;
        serde_json::from_str(&answer).map_err(|fault| {
            report_error(&format!("the service's answer cannot be read: {fault}; is it of another version?"));
            ExitStatus::ProblemFound
        })
    }

    fn socket(&self) -> Result<PathBuf, ExitStatus> {
        if let Some(socket) = &self.socket {
            return Ok(socket.clone());
        }
        match config::admin_settings(&self.config) {
            Ok(Some(admin)) => Ok(admin.socket),
            Ok(None) => {
                report_error(&"the configuration has no admin.socket, so the running service takes no commands");
                Err(ExitStatus::ProblemFound)
            }
            Err(faults) => {
                report_error(&faults);
                Err(ExitStatus::BadConfiguration)
            }
        }
    }
}

/// What the running service answered, and which process it is.
pub(super) struct AdminAnswer {
    pub(super) sentence: String,
    pub(super) pid: Option<u32>,
}

/// Why there is no answer, in a sentence.
pub(super) enum AskFault {
    /// Nobody listens at the socket.
    NotRunning(String),
    /// Something else.
    Failed(String),
}

impl fmt::Display for AskFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRunning(sentence) | Self::Failed(sentence) => f.write_str(sentence),
        }
    }
}

const IS_IT_RUNNING: &str =
    "is the service running? If admin.socket was changed since its start, name the old path by --socket";

/// Sends a command to the service behind a socket.
///
/// # Errors
/// See [`AskFault`]; that the service refuses is one of them.
pub(super) fn ask(socket: &Path, command: &AdminCommand) -> Result<AdminAnswer, AskFault> {
    let shown = socket.display();
    let (answer, pid) = exchange(socket, command).map_err(|fault| match fault.kind() {
        ErrorKind::PermissionDenied => AskFault::Failed(format!(
            "{shown}: {fault}; admin.mode controls who may send commands; by default only the service's user and root may"
        )),
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
            AskFault::NotRunning(format!("{shown}: {fault}; {IS_IT_RUNNING}"))
        }
        _ => AskFault::Failed(format!("{shown}: {fault}; {IS_IT_RUNNING}")),
    })?;
    match answer.trim_end().split_once(' ') {
        Some(("OK", sentence)) => Ok(AdminAnswer { sentence: sentence.to_owned(), pid }),
        Some(("NO", sentence)) => Err(AskFault::Failed(sentence.to_owned())),
        _ => Err(AskFault::Failed(format!("{shown}: the service closed the connection"))),
    }
}

fn exchange(socket: &Path, command: &AdminCommand) -> std::io::Result<(String, Option<u32>)> {
    let mut service = UnixStream::connect(socket)?;
    service.set_read_timeout(Some(PATIENCE))?;
    service.set_write_timeout(Some(PATIENCE))?;
    service.write_all(format!("{command}\n").as_bytes())?;
    let pid = socket_peercred(&service).ok().and_then(|peer| u32::try_from(peer.pid.as_raw_nonzero().get()).ok());
    let mut answer = String::new();
    BufReader::new(service).read_line(&mut answer)?;
    Ok((answer, pid))
}
