//! Whoever guesses passwords is refused for a while, whatever they send.
//!
//! Each login takes a [`Ticket`]: [`LoginThrottle::begin`] when the credentials arrive, [`Ticket::reserve`] before a
//! directory is asked about a person's password, [`Ticket::finish`] with the outcome of the whole login, which says by
//! how many steps a refusal is delayed.
//!
//! Five tables count, each alike. *People*: wrong passwords of somebody, by whatever name they were typed. *Familiar
//! networks*: the same, from a network that this person logged in from lately, so that a lock-out made elsewhere does
//! not reach them there. *Names*: every refusal, by the name as typed, whether it leads to somebody or not. *Networks*:
//! every refusal, by where it comes from. *People of one name*: where the password is tried on each of several people,
//! the wrong ones of all of them together, since one's right password is wrong for the others.
//!
//! A client sees how late it is refused. That depends on *names* and *networks* alone: on what was sent, never on what
//! the directory has. Whether a person is locked out, or could be, is visible to nobody without a right password.
//!
//! | file | rule |
//! |---|---|
//! | `login_throttle` | the tables; a lock-out is logged once they are free again |
//! | `ticket` | what each outcome counts, and in which counters |
//! | `lock_outs` | the lock-outs under way, and what the log says about them |
//! | `familiar` | the networks that a person logged in from lately |
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
