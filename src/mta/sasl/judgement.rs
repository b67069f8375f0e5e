//! One login: whose it is, by the same rules as for POP3, and when its answer is sent.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::reply::{SaslAnswer, SaslReply};
use super::request::LoginOrigin;
use crate::connection::{LoginEnd, Service};
use crate::identity::Outcome;
use crate::mta::account_name::account_name;
use crate::names::LoginName;
use crate::pop3::{Credentials, TokenCredentials};
use crate::session_id::SessionId;

/// When the answer is sent at the latest, unless the directory takes longer. A process of the mail transfer agent waits for
/// it, and Postfix gives up after 10 s.
const LATEST: Duration = Duration::from_secs(4);

/// What a client has sent to log in.
pub(super) enum PresentedCredentials {
    Password(Credentials),
    Token(TokenCredentials),
}

/// Judges a login; returns the answer when it may be sent.
pub(super) async fn judge(
    service: Arc<Service>,
    id: u32,
    origin: LoginOrigin,
    credentials: PresentedCredentials,
) -> SaslReply {
    let answer = SessionId::fresh().of(answer(&service, &origin, credentials)).await;
    SaslReply { id, answer }
}

async fn answer(service: &Service, origin: &LoginOrigin, credentials: PresentedCredentials) -> SaslAnswer {
    let (began, from) = (Instant::now(), origin.client.ip());
    let (login, mechanism, outcome, bearer) = match credentials {
        PresentedCredentials::Password(credentials) => {
            let (login, mechanism) = (credentials.login.clone(), credentials.mechanism);
            (login, mechanism, service.identities.verify(credentials, from).await, None)
        }
        PresentedCredentials::Token(credentials) => {
            let (login, mechanism) = (credentials.authorization.clone(), credentials.mechanism);
            let judgement = service.identities.verify_token(credentials, from, None).await;
            (login, mechanism, judgement.outcome, judgement.bearer)
        }
    };
    let end = LoginEnd {
        login: &login,
        mechanism,
        outcome: &outcome,
        certificate: None,
        bearer: bearer.as_ref(),
        service: Some(&origin.service),
        peer: origin.client,
        listener: "sasl_service",
        tls: if origin.is_secured { "at the MTA" } else { "none" },
    };
    end.report(&service.ledger, &service.repeats);
    let (answer, further) = match outcome {
        Outcome::Proven(proven) => return SaslAnswer::Accepted(account_name(&proven.identity)),
        // Whoever sends mail needs no maildrop.
        Outcome::Forbidden(person, _) => return SaslAnswer::Accepted(account_name(&person)),
        Outcome::Refused(refused) => (SaslAnswer::Refused(LoginName::as_typed(&login)), refused.delay_steps),
        Outcome::Unavailable(_) | Outcome::Misconfigured(_) => (SaslAnswer::Temporary, 0),
    };
    sleep_until(began + answer_time(began.elapsed(), service.settings.refusal_step, further)).await;
    answer
}

/// When an answer is sent, after the credentials arrived: at a whole number of steps, some further ones later where
/// somebody seems to be guessing.
fn answer_time(took: Duration, step: Duration, further: u32) -> Duration {
    let step = step.min(LATEST);
    if step.is_zero() {
        return took;
    }
    let steps = |time: Duration| u32::try_from(time.as_nanos() / step.as_nanos()).unwrap_or(u32::MAX);
    let soonest = steps(took).saturating_add(1);
    step.saturating_mul(soonest.saturating_add(further).min(steps(LATEST)).max(soonest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_sent_at_whole_steps_and_never_too_late_for_postfix() {
        let millis = Duration::from_millis;
        for (took, step, further, at) in [
            (0, 1000, 0, 1000),
            (999, 1000, 0, 1000),
            (1000, 1000, 0, 2000),
            (10, 1000, 2, 3000),
            (10, 1000, 4, 4000),
            (10, 1000, 77, 4000),
            (5500, 1000, 4, 6000),
            (10, 60_000, 0, 4000),
            (10, 3000, 4, 3000),
            (10, 0, 4, 10),
        ] {
            assert_eq!(answer_time(millis(took), millis(step), further), millis(at), "{took} {step} {further}");
        }
    }
}
