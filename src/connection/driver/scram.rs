//! SCRAM logins, which come in three steps: a challenge, a proof, and the client's acknowledgement of the server's
//! signature.

use tokio::time::Instant;

use super::dispatch::Driver;
use super::login::{no_certificate, refusal_delay};
use super::state::ScramState;
use crate::connection::report::SessionReport;
use crate::connection::wire::Transport;
use crate::identity::{Identity, Outcome};
use crate::pop3::{Event, LoginVerdict, ScramFault, ScramLogin, ScramProof};

/// Challenges are sent at multiples of this fraction of the refusal step: making one takes longer for names that exist.
const PARTS_OF_STEP: u32 = 10;

impl<T: Transport> Driver<T> {
    /// Makes a challenge.
    pub(super) async fn challenge(&mut self, wanted: ScramLogin, report: &mut SessionReport) -> Event {
        self.leave_challenge(report, None);
        let began = self.begin_login();
        if !self.takes_logins {
            return self.judged(began, Outcome::address_not_allowed(), &wanted.login, wanted.mechanism, report).await;
        }
        // A client without the required certificate is refused without a look-up, as with a password.
        if self.requires_certificate()
            && let Err(fault) = self.certificate(report)
        {
            let outcome = no_certificate(&fault);
            return self.judged(began, outcome, &wanted.login, wanted.mechanism, report).await;
        }
        match self.service.identities.challenge(&wanted, report.peer.ip()).await {
            Ok((exchange, challenge)) => {
                self.scram = Some(Box::new(ScramState::Challenged(wanted, Box::new(exchange))));
                refusal_delay(began, self.service.settings.refusal_step / PARTS_OF_STEP, 0).await;
                Event::Challenge(challenge)
            }
            Err(outcome) => self.judged(began, outcome, &wanted.login, wanted.mechanism, report).await,
        }
    }

    /// Checks the answer to it. A successful login is logged at once: a client that has the server's signature knows
    /// that the password is right, and may never send its last message.
    pub(super) async fn prove(&mut self, answer: Result<ScramProof, ScramFault>, report: &mut SessionReport) -> Event {
        let began = Instant::now();
        let Some(ScramState::Challenged(wanted, exchange)) = self.scram.take().map(|scram| *scram) else {
            return Event::Judged(LoginVerdict::Unavailable);
        };
        let certificate = match self.certificate(report) {
            Ok(certificate) => certificate,
            Err(fault) => {
                let outcome = no_certificate(&fault);
                return self.judged(began, outcome, &wanted.login, wanted.mechanism, report).await;
            }
        };
        let (from, shown) = (report.peer.ip(), self.shown(certificate.as_ref()));
        let (outcome, signature) = self.service.identities.verify_answer(*exchange, answer, from, shown).await;
        report.certificate = certificate.map(|certificate| certificate.subject);
        match signature {
            Some(signature) => {
                report.login(&wanted.login, wanted.mechanism, &outcome);
                self.scram = Some(Box::new(ScramState::Proven(wanted.login, outcome)));
                Event::Signed(signature)
            }
            None => self.judged(began, outcome, &wanted.login, wanted.mechanism, report).await,
        }
    }

    /// The client has acknowledged the signature: now it is logged in.
    pub(super) async fn conclude(&mut self, report: &mut SessionReport) -> Event {
        let Some(ScramState::Proven(login, outcome)) = self.scram.take().map(|scram| *scram) else {
            return Event::Judged(LoginVerdict::Unavailable);
        };
        self.concluded(Instant::now(), outcome, &login, report).await
    }

    /// If the client has a challenge, it will not answer it any more. That counts as a refused login, unless the same
    /// person has logged in by other means.
    pub(super) fn leave_challenge(&mut self, report: &SessionReport, proven: Option<&Identity>) {
        let Some(ScramState::Challenged(wanted, exchange)) = self.scram.take().map(|scram| *scram) else { return };
        if proven.is_some_and(|person| exchange.is_for(person)) {
            return;
        }
        let outcome = self.service.identities.abandon(*exchange, report.peer.ip());
        report.login(&wanted.login, wanted.mechanism, &outcome);
    }
}
