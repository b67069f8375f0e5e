//! The beginning of a session: TLS, where it comes first, and the greeting.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use super::access::{LoginOffer, under_tls};
use super::dispatch::{Driver, unless_over};
use crate::connection::report::{CloseReason, SessionReport};
use crate::connection::service::{Client, Service};
use crate::connection::wire::{ClientStream, Transport, Wire, handshake, note_failure, note_handshake};
use crate::current::Current;
use crate::pop3::{Access, Bounds, Session};
use crate::session_id::SessionId;

/// Serves one client until the session ends: by the service that is in force when it connects, and from a login on by the one
/// that is in force then. What the log says meanwhile has the session's id.
pub fn serve<T: Transport>(
    client: Client<T>,
    current: Arc<Current<Service>>,
    drain: watch::Receiver<bool>,
) -> impl Future<Output = ()> {
    SessionId::fresh().of(serve_to_the_end(client, current, drain))
}

async fn serve_to_the_end<T: Transport>(
    client: Client<T>,
    current: Arc<Current<Service>>,
    drain: watch::Receiver<bool>,
) {
    let service = current.get();
    let (repeats, ledger) = (service.repeats.clone(), service.ledger.clone());
    let mut report = SessionReport::new(client.peer, client.listener.clone(), repeats, ledger);
    report.is_probe = client.is_probe;
    let closed = match greet(client, (service, current), drain, &mut report).await {
        Ok(driver) => driver.run(&mut report).await,
        Err(closed) => closed,
    };
    report.closed = Some(closed);
}

async fn greet<T: Transport>(
    client: Client<T>,
    (service, current): (Arc<Service>, Arc<Current<Service>>),
    mut drain: watch::Receiver<bool>,
    report: &mut SessionReport,
) -> Result<Driver<T>, CloseReason> {
    let (limits, live) = (service.settings.limits, report.live());
    let deadline = Instant::now() + limits.login;
    let greeting = Session::greeting(&service.settings.hostname);
    // Where the client's certificate is still to be checked, the greeting waits for that.
    let first = if client.tls.as_ref().is_some_and(|tls| tls.client_certificates.is_none()) { &*greeting } else { &[] };
    let (stream, greeted) = match &client.tls {
        Some(tls) if client.implicit_tls => {
            let handshake = Box::pin(handshake(&tls.acceptor, client.transport, limits.tls_handshake, first));
            let (stream, noted) = (unless_over(&mut drain, &live, handshake).await, &service.ledger.tls);
            (stream.inspect_err(|fault| note_failure(noted, fault))?, !first.is_empty())
        }
        _ => (ClientStream::Clear(client.transport), false),
    };
    let before = client.tls_before.filter(|_| !client.implicit_tls);
    report.set_protection(before.as_ref().map_or_else(|| stream.protection(), |before| before.protection));
    let forwarded = before.and_then(|before| before.client_certificates);
    note_handshake(&service.ledger.tls, &stream);
    let offered = LoginOffer::by(&service);
    let access = if client.implicit_tls {
        let certificates = client.tls.as_ref().and_then(|tls| tls.client_certificates.as_ref());
        under_tls(certificates, &stream, report, offered)?
    } else if forwarded.is_some() {
        under_tls(forwarded.as_ref(), &stream, report, offered)?
    } else {
        let (stls, passwords) = (client.stls && client.tls.is_some(), client.passwords_in_clear);
        let LoginOffer { scram, tokens, expire, elsewhere } = offered;
        Access { stls, passwords, external: false, scram, channel_binding: None, tokens, expire, elsewhere }
    };
    let bounds = Bounds {
        wrong_commands: limits.wrong_commands,
        refused_logins: limits.refused_logins,
        command_line: limits.command_line,
    };
    let mut wire = Wire::new(stream, limits.slow_reader, live.clone());
    if !greeted {
        wire.out().extend(greeting);
    }
    Ok(Driver {
        wire,
        live,
        session: Session::new(access, bounds, service.settings.language),
        service,
        current,
        tls: client.tls,
        forwarded,
        drain,
        deadline,
        takes_logins: client.takes_logins,
        is_relayed: client.is_relayed,
        login: None,
        password: None,
        scram: None,
        maildrop: None,
    })
}
