//! What the log says about a connection: one line for each login, one for the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::close_reason::CloseReason;
use super::counting::{NO_KIND, count_login, kind_of};
use super::summaries::{LogLine, LogSummaries};
use crate::identity::{Outcome, RefusedLogin};
use crate::ledger::{Ledger, LiveSession, LiveState, RegisteredSession};
use crate::maildir::MaildropPath;
use crate::names::LoginName;
use crate::pop3::{InClear, Mechanism, Part};
use crate::relay::Traffic;
use crate::session_id::SessionId;
use crate::token::Bearer;

/// Counts what happens on a connection, and logs its last line when it is dropped, whatever ends it.
pub(crate) struct SessionReport {
    pub(crate) peer: SocketAddr,
    listener: Arc<str>,
    repeats: Arc<LogSummaries>,
    began: Instant,
    /// Its end is logged only after a login.
    pub(crate) is_probe: bool,
    protection: &'static str,
    person: Option<String>,
    ledger: Arc<Ledger>,
    live: RegisteredSession,
    /// The subject of the client's certificate, if one was accepted at the last login.
    pub(crate) certificate: Option<String>,
    /// Who the token of the current login is about, if its signature is valid.
    pub(crate) bearer: Option<Bearer>,
    pub(crate) closed: Option<CloseReason>,
    /// Messages in the maildrop, once it is open.
    messages: Option<usize>,
    retr: SentCount,
    top: SentCount,
    deleted: usize,
    /// The host to which the session is passed on, and what was.
    relayed: Option<(String, Arc<Traffic>)>,
}

#[derive(Default)]
struct SentCount {
    messages: u64,
    octets: u64,
    /// Octets of the message that is being sent.
    under_way: u64,
}

impl SessionReport {
    pub(crate) fn new(peer: SocketAddr, listener: Arc<str>, repeats: Arc<LogSummaries>, ledger: Arc<Ledger>) -> Self {
        let id = SessionId::current().map(|id| id.to_string()).unwrap_or_default();
        let live = ledger.sessions.register(id, peer, Arc::clone(&listener));
        Self {
            peer,
            listener,
            repeats,
            began: Instant::now(),
            protection: "none",
            is_probe: false,
            person: None,
            ledger,
            live,
            certificate: None,
            bearer: None,
            closed: None,
            messages: None,
            retr: SentCount::default(),
            top: SentCount::default(),
            deleted: 0,
            relayed: None,
        }
    }

    /// The session as others see it, who may end it.
    pub(crate) fn live(&self) -> Arc<LiveSession> {
        self.live.live()
    }

    /// The session is passed on to a host from now on.
    pub(crate) fn relayed(&mut self, host: &str, traffic: Arc<Traffic>) {
        self.live.set_host(host);
        self.live.set_state(LiveState::Transaction);
        self.relayed = Some((host.to_owned(), traffic));
    }

    /// The session's id in the log.
    pub(crate) fn session_id(&self) -> String {
        self.live.live().id().to_owned()
    }

    /// The canonical name of the person who is logged in.
    pub(crate) fn person(&self) -> Option<&str> {
        self.person.as_deref()
    }

    /// Somebody is logged in, or nobody any more.
    pub(crate) fn set_person(&mut self, person: Option<&str>) {
        self.person = person.map(str::to_owned);
        self.live.set_person(person);
    }

    /// The protection of the connection, as the log calls it, has changed.
    pub(crate) fn set_protection(&mut self, protection: &'static str) {
        self.protection = protection;
        self.live.set_protection(protection);
    }

    /// A maildrop was opened. Where there is no Maildir, so that the client sees an empty one, the log says so.
    pub(crate) fn opened(&mut self, path: &MaildropPath, messages: usize, is_missing: bool) {
        self.messages = Some(messages);
        self.live.set_state(LiveState::Transaction);
        if is_missing {
            let (person, peer) = (self.person.as_deref(), self.peer);
            tracing::info!(
                name: "no_maildir_yet",
                person, maildrop = path.to_string(), %peer,
                "no Maildir there yet: the client sees an empty mailbox"
            );
        }
    }

    /// A message was sent, or its top; octets as LIST counts them.
    pub(crate) fn sent(&mut self, part: Part, octets: u64) {
        self.sending(part, octets);
        let sent = self.of(part);
        sent.messages += 1;
        sent.octets += std::mem::take(&mut sent.under_way);
        let mail = &self.ledger.mail;
        mail.octets.inc_by(octets);
        match part {
            Part::Whole => mail.retrieved.inc(),
            Part::Top(_) => mail.tops.inc(),
        };
    }

    /// Unique-ids were written to disk.
    pub(crate) fn pinned(&self, count: usize) {
        self.ledger.mail.pinned.inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// Deletions are about to be carried out.
    pub(crate) fn updating(&self) {
        self.live.set_state(LiveState::Update);
    }

    /// So many messages were removed.
    pub(crate) fn deleted(&mut self, count: usize) {
        self.deleted = count;
        self.ledger.mail.deleted.inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// This many octets of a message have been sent: they are counted even if the connection is cut.
    pub(crate) fn sending(&mut self, part: Part, octets: u64) {
        self.of(part).under_way = octets;
    }

    fn of(&mut self, part: Part) -> &mut SentCount {
        match part {
            Part::Whole => &mut self.retr,
            Part::Top(_) => &mut self.top,
        }
    }

    /// A client began or completed a login that this listener does not accept before TLS.
    pub(crate) fn refused_in_clear(&self, sent: &InClear) {
        self.ledger.logins.note(sent.mechanism.word(), NO_KIND, "refused_in_clear");
        self.ledger.last_hour.note_login(|minute| minute.refused += 1);
        self.ledger.last_hour.note_noise(self.peer.ip());
        if !self.admits(LogLine::RefusedInClear) {
            return;
        }
        let (peer, listener, tls, mechanism) = (self.peer, &*self.listener, self.protection, sent.mechanism);
        let login = sent.login.as_deref().map(LoginName::as_typed);
        let (login, reason) = (login.as_deref(), "no login before TLS on this listener (login_without_tls)");
        tracing::info!(name: "login_refused", login, reason, %mechanism, %peer, listener, tls, "login refused");
    }

    /// A certificate is ignored, on a port that requires none.
    pub(crate) fn certificate_ignored(&self, reason: &str) {
        if !self.admits(LogLine::NoCertificate(reason.to_owned())) {
            return;
        }
        let (peer, listener, tls) = (self.peer, &*self.listener, self.protection);
        tracing::info!(name: "client_certificate_ignored", reason, %peer, listener, tls, "client certificate ignored");
    }

    /// Whether a line that anybody can cause is logged; else it is summed up.
    fn admits(&self, line: LogLine) -> bool {
        self.repeats.admits(line, self.peer.ip())
    }

    /// A login ended.
    pub(crate) fn login(&self, login: &[u8], mechanism: Mechanism, outcome: &Outcome) {
        count_login(&self.ledger, mechanism, outcome, self.peer.ip());
        let line = match outcome {
            Outcome::Proven(_) | Outcome::Forbidden(..) => None,
            Outcome::Refused(refused) => Some(LogLine::Refused(refused.reason.kind())),
            Outcome::Unavailable(_) => Some(LogLine::Unavailable),
            Outcome::Misconfigured(_) => Some(LogLine::Misconfigured),
        };
        if line.is_some_and(|line| !self.admits(line)) {
            return;
        }
        let (peer, listener, tls) = (self.peer, &*self.listener, self.protection);
        let certificate = self.certificate.as_deref();
        let (issuer, claim) = self.bearer.as_ref().map(|bearer| (&*bearer.issuer, &*bearer.name)).unzip();
        let login = &*LoginName::as_typed(login);
        match outcome {
            Outcome::Proven(proven) => {
                let kind = kind_of(mechanism, proven);
                let (person, proof) = (&*proven.identity.canonical_name, proven.proof.to_string());
                tracing::info!(
                    name: "login",
                    person, login, kind, certificate, issuer, claim, %mechanism, proof, %peer, listener, tls,
                    "login"
                );
            }
            Outcome::Refused(RefusedLogin { identity, reason, .. }) => {
                let person = identity.as_ref().map(|identity| identity.canonical_name.as_str());
                tracing::info!(
                    name: "login_refused",
                    person, login, reason = reason.to_string(),
                    certificate, issuer, claim, %mechanism, %peer, listener, tls,
                    "login refused"
                );
            }
            Outcome::Unavailable(reason) => {
                tracing::warn!(
                    name: "login_not_possible_directory_unavailable",
                    login, reason, certificate, issuer, claim, %mechanism, %peer, listener, tls,
                    "login not possible: directory unavailable"
                );
            }
            Outcome::Misconfigured(reason) => {
                tracing::error!(
                    name: "login_not_possible_misconfigured",
                    login, reason, %mechanism, %peer, listener, tls,
                    "login not possible: misconfigured"
                );
            }
            Outcome::Forbidden(identity, reason) => {
                let person = &*identity.canonical_name;
                tracing::error!(
                    name: "maildrop_forbidden",
                    person, login, reason, %mechanism, %peer, listener, tls,
                    "maildrop forbidden"
                );
            }
        }
    }
}

impl Drop for SessionReport {
    fn drop(&mut self) {
        self.ledger.mail.octets.inc_by(self.retr.under_way + self.top.under_way);
        let reason = match &self.closed {
            Some(closed) => closed.to_string(),
            None if std::thread::panicking() => "internal error: panic".to_owned(),
            None => "cut at shutdown".to_owned(),
        };
        if self.person.is_none() {
            if self.is_probe {
                return;
            }
            self.ledger.last_hour.note_noise(self.peer.ip());
        }
        if self.person.is_none() && !self.admits(LogLine::NoLogin(reason.clone())) {
            return;
        }
        let seconds = (self.began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        if let Some((host, traffic)) = &self.relayed {
            let (peer, listener, tls, person) = (self.peer, &*self.listener, self.protection, self.person.as_deref());
            let (octets, octets_from_client) = (traffic.to_client(), traffic.from_client());
            let (retr, dele) = (traffic.retr(), traffic.dele());
            tracing::info!(name: "relayed_session_ended", person, host, %peer, listener, tls, retr, dele, octets, octets_from_client, seconds, reason, "relayed session ended");
            return;
        }
        tracing::info!(
            name: "connection_ended",
            person = self.person.as_deref(),
            peer = %self.peer,
            listener = &*self.listener,
            tls = self.protection,
            messages = self.messages,
            retr = self.retr.messages,
            retr_octets = self.retr.octets + self.retr.under_way,
            top = self.top.messages,
            top_octets = self.top.octets + self.top.under_way,
            dele = self.deleted,
            seconds,
            reason,
            "connection ended"
        );
    }
}
