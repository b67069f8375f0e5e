//! What the log says about a connection: one line for each login, one for the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::close_reason::CloseReason;
use super::counting::NO_KIND;
use super::login::LoginEnd;
use super::summaries::{LogLine, LogSummaries};
use crate::identity::{OpenSession, Outcome};
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
    /// The place of this session among those of its person, while somebody is logged in.
    open: Option<OpenSession>,
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
            open: None,
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

    /// Somebody is logged in.
    pub(crate) fn logged_in(&mut self, person: &str, open: OpenSession) {
        self.person = Some(person.to_owned());
        self.open = Some(open);
        self.live.set_person(Some(person));
    }

    /// Nobody is logged in any more.
    pub(crate) fn logged_out(&mut self) {
        (self.person, self.open) = (None, None);
        self.live.set_person(None);
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
        let (peer, listener, tls) = (self.peer, &*self.listener, self.protection);
        let (certificate, bearer) = (self.certificate.as_deref(), self.bearer.as_ref());
        let end = LoginEnd { login, mechanism, outcome, certificate, bearer, service: None, peer, listener, tls };
        end.report(&self.ledger, &self.repeats);
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
