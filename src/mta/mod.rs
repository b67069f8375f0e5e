//! What mail transfer agents ask, over Unix sockets: the same names, passwords, lock-outs and Maildirs for sending and
//! delivering mail as for fetching it.
//!
//! | room | what it is for |
//! |---|---|
//! | `settings` | where the sockets are |
//! | `listener` | a socket, bound or handed over, and its connections |
//! | `account_name` | what a mail transfer agent calls a person |
//! | `sasl` | the SASL service, in Dovecot's authentication protocol: whether a name and a password are somebody's |
//! | `socketmap` | Postfix's socketmap tables: who has an address, where mail for it belongs, who may send as it |
//!
//! Nothing here decides who somebody is: that is `identity`, by the same functions as for POP3. While a directory is
//! silent, every answer that depends on it is a temporary failure, so that no mail bounces.

mod account_name;
mod listener;
mod sasl;
mod settings;
mod socketmap;

pub use sasl::SaslService;
pub use settings::{MtaSettings, SocketSettings, SocketmapSettings};
pub use socketmap::Socketmap;
