//! Lock-outs: whoever guesses passwords is refused for a while, whatever they send.
//!
//! Each login takes a [`Ticket`]: [`LoginThrottle::begin`] when the credentials arrive, [`Ticket::reserve`] before a
//! directory is asked about a person's password, [`Ticket::finish`] with the outcome of the whole login; it adds the
//! delay of a refusal.
//!
//! There are five tables of counters. *People*: wrong passwords for a person, whatever form of the name was typed.
//! *Familiar networks*: the same from a network from which this person logged in recently, so that a lock-out caused
//! elsewhere does not affect them there. *Names*: every refusal, by the name as typed, whether anybody has it or not.
//! *Networks*: every refusal, by the client's network. *People of one name*: if the password is tried for each of
//! several people, those that are wrong for all of them, since the right password of one is wrong for the others.
//!
//! A client can measure the delay of a refusal. It depends on *names* and *networks* alone: on what was sent, never on
//! what the directory knows. Nobody without a right password can see whether a person is locked out, or could be.
//!
//! | file | rule |
//! |---|---|
//! | `login_throttle` | the tables; a lock-out is logged after they were unlocked |
//! | `ticket` | which outcome counts, and in which counters |
//! | `lock_outs` | the current lock-outs, and what the log says about them |
//! | `familiar` | the networks from which a person logged in recently |
//! | `tags` | names and passwords are counted as keyed hashes |

mod familiar;
mod lock_outs;
mod login_throttle;
mod tags;
mod ticket;

use std::net::IpAddr;

pub(crate) use login_throttle::LoginThrottle;
pub(crate) use ticket::Ticket;

/// Whose counters are reset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResetScope {
    /// A person, by their canonical name; or an unknown name, as it was typed. Case does not matter.
    Person(String),
    /// The network of an address.
    Network(IpAddr),
    /// Everybody.
    All,
}
