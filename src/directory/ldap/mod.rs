//! LDAP on the wire: connections, their servers, searches and binds.
//!
//! In goes a [`Question`] or a DN with a password; out comes what was found, or a verdict, or a
//! [`crate::directory::Fault`]. Every step has a time limit.
//!
//! | file | rule |
//! |---|---|
//! | `connect` | one connection: addresses, TLS, keep-alive of the kernel |
//! | `servers` | which server is asked, which are down, when they are tried again |
//! | `shared` | the one connection of all searches |
//! | `apart` | a request that was begun is finished, and a panic of the LDAP library ends that request alone |
//! | `failover` | **try, try once more on a fresh connection, move on to the next server** |
//! | `question` | what a search asks, and what the result code at its end means |
//! | `search` | searches over the shared connection; one that is late while others are answered |
//! | `operation` | one search on one connection, abandoned when it is late |
//! | `bind` | the pool of connections for binds as people |
//! | `late` | whether a server that is late with one bind is down |
//! | `verdict`, `password_policy` | what the answer to a bind means |
//! | `presented` | the certificate chain that a server presents, before anything is trusted |
//! | `trust`, `tls_fault` | which authorities are trusted; why TLS failed |

mod apart;
mod bind;
mod connect;
mod failover;
mod late;
mod operation;
mod password_policy;
mod presented;
mod question;
mod search;
mod servers;
mod shared;
mod tls_fault;
mod trust;
mod verdict;

pub use self::presented::{Distrust, PresentedChain};
pub use self::trust::{system_authorities, trust, trust_showing};
pub use self::verdict::Verdict;

pub(crate) use self::apart::apart;
pub(crate) use self::bind::Binder;
pub(crate) use self::connect::Connection;
pub(crate) use self::failover::Discarded;
pub(crate) use self::late::sign_of_life;
pub(crate) use self::presented::presented;
pub(crate) use self::question::{NAMESAKES, Question, attributes, equality};
pub(crate) use self::search::Searcher;
pub(crate) use self::servers::{Purpose, Servers};
