//! The SASL service, in the protocol in which Dovecot answers mail transfer agents: `smtpd_sasl_type = dovecot` of Postfix,
//! `driver = dovecot` of Exim.
//!
//! In go lines with SASL messages and the address of the mail transfer agent's own client; out come verdicts, by the
//! same rules as for POP3.
//!
//! | file | rule |
//! |---|---|
//! | `request`, `reply` | the lines of both sides |
//! | `lines` | lines are cut from the input, and are bounded |
//! | `exchanges` | logins that wait for a further response, bounded as well |
//! | `conversation` | **one connection: what is answered, and when it is closed** |
//! | `judgement` | one login: whose it is, when a refusal is sent |

mod conversation;
mod exchanges;
mod judgement;
mod lines;
mod reply;
mod request;

use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::listener::MtaListener;
use super::settings::SocketSettings;
use crate::connection::Service;
use crate::current::Current;

/// The bound SASL service.
#[derive(Debug)]
pub struct SaslService {
    listener: MtaListener,
    connections: AtomicU64,
}

impl SaslService {
    /// Creates the socket's file, unless the socket was handed over. No runtime is needed.
    ///
    /// # Errors
    /// A sentence: another service is listening there, the path is not a socket, or the file cannot be created.
    pub fn bind(settings: &SocketSettings, handed_over: Option<UnixListener>) -> Result<Self, String> {
        let listener = MtaListener::bind("sasl_service.socket", settings, handed_over)?;
        Ok(Self { listener, connections: AtomicU64::default() })
    }

    /// Judges logins by the service in force when they arrive, for as long as it is polled; returns only if the runtime
    /// cannot register the socket.
    pub async fn serve(&self, service: Arc<Current<Service>>) {
        let serve = |client| {
            let number = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
            conversation::serve(client, service.clone(), number)
        };
        if let Err(fault) = self.listener.serve(serve).await {
            tracing::error!(name: "sasl_not_served", reason = fault.to_string(), "the SASL service judges no logins");
        }
    }
}
