//! SASL in POP3 (RFC 5034): PLAIN (RFC 4616), LOGIN, EXTERNAL (RFC 4422 appendix A), and SCRAM and tokens, which have files
//! of their own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::bearer::{self, BearerForm};
use super::{Access, Credentials, Line, Mechanism, TokenCredentials, scram};
use crate::secret::Password;

/// An exchange that waits for the client's next response.
pub(super) enum Exchange {
    Plain,
    LoginName,
    LoginPassword { login: Vec<u8> },
    External,
    Scram(scram::AwaitedMessage),
    Token(BearerForm),
}

/// The state of an exchange after a response.
pub(super) enum Progress {
    /// The challenge to send, in base64.
    Challenge(Exchange, &'static str),
    Done(Credentials),
    /// EXTERNAL, with the authorization identity; none where it is empty.
    External(Vec<u8>),
    Scram(scram::ScramProgress),
    Token(TokenCredentials),
    /// A line with a single `*` cancels the exchange, and is answered with `-ERR` (RFC 5034 §4).
    Cancelled,
    /// The same, after a challenge for which the directory was asked.
    GivenUp,
    /// Not base64, or not the mechanism's form.
    Malformed,
}

impl Exchange {
    /// The exchange of a mechanism, with the challenge that asks for its first response.
    pub(super) fn begin(mechanism: &str, access: Access) -> Option<(Self, &'static str)> {
        let scram =
            |mechanism| Some((Self::Scram(scram::AwaitedMessage::First(mechanism, access.channel_binding)), ""));
        match mechanism {
            "PLAIN" => Some((Self::Plain, "")),
            // "Username:"
            "LOGIN" => Some((Self::LoginName, "VXNlcm5hbWU6")),
            "EXTERNAL" => Some((Self::External, "")),
            "SCRAM-SHA-256" if access.scram => scram(Mechanism::ScramSha256),
            "SCRAM-SHA-256-PLUS" if access.scram_plus() => scram(Mechanism::ScramSha256Plus),
            "OAUTHBEARER" => Some((Self::Token(BearerForm::OauthBearer), "")),
            "XOAUTH2" => Some((Self::Token(BearerForm::Xoauth2), "")),
            _ => None,
        }
    }

    /// Whether it carries a password or a token, which not every connection may; or something from which an
    /// eavesdropper can guess a weak password (RFC 5802 §9).
    pub(super) fn carries_password(&self) -> bool {
        !matches!(self, Self::External)
    }

    /// Its mechanism.
    pub(super) fn mechanism(&self) -> Mechanism {
        match self {
            Self::Plain => Mechanism::Plain,
            Self::LoginName | Self::LoginPassword { .. } => Mechanism::Login,
            Self::External => Mechanism::External,
            Self::Scram(exchange) => exchange.mechanism(),
            Self::Token(BearerForm::OauthBearer) => Mechanism::OauthBearer,
            Self::Token(BearerForm::Xoauth2) => Mechanism::Xoauth2,
        }
    }

    /// Whether it carries a token.
    pub(super) fn carries_token(&self) -> bool {
        matches!(self, Self::Token(_))
    }

    /// Takes the response that came with the command; a single `=` is an empty response (RFC 5034 §4).
    pub(super) fn initial(self, response: &Line) -> Progress {
        if response.as_slice() == b"=" { self.decoded(&[]) } else { self.respond(response) }
    }

    /// Takes a response.
    pub(super) fn respond(self, response: &Line) -> Progress {
        if response.as_slice() == b"*" {
            let is_challenged = matches!(&self, Self::Scram(exchange) if exchange.is_challenged());
            return if is_challenged { Progress::GivenUp } else { Progress::Cancelled };
        }
        match STANDARD.decode(response.as_slice()) {
            Ok(octets) => self.decoded(&Zeroizing::new(octets)),
            Err(_) => Progress::Malformed,
        }
    }

    fn decoded(self, octets: &[u8]) -> Progress {
        match self {
            Self::Plain => plain(octets).map_or(Progress::Malformed, Progress::Done),
            // "Password:"
            Self::LoginName => Progress::Challenge(Self::LoginPassword { login: octets.to_vec() }, "UGFzc3dvcmQ6"),
            Self::External => Progress::External(octets.to_vec()),
            Self::Scram(exchange) => exchange.take(octets).map_or(Progress::Malformed, Progress::Scram),
            Self::Token(form) => bearer::read(form, octets).map_or(Progress::Malformed, Progress::Token),
            Self::LoginPassword { login } => {
                let password = Password::new(octets.to_vec());
                Progress::Done(Credentials { login, authorization: Vec::new(), password, mechanism: Mechanism::Login })
            }
        }
    }
}

/// `message = [authzid] UTF8NUL authcid UTF8NUL passwd` (RFC 4616 §2). Nobody may act for somebody else; `identity`
/// decides whether both names are the same person's.
fn plain(message: &[u8]) -> Option<Credentials> {
    let mut parts = message.splitn(3, |octet| *octet == 0);
    let [authorization, login] = [parts.next()?.to_vec(), parts.next()?.to_vec()];
    let password = Password::new(parts.next()?.to_vec());
    Some(Credentials { login, authorization, password, mechanism: Mechanism::Plain })
}
