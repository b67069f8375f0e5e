//! Sessions that are passed on to the host that holds the person's mail.

use std::sync::Arc;

use super::dispatch::{Driver, unless_over};
use super::translation::not_relayed;
use crate::connection::report::{CloseReason, SessionReport};
use crate::connection::wire::Transport;
use crate::pop3::{NotOpened, SessionEnd};
use crate::relay::{
    HostSettings, PassOnLimits, RelayEnd, RelayFault, RelayTarget, RelayedClient, RelayedSession, Traffic, pass_on,
};
use crate::secret::Password;

impl<T: Transport> Driver<T> {
    /// Logs the person in at their host, and passes the session on until one side ends it.
    ///
    /// # Errors
    /// The session was passed on; how it ended. A session that was not passed on has no error, but the reason why the
    /// maildrop is not open.
    pub(super) async fn pass_on(
        &mut self,
        target: &RelayTarget,
        password: Option<Password>,
        report: &mut SessionReport,
    ) -> Result<NotOpened, CloseReason> {
        let service = Arc::clone(&self.service);
        let Some(hosts) = &service.back_ends else { return Ok(NotOpened::Forbidden) };
        let client = RelayedClient { peer: report.peer, session: report.session_id() };
        let is_last = self.is_relayed;
        let logged_in = async {
            if is_last {
                return Ok(Err(RelayFault::Loop("another Restante has passed this session on already")));
            }
            Ok(hosts.log_in(target, password.as_ref(), &client).await)
        };
        let relayed = match unless_over(&mut self.drain, &self.live, logged_in).await? {
            Ok(relayed) => relayed,
            Err(fault) => {
                let is_their_password =
                    hosts.settings().hosts.get(target.index).is_some_and(HostSettings::needs_client_password);
                report_fault(&fault, target, is_their_password, report);
                return Ok(not_relayed(&fault, is_their_password));
            }
        };
        drop(password);
        Err(self.pass_octets_on(target, relayed, report).await)
    }

    async fn pass_octets_on(
        &mut self,
        target: &RelayTarget,
        relayed: RelayedSession,
        report: &mut SessionReport,
    ) -> CloseReason {
        let RelayedSession { stream, reply, read_ahead, counters, slot } = relayed;
        let traffic = Arc::new(Traffic::new(counters));
        report.relayed(&target.host, Arc::clone(&traffic));
        let out = self.wire.out();
        out.extend_from_slice(format!("+OK {reply}\r\n").as_bytes());
        out.extend_from_slice(&read_ahead);
        if let Err(closed) = self.wire.flush().await {
            return closed;
        }
        let pipelined = self.wire.take_input();
        let limits = self.service.settings.limits;
        let limits = PassOnLimits { idle: limits.idle, slow_reader: limits.slow_reader };
        let (live, drain) = (Arc::clone(&self.live), &mut self.drain);
        let draining = async {
            // An error means that nobody is left who could say so.
            let _ = drain.wait_for(|draining| *draining).await;
        };
        let end = pass_on(&mut self.wire.stream, stream, &pipelined, &traffic, limits, live.kicked(), draining).await;
        drop(slot);
        close_reason(end, &traffic)
    }
}

/// Why a session that was passed on ended, in the words for other sessions.
fn close_reason(end: RelayEnd, traffic: &Traffic) -> CloseReason {
    match end {
        RelayEnd::Client | RelayEnd::Host if traffic.has_quit() => CloseReason::Session(SessionEnd::Quit),
        RelayEnd::Client => CloseReason::ByClient,
        RelayEnd::Host => CloseReason::ByHost,
        RelayEnd::Idle => CloseReason::Deadline,
        RelayEnd::SlowReader => CloseReason::SlowReader,
        RelayEnd::Kicked(why) => CloseReason::Kicked(why),
        RelayEnd::Shutdown => CloseReason::Shutdown,
        RelayEnd::ClientBroken(fault) => CloseReason::broken(&fault),
        RelayEnd::HostBroken(fault) => CloseReason::HostBroken(fault.to_string()),
    }
}

/// The log learns the cause. What an administrator must fix is an error.
fn report_fault(fault: &RelayFault, target: &RelayTarget, is_their_password: bool, report: &SessionReport) {
    let (person, peer, host, user, reason) =
        (report.person(), report.peer, &*target.host, &*target.user, fault.to_string());
    match not_relayed(fault, is_their_password) {
        NotOpened::Forbidden => {
            tracing::error!(name: "relay_misconfigured", person, host, user, reason, %peer, "session not passed on: misconfigured");
        }
        NotOpened::HostUnavailable => {
            tracing::warn!(name: "relay_unavailable", person, host, user, reason, %peer, "session not passed on: host unavailable");
        }
        _ => {
            tracing::info!(name: "relay_refused", person, host, user, reason, %peer, "session not passed on: refused");
        }
    }
}
