//! What came of a login.

pub(super) mod outcome;
pub(super) mod trace;
