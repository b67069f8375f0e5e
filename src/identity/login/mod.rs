//! The ways to log in.

pub(super) mod account_status;
pub(super) mod authorization;
pub(super) mod bind;
pub(super) mod certificate;
pub(super) mod namesakes;
pub(super) mod outage;
pub(super) mod password;
pub(super) mod resolve;
pub(super) mod scram;
pub(super) mod second_factor;
pub(super) mod token;
