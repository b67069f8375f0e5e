//! The loop that drives one session: event in, action out, action done.

mod pinning;
mod refusal_delay;
mod scram;
mod token;
mod told;
mod update;

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use self::pinning::pinned;
use self::refusal_delay::wait_for_step;
use self::scram::Scram;
use self::told::{from_elsewhere, further_steps, not_opened, not_transmitted, verdict};
use crate::certificate::Certificate;
use crate::connection::maildrop::{OpenFault, OpenMaildrop, unless_taken_over};
use crate::connection::report::{CloseReason, SessionReport};
use crate::connection::wire::{ClientStream, LoginOffer, PortTls, Wire, handshake, shown, under_tls};
use crate::connection::{Client, Service};
use crate::identity::{Outcome, ShownCertificate};
use crate::maildir::{Expiry, MaildropPath};
use crate::pop3::{
    Access, Action, Bounds, Credentials, End, Event, Expire, LoginVerdict, Mechanism, Multiline, NotOpened,
    NotTransmitted, Part, Reply, Session, Transmission,
};

/// Serves one client until one of the two has had enough.
pub async fn serve(client: Client, service: Arc<Service>, drain: watch::Receiver<bool>) {
    let mut report = SessionReport::new(client.peer, client.listener.clone(), service.repeats.clone());
    let closed = match greet(client, service, drain, &mut report).await {
        Ok(driver) => driver.run(&mut report).await,
        Err(closed) => closed,
    };
    report.closed = Some(closed);
}

async fn greet(
    client: Client,
    service: Arc<Service>,
    mut drain: watch::Receiver<bool>,
    report: &mut SessionReport,
) -> Result<Driver, CloseReason> {
    let limits = service.settings.limits;
    let deadline = Instant::now() + limits.login;
    let greeting = Session::greeting(&service.settings.hostname);
    // Where a certificate may still be judged, nothing is said before.
    let first = if client.tls.as_ref().is_some_and(|tls| tls.client_certificates.is_none()) { &*greeting } else { &[] };
    let (stream, greeted) = match &client.tls {
        Some(tls) if client.implicit_tls => {
            let handshake = Box::pin(handshake(&tls.acceptor, client.socket, limits.tls_handshake, first));
            (unless_over(&mut drain, handshake).await?, !first.is_empty())
        }
        _ => (ClientStream::Clear(client.socket), false),
    };
    report.protection = stream.protection();
    let offered = LoginOffer::by(&service);
    let access = if client.implicit_tls {
        under_tls(client.tls.as_ref(), &stream, report, offered)?
    } else {
        let (stls, passwords) = (client.stls && client.tls.is_some(), client.passwords_in_clear);
        let LoginOffer { scram, tokens, expire } = offered;
        Access { stls, passwords, external: false, scram, channel_binding: None, tokens, expire }
    };
    let bounds = Bounds {
        wrong_commands: limits.wrong_commands,
        refused_logins: limits.refused_logins,
        command_line: limits.command_line,
    };
    let mut wire = Wire::new(stream, limits.slow_reader);
    if !greeted {
        wire.out().extend(greeting);
    }
    Ok(Driver {
        wire,
        session: Session::new(access, bounds, service.settings.language),
        service,
        tls: client.tls,
        drain,
        deadline,
        takes_logins: client.takes_logins,
        login: None,
        scram: None,
        mail: None,
    })
}

struct Driver {
    wire: Wire,
    session: Session,
    service: Arc<Service>,
    tls: Option<PortTls>,
    drain: watch::Receiver<bool>,
    /// Until when the client must say something.
    deadline: Instant,
    takes_logins: bool,
    login: Option<Login>,
    /// How far a SCRAM login is.
    scram: Option<Box<Scram>>,
    mail: Option<OpenMaildrop>,
}

/// Credentials that were judged to be right.
struct Login {
    /// Where the person's mail is; none if it would lie where nothing may be opened.
    maildrop: Option<MaildropPath>,
    /// When what they leave there is removed.
    expiry: Option<Expiry>,
    /// When the credentials came.
    began: Instant,
}

impl Driver {
    async fn run(mut self, report: &mut SessionReport) -> CloseReason {
        let closed = match self.drive(report).await {
            Ok(end) => CloseReason::Session(end),
            Err(CloseReason::Deadline) => self.deadline_passed(report),
            Err(closed) => closed,
        };
        self.leave_challenge(report, None);
        // Before the last reply: who reads it may log in again at once.
        if let Some(mail) = self.mail.take() {
            mail.close().await;
        }
        match closed {
            CloseReason::Session(End::WrongCommands | End::RefusedLogins) => self.wire.close_on_talker().await,
            CloseReason::Session(_) | CloseReason::NoLogin | CloseReason::Shutdown => self.wire.close().await,
            _ => {}
        }
        closed
    }

    /// The session decides what silence means, and whether anything is said about it.
    fn deadline_passed(&mut self, report: &SessionReport) -> CloseReason {
        let Action::Close(reply, end) = self.session.step(Event::Deadline) else { return CloseReason::Deadline };
        self.wire.out().extend(reply);
        if report.person.is_none() { CloseReason::NoLogin } else { CloseReason::Session(end) }
    }

    async fn drive(&mut self, report: &mut SessionReport) -> Result<End, CloseReason> {
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
                Action::Open { utf8 } => Box::pin(self.open(utf8, report)).await,
                Action::Transmit(transmission) => match Box::pin(self.transmit(transmission, report)).await? {
                    Some(event) => event,
                    None => self.next_line().await?,
                },
                Action::Pin(indices) => Box::pin(pinned(self.mail.as_mut(), indices, report)).await,
                Action::StartTls(reply) => Box::pin(self.start_tls(reply, report)).await?,
                Action::Commit(marks) => {
                    Event::Committed(Box::pin(update::commit(&mut self.wire, self.mail.as_mut(), marks, report)).await)
                }
                Action::Close(reply, end) => {
                    if end == End::Quit {
                        Box::pin(update::leave(&mut self.wire, self.mail.as_mut(), report)).await;
                    }
                    self.wire.out().extend(reply);
                    return Ok(end);
                }
            };
        }
    }

    /// Commands already sent are answered even while the server shuts down; then it waits for no more.
    async fn next_line(&mut self) -> Result<Event, CloseReason> {
        let limit = self.session.line_limit();
        if let Some(input) = self.wire.line_at_hand(limit).await {
            return Ok(input.into());
        }
        // Before anything is waited for that may end the session: a reply is sent whole.
        self.wire.flush().await?;
        self.rest();
        if self.session.is_in_transaction() {
            self.deadline = Instant::now() + self.service.settings.limits.idle;
        }
        let line = unless_over(&mut self.drain, self.wire.next_line(limit, self.deadline));
        unless_taken_over(self.mail.as_ref().and_then(OpenMaildrop::lease), line).await.map(Event::from)
    }

    /// Gives back what a client needs only while it is busy.
    fn rest(&mut self) {
        self.wire.rest();
        if let Some(mail) = &mut self.mail {
            mail.rest();
        }
    }

    async fn verify(&mut self, credentials: Credentials, report: &mut SessionReport) -> Event {
        let began = Instant::now();
        let (login, mechanism) = (credentials.login.clone(), credentials.mechanism);
        if !self.takes_logins {
            return self.judged(began, from_elsewhere(), &login, mechanism, report).await;
        }
        let certificate = match self.certificate(report) {
            Ok(certificate) => certificate,
            Err(reason) => return self.judged(began, Outcome::no_certificate(reason), &login, mechanism, report).await,
        };
        let (from, shown) = (report.peer.ip(), self.shown(certificate.as_ref()));
        let outcome = self.service.identities.verify_with(credentials, from, shown).await;
        report.certificate = certificate.map(|certificate| certificate.subject);
        self.judged(began, outcome, &login, mechanism, report).await
    }

    /// The certificate alone.
    async fn external(&mut self, authorization: &[u8], report: &mut SessionReport) -> Event {
        let began = Instant::now();
        if !self.takes_logins {
            return self.judged(began, from_elsewhere(), authorization, Mechanism::External, report).await;
        }
        let (identities, from) = (&self.service.identities, report.peer.ip());
        let outcome = match self.certificate(report) {
            Ok(Some(certificate)) => {
                let outcome = identities.verify_certificate(&certificate, authorization, from).await;
                report.certificate = Some(certificate.subject);
                outcome
            }
            Ok(None) => Outcome::no_certificate("the client's certificate does not count any more".to_owned()),
            Err(reason) => Outcome::no_certificate(reason),
        };
        self.judged(began, outcome, authorization, Mechanism::External, report).await
    }

    /// The certificate that counts now, which may be another judgement than that of the handshake.
    fn certificate(&self, report: &SessionReport) -> Result<Option<Certificate>, String> {
        let Some(policy) = self.tls.as_ref().and_then(|tls| tls.client_certificates.as_ref()) else { return Ok(None) };
        shown(policy, &self.wire.stream, report)
    }

    /// The same, as it is judged together with other credentials.
    fn shown<'c>(&self, certificate: Option<&'c Certificate>) -> Option<ShownCertificate<'c>> {
        let is_required = self.requires_certificate();
        certificate.map(|certificate| ShownCertificate { certificate, is_required })
    }

    fn requires_certificate(&self) -> bool {
        self.tls.iter().flat_map(|tls| &tls.client_certificates).any(|policy| policy.required)
    }

    async fn judged(
        &mut self,
        began: Instant,
        outcome: Outcome,
        login: &[u8],
        mechanism: Mechanism,
        report: &mut SessionReport,
    ) -> Event {
        report.login(login, mechanism, &outcome);
        self.concluded(began, outcome, report).await
    }

    /// What comes of a login that was written down.
    async fn concluded(&mut self, began: Instant, outcome: Outcome, report: &mut SessionReport) -> Event {
        let (person, maildrop) = match outcome {
            Outcome::Proven(proven) => {
                let person = proven.identity;
                self.service.known.note(&person.id, &person.canonical_name, &proven.maildrop);
                (person, Some(proven.maildrop))
            }
            Outcome::Forbidden(person, _) => (person, None),
            refusal => {
                // Nothing that depends on the reason is left to do behind the step.
                let (verdict, further) = (verdict(&refusal), further_steps(&refusal));
                drop(refusal);
                wait_for_step(began, self.service.settings.refusal_step, further).await;
                return Event::Judged(verdict);
            }
        };
        self.leave_challenge(report, Some(&person));
        report.person = Some(person.canonical_name.clone());
        self.login = Some(Login { maildrop, expiry: person.retention.expiry, began });
        Event::Judged(LoginVerdict::Proven)
    }

    async fn open(&mut self, utf8: bool, report: &mut SessionReport) -> Event {
        let Some(Login { maildrop, expiry, began }) = self.login.take() else {
            return Event::NotOpened(NotOpened::Unavailable);
        };
        let fault = match maildrop {
            None => NotOpened::Forbidden,
            Some(path) => {
                match OpenMaildrop::open(&self.service, &path, report.person.as_deref(), expiry, utf8).await {
                    Ok((mail, listing)) => {
                        report.opened(&path, listing.totals().0, mail.is_missing());
                        self.mail = Some(mail);
                        return Event::Opened(listing, Expire::after(expiry.map(|expiry| expiry.days())));
                    }
                    Err(OpenFault::InUse) => {
                        tracing::info!(person = report.person, maildrop = %path, "maildrop in use");
                        NotOpened::InUse
                    }
                    Err(OpenFault::Fault(fault)) => {
                        tracing::error!(person = report.person, maildrop = %path, %fault, "maildrop not opened");
                        not_opened(&fault)
                    }
                }
            }
        };
        report.person = None;
        wait_for_step(began, self.service.settings.refusal_step, 0).await;
        Event::NotOpened(fault)
    }

    /// Sends a message block by block. What fails before the first octet is answered; what fails later cuts the
    /// connection without the final dot, since a stump that looks whole would be deleted by its reader.
    async fn transmit(
        &mut self,
        order: Transmission,
        report: &mut SessionReport,
    ) -> Result<Option<Event>, CloseReason> {
        let Some(mail) = &mut self.mail else { return Ok(Some(Event::NotTransmitted(NotTransmitted::Now))) };
        let mut reading = match mail.fetch(order.index).await {
            Ok(reading) => reading,
            Err(fault) => {
                let why = not_transmitted(&fault, order.index + 1, report.person.as_deref());
                return Ok(Some(Event::NotTransmitted(why)));
            }
        };
        self.wire.message_begins();
        self.wire.out().extend(order.reply);
        let mut multiline = Multiline::new(order.part);
        loop {
            if multiline.passes(reading.octets()) {
                self.wire.share(reading.octets()).await?;
            } else {
                multiline.encode(reading.octets(), self.wire.out());
                self.wire.flush_block().await?;
            }
            report.sending(order.part, multiline.octets());
            if reading.is_whole || multiline.is_enough() {
                break;
            }
            reading = reading.go_on().await.map_err(|fault| cut(order.index, &fault, report))?;
        }
        let octets = multiline.finish(self.wire.out());
        self.wire.message_ends();
        match order.part {
            Part::Whole => mail.was_sent(reading, octets),
            Part::Top(_) => mail.give_back(reading),
        }
        self.wire.flush_block().await?;
        report.sent(order.part, octets);
        if let (Part::Whole, Some(mail)) = (order.part, &mut self.mail) {
            mail.note_retrieved(order.index);
        }
        Ok(None)
    }

    async fn start_tls(&mut self, reply: Reply, report: &mut SessionReport) -> Result<Event, CloseReason> {
        self.wire.out().extend(reply);
        self.wire.flush().await?;
        let limits = self.service.settings.limits;
        let Some(tls) = &self.tls else { return Err(CloseReason::Handshake("no certificate".to_owned())) };
        unless_over(&mut self.drain, self.wire.under_tls(&tls.acceptor, limits.tls_handshake)).await?;
        report.protection = self.wire.stream.protection();
        let offered = LoginOffer::by(&self.service);
        under_tls(self.tls.as_ref(), &self.wire.stream, report, offered).map(Event::TlsEstablished)
    }
}

/// Waits for what a client may do next, until the server shuts down. What the client has done already goes first.
async fn unless_over<T>(
    drain: &mut watch::Receiver<bool>,
    awaited: impl Future<Output = Result<T, CloseReason>>,
) -> Result<T, CloseReason> {
    tokio::select! {
        biased;
        done = awaited => done,
        _ = drain.wait_for(|draining| *draining) => Err(CloseReason::Shutdown),
    }
}

fn cut(index: usize, fault: &std::io::Error, report: &SessionReport) -> CloseReason {
    tracing::error!(person = report.person, message_number = index + 1, %fault, "message cut while it was sent");
    CloseReason::MessageCut(fault.to_string())
}
