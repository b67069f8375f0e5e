//! Those who ask the service.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::Algorithm;
use rcgen::KeyPair;
use restante::demo::authority::SERVER_NAMES;
use rustls::ClientConfig;
use serde_json::json;

use super::kinds::{Attempt, History, Kind};
use super::support::certificates::{ClientAuthority, Request, showing};
use super::support::conversation::{Conversation, trusting};
use super::support::scram;
use super::support::service::Service;
use super::support::tokens::{SigningKey, claims, oauthbearer, xoauth2};
use super::ways::Mechanism;

/// The places of the listeners that want certificates: besides a password, and instead of one.
pub(super) const CERTIFICATE_REQUIRED: usize = 2;
pub(super) const CERTIFICATE_ALONE: usize = 3;

/// What signs the credentials of clients.
pub(super) struct Keys {
    pub(super) authority: ClientAuthority,
    /// Of everybody's certificate.
    pub(super) own: Arc<KeyPair>,
    pub(super) issuer: SigningKey,
    /// What signs in the place of both.
    forger: SigningKey,
    stolen: Arc<KeyPair>,
}

pub(super) struct Clients<'a> {
    service: &'a Service,
    keys: &'a Keys,
    /// The file of the server's authority, and TLS that shows no certificate.
    trusted: PathBuf,
    tls: Arc<ClientConfig>,
}

impl Keys {
    pub(super) fn new() -> Self {
        let [issuer, forger] = [0; 2].map(|_| SigningKey::new("2026", Algorithm::ES256));
        let [own, stolen] = [0; 2].map(|_| Arc::new(KeyPair::generate().unwrap()));
        Self { authority: ClientAuthority::new("Renovations CA for people"), own, issuer, forger, stolen }
    }
}

impl<'a> Clients<'a> {
    pub(super) fn new(service: &'a Service, keys: &'a Keys, trusted: PathBuf) -> Self {
        let tls = trusting(&trusted);
        Self { service, keys, trusted, tls }
    }

    /// Gives a try its history.
    pub(super) fn prepare(&self, kind: &Kind, person: usize, address: Ipv4Addr) {
        for pair in (kind.before)(person) {
            let from = if kind.history == History::OfNetwork { address } else { fresh_address() };
            self.refused(Mechanism::UserAndPass, from, &pair.into());
        }
    }

    /// One refused login; how long the refusal took.
    pub(super) fn refused(&self, by: Mechanism, from: Ipv4Addr, attempt: &Attempt) -> Duration {
        let mut client = Conversation::plain_from(from.into(), self.server(by));
        if by.is_under_tls() {
            client.begin_tls(SERVER_NAMES[0], &self.tls(attempt));
        }
        client.expect("+OK");
        let line = self.last_line(by, attempt, &mut client);
        let began = Instant::now();
        client.send(&line);
        client.expect(by.refusal());
        let took = began.elapsed();
        if by == Mechanism::Token {
            client.ask("AQ==", "-ERR [AUTH] ");
        }
        took
    }

    fn server(&self, by: Mechanism) -> std::net::SocketAddr {
        match by {
            Mechanism::PasswordAndCertificate => self.service.listeners[CERTIFICATE_REQUIRED].0,
            Mechanism::Certificate => self.service.listeners[CERTIFICATE_ALONE].0,
            by if by.is_under_tls() => self.service.pop3s(),
            _ => self.service.pop3(),
        }
    }

    fn tls(&self, attempt: &Attempt) -> Arc<ClientConfig> {
        if attempt.certificate.is_empty() {
            return self.tls.clone();
        }
        let key = if attempt.is_forged { &self.keys.stolen } else { &self.keys.own };
        let certificate = self.keys.authority.sign_key(Request::named(&attempt.certificate), key);
        showing(&self.trusted, Some(&certificate))
    }

    /// Says everything but the last line of the credentials, and gives that.
    fn last_line(&self, by: Mechanism, attempt: &Attempt, client: &mut Conversation) -> String {
        let (name, password) = &attempt.pair;
        match by {
            Mechanism::SaslPlain => {
                client.ask("AUTH PLAIN", "+");
                STANDARD.encode(format!("\0{name}\0{password}"))
            }
            Mechanism::Scram => {
                let header = match &*attempt.authorization {
                    "" => "n,,".to_owned(),
                    authorization => format!("n,a={authorization},"),
                };
                let own = scram::Client { header: &header, ..scram::Client::new((name, password)) };
                own.proof(&own.begin(client).unwrap())
            }
            Mechanism::Certificate if attempt.authorization.is_empty() => "AUTH EXTERNAL =".to_owned(),
            Mechanism::Certificate => format!("AUTH EXTERNAL {}", STANDARD.encode(&attempt.authorization)),
            Mechanism::Token => self.token(attempt),
            Mechanism::UserAndPass | Mechanism::UserAndPassUnderTls | Mechanism::PasswordAndCertificate => {
                client.ask(&format!("USER {name}"), "+OK");
                format!("PASS {password}")
            }
        }
    }

    fn token(&self, attempt: &Attempt) -> String {
        static TURN: AtomicU32 = AtomicU32::new(0);
        let Attempt { pair: (about, _), authorization, .. } = attempt;
        let further = if attempt.has_expired { json!({ "exp": 5 }) } else { json!({}) };
        let key = if attempt.is_forged { &self.keys.forger } else { &self.keys.issuer };
        let token = key.sign(&claims(about, &further));
        if TURN.fetch_add(1, Relaxed).is_multiple_of(2) {
            return format!("AUTH OAUTHBEARER {}", oauthbearer(authorization, &token));
        }
        format!("AUTH XOAUTH2 {}", xoauth2(authorization, &token))
    }
}

/// An address that nobody had before.
fn fresh_address() -> Ipv4Addr {
    static HOST: AtomicU32 = AtomicU32::new(0x7f80_0001);
    Ipv4Addr::from(HOST.fetch_add(1, Relaxed))
}
