//! Logins by token, and by the certificate that the port may require in addition.

use super::dispatch::Driver;
use super::login::no_certificate;
use crate::connection::report::SessionReport;
use crate::connection::wire::Transport;
use crate::identity::Outcome;
use crate::pop3::{Event, LoginVerdict, Mechanism, TokenCredentials};

impl<T: Transport> Driver<T> {
    /// Checks a token. A refusal carries the error that the client gets before the exchange ends.
    pub(super) async fn token(&mut self, credentials: TokenCredentials, report: &mut SessionReport) -> Event {
        let began = self.begin_login();
        let (authorization, mechanism) = (credentials.authorization.clone(), credentials.mechanism);
        let outcome = self.judge_token(credentials, report).await;
        let event = self.judged(began, outcome, &authorization, mechanism, report).await;
        report.bearer = None;
        self.with_challenge(event, mechanism)
    }

    async fn judge_token(&mut self, credentials: TokenCredentials, report: &mut SessionReport) -> Outcome {
        if !self.takes_logins {
            return Outcome::address_not_allowed();
        }
        let certificate = match self.certificate(report) {
            Ok(certificate) => certificate,
            Err(fault) => return no_certificate(&fault),
        };
        let (identities, shown) = (&self.service.identities, self.shown(certificate.as_ref()));
        let judgement = identities.verify_token(credentials, report.peer.ip(), shown).await;
        report.bearer = judgement.bearer;
        report.certificate = certificate.map(|certificate| certificate.subject);
        judgement.outcome
    }

    fn with_challenge(&self, event: Event, mechanism: Mechanism) -> Event {
        match event {
            Event::Judged(LoginVerdict::Refused) => {
                Event::TokenRefused(self.service.identities.token_challenge(mechanism))
            }
            event => event,
        }
    }
}
