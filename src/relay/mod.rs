//! The relay: people whose mail another host holds are passed on to its POP3 service.
//!
//! In go the host and the user name that a person's entry says, and what is needed to log in there; out comes a stream that
//! is logged in, or the reason why there is none. Then octets flow both ways, and nothing is parsed but what is counted.
//!
//! | file | rule |
//! |---|---|
//! | `settings` | which hosts may be connected to, and how |
//! | `hosts` | **which host a person's entry means; only listed ones are ever connected to** |
//! | `user_name` | which names may be sent to a host |
//! | `back_ends` | limits of each host, and whether one that failed is tried again: `back_off` |
//! | `connect`, `proxy_header` | TCP, the PROXY header, TLS, the greeting |
//! | `login` | the four ways to log in; XCLIENT |
//! | `stream`, `dialogue` | the connection to a host; lines out, replies in |
//! | `fault` | why there is no session |
//! | `pass_on`, `traffic` | octets both ways until one side ends; what is counted |

mod back_ends;
mod back_off;
mod connect;
mod dialogue;
mod fault;
mod hosts;
mod login;
mod pass_on;
mod proxy_header;
mod settings;
mod stream;
mod traffic;
mod user_name;

pub use back_ends::{BackEndHealth, BackEnds, HostSlot, RelayedClient, RelayedSession};
pub use fault::{RefusalCode, RelayFault};
pub use hosts::{HostChoice, RelayTarget};
pub use pass_on::{PassOnLimits, RelayEnd, pass_on};
pub use proxy_header::RELAYED_FIELD;
pub use settings::{BackEndLogin, BackEndTls, ClientAddress, HostLimits, HostPattern, HostSettings, Settings};
pub use stream::HostStream;
pub use traffic::Traffic;
pub use user_name::{SEPARATOR, UserNameFault, check_user_name};
