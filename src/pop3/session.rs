//! The session: one event in, exactly one action out.
//!
//! ```text
//!                    USER PASS, AUTH            proven             opened
//!  AUTHORIZATION ───────────────────▶ Verifying ──────▶ Opening ──────────▶ TRANSACTION
//!     ▲   ▲  │ AUTH                      │ refused        │ not opened        │ QUIT
//!     │   └──┴─▶ Exchange (SASL)         │                │                   ▼
//!     └──────────────────────────────────┴────────────────┘                UPDATE ──▶ Ended
//! ```
//!
//! A SCRAM exchange has two states of its own: `Challenging` until its challenge is made, `Proving` until its proof is
//! judged.
//!
//! In TRANSACTION, UIDL waits in `Pinning` until the unique-ids that it sends are pinned.
//!
//! Each state is a struct that is consumed by its transition; only [`Transaction`] owns a listing.

use std::sync::Arc;

use super::authorization::{Authorization, Verifying};
use super::reply::{self, Reply};
use super::reply_style::ReplyStyle;
use super::sasl::Exchange;
use super::scram::{self, ScramChallenge, ScramFault, ScramLogin, ScramProof};
use super::text::Text;
use super::transaction::Transaction;
use super::{
    Access, Credentials, Expire, Input, Language, Line, Listing, Mechanism, MessageNumber, Part, TokenCredentials,
};

/// What happened.
pub enum Event {
    /// A line came: a command, or a SASL response where one is awaited.
    Line(Line),
    /// A line came that was beyond the limit.
    TooLong,
    /// The TLS handshake that STLS asked for is done; with what the client may do from now on.
    TlsEstablished(Access),
    /// The credentials were checked.
    Judged(LoginVerdict),
    /// The challenge that was asked for.
    Challenge(ScramChallenge),
    /// The proof is right; with the server's own (`ServerSignature`, RFC 5802 §3).
    Signed([u8; 32]),
    /// A token was refused; with the JSON for the client (RFC 7628 §3.2.2).
    TokenRefused(String),
    /// The maildrop of the person is open; with how long their mail is left there.
    Opened(Listing, Expire),
    /// It could not be opened.
    NotOpened(NotOpened),
    /// The message could not be read; nothing of it was sent.
    NotTransmitted(NotTransmitted),
    /// The unique-ids are pinned; with the new listing.
    Pinned(Listing),
    /// They could not be pinned, and must not be sent.
    NotPinned,
    /// The deletions were tried; true if every one succeeded.
    Committed(bool),
    /// The client was silent for too long.
    Deadline,
}

impl From<Input> for Event {
    fn from(input: Input) -> Self {
        match input {
            Input::Line(line) => Self::Line(line),
            Input::TooLong => Self::TooLong,
        }
    }
}

/// What to do now.
pub enum Action {
    /// Send this, and take the next line.
    Reply(Reply),
    /// The same with a reply that sessions share: it may be large, and is not copied.
    Share(Arc<[u8]>),
    /// The same, after a login that is not allowed before TLS.
    RefuseInClear(Reply, InClear),
    /// Check these credentials.
    Verify(Credentials),
    /// Check the TLS client certificate, for this authorization identity (RFC 4422 §3.4.1); empty if the client sends
    /// none.
    External(Vec<u8>),
    /// Make a challenge for a login name, or answer with a verdict.
    Challenge(ScramLogin),
    /// Compare this with the challenge made last, and sign it, or answer with a verdict.
    Prove(Result<ScramProof, ScramFault>),
    /// The client accepts the last signature: give the verdict.
    Conclude,
    /// Check this token; a refusal is answered by [`Event::TokenRefused`].
    Token(TokenCredentials),
    /// Open the maildrop of the person who was proven, for a client that accepts UTF-8 in headers or does not.
    Open {
        /// The client said UTF8.
        utf8: bool,
    },
    /// Send a message, or answer [`Event::NotTransmitted`].
    Transmit(Transmission),
    /// Send this, discard the input, and do the TLS handshake.
    StartTls(Reply),
    /// Pin the unique-ids of the messages at these indices: they are about to be sent.
    Pin(Vec<usize>),
    /// Remove the messages at these indices.
    Commit(Vec<usize>),
    /// Send this, and close.
    Close(Reply, SessionEnd),
}

/// A login that a client tried before TLS, where that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InClear {
    /// The login name, if it was sent separately.
    pub login: Option<Vec<u8>>,
    /// How the client would have logged in.
    pub mechanism: Mechanism,
}

/// A message to send.
#[derive(Debug, PartialEq, Eq)]
pub struct Transmission {
    /// Its place in the listing.
    pub index: usize,
    /// How much of it.
    pub part: Part,
    /// The line before it.
    pub reply: Reply,
}

/// The verdict on credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginVerdict {
    /// They are a person's.
    Proven,
    /// They are not, or the person may not log in.
    Refused,
    /// It cannot be known now.
    Unavailable,
    /// It cannot be known until an administrator fixes something.
    Misconfigured,
}

/// Why a maildrop is not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOpened {
    /// Its path is forbidden; an administrator must fix it.
    Forbidden,
    /// It cannot be read now.
    Unavailable,
    /// It may have one session only, and has one.
    InUse,
    /// Another host holds it, and refuses name or password.
    Refused,
    /// Another host holds it, and refuses without saying whose fault it is.
    RefusedElsewhere,
    /// Another host holds it, and cannot be used now.
    HostUnavailable,
    /// Another host holds it, and wants more time between logins.
    LoginDelay,
    /// Another host holds it, which needs the password that the client did not send.
    NeedsPassword,
}

/// Why a message is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTransmitted {
    /// It cannot be read now.
    Now,
    /// It is compressed in a format that is not supported.
    Compressed,
    /// It is encrypted.
    Encrypted,
    /// It is compressed, and damaged.
    Damaged,
    /// It is too large to be sent.
    TooLarge,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// QUIT, and everything it asks for was done.
    Quit,
    /// QUIT, but not every deletion succeeded.
    CommitFailed,
    /// Too many wrong commands.
    WrongCommands,
    /// Too many refused logins.
    RefusedLogins,
    /// Silence.
    Deadline,
    /// The driver broke the order of events: an internal error.
    OutOfOrder,
}

/// The limits of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Wrong commands until the end.
    pub wrong_commands: u32,
    /// Refused logins until the end.
    pub refused_logins: u32,
    /// Octets of a command line without its end.
    pub command_line: usize,
}

/// One POP3 dialogue.
pub struct Session {
    bounds: Bounds,
    wrong_commands: u32,
    state: SessionState,
}

/// The state of a session. SASL exchanges and verdicts belong to AUTHORIZATION (RFC 5034 §4).
pub(super) enum SessionState {
    Authorization(Authorization),
    Exchange(Authorization, Exchange),
    /// A SCRAM challenge is being made.
    Challenging(Authorization, Box<scram::Begun>),
    /// A SCRAM proof is being checked.
    Proving(Authorization),
    Verifying(Verifying),
    TokenRefused(Verifying),
    Opening(Verifying),
    Transaction(Transaction),
    /// UIDL is answered once the unique-ids are pinned: of one message, or of all.
    Pinning(Transaction, Option<MessageNumber>),
    Update(ReplyStyle),
    Ended,
}

/// The result of an event in a state.
pub(super) struct Transition {
    pub(super) state: SessionState,
    pub(super) action: Action,
    pub(super) was_wrong: bool,
}

impl Session {
    /// The SASL line that a server must be able to take, in octets (RFC 5034 §4).
    const SASL_LINE: usize = 12_288;

    /// Begins in the AUTHORIZATION state, in English; `preferred` is the language that `LANG *` asks for.
    #[must_use]
    pub fn new(access: Access, bounds: Bounds, preferred: Language) -> Self {
        let state = Authorization::new(access, ReplyStyle::new(preferred), bounds.refused_logins);
        let state = SessionState::Authorization(state);
        Self { bounds, wrong_commands: 0, state }
    }

    /// "Once the TCP connection has been opened by a POP3 client, the POP3 server issues a one line greeting."
    /// (RFC 1939 §4). No time stamp in angle brackets: that would offer APOP.
    #[must_use]
    pub fn greeting(hostname: &str) -> Reply {
        reply::ok(&format!("{hostname} POP3 server ready"))
    }

    /// The limit of the next line, in octets without its end.
    #[must_use]
    pub fn line_limit(&self) -> usize {
        match &self.state {
            SessionState::Exchange(..) | SessionState::TokenRefused(_) => Self::SASL_LINE.max(self.bounds.command_line),
            // Some clients send a token with the command, however long it is.
            SessionState::Authorization(state) if state.takes_tokens() => Self::SASL_LINE.max(self.bounds.command_line),
            _ => self.bounds.command_line,
        }
    }

    /// Whether a person is logged in and their maildrop open.
    #[must_use]
    pub fn is_in_transaction(&self) -> bool {
        matches!(self.state, SessionState::Transaction(_))
    }

    /// A message of the open maildrop, as it is listed.
    #[must_use]
    pub fn listing(&self) -> Option<&Listing> {
        match &self.state {
            SessionState::Transaction(transaction) => Some(transaction.listing()),
            _ => None,
        }
    }

    /// Takes an event; returns what to do.
    pub fn step(&mut self, event: Event) -> Action {
        let state = std::mem::replace(&mut self.state, SessionState::Ended);
        let Transition { state, action, was_wrong } = state.step(event);
        if was_wrong {
            self.wrong_commands += 1;
            if self.wrong_commands >= self.bounds.wrong_commands {
                return Action::Close(state.style().err(Text::TooManyWrongCommands), SessionEnd::WrongCommands);
            }
        }
        self.state = if matches!(action, Action::Close(..)) { SessionState::Ended } else { state };
        action
    }
}

impl SessionState {
    fn step(self, event: Event) -> Transition {
        match (self, event) {
            // "When the timer expires, the session does NOT enter the UPDATE state--the server should close the TCP
            // connection without removing any messages or sending any response to the client." (RFC 1939 §3)
            (_, Event::Deadline) => Transition::right(Self::Ended, Action::Close(Vec::new(), SessionEnd::Deadline)),
            (Self::Authorization(state), Event::Line(line)) => state.command(&line),
            (Self::Authorization(state), Event::TlsEstablished(access)) => state.under_tls(access),
            (Self::Exchange(state, exchange), Event::Line(line)) => state.progress(exchange.respond(&line)),
            (Self::Exchange(state, _) | Self::Authorization(state), Event::TooLong) => state.too_long(),
            (Self::Challenging(state, begun), Event::Challenge(challenge)) => state.challenge(*begun, &challenge),
            (Self::Proving(state), Event::Signed(signature)) => state.signed(&signature),
            // Only for a refusal: a right proof is signed before its verdict.
            (Self::Challenging(state, _) | Self::Proving(state), Event::Judged(verdict))
                if verdict != LoginVerdict::Proven =>
            {
                state.judged(verdict)
            }
            (Self::Verifying(state), Event::Judged(verdict)) => state.judged(verdict),
            (Self::Verifying(state), Event::TokenRefused(json)) => state.token_refused(&json),
            (Self::TokenRefused(state), Event::Line(_) | Event::TooLong) => state.token_refusal_heard(),
            (Self::Opening(state), Event::Opened(listing, expire)) => {
                Transaction::begin(listing, Access { expire, ..state.access() }, state.style())
            }
            (Self::Opening(state), Event::NotOpened(reason)) => state.not_opened(reason),
            (Self::Transaction(state), Event::Line(line)) => state.command(&line),
            (Self::Transaction(state), Event::NotTransmitted(why)) => state.not_transmitted(why),
            (Self::Pinning(state, number), Event::Pinned(listing)) => state.pinned(listing, number),
            (Self::Pinning(state, _), Event::NotPinned) => state.not_pinned(),
            (Self::Transaction(state), Event::TooLong) => state.too_long(),
            (Self::Update(style), Event::Committed(whole)) => committed(style, whole),
            (state, _) => Transition::right(
                Self::Ended,
                Action::Close(state.style().err(Text::InternalError), SessionEnd::OutOfOrder),
            ),
        }
    }

    fn style(&self) -> ReplyStyle {
        match self {
            Self::Authorization(state)
            | Self::Exchange(state, _)
            | Self::Challenging(state, _)
            | Self::Proving(state) => state.style(),
            Self::Verifying(state) | Self::TokenRefused(state) | Self::Opening(state) => state.style(),
            Self::Transaction(state) | Self::Pinning(state, _) => state.style(),
            Self::Update(style) => *style,
            Self::Ended => ReplyStyle::default(),
        }
    }
}

impl Transition {
    pub(super) fn right(state: SessionState, action: Action) -> Self {
        Self { state, action, was_wrong: false }
    }

    pub(super) fn reply(state: SessionState, reply: Reply) -> Self {
        Self::right(state, Action::Reply(reply))
    }

    pub(super) fn wrong(state: SessionState, reply: Reply) -> Self {
        Self { state, action: Action::Reply(reply), was_wrong: true }
    }
}

/// "If there is an error, such as a resource shortage, encountered while removing messages, the maildrop may result in
/// having some or none of the messages marked as deleted be removed." (RFC 1939 §6)
fn committed(style: ReplyStyle, whole: bool) -> Transition {
    let action = if whole {
        Action::Close(style.ok(Text::Bye), SessionEnd::Quit)
    } else {
        Action::Close(style.err(Text::NotAllRemoved), SessionEnd::CommitFailed)
    };
    Transition::right(SessionState::Ended, action)
}
