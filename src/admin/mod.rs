//! What administrators see of the running service, and may do to it.
//!
//! | file | what it is |
//! |---|---|
//! | `command`, `socket` | the admin socket: commands, one line each, over a Unix socket |
//! | `view` | what the service says about itself: sessions, state, readiness |
//! | `http` | the admin HTTP listener: metrics, health, the status page |
//! | `page` | the status page |
//!
//! A client of the admin socket sends one line and reads one line: `OK` or `NO`, a space, and a sentence for the administrator. The mode of
//! the socket's file controls who may connect. **A new command** needs a variant of [`AdminCommand`] and its syntax
//! (`command`), an arm in `execute` below, and a command of `cli` that sends it, like `cli/flush.rs`.

mod command;
mod http;
mod page;
mod socket;
mod view;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub use command::{AdminCommand, CommandFault};
pub use http::{HttpAddress, HttpListener};
pub use socket::AdminSocket;
pub use view::{NotReady, ServiceView};

use serde_json::Value;

use self::view::describe_session;

/// The path of the socket, and who may connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The path of its file.
    pub socket: PathBuf,
    /// The permission bits of its file, such as 0600; write permission allows connecting.
    pub mode: u32,
}

/// The longest line accepted, in octets: the longest login name fits.
const LONGEST_LINE: u64 = 1024;

/// How long a client may take to send its line, and to read the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Clients served at once; more of them wait.
const AT_ONCE: usize = 8;

impl AdminSocket {
    /// Executes commands for as long as it is polled.
    ///
    /// # Errors
    /// The runtime cannot register the socket.
    pub async fn serve(&self, service: Arc<ServiceView>) -> std::io::Result<()> {
        let listener = UnixListener::from_std(self.file.listener.try_clone()?)?;
        let places = Arc::new(Semaphore::new(AT_ONCE));
        while let Ok(place) = places.clone().acquire_owned().await {
            let client = match listener.accept().await {
                Ok((client, _)) => client,
                Err(fault) => {
                    tracing::warn!(
                        name: "admin_socket_client_not_accepted",
                        reason = fault.to_string(),
                        "admin socket: a client could not be accepted"
                    );
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let service = service.clone();
            tokio::spawn(async move {
                if let Err(fault) = answer(client, &service).await {
                    tracing::warn!(
                        name: "admin_socket_client_lost",
                        reason = fault.to_string(),
                        "admin socket: connection to a client lost"
                    );
                }
                drop(place);
            });
        }
        Ok(())
    }
}

async fn answer(mut client: UnixStream, service: &ServiceView) -> std::io::Result<()> {
    let user = client.peer_cred().map(|peer| peer.uid()).ok();
    let (reading, mut writing) = client.split();
    let mut line = String::new();
    let mut reader = BufReader::new(reading.take(LONGEST_LINE));
    timeout(PATIENCE, reader.read_line(&mut line)).await??;
    let AdminReply { word, sentence, data } = execute(&line, service).await;
    tracing::info!(
        name: "admin_socket_command",
        user, command = line.trim_end(), answer = format!("{word} {sentence}"),
        "admin socket"
    );
    let sentence = data.map_or(sentence, |data| data.to_string());
    // One line, even if a name contains control characters.
    let sentence: String = sentence.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    timeout(PATIENCE, writing.write_all(format!("{word} {sentence}\n").as_bytes())).await?
}

/// The reply to the client: a word for its program, and a sentence for the administrator; or data in its place, which are
/// not logged.
struct AdminReply {
    word: &'static str,
    sentence: String,
    data: Option<Value>,
}

fn done(sentence: String) -> AdminReply {
    AdminReply { word: "OK", sentence, data: None }
}

fn shown(sentence: String, data: Value) -> AdminReply {
    AdminReply { word: "OK", sentence, data: Some(data) }
}

fn refusal(fault: &dyn std::fmt::Display) -> AdminReply {
    AdminReply { word: "NO", sentence: fault.to_string(), data: None }
}

async fn execute(line: &str, service: &ServiceView) -> AdminReply {
    let Some(line) = line.strip_suffix('\n') else {
        return refusal(&format!("expected a line of at most {LONGEST_LINE} octets with a line feed at its end"));
    };
    match AdminCommand::parse(line) {
        Ok(AdminCommand::Flush(target)) => match service.identities.flush(&target).await {
            Ok(flushed) => done(format!("dropped {flushed}")),
            Err(fault) => refusal(&fault),
        },
        Ok(AdminCommand::Who(person)) => {
            let sessions = service.sessions(person.as_deref());
            shown(format!("listed {}", counted(sessions.len())), sessions.iter().map(describe_session).collect())
        }
        Ok(AdminCommand::Kick(target)) => kick(&target, service),
        Ok(AdminCommand::Status) => {
            service.identities.note_sizes().await;
            shown("reported".to_owned(), service.status())
        }
        Err(fault) => refusal(&fault),
    }
}

/// Ends sessions. What a QUIT has begun to delete is deleted; what is only marked is not.
fn kick(target: &str, service: &ServiceView) -> AdminReply {
    let kicked = service.ledger.sessions.kick(target);
    if kicked.is_empty() {
        return refusal(&format!("{target}: no session has this id, and nobody of this name is logged in"));
    }
    done(format!("ended {}", counted(kicked.len())))
}

fn counted(sessions: usize) -> String {
    format!("{sessions} session{}", if sessions == 1 { "" } else { "s" })
}
