//! The POP3 protocol without a socket, a file or a clock.
//!
//! [`Session`] takes one [`Event`] and answers with exactly one [`Action`]; whoever drives it does the reading, the
//! waiting and the sending. All of RFC 1939 except APOP (which needs clear-text passwords in the directory), CAPA and
//! response codes (RFC 2449, 3206), STLS (RFC 2595, 8314), SASL PLAIN, LOGIN, EXTERNAL and SCRAM (RFC 5034), OAUTHBEARER
//! (RFC 7628) and XOAUTH2, UTF8 and LANG (RFC 6856).
//!
//! | file | rule |
//! |---|---|
//! | `session` | **the state machine: events in, actions out** |
//! | `authorization`, `transaction` | the two states in which a client sends commands (RFC 1939 §4, §5) |
//! | `line`, `command` | lines are cut from the input; commands are parsed |
//! | `sasl`, `scram`, `bearer` | the messages of SASL; **a new mechanism begins in `sasl`** |
//! | `dialogue` | the same messages outside a session, for mail transfer agents |
//! | `credentials`, `capabilities` | what a client sends to log in; what it is offered |
//! | `reply`, `reply_style`, `text` | the form of replies, their language, their words |
//! | `listing`, `message_number` | the messages of one session, and which are marked as deleted |
//! | `multiline` | **line ends and byte-stuffing: the rule by which octets are counted and sent** |
//! | `surrogate` | messages with 8-bit headers, wrapped (RFC 6856) |

mod authorization;
mod bearer;
mod capabilities;
mod command;
mod credentials;
mod dialogue;
mod line;
mod listing;
mod message_number;
mod multiline;
mod reply;
mod reply_style;
mod sasl;
mod scram;
mod session;
mod surrogate;
mod text;
mod transaction;

pub use capabilities::{Access, Elsewhere, Expire};
pub use credentials::{Credentials, Mechanism, TokenCredentials};
pub use dialogue::{SaslDialogue, SaslStep};
pub use line::{Input, Line, Lines};
pub use listing::{Listed, Listing, Messages, UniqueId};
pub use message_number::MessageNumber;
pub use multiline::{Multiline, Octets, Part};
pub use reply::Reply;
#[cfg(test)]
pub(crate) use scram::example as scram_example;
pub use scram::{ChannelBinding, ScramChallenge, ScramFault, ScramLogin, ScramProof};
pub use session::{
    Action, Bounds, Event, InClear, LoginVerdict, NotOpened, NotTransmitted, Session, SessionEnd, Transmission,
};
pub use surrogate::{Wrapping, has_whole_header, surrogate_header, surrogate_octets};
pub use text::Language;
