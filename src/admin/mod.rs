//! The admin socket: commands to the running service, one line each, over a Unix socket.
//!
//! A client sends one line and reads one line: `OK` or `NO`, a space, and a sentence for the administrator. The mode of
//! the socket's file controls who may connect. **A new command** needs a variant of [`AdminCommand`] and its syntax
//! (`command`), an arm in `execute` below, and a command of `cli` that sends it, like `cli/flush.rs`.

mod command;
mod socket;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub use command::{AdminCommand, CommandFault};
pub use socket::AdminSocket;

use crate::identity::IdentityMap;

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
    pub async fn serve(&self, identities: Arc<IdentityMap>) -> std::io::Result<()> {
        let listener = UnixListener::from_std(self.listener.try_clone()?)?;
        let places = Arc::new(Semaphore::new(AT_ONCE));
        while let Ok(place) = places.clone().acquire_owned().await {
            let client = match listener.accept().await {
                Ok((client, _)) => client,
                Err(fault) => {
                    tracing::warn!(reason = fault.to_string(), "admin socket: a client could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let identities = identities.clone();
            tokio::spawn(async move {
                if let Err(fault) = answer(client, &identities).await {
                    tracing::warn!(reason = fault.to_string(), "admin socket: connection to a client lost");
                }
                drop(place);
            });
        }
        Ok(())
    }
}

async fn answer(mut client: UnixStream, identities: &IdentityMap) -> std::io::Result<()> {
    let user = client.peer_cred().map(|peer| peer.uid()).ok();
    let (reading, mut writing) = client.split();
    let mut line = String::new();
    let mut reader = BufReader::new(reading.take(LONGEST_LINE));
    timeout(PATIENCE, reader.read_line(&mut line)).await??;
    let (word, sentence) = execute(&line, identities).await;
    tracing::info!(user, command = line.trim_end(), answer = format!("{word} {sentence}"), "admin socket");
    // One line, even if a name contains control characters.
    let sentence: String = sentence.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    timeout(PATIENCE, writing.write_all(format!("{word} {sentence}\n").as_bytes())).await?
}

/// The reply to the client: a word for its program, and a sentence for the administrator.
type AdminReply = (&'static str, String);

fn refusal(fault: &dyn std::fmt::Display) -> AdminReply {
    ("NO", fault.to_string())
}

async fn execute(line: &str, identities: &IdentityMap) -> AdminReply {
    let Some(line) = line.strip_suffix('\n') else {
        return ("NO", format!("expected a line of at most {LONGEST_LINE} octets with a line feed at its end"));
    };
    match AdminCommand::parse(line) {
        Ok(AdminCommand::Flush(target)) => match identities.flush(&target).await {
            Ok(flushed) => ("OK", format!("dropped {flushed}")),
            Err(fault) => refusal(&fault),
        },
        Err(fault) => refusal(&fault),
    }
}
