//! SCRAM logins: a challenge is made from the credentials in a person's entry, and a proof is compared with them. No
//! password is sent, and no bind is made.
//!
//! The entry's SCRAM credentials are read for each challenge and never cached, so a new password works at once, and an
//! old one stops working. Without an answer of the directory nobody gets a challenge: challenges for the few who logged
//! in recently would show who they are.
//!
//! Names without credentials get a challenge like any other: the same salt each time, made from the name under a key of
//! the server. They are refused once the proof has arrived. A network that is locked out gets such a challenge for
//! every name, and no directory is asked.

mod answer;
mod challenge;
mod keys;
#[cfg(test)]
mod tests;

pub(crate) use answer::ScramAnswerLogin;
pub(crate) use challenge::ScramChallenger;
pub use challenge::ScramExchange;
pub(crate) use keys::DecoyCredentials;

/// What the server signs to show that it knows the credentials (`ServerSignature`, RFC 5802 §3).
pub type ServerSignature = [u8; 32];
