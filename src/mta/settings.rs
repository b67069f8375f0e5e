//! Where the sockets are, and what the tables do.

use std::path::PathBuf;
use std::time::Duration;

/// What mail transfer agents may ask; nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MtaSettings {
    /// The socket of the SASL service, if there is one.
    pub sasl: Option<SocketSettings>,
    /// The socket of the tables, if there is one.
    pub socketmap: Option<SocketmapSettings>,
}

/// A Unix socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketSettings {
    /// The path of its file.
    pub path: PathBuf,
    /// The permission bits of its file, such as 0660; write permission allows connecting.
    pub mode: u32,
}

/// The tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketmapSettings {
    /// Where they are asked.
    pub socket: SocketSettings,
    /// The characters that separate a name from its extension in the local part of an address; none if there are no
    /// extensions.
    pub recipient_delimiter: String,
    /// How long after a POP3 login its address may send mail without a login of its own; zero: never.
    pub pop_before_smtp: Duration,
}

impl MtaSettings {
    /// How long after a POP3 login its address may send mail without a login of its own; zero: never.
    #[must_use]
    pub fn pop_before_smtp(&self) -> Duration {
        self.socketmap.as_ref().map_or(Duration::ZERO, |tables| tables.pop_before_smtp)
    }
}
