//! Logins by password and by certificate, what follows from any login, and when a refusal is sent.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::dispatch::Driver;
use super::state::AcceptedLogin;
use super::translation::{delay_steps, verdict};
use crate::certificate::Certificate;
use crate::connection::report::SessionReport;
use crate::connection::wire::{ClientCertificateFault, ClientCertificates, Transport, shown};
use crate::identity::{MailPlace, Outcome, ShownCertificate};
use crate::pop3::{Credentials, Event, LoginVerdict, Mechanism};

impl<T: Transport> Driver<T> {
    pub(super) async fn verify(&mut self, credentials: Credentials, report: &mut SessionReport) -> Event {
        let began = self.begin_login();
        let (login, mechanism) = (credentials.login.clone(), credentials.mechanism);
        if !self.takes_logins {
            return self.judged(began, Outcome::address_not_allowed(), &login, mechanism, report).await;
        }
        let certificate = match self.certificate(report) {
            Ok(certificate) => certificate,
            Err(fault) => return self.judged(began, no_certificate(&fault), &login, mechanism, report).await,
        };
        let (from, shown) = (report.peer.ip(), self.shown(certificate.as_ref()));
        let may_need = self.service.back_ends.as_ref().is_some_and(|hosts| hosts.settings().needs_some_passwords());
        let password = credentials.password.as_ref().ok().filter(|_| may_need).cloned();
        let outcome = self.service.identities.verify_with(credentials, from, shown).await;
        report.certificate = certificate.map(|certificate| certificate.subject);
        self.password = password;
        self.judged(began, outcome, &login, mechanism, report).await
    }

    /// A login by certificate alone (SASL EXTERNAL).
    pub(super) async fn external(&mut self, authorization: &[u8], report: &mut SessionReport) -> Event {
        let began = self.begin_login();
        if !self.takes_logins {
            return self
                .judged(began, Outcome::address_not_allowed(), authorization, Mechanism::External, report)
                .await;
        }
        let (identities, from) = (&self.service.identities, report.peer.ip());
        let outcome = match self.certificate(report) {
            Ok(Some(certificate)) => {
                let outcome = identities.verify_certificate(&certificate, authorization, from).await;
                report.certificate = Some(certificate.subject);
                outcome
            }
            Ok(None) => no_certificate(&ClientCertificateFault::NoLongerValid),
            Err(fault) => no_certificate(&fault),
        };
        self.judged(began, outcome, authorization, Mechanism::External, report).await
    }

    /// The certificate if it is valid now, which may differ from the result at the handshake.
    pub(super) fn certificate(&self, report: &SessionReport) -> Result<Option<Certificate>, ClientCertificateFault> {
        let Some(policy) = self.client_certificates() else { return Ok(None) };
        shown(policy, &self.wire.stream, report)
    }

    /// The same, for a check together with other credentials.
    pub(super) fn shown<'c>(&self, certificate: Option<&'c Certificate>) -> Option<ShownCertificate<'c>> {
        let is_required = self.requires_certificate();
        certificate.map(|certificate| ShownCertificate { certificate, is_required })
    }

    pub(super) fn requires_certificate(&self) -> bool {
        self.client_certificates().is_some_and(|policy| policy.required)
    }

    /// How the client's certificate is treated, if one counts at all.
    pub(super) fn client_certificates(&self) -> Option<&ClientCertificates> {
        self.forwarded.as_ref().or_else(|| self.tls.as_ref()?.client_certificates.as_ref())
    }

    pub(super) async fn judged(
        &mut self,
        began: Instant,
        outcome: Outcome,
        login: &[u8],
        mechanism: Mechanism,
        report: &mut SessionReport,
    ) -> Event {
        report.login(login, mechanism, &outcome);
        self.concluded(began, outcome, login, report).await
    }

    /// What follows from a login that was logged.
    pub(super) async fn concluded(
        &mut self,
        began: Instant,
        outcome: Outcome,
        login: &[u8],
        report: &mut SessionReport,
    ) -> Event {
        let password = self.password.take();
        let (person, mail) = match outcome {
            Outcome::Proven(proven) => {
                let person = proven.identity;
                self.service.recent.note(report.peer.ip(), std::time::Instant::now());
                if let MailPlace::Here(path) = &proven.mail {
                    self.service.known.note(&person.id, &person.canonical_name, path);
                }
                (person, Some(proven.mail))
            }
            Outcome::Forbidden(person, _) => (person, None),
            refusal => {
                // After the delay nothing is left to do that depends on the reason.
                let (verdict, further) = (verdict(&refusal), delay_steps(&refusal));
                drop(refusal);
                refusal_delay(began, self.service.settings.refusal_step, further).await;
                return Event::Judged(verdict);
            }
        };
        self.leave_challenge(report, Some(&person));
        let open = self.service.identities.open_session(&person, login, report.live());
        report.logged_in(&person.canonical_name, open);
        self.login = Some(AcceptedLogin { mail, password, expiry: person.retention.expiry, began });
        Event::Judged(LoginVerdict::Proven)
    }
}

/// A login of a client that has no certificate which is valid now, where one is required.
pub(super) fn no_certificate(fault: &ClientCertificateFault) -> Outcome {
    Outcome::no_certificate(fault.to_string())
}

/// Waits until a whole number of steps after the credentials arrived, so that the time of a refusal does not reveal its
/// reason; some steps longer where somebody seems to be guessing.
pub(super) async fn refusal_delay(began: Instant, step: Duration, delay_steps: u32) {
    if step.is_zero() {
        return;
    }
    let steps = began.elapsed().as_nanos() / step.as_nanos() + 1;
    let steps = u32::try_from(steps).unwrap_or(u32::MAX).saturating_add(delay_steps);
    sleep_until(began + step * steps).await;
}
