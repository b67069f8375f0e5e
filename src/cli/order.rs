//! Orders to the running service, over its admin socket.
//!
//! Nothing but the socket's path is read: whoever may write to the socket may give orders, and need not be allowed to read
//! the keys and passwords that the configuration names.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::{Ended, complain};
use crate::admin::Order;
use crate::config;

/// The service may have to ask its directory who somebody is, and that may be slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which running service an order is for.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct Running {
    /// The configuration of the service, of which only admin.socket is read
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The service's admin socket itself, for those who may not read the configuration
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
}

impl Running {
    /// Gives an order to the service, and takes its answer.
    ///
    /// # Errors
    /// How the command ends; what is wrong was told.
    pub(super) fn give(&self, order: &Order) -> Result<String, Ended> {
        let socket = self.socket()?;
        give(&socket, order).map_err(|fault| {
            complain(&fault);
            Ended::FoundWrong
        })
    }

    fn socket(&self) -> Result<PathBuf, Ended> {
        if let Some(socket) = &self.socket {
            return Ok(socket.clone());
        }
        let file = self.config.as_deref().unwrap_or(Path::new(""));
        match config::admin_settings(file) {
            Ok(Some(admin)) => Ok(admin.socket),
            Ok(None) => {
                complain(&"the configuration has no admin.socket, so the running service takes no orders");
                Err(Ended::FoundWrong)
            }
            Err(faults) => {
                complain(&faults);
                Err(Ended::BadConfiguration)
            }
        }
    }
}

fn give(socket: &Path, order: &Order) -> Result<String, String> {
    let answer = exchange(socket, order).map_err(|fault| {
        let right = match fault.kind() {
            std::io::ErrorKind::PermissionDenied => {
                "admin.mode says who may give orders, by default only the service's user and root"
            }
            _ => "is the service running?",
        };
        format!("{}: {fault}; {right}", socket.display())
    })?;
    match answer.trim_end().split_once(' ') {
        Some(("OK", sentence)) => Ok(sentence.to_owned()),
        Some(("NO", sentence)) => Err(sentence.to_owned()),
        _ => Err(format!("{}: the service hung up", socket.display())),
    }
}

fn exchange(socket: &Path, order: &Order) -> std::io::Result<String> {
    let mut service = UnixStream::connect(socket)?;
    service.set_read_timeout(Some(PATIENCE))?;
    service.set_write_timeout(Some(PATIENCE))?;
    service.write_all(format!("{order}\n").as_bytes())?;
    let mut answer = String::new();
    BufReader::new(service).read_line(&mut answer)?;
    Ok(answer)
}
