//! The AUTHORIZATION state (RFC 1939 §4): who is there?

use super::command::{Auth, Command, Misread};
use super::reply;
use super::sasl::{Exchange, Progress};
use super::session::{Action, End, NotOpened, State, Step, Verdict};
use super::{Access, Credentials, Line, Mechanism};
use crate::secret::Password;

/// Nobody is logged in yet.
pub(super) struct Authorization {
    access: Access,
    refusals_left: u32,
    /// The argument of the USER command before.
    user: Option<Vec<u8>>,
}

/// Credentials are being judged, or the maildrop of their person opened.
pub(super) struct Verifying(Authorization);

impl Authorization {
    pub(super) fn new(access: Access, refusals_left: u32) -> Self {
        Self { access, refusals_left, user: None }
    }

    pub(super) fn command(mut self, line: &Line) -> Step {
        // PASS "may only be given in the AUTHORIZATION state immediately after a successful USER command" (RFC 1939 §7).
        let user = self.user.take();
        match Command::parse(line) {
            Ok(Command::User(name)) => self.user(name),
            Ok(Command::Pass(password)) => self.pass(user, &password),
            Ok(Command::Auth(None)) => {
                let reply = self.access.mechanisms();
                Step::reply(State::Authorization(self), reply)
            }
            Ok(Command::Auth(Some(auth))) => self.auth(auth),
            Ok(Command::Stls) => self.stls(),
            Ok(Command::Capa) => {
                let reply = self.access.capabilities(false);
                Step::reply(State::Authorization(self), reply)
            }
            Ok(Command::Quit) => Step::right(State::Ended, Action::Close(reply::ok("bye"), End::Quit)),
            Ok(_) => Step::wrong(State::Authorization(self), "log in first"),
            Err(Misread::Usage(usage)) => Step::wrong(State::Authorization(self), &format!("right would be: {usage}")),
            Err(Misread::Unknown) => Step::wrong(State::Authorization(self), "unknown command"),
        }
    }

    /// USER always gets `+OK`: "… the server may return a positive response even though no such mailbox exists"
    /// (RFC 1939 §7).
    fn user(mut self, name: Vec<u8>) -> Step {
        if !self.access.passwords {
            return self.no_password_here();
        }
        self.user = Some(name);
        Step::reply(State::Authorization(self), reply::ok("send PASS"))
    }

    fn pass(self, user: Option<Vec<u8>>, password: &Line) -> Step {
        if !self.access.passwords {
            return self.no_password_here();
        }
        let Some(login) = user else {
            return Step::wrong(State::Authorization(self), "send USER first");
        };
        self.verify(Credentials { login, password: Password::new(password.to_vec()), mechanism: Mechanism::User })
    }

    fn auth(self, auth: Auth) -> Step {
        let Some((exchange, challenge)) = Exchange::begin(&auth.mechanism) else {
            return Step::wrong(State::Authorization(self), "unknown mechanism");
        };
        if exchange.carries_password() && !self.access.passwords {
            return self.no_password_here();
        }
        if !exchange.carries_password() && !self.access.external {
            return Step::wrong(State::Authorization(self), "EXTERNAL wants a client certificate that counts here");
        }
        match auth.initial_response {
            Some(response) => self.progress(exchange.initial(&response)),
            None => self.progress(Progress::Challenge(exchange, challenge)),
        }
    }

    /// Goes on with a SASL exchange.
    pub(super) fn progress(self, progress: Progress) -> Step {
        match progress {
            Progress::Challenge(exchange, challenge) => {
                Step::reply(State::Exchange(self, exchange), reply::challenge(challenge))
            }
            Progress::Done(credentials) => self.verify(credentials),
            Progress::External(authorization) => {
                Step::right(State::Verifying(Verifying(self)), Action::External(authorization))
            }
            Progress::Cancelled => Step::reply(State::Authorization(self), reply::err("authentication cancelled")),
            Progress::Malformed => Step::wrong(State::Authorization(self), "malformed response"),
        }
    }

    fn verify(self, credentials: Credentials) -> Step {
        Step::right(State::Verifying(Verifying(self)), Action::Verify(credentials))
    }

    /// No response code: `[AUTH]` would make the client ask its user for another password.
    fn no_password_here(self) -> Step {
        let text = if self.access.stls {
            "passwords are taken under TLS only: send STLS first"
        } else {
            "passwords are taken under TLS only"
        };
        Step::wrong(State::Authorization(self), text)
    }

    /// "The STLS command is only permitted in AUTHORIZATION state and the server remains in AUTHORIZATION state,
    /// even if client credentials are supplied during the TLS negotiation." (RFC 2595 §4)
    fn stls(self) -> Step {
        if !self.access.stls {
            return Step::wrong(State::Authorization(self), "STLS is not available");
        }
        Step::right(State::Authorization(self), Action::StartTls(reply::ok("begin TLS")))
    }

    /// Nothing said before counts any more, a name neither.
    pub(super) fn under_tls(self, access: Access) -> Step {
        Step::reply(State::Authorization(Self { access, user: None, ..self }), Vec::new())
    }
}

impl Verifying {
    pub(super) fn access(&self) -> Access {
        self.0.access
    }

    pub(super) fn judged(self, verdict: Verdict) -> Step {
        match verdict {
            Verdict::Proven => Step::right(State::Opening(self), Action::Open),
            Verdict::Refused => self.refused("[AUTH] name or password is wrong"),
            Verdict::Unavailable => self.back("[SYS/TEMP] cannot check names and passwords now, try again later"),
            Verdict::Misconfigured => self.back("[SYS/PERM] cannot check names and passwords, tell your administrator"),
        }
    }

    pub(super) fn not_opened(self, reason: NotOpened) -> Step {
        let text = match reason {
            NotOpened::Forbidden => "[SYS/PERM] the maildrop cannot be opened, tell your administrator",
            NotOpened::Unavailable => "[SYS/TEMP] the maildrop cannot be opened now, try again later",
            // "This occurs when an authentication attempt is successful, but the user's maildrop is currently in use
            // (probably by another POP3 client)." (RFC 2449 §8.1.1)
            NotOpened::InUse => "[IN-USE] another session has this maildrop",
        };
        self.back(text)
    }

    /// No fault of the client's, so it uses up none of its tries.
    fn back(self, text: &str) -> Step {
        Step::reply(State::Authorization(self.0), reply::err(text))
    }

    fn refused(self, text: &str) -> Step {
        let refusals_left = self.0.refusals_left.saturating_sub(1);
        let state = State::Authorization(Authorization { refusals_left, ..self.0 });
        if refusals_left == 0 {
            return Step::right(state, Action::Close(reply::err(text), End::RefusedLogins));
        }
        Step::reply(state, reply::err(text))
    }
}
