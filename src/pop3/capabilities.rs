//! What is allowed on this connection now (RFC 2449).

use std::fmt;

use super::ChannelBinding;
use super::reply::Reply;
use super::reply_style::ReplyStyle;
use super::text::Text;

/// What a port's policy allows at this moment.
#[allow(clippy::struct_excessive_bools, reason = "each is a right of its own that the port grants")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// STLS may be sent: the port offers it and TLS has not begun.
    pub stls: bool,
    /// A password may be sent: under TLS, or in clear where the port's policy allows it.
    pub passwords: bool,
    /// The client's certificate is enough to log in: SASL EXTERNAL may be used.
    pub external: bool,
    /// There may be people with SCRAM credentials; it is offered where a password may be sent.
    pub scram: bool,
    /// The channel binding, where the TLS connection has one: then SCRAM is offered with it as well.
    pub channel_binding: Option<ChannelBinding>,
    /// Tokens are accepted; they may be sent where a password may.
    pub tokens: bool,
    /// How long mail stays on the server.
    pub expire: Expire,
    /// What other hosts keep of the capabilities, if sessions are passed on.
    pub elsewhere: Elsewhere,
}

/// Whether sessions may be passed on to other hosts after the login, and which logins those accept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Elsewhere {
    /// None is passed on.
    #[default]
    Never,
    /// Some are, whatever the mechanism of the login.
    ByAnyLogin,
    /// Some are, but only after logins with a password.
    ByPassword,
}

/// The minimum time that mail stays on the server (RFC 2449 §6.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expire {
    /// "EXPIRE NEVER asserts that the server will not delete messages", that is, those that a client leaves.
    #[default]
    Never,
    /// This many days.
    Days(u64),
    /// This many days, and more for some people, who see their own time after the login: "The server SHOULD append the
    /// token "USER" to the EXPIRE parameter in AUTHORIZATION state".
    DaysByUser(u64),
}

/// The mechanisms that carry a password.
const PASSWORD_MECHANISMS: [&str; 2] = ["PLAIN", "LOGIN"];

/// The mechanisms that carry a token.
const TOKEN_MECHANISMS: [&str; 2] = ["OAUTHBEARER", "XOAUTH2"];

impl Access {
    /// "The POP3 CAPA command returns a list of capabilities supported by the POP3 server." (RFC 2449 §5)
    pub(super) fn capabilities(self, style: ReplyStyle, logged_in: bool) -> Reply {
        let mut lines = vec!["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING"];
        let is_ours = logged_in || self.elsewhere == Elsewhere::Never;
        let expire = self.expire.to_string();
        // What other hosts do with mail that is left there is not known here.
        if is_ours {
            lines.push(&expire);
        }
        let promised = self.promised(logged_in);
        let sasl = promised.offered().fold("SASL".to_owned(), |line, mechanism| line + " " + mechanism);
        if self.passwords {
            lines.push("USER");
        }
        if self.passwords || promised.external {
            lines.push(&sasl);
        }
        // "The capability name "STLS" indicates this command is present and permitted in the current state."
        // (RFC 2595 §4)
        if self.stls && !logged_in {
            lines.push("STLS");
        }
        // "If the USER argument is included with this capability, it indicates that the server accepts UTF-8 usernames and
        // passwords." (RFC 6856 §2.2)
        // Neither is passed on.
        if is_ours {
            lines.extend(["UTF8 USER", "LANG"]);
        }
        lines.push("IMPLEMENTATION Restante");
        style.multi(Text::CapabilitiesFollow, lines)
    }

    /// What is promised of it: before a login, no mechanism by which nobody whose session is passed on can log in.
    fn promised(self, logged_in: bool) -> Self {
        if logged_in || self.elsewhere != Elsewhere::ByPassword {
            return self;
        }
        Self { scram: false, external: false, tokens: false, ..self }
    }

    /// AUTH without argument lists the mechanisms, as old clients ask for them.
    pub(super) fn mechanisms(self, style: ReplyStyle) -> Reply {
        style.multi(Text::MechanismsFollow, self.promised(false).offered())
    }

    /// Whether SCRAM with channel binding is offered, where passwords may be sent.
    pub(super) fn scram_plus(self) -> bool {
        self.scram && self.channel_binding.is_some()
    }

    fn offered(self) -> impl Iterator<Item = &'static str> {
        let with_password = PASSWORD_MECHANISMS.into_iter().filter(move |_| self.passwords);
        let scram = [("SCRAM-SHA-256", self.scram), ("SCRAM-SHA-256-PLUS", self.scram_plus())];
        let scram = scram.into_iter().filter_map(move |(name, holds)| (holds && self.passwords).then_some(name));
        let with_token = TOKEN_MECHANISMS.into_iter().filter(move |_| self.passwords && self.tokens);
        with_password.chain(scram).chain(self.external.then_some("EXTERNAL")).chain(with_token)
    }
}

impl Expire {
    /// This many days, or never.
    #[must_use]
    pub fn after(days: Option<u64>) -> Self {
        days.map_or(Self::Never, Self::Days)
    }
}

impl fmt::Display for Expire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("EXPIRE NEVER"),
            Self::Days(days) => write!(f, "EXPIRE {days}"),
            Self::DaysByUser(days) => write!(f, "EXPIRE {days} USER"),
        }
    }
}
