//! The line of a login, and how it is counted: one for POP3 and for mail transfer agents.

use std::net::SocketAddr;

use super::counting::{count_login, kind_of};
use super::summaries::{LogLine, LogSummaries};
use crate::identity::{Outcome, RefusedLogin};
use crate::ledger::Ledger;
use crate::names::LoginName;
use crate::pop3::Mechanism;
use crate::token::Bearer;

/// The end of a login.
pub struct LoginEnd<'a> {
    /// The login name as typed, in any octets.
    pub login: &'a [u8],
    /// How the credentials were sent.
    pub mechanism: Mechanism,
    /// How it ended.
    pub outcome: &'a Outcome,
    /// The subject of the client's certificate, if one was accepted.
    pub certificate: Option<&'a str>,
    /// Who the token is about, if its signature is valid.
    pub bearer: Option<&'a Bearer>,
    /// The service for which a mail transfer agent asks, such as `smtp`; none for a session of POP3.
    pub service: Option<&'a str>,
    /// The client's address.
    pub peer: SocketAddr,
    /// Where the login came in, as the log calls it.
    pub listener: &'a str,
    /// The protection of the client's connection, as the log calls it.
    pub tls: &'a str,
}

impl LoginEnd<'_> {
    /// Counts the login, and logs it unless it is one of many refusals, which are summed up.
    pub fn report(&self, ledger: &Ledger, repeats: &LogSummaries) {
        count_login(ledger, self.mechanism, self.outcome, self.peer.ip());
        let line = match self.outcome {
            Outcome::Proven(_) | Outcome::Forbidden(..) => None,
            Outcome::Refused(refused) => Some(LogLine::Refused(refused.reason.kind())),
            Outcome::Unavailable(_) => Some(LogLine::Unavailable),
            Outcome::Misconfigured(_) => Some(LogLine::Misconfigured),
        };
        if line.is_none_or(|line| repeats.admits(line, self.peer.ip())) {
            self.log();
        }
    }

    fn log(&self) {
        let Self { mechanism, outcome, certificate, service, peer, listener, tls, .. } = *self;
        let (issuer, claim) = self.bearer.map(|bearer| (&*bearer.issuer, &*bearer.name)).unzip();
        let login = &*LoginName::as_typed(self.login);
        match outcome {
            Outcome::Proven(proven) => {
                let kind = kind_of(mechanism, proven);
                let (person, proof) = (&*proven.identity.canonical_name, proven.proof.to_string());
                tracing::info!(
                    name: "login",
                    person, login, kind, certificate, issuer, claim, %mechanism, proof, service, %peer, listener, tls,
                    "login"
                );
            }
            Outcome::Refused(RefusedLogin { identity, reason, .. }) => {
                let person = identity.as_ref().map(|identity| identity.canonical_name.as_str());
                tracing::info!(
                    name: "login_refused",
                    person, login, reason = reason.to_string(), certificate, issuer, claim, %mechanism, service, %peer, listener, tls,
                    "login refused"
                );
            }
            Outcome::Unavailable(reason) => {
                tracing::warn!(
                    name: "login_not_possible_directory_unavailable",
                    login, reason, certificate, issuer, claim, %mechanism, service, %peer, listener, tls,
                    "login not possible: directory unavailable"
                );
            }
            Outcome::Misconfigured(reason) => {
                tracing::error!(
                    name: "login_not_possible_misconfigured",
                    login, reason, %mechanism, service, %peer, listener, tls,
                    "login not possible: misconfigured"
                );
            }
            Outcome::Forbidden(identity, reason) => {
                let person = &*identity.canonical_name;
                tracing::error!(
                    name: "maildrop_forbidden",
                    person, login, reason, %mechanism, service, %peer, listener, tls,
                    "maildrop forbidden"
                );
            }
        }
    }
}
