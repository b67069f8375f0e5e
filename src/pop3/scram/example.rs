//! For tests: the example of RFC 7677 §3 (user `user`, password `pencil`), and a session that offers SCRAM.

use super::ChannelBinding;
use crate::pop3::{Access, Bounds, Expire, Language, Session};

pub(crate) const FIRST: &str = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
pub(crate) const NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
pub(crate) const SALT: &str = "W22ZaJ0SNY7soEsUEjb6gQ==";
pub(crate) const LAST: &str =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
pub(crate) const SIGNATURE: &str = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

/// What a client may do under TLS, where TLS 1.3 gives its connection a channel binding.
pub(crate) fn access(channel_binding: Option<ChannelBinding>) -> Access {
    Access {
        stls: false,
        passwords: true,
        external: false,
        tokens: false,
        scram: true,
        channel_binding,
        elsewhere: crate::pop3::Elsewhere::Never,
        expire: Expire::Never,
    }
}

pub(crate) fn session_with(access: Access) -> Session {
    Session::new(access, Bounds { wrong_commands: 20, refused_logins: 3, command_line: 1024 }, Language::English)
}

pub(crate) fn session(channel_binding: Option<ChannelBinding>) -> Session {
    session_with(access(channel_binding))
}
