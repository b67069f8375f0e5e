//! What real directory servers say, word for word: the ground that verdicts stand on.

mod ds389;
mod every;
mod samba;
mod slapd;
