//! Tables for Postfix, in its socketmap protocol (`socketmap_table(5)`); Exim reads them by `${readsocket}`.
//!
//! In go a table's name and a key, such as an address; out comes what the directory says now. Postfix takes "not found"
//! as a reason to bounce mail: while a directory is silent, the answer is "temporary failure" instead.
//!
//! | file | rule |
//! |---|---|
//! | `netstring` | requests are cut from the input, and are bounded |
//! | `address` | which addresses a key stands for: quotes, extensions |
//! | `reply` | the answers, and how each is written |
//! | `tables` | **the tables, and what each answers** |
//! | `delivery` | where mail for a person belongs |

mod address;
mod delivery;
mod netstring;
mod reply;
mod tables;

use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::time::timeout;

use self::netstring::{Netstrings, framed};
use self::tables::Tables;
use super::listener::MtaListener;
use super::settings::SocketmapSettings;
use crate::connection::Service;
use crate::current::Current;

/// How long a client may be silent between two requests. Postfix itself closes a connection after 10 s.
const IDLE: Duration = Duration::from_secs(5 * 60);

/// How long a client may take to read an answer.
const SLOWEST: Duration = Duration::from_secs(10);

/// The bound socket of the tables.
#[derive(Debug)]
pub struct Socketmap {
    listener: MtaListener,
    settings: SocketmapSettings,
}

impl Socketmap {
    /// Creates the socket's file, unless the socket was handed over. No runtime is needed.
    ///
    /// # Errors
    /// A sentence: another service is listening there, the path is not a socket, or the file cannot be created.
    pub fn bind(settings: &SocketmapSettings, handed_over: Option<UnixListener>) -> Result<Self, String> {
        let listener = MtaListener::bind("socketmap.socket", &settings.socket, handed_over)?;
        Ok(Self { listener, settings: settings.clone() })
    }

    /// Answers look-ups by the service in force when they arrive, for as long as it is polled; returns only if the runtime
    /// cannot register the socket.
    pub async fn serve(&self, service: Arc<Current<Service>>) {
        let tables = Arc::new(Tables::new(service, &self.settings));
        if let Err(fault) = self.listener.serve(|client| answer(client, tables.clone())).await {
            tracing::error!(name: "socketmap_not_served", reason = fault.to_string(), "the socketmap answers no look-ups");
        }
    }
}

/// Answers requests, one after the other, until the client closes the connection, is silent for too long, or sends
/// what is no request.
async fn answer(mut client: UnixStream, tables: Arc<Tables>) {
    let (input, mut output) = client.split();
    let mut requests = Netstrings::new(input);
    while let Ok(Ok(Some(request))) = timeout(IDLE, requests.next()).await {
        let reply = framed(&tables.answer(&request).await.to_string());
        match timeout(SLOWEST, output.write_all(reply.as_bytes())).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
}
