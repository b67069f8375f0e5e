//! SASL outside a POP3 session: whoever carries the messages, such as a mail transfer agent, uses the same mechanisms.

use super::bearer::BearerForm;
use super::sasl::{Exchange, Progress};
use super::{Credentials, Line, TokenCredentials};

/// A SASL exchange in which a client sends a password or a token.
pub struct SaslDialogue(Exchange);

/// The state of an exchange after a response.
pub enum SaslStep {
    /// The challenge to send, in base64.
    Challenge(SaslDialogue, &'static str),
    /// A login name and a password.
    Password(Credentials),
    /// A bearer token.
    Token(TokenCredentials),
    /// Not base64, not the mechanism's form, or cancelled by the client.
    Malformed,
}

impl SaslDialogue {
    /// The exchange of a mechanism, with the challenge that asks for its first response; none for a mechanism other than
    /// PLAIN, LOGIN and, if tokens are accepted, OAUTHBEARER and XOAUTH2.
    #[must_use]
    pub fn begin(mechanism: &str, takes_tokens: bool) -> Option<(Self, &'static str)> {
        let (exchange, challenge) = match mechanism {
            "PLAIN" => (Exchange::Plain, ""),
            // "Username:"
            "LOGIN" => (Exchange::LoginName, "VXNlcm5hbWU6"),
            "OAUTHBEARER" if takes_tokens => (Exchange::Token(BearerForm::OauthBearer), ""),
            "XOAUTH2" if takes_tokens => (Exchange::Token(BearerForm::Xoauth2), ""),
            _ => return None,
        };
        Some((Self(exchange), challenge))
    }

    /// Takes the initial response, in base64; a single `=` is an empty one.
    #[must_use]
    pub fn initial(self, response: &Line) -> SaslStep {
        self.0.initial(response).into()
    }

    /// Takes a response, in base64.
    #[must_use]
    pub fn respond(self, response: &Line) -> SaslStep {
        self.0.respond(response).into()
    }
}

impl From<Progress> for SaslStep {
    fn from(progress: Progress) -> Self {
        match progress {
            Progress::Challenge(exchange, challenge) => Self::Challenge(SaslDialogue(exchange), challenge),
            Progress::Done(credentials) => Self::Password(credentials),
            Progress::Token(credentials) => Self::Token(credentials),
            Progress::External(_)
            | Progress::Scram(_)
            | Progress::Cancelled
            | Progress::GivenUp
            | Progress::Malformed => Self::Malformed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line::new(text.as_bytes().to_vec())
    }

    #[test]
    fn plain_and_login_lead_to_credentials() {
        let (plain, challenge) = SaslDialogue::begin("PLAIN", false).unwrap();
        assert_eq!(challenge, "");
        let SaslStep::Password(credentials) = plain.initial(&line("AGFkYQBwYXNzLWFkYQ==")) else { panic!() };
        assert_eq!((&*credentials.login, credentials.password.unwrap().expose()), (&b"ada"[..], "pass-ada"));
        let (login, _) = SaslDialogue::begin("LOGIN", false).unwrap();
        let SaslStep::Challenge(login, challenge) = login.respond(&line("YWRh")) else { panic!() };
        assert_eq!(challenge, "UGFzc3dvcmQ6");
        let SaslStep::Password(credentials) = login.respond(&line("cGFzcy1hZGE=")) else { panic!() };
        assert_eq!((&*credentials.login, credentials.password.unwrap().expose()), (&b"ada"[..], "pass-ada"));
    }

    #[test]
    fn malformed_responses_and_other_mechanisms_lead_nowhere() {
        for response in ["a!b", "*", "=", "YWRh"] {
            let (plain, _) = SaslDialogue::begin("PLAIN", false).unwrap();
            assert!(matches!(plain.initial(&line(response)), SaslStep::Malformed), "{response}");
        }
        for mechanism in ["EXTERNAL", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER", "plain", ""] {
            assert!(SaslDialogue::begin(mechanism, false).is_none(), "{mechanism}");
        }
        assert!(SaslDialogue::begin("XOAUTH2", true).is_some());
    }
}
