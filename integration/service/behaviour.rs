//! How the service behaves as a whole: what it bounds, how it ends, what it may, what it writes down.

mod confinement;
mod ending;
mod fail2ban;
mod journal;
mod limits;
mod log;
mod rights;
mod secrets;
mod service_manager;
use crate::support::conversation::Conversation;
use crate::support::stage::Stage;

/// More than the socket buffers of both ends hold.
fn big() -> Vec<u8> {
    let line = format!("{}\n", "x".repeat(62));
    format!("Subject: big\n\n{}", line.repeat(250_000)).into_bytes()
}

/// A download that has begun and cannot end before the client reads on.
fn downloading(stage: &Stage) -> Conversation {
    let mut client = stage.session();
    client.ask("RETR 1", "+OK 16000");
    client
}
