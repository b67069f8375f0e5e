//! The loop: an event in, an action out, the action done.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::access::{LoginOffer, under_tls};
use super::state::{AcceptedLogin, ScramState};
use super::update;
use crate::connection::maildrop::{OpenMaildrop, unless_taken_over};
use crate::connection::report::{CloseReason, HandshakeFailure, SessionReport};
use crate::connection::service::Service;
use crate::connection::wire::{ClientCertificates, PortTls, Transport, Wire, note_failure, note_handshake};
use crate::current::Current;
use crate::ledger::LiveSession;
use crate::pop3::{Action, Event, Reply, Session, SessionEnd};
use crate::secret::Password;

/// How long the client may send nothing until the session frees what it needs only while the client is active. Most
/// clients send the next command within a round trip, and the directory of the last message is opened once for all.
const PAUSE: Duration = Duration::from_secs(1);

/// One session: its connection, its state, its maildrop.
pub(super) struct Driver<T> {
    pub(super) wire: Wire<T>,
    /// The session as an administrator sees it, who may end it.
    pub(super) live: Arc<LiveSession>,
    pub(super) session: Session,
    /// The service by which this client is served: from its last login on the same.
    pub(super) service: Arc<Service>,
    pub(super) current: Arc<Current<Service>>,
    pub(super) tls: Option<PortTls>,
    /// How the client's certificate is treated where a proxy terminated TLS and forwards it.
    pub(super) forwarded: Option<ClientCertificates>,
    pub(super) drain: watch::Receiver<bool>,
    /// The client must send something by then.
    pub(super) deadline: Instant,
    pub(super) takes_logins: bool,
    /// Another Restante passes the session on, so that it is passed on no further.
    pub(super) is_relayed: bool,
    pub(super) login: Option<AcceptedLogin>,
    /// The password of the login that is being judged, if another host may need it.
    pub(super) password: Option<Password>,
    /// The progress of a SCRAM login.
    pub(super) scram: Option<Box<ScramState>>,
    pub(super) maildrop: Option<OpenMaildrop>,
}

impl<T: Transport> Driver<T> {
    pub(super) async fn run(mut self, report: &mut SessionReport) -> CloseReason {
        let closed = match self.drive(report).await {
            Ok(end) => CloseReason::Session(end),
            Err(CloseReason::Deadline) => self.deadline_passed(report),
            Err(closed) => closed,
        };
        self.leave_challenge(report, None);
        // Before the last reply: a client that reads it may log in again at once.
        if let Some(mail) = self.maildrop.take() {
            mail.close().await;
        }
        match closed {
            CloseReason::Session(SessionEnd::WrongCommands | SessionEnd::RefusedLogins) => {
                self.wire.close_on_talker().await;
            }
            CloseReason::Session(_) | CloseReason::NoLogin | CloseReason::Shutdown => self.wire.close().await,
            _ => {}
        }
        closed
    }

    /// The session decides what a timeout means, and whether it is answered.
    fn deadline_passed(&mut self, report: &SessionReport) -> CloseReason {
        let Action::Close(reply, end) = self.session.step(Event::Deadline) else { return CloseReason::Deadline };
        self.wire.out().extend(reply);
        if report.person().is_none() { CloseReason::NoLogin } else { CloseReason::Session(end) }
    }

    async fn drive(&mut self, report: &mut SessionReport) -> Result<SessionEnd, CloseReason> {
        let mut event = self.next_line().await?;
        loop {
            let action = self.session.step(event);
            event = match action {
                Action::Reply(reply) => {
                    self.wire.out().extend(reply);
                    self.wire.flush_replies().await?;
                    self.next_line().await?
                }
                Action::RefuseInClear(reply, sent) => {
                    report.refused_in_clear(&sent);
                    self.wire.out().extend(reply);
                    self.wire.flush_block().await?;
                    self.next_line().await?
                }
                Action::Share(reply) => {
                    self.wire.share(&reply).await?;
                    self.next_line().await?
                }
                Action::Verify(credentials) => Box::pin(self.verify(credentials, report)).await,
                Action::External(authorization) => Box::pin(self.external(&authorization, report)).await,
                Action::Challenge(wanted) => Box::pin(self.challenge(wanted, report)).await,
                Action::Prove(answer) => Box::pin(self.prove(answer, report)).await,
                Action::Conclude => Box::pin(self.conclude(report)).await,
                Action::Token(credentials) => Box::pin(self.token(credentials, report)).await,
                Action::Open { utf8 } => Box::pin(self.open(utf8, report)).await?,
                Action::Transmit(transmission) => match Box::pin(self.transmit(transmission, report)).await? {
                    Some(event) => event,
                    None => self.next_line().await?,
                },
                Action::Pin(indices) => Box::pin(self.pin(indices, report)).await,
                Action::StartTls(reply) => Box::pin(self.start_tls(reply, report)).await?,
                Action::Commit(marks) => Event::Committed(
                    Box::pin(update::commit(&mut self.wire, self.maildrop.as_mut(), marks, report)).await,
                ),
                Action::Close(reply, end) => {
                    if end == SessionEnd::Quit {
                        Box::pin(update::leave(&mut self.wire, self.maildrop.as_mut(), report)).await;
                    }
                    self.wire.out().extend(reply);
                    return Ok(end);
                }
            };
        }
    }

    /// Commands that were already sent are answered even during a shutdown; no further ones are waited for.
    async fn next_line(&mut self) -> Result<Event, CloseReason> {
        if let Some(why) = self.live.ending() {
            return Err(CloseReason::Kicked(why.clone()));
        }
        let limit = self.session.line_limit();
        if let Some(input) = self.wire.line_at_hand(limit).await {
            return Ok(input.into());
        }
        // Before any wait that may end the session: replies are sent in full.
        self.wire.flush().await?;
        let now = Instant::now();
        if self.session.is_in_transaction() {
            self.deadline = now + self.service.settings.limits.idle;
        }
        let lease = self.maildrop.as_ref().and_then(OpenMaildrop::lease);
        let (wire, maildrop) = (&mut self.wire, &mut self.maildrop);
        let line = async {
            let pause = now + PAUSE;
            if pause < self.deadline {
                match wire.next_line(limit, pause).await {
                    Err(CloseReason::Deadline) => {}
                    read => return read,
                }
            }
            wire.rest();
            if let Some(mail) = maildrop {
                mail.rest();
            }
            wire.next_line(limit, self.deadline).await
        };
        let line = unless_over(&mut self.drain, &self.live, line);
        unless_taken_over(lease.as_deref(), line).await.unwrap_or(Err(CloseReason::TakenOver)).map(Event::from)
    }

    /// A login begins: it is judged by what is in force now, and the session that follows keeps that.
    pub(super) fn begin_login(&mut self) -> Instant {
        self.service = self.current.get();
        Instant::now()
    }

    async fn start_tls(&mut self, reply: Reply, report: &mut SessionReport) -> Result<Event, CloseReason> {
        self.wire.out().extend(reply);
        self.wire.flush().await?;
        let limits = self.service.settings.limits;
        let no_certificate = || CloseReason::Handshake(HandshakeFailure::Other, "no certificate".to_owned());
        let tls = self.tls.as_ref().ok_or_else(no_certificate)?;
        let under_tls_now = self.wire.under_tls(&tls.acceptor, limits.tls_handshake);
        let done = unless_over(&mut self.drain, &self.live, under_tls_now).await;
        done.inspect_err(|fault| note_failure(&self.service.ledger.tls, fault))?;
        report.set_protection(self.wire.stream.protection());
        note_handshake(&self.service.ledger.tls, &self.wire.stream);
        let offered = LoginOffer::by(&self.service);
        under_tls(self.client_certificates(), &self.wire.stream, report, offered).map(Event::TlsEstablished)
    }
}

/// Waits for the client until the server shuts down or the session is ended from outside. What the client has already sent
/// comes first.
pub(super) async fn unless_over<T>(
    drain: &mut watch::Receiver<bool>,
    live: &LiveSession,
    awaited: impl Future<Output = Result<T, CloseReason>>,
) -> Result<T, CloseReason> {
    tokio::select! {
        biased;
        done = awaited => done,
        why = live.kicked() => Err(CloseReason::Kicked(why)),
        _ = drain.wait_for(|draining| *draining) => Err(CloseReason::Shutdown),
    }
}
