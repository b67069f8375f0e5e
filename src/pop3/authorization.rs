//! The AUTHORIZATION state (RFC 1939 §4): before a login.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::command::{Auth, Command, Misread};
use super::reply;
use super::reply_style::{Code, ReplyStyle};
use super::sasl::{Exchange, Progress};
use super::session::{Action, InClear, LoginVerdict, NotOpened, SessionEnd, SessionState, Transition};
use super::text::Text;
use super::{Access, Credentials, Line, Mechanism, ScramChallenge, scram};
use crate::secret::Password;

/// Nobody is logged in yet.
pub(super) struct Authorization {
    access: Access,
    style: ReplyStyle,
    refusals_left: u32,
    /// The argument of the preceding USER command.
    user: Option<Vec<u8>>,
}

/// Credentials are being checked, or the person's maildrop is being opened.
pub(super) struct Verifying(Authorization);

impl Authorization {
    pub(super) fn new(access: Access, style: ReplyStyle, refusals_left: u32) -> Self {
        Self { access, style, refusals_left, user: None }
    }

    pub(super) fn command(mut self, line: &Line) -> Transition {
        // PASS "may only be given in the AUTHORIZATION state immediately after a successful USER command" (RFC 1939 §7).
        let user = self.user.take();
        match Command::parse(line) {
            Ok(Command::User(name)) => self.user(name),
            Ok(Command::Pass(password)) => self.pass(user, &password),
            Ok(Command::Auth(None)) => {
                let reply = self.access.mechanisms(self.style);
                Transition::reply(SessionState::Authorization(self), reply)
            }
            Ok(Command::Auth(Some(auth))) => self.auth(auth),
            Ok(Command::Stls) => self.stls(),
            Ok(Command::Capa) => {
                let reply = self.access.capabilities(self.style, false);
                Transition::reply(SessionState::Authorization(self), reply)
            }
            Ok(Command::Quit) => {
                Transition::right(SessionState::Ended, Action::Close(self.style.ok(Text::Bye), SessionEnd::Quit))
            }
            Ok(Command::Lang(range)) => {
                let reply = self.style.lang(range.as_deref());
                Transition::reply(SessionState::Authorization(self), reply)
            }
            Ok(Command::Utf8) => self.utf8(),
            Ok(_) => self.wrong(Text::LogInFirst),
            Err(Misread::Usage(usage)) => self.wrong(Text::Usage(usage)),
            Err(Misread::Unknown) => self.wrong(Text::UnknownCommand),
        }
    }

    fn wrong(self, text: Text) -> Transition {
        let reply = self.style.err(text);
        Transition::wrong(SessionState::Authorization(self), reply)
    }

    fn reply(self, reply: reply::Reply) -> Transition {
        Transition::reply(SessionState::Authorization(self), reply)
    }

    pub(super) fn too_long(self) -> Transition {
        self.wrong(Text::LineTooLong)
    }

    pub(super) fn style(&self) -> ReplyStyle {
        self.style
    }

    /// "The "UTF8" command enables UTF-8 mode." (RFC 6856 §2.1)
    fn utf8(mut self) -> Transition {
        self.style.utf8 = true;
        let reply = self.style.ok(Text::Utf8Accepted);
        self.reply(reply)
    }

    /// USER always gets `+OK`: "… the server may return a positive response even though no such mailbox exists"
    /// (RFC 1939 §7).
    fn user(mut self, name: Vec<u8>) -> Transition {
        if !self.access.passwords {
            return self.no_password_here(Some(name), Mechanism::User);
        }
        self.user = Some(name);
        let reply = self.style.ok(Text::SendPass);
        self.reply(reply)
    }

    fn pass(self, user: Option<Vec<u8>>, password: &Line) -> Transition {
        if !self.access.passwords {
            return self.no_password_here(user, Mechanism::User);
        }
        let Some(login) = user else {
            return self.wrong(Text::SendUserFirst);
        };
        let password = Password::new(password.to_vec());
        self.verify(Credentials { login, authorization: Vec::new(), password, mechanism: Mechanism::User })
    }

    fn auth(self, auth: Auth) -> Transition {
        let Some((exchange, challenge)) = Exchange::begin(&auth.mechanism, self.access) else {
            return self.wrong(Text::UnknownMechanism);
        };
        if exchange.carries_token() && !self.access.tokens {
            return self.wrong(Text::NoTokensHere);
        }
        if exchange.carries_token() && !self.access.passwords {
            return self.no_token_here(exchange.mechanism());
        }
        if exchange.carries_password() && !self.access.passwords {
            let mechanism = exchange.mechanism();
            return self.no_password_here(None, mechanism);
        }
        if !exchange.carries_password() && !self.access.external {
            return self.wrong(Text::ExternalWantsCertificate);
        }
        match auth.initial_response {
            Some(response) => self.progress(exchange.initial(&response)),
            None => self.progress(Progress::Challenge(exchange, challenge)),
        }
    }

    /// Continues a SASL exchange.
    pub(super) fn progress(self, progress: Progress) -> Transition {
        match progress {
            Progress::Challenge(exchange, challenge) => {
                Transition::reply(SessionState::Exchange(self, exchange), reply::challenge(challenge))
            }
            Progress::Done(credentials) => self.verify(credentials),
            Progress::External(authorization) => Transition::right(self.verifying(), Action::External(authorization)),
            Progress::Scram(progress) => self.scram(progress),
            Progress::Token(credentials) => Transition::right(self.verifying(), Action::Token(credentials)),
            Progress::Cancelled => {
                let reply = self.style.err(Text::AuthenticationCancelled);
                self.reply(reply)
            }
            Progress::GivenUp => self.wrong(Text::AuthenticationCancelled),
            Progress::Malformed => self.wrong(Text::MalformedResponse),
        }
    }

    /// Whether an AUTH command may contain a token.
    pub(super) fn takes_tokens(&self) -> bool {
        self.access.tokens && self.access.passwords
    }

    fn verify(self, credentials: Credentials) -> Transition {
        Transition::right(self.verifying(), Action::Verify(credentials))
    }

    /// The next event is the verdict.
    pub(super) fn verifying(self) -> SessionState {
        SessionState::Verifying(Verifying(self))
    }

    /// The verdict came before the exchange was over: nothing more is asked of the client.
    pub(super) fn judged(self, verdict: LoginVerdict) -> Transition {
        Verifying(self).judged(verdict)
    }

    /// No response code: `[AUTH]` would make the client ask its user for another password.
    fn no_password_here(self, login: Option<Vec<u8>>, mechanism: Mechanism) -> Transition {
        let text = if self.access.stls { Text::PasswordsUnderTlsSendStls } else { Text::PasswordsUnderTls };
        self.refuse_in_clear(text, InClear { login, mechanism })
    }

    /// A token in clear is as good for an eavesdropper as a password (RFC 6750 §5.3).
    fn no_token_here(self, mechanism: Mechanism) -> Transition {
        let text = if self.access.stls { Text::TokensUnderTlsSendStls } else { Text::TokensUnderTls };
        self.refuse_in_clear(text, InClear { login: None, mechanism })
    }

    fn refuse_in_clear(self, text: Text, sent: InClear) -> Transition {
        let action = Action::RefuseInClear(self.style.err(text), sent);
        Transition { state: SessionState::Authorization(self), action, was_wrong: true }
    }

    /// "The STLS command is only permitted in AUTHORIZATION state and the server remains in AUTHORIZATION state,
    /// even if client credentials are supplied during the TLS negotiation." (RFC 2595 §4)
    fn stls(self) -> Transition {
        if !self.access.stls {
            return self.wrong(Text::StlsNotAvailable);
        }
        let reply = self.style.ok(Text::BeginTls);
        Transition::right(SessionState::Authorization(self), Action::StartTls(reply))
    }

    /// Whatever was sent before TLS is discarded (a name, LANG, UTF8): an attacker in the middle may have sent it.
    pub(super) fn under_tls(self, access: Access) -> Transition {
        Self { access, style: self.style.anew(), user: None, ..self }.reply(Vec::new())
    }
}

impl Authorization {
    /// Continues a SCRAM exchange.
    fn scram(self, progress: scram::ScramProgress) -> Transition {
        match progress {
            scram::ScramProgress::Begun(begun, login) => {
                Transition::right(SessionState::Challenging(self, begun), Action::Challenge(login))
            }
            scram::ScramProgress::Answered(answer) => {
                Transition::right(SessionState::Proving(self), Action::Prove(answer))
            }
            scram::ScramProgress::Content => Transition::right(self.verifying(), Action::Conclude),
        }
    }

    /// Sends the challenge.
    pub(super) fn challenge(self, begun: scram::Begun, challenge: &ScramChallenge) -> Transition {
        let (challenged, first) = begun.challenge(challenge);
        self.await_answer(scram::AwaitedMessage::Last(Box::new(challenged)), &first)
    }

    /// The proof is right. "server-final-message = (server-error / verifier)" (RFC 5802 §7), which POP3 sends as one
    /// more challenge, which the client answers with an empty line (RFC 5034 §4).
    pub(super) fn signed(self, signature: &[u8; 32]) -> Transition {
        self.await_answer(scram::AwaitedMessage::Content, &format!("v={}", STANDARD.encode(signature)))
    }

    fn await_answer(self, exchange: scram::AwaitedMessage, message: &str) -> Transition {
        Transition::reply(
            SessionState::Exchange(self, Exchange::Scram(exchange)),
            reply::challenge(&STANDARD.encode(message)),
        )
    }
}

impl Verifying {
    pub(super) fn access(&self) -> Access {
        self.0.access
    }

    pub(super) fn style(&self) -> ReplyStyle {
        self.0.style
    }

    pub(super) fn judged(self, verdict: LoginVerdict) -> Transition {
        match verdict {
            LoginVerdict::Proven => {
                let utf8 = self.0.style.utf8;
                Transition::right(SessionState::Opening(self), Action::Open { utf8 })
            }
            LoginVerdict::Refused => self.refused(Text::WrongNameOrPassword),
            LoginVerdict::Unavailable => self.back(Code::SysTemp, Text::CannotCheckNow),
            LoginVerdict::Misconfigured => self.back(Code::SysPerm, Text::CannotCheckTellAdministrator),
        }
    }

    /// A failed SASL exchange cannot carry data with its outcome. So the error is sent as a challenge, and the client
    /// answers it before the exchange ends (RFC 7628 §3.2.3).
    pub(super) fn token_refused(self, json: &str) -> Transition {
        let challenge = reply::challenge(&STANDARD.encode(json));
        Transition::reply(SessionState::TokenRefused(self), challenge)
    }

    /// The dummy response has come: `AQ==` for OAUTHBEARER, an empty line for XOAUTH2; its content does not matter.
    pub(super) fn token_refusal_heard(self) -> Transition {
        self.refused(Text::TokenDoesNotCount)
    }

    pub(super) fn not_opened(self, reason: NotOpened) -> Transition {
        match reason {
            NotOpened::Forbidden => self.back(Code::SysPerm, Text::MaildropForbidden),
            NotOpened::Unavailable | NotOpened::HostUnavailable => self.back(Code::SysTemp, Text::MaildropUnavailable),
            // "This occurs when an authentication attempt is successful, but the user's maildrop is currently in use
            // (probably by another POP3 client)." (RFC 2449 §8.1.1)
            NotOpened::InUse => self.back(Code::InUse, Text::MaildropInUse),
            NotOpened::Refused => self.refused(Text::WrongNameOrPassword),
            NotOpened::RefusedElsewhere => {
                let reply = self.0.style.err(Text::HostRefuses);
                self.0.reply(reply)
            }
            // "… an attempt to log in … before the login delay period has expired" (RFC 2449 §8.1.2)
            NotOpened::LoginDelay => self.back(Code::LoginDelay, Text::LoginTooSoon),
            NotOpened::NeedsPassword => self.back(Code::SysPerm, Text::HostNeedsPassword),
        }
    }

    /// It is not the client's fault, so it does not count as a refused login.
    fn back(self, code: Code, text: Text) -> Transition {
        let reply = self.0.style.err_with(code, text);
        self.0.reply(reply)
    }

    fn refused(self, text: Text) -> Transition {
        let reply = self.0.style.err_with(Code::Auth, text);
        let refusals_left = self.0.refusals_left.saturating_sub(1);
        let state = Authorization { refusals_left, ..self.0 };
        if refusals_left == 0 {
            return Transition::right(
                SessionState::Authorization(state),
                Action::Close(reply, SessionEnd::RefusedLogins),
            );
        }
        state.reply(reply)
    }
}
