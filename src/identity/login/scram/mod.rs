//! SCRAM logins: a challenge made from what a person's entry holds, and a proof compared with it. No password comes
//! here, and no bind is made.
//!
//! The entry's SCRAM credentials are read anew for each challenge and never kept, so a changed password works at once
//! and an old one no more. Without an answer of the directory there is no challenge, for nobody: one for the few who
//! logged in lately would show who they are.
//!
//! Names without credentials get a challenge like any other: the same salt each time, made from the name under a key of
//! the server. They are refused once the proof has come. A network that is locked out gets such a challenge for every
//! name, and no directory is asked.

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
