//! Restante in front of slapd, with an issuer whose tokens count.

use std::fs;
use std::sync::Arc;

use jsonwebtoken::Algorithm;
use restante::demo::people;
use rustls::ClientConfig;
use serde_json::{Value, json};

use crate::support::conversation::{Conversation, trusting};
use crate::support::directory::RealDirectory;
use crate::support::login::{self, give_mail};
use crate::support::service::{Plan, Service, Site};
use crate::support::slapd::Slapd;
use crate::support::stage::NAME;
use crate::support::tokens::{AUDIENCE, ISSUER, SigningKey, claims, jwks, oauthbearer, replace, xoauth2};
use crate::support::wait_until;

/// Alan Jones, who has every kind of name.
pub(super) const MAIL: &str = "alan.jones@renovations.example";
pub(super) const DN: &str = "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example";

/// A second issuer: its tokens hold short names.
pub(super) const PARTNER: &str = "https://partner.example";

pub(super) struct World {
    // Restante goes first, the directory it asks last.
    pub(super) service: Service,
    pub(super) site: Site,
    pub(super) slapd: Slapd,
    pub(super) key: SigningKey,
    pub(super) partner: SigningKey,
    pub(super) tls: Arc<ClientConfig>,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(|_, _| {})
    }

    /// With the plan or the folder changed before Restante starts.
    pub(super) fn with(change: impl FnOnce(&mut Plan, &Site)) -> Self {
        let (slapd, site) = (Slapd::start(people::LDIF), Site::new());
        let key = SigningKey::new("2026", Algorithm::RS256);
        let partner = SigningKey::new("partner", Algorithm::ES256);
        fs::write(site.folder().join("issuer.jwks"), jwks(&[key.jwk()])).unwrap();
        fs::write(site.folder().join("partner.pem"), partner.pem()).unwrap();
        let mut plan =
            Plan::at(&slapd.url()).and("refusal_step: 0s").and("cache: { password: 0s, found: 0s, missed: 0s }");
        plan.further.push_str(&tokens());
        change(&mut plan, &site);
        let service = site.serve(&plan);
        for person in ["ajones", "alamb"] {
            give_mail(&site, person);
        }
        let tls = trusting(&site.authority());
        Self { service, site, slapd, key, partner, tls }
    }

    /// A good token about Alan Jones.
    pub(super) fn token(&self) -> String {
        self.key.sign(&claims(MAIL, &json!({})))
    }

    /// The same, with claims changed.
    pub(super) fn token_with(&self, further: &Value) -> String {
        self.key.sign(&claims(MAIL, further))
    }

    /// A client under TLS that has read the greeting.
    pub(super) fn client(&self) -> Conversation {
        let mut client = Conversation::tls(self.service.pop3s(), NAME, &self.tls);
        client.expect("+OK");
        client
    }

    /// Logs in by OAUTHBEARER; whose mail was opened, or the refusal.
    pub(super) fn log_in(&self, name: &str, token: &str) -> Result<String, String> {
        let mut client = self.client();
        client.send(&format!("AUTH OAUTHBEARER {}", oauthbearer(name, token)));
        opened(&mut client, "AQ==")
    }

    /// Logs in by XOAUTH2.
    pub(super) fn log_in_as_google(&self, name: &str, token: &str) -> Result<String, String> {
        let mut client = self.client();
        client.send(&format!("AUTH XOAUTH2 {}", xoauth2(name, token)));
        opened(&mut client, "")
    }

    /// The token is refused, and the log says why.
    pub(super) fn refuses(&self, name: &str, token: &str, reason: &str) {
        let before = self.refusals(reason);
        assert_eq!(self.log_in(name, token), Err(REFUSAL.to_owned()), "{reason}");
        wait_until(reason, || self.refusals(reason) > before);
    }

    fn refusals(&self, reason: &str) -> usize {
        // The log escapes the quotes of a reason within its own.
        let has_reason =
            |line: &&String| line.contains(reason) || line.replace('\\', "").contains(&reason.replace('\\', ""));
        self.service.log().iter().filter(|line| line.contains(" login refused ")).filter(has_reason).count()
    }

    /// The issuer publishes other keys, and Restante has seen it.
    pub(super) fn publish(&self, keys: &[&SigningKey]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
        let before = self.reread();
        replace(&self.site.folder().join("issuer.jwks"), &jwks(&keys));
        wait_until("keys are read anew", || self.reread() > before);
    }

    fn reread(&self) -> usize {
        self.service.log().iter().filter(|line| line.contains("token keys reloaded")).count()
    }
}

/// The one answer to every token that does not count.
pub(super) const REFUSAL: &str = "-ERR [AUTH] the token is not valid here";

/// The configuration of both issuers.
pub(super) fn tokens() -> String {
    format!(
        "tokens:\n  - issuer: {ISSUER}\n    audience: {AUDIENCE}\n    keys: [issuer.jwks]\n    algorithms: [RS256]\n    \
         claim: email\n    name: mail\n    leeway: 5s\n    openid_configuration: {ISSUER}/.well-known/openid-configuration\n  \
         - issuer: {PARTNER}\n    audience: {AUDIENCE}\n    keys: [partner.pem]\n    algorithms: [ES256]\n    \
         claim: preferred_username\n    name: short_name\n    leeway: 0s\n    required_scope: mail\n"
    )
}

/// What the reply to a token says: whose mail was opened, or the refusal behind the challenge that comes before it.
pub(super) fn opened(client: &mut Conversation, dummy: &str) -> Result<String, String> {
    let mut reply = client.line();
    if reply.starts_with("+ ") {
        client.send(dummy);
        reply = client.line();
    }
    login::opened(client, reply)
}
