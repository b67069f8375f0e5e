//! Guessing, as an attacker does it and as people see it: the real service, clients from many addresses.

mod lock_outs;
mod real_client;
mod stale_password;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use restante::demo::directory::EmbeddedDirectory;
use restante::demo::people::{self, SERVICE};
use restante::names::Dn;

use crate::support::conversation::Conversation;
use crate::support::directory::unchanged_for_long;
use crate::support::login::give_mail;
use crate::support::service::{Plan, Service, Site};

const ALAN: (&str, &str) = ("ajones", "violet-harbour-17");
const LAMB: (&str, &str) = ("alamb", "seven green lamps");
const REFUSAL: &str = "-ERR [AUTH] name or password is wrong";

/// The service on every address of both protocols, in front of the embedded directory.
struct World {
    service: Service,
    directory: EmbeddedDirectory,
    _site: Site,
}

impl World {
    /// With these keys of `lockout`; refusals are told at once.
    fn new(lockout: &str) -> Self {
        Self::with(lockout, "refusal_step: 0s")
    }

    fn with(lockout: &str, further: &str) -> Self {
        let directory = EmbeddedDirectory::start(unchanged_for_long(people::LDIF), Dn::parse(SERVICE)).unwrap();
        let site = Site::new();
        for (person, _) in [ALAN, LAMB] {
            give_mail(&site, person);
        }
        let mut plan = Plan::at(&directory.url()).and(further);
        lockout.clone_into(&mut plan.lockout);
        "  - { address: \"[::]:0\", tls: starttls }\n".clone_into(&mut plan.listeners);
        let service = site.serve(&plan);
        Self { service, directory, _site: site }
    }

    /// A login from an address of this machine: the reply to PASS.
    fn login(&self, from: &str, (name, password): (&str, &str)) -> String {
        reply(self.service.pop3(), from, name, password).0
    }

    fn refuses(&self, from: &str, credentials: (&str, &str)) {
        assert_eq!(self.login(from, credentials), REFUSAL, "{from} {credentials:?}");
    }

    fn lets_in(&self, from: &str, credentials: (&str, &str)) {
        let reply = self.login(from, credentials);
        assert!(reply.starts_with("+OK"), "{from} {credentials:?}: {reply}");
    }

    /// Binds as people, so far.
    fn binds(&self) -> u64 {
        self.directory.controls().asked().binds
    }
}

/// The reply to PASS, and how long it took.
fn reply(server: SocketAddr, from: &str, name: &str, password: &str) -> (String, Duration) {
    let from: IpAddr = from.parse().unwrap();
    let loopback: IpAddr = if from.is_ipv4() { [127, 0, 0, 1].into() } else { "::1".parse().unwrap() };
    let mut client = Conversation::plain_from(from, SocketAddr::new(loopback, server.port()));
    client.expect("+OK");
    client.ask(&format!("USER {name}"), "+OK");
    let began = Instant::now();
    client.send(&format!("PASS {password}"));
    (client.line(), began.elapsed())
}
