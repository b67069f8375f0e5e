//! Clients' certificates, shown in real handshakes: a real slapd with people's certificates behind a Restante of its own.

mod counting;
mod external;
mod many;
mod mapping;
mod matrix;
mod resumption;
mod several;
mod with_token;

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use restante::demo::people;
use rustls::ClientConfig;

use crate::support::certificates::{ClientAuthority, ClientCertificate, Request, showing};
use crate::support::conversation::Conversation;
use crate::support::directory::RealDirectory;
use crate::support::login::{self, give_mail};
use crate::support::service::{Plan, Service, Site};
use crate::support::slapd::Slapd;

/// Further people: two of one name.
const FURTHER: &str = "
dn: uid=jsmith1,ou=Sales,ou=people,dc=renovations,dc=example
objectClass: inetOrgPerson
uid: jsmith1
cn: John Smith
sn: Smith
userPassword: first-smith

dn: uid=jsmith2,ou=Production,ou=people,dc=renovations,dc=example
objectClass: inetOrgPerson
uid: jsmith2
cn: John Smith
sn: Smith
userPassword: second-smith
";

/// The listeners: a policy and when TLS begins.
const POLICIES: [(&str, &str); 5] = [
    ("none", "required"),
    ("optional", "required"),
    ("optional", "optional"),
    ("required", "required"),
    ("required", "optional"),
];

/// Restante in front of slapd, with an authority that signs for clients.
struct World {
    service: Service,
    site: Site,
    slapd: Slapd,
    authority: ClientAuthority,
    /// Alan Jones' certificate, whose key is in his entry.
    own: ClientCertificate,
    /// The two John Smiths'.
    smiths: [ClientCertificate; 2],
}

impl World {
    fn new() -> Self {
        Self::with(|_| {})
    }

    /// With the plan changed.
    fn with(change: impl FnOnce(&mut Plan)) -> Self {
        Self::with_files(|plan, _| change(plan))
    }

    /// With the plan or files of the site changed.
    fn with_files(change: impl FnOnce(&mut Plan, &Site)) -> Self {
        let (authority, site) = (ClientAuthority::new("Renovations CA for people"), Site::new());
        let own = authority.sign(Request::named("Alan Jones"));
        let smiths = [1, 2].map(|number| authority.sign(Request::named("John Smith").numbered(10 + number)));
        let slapd = Slapd::start(&ldif(&own, &smiths));
        Self::before(slapd, site, authority, own, smiths, change)
    }

    fn before(
        slapd: Slapd,
        site: Site,
        authority: ClientAuthority,
        own: ClientCertificate,
        smiths: [ClientCertificate; 2],
        change: impl FnOnce(&mut Plan, &Site),
    ) -> Self {
        fs::write(site.folder().join("people-ca.pem"), authority.pem()).unwrap();
        revoke(&site, &authority, &[2]);
        let mut plan =
            Plan::at(&slapd.url()).and("refusal_step: 0s").and("cache: { password: 0s, found: 0s, missed: 0s }");
        plan.listeners = listeners();
        plan.tls.push_str("  client_ca: people-ca.pem\n  crls: [people.crl]\n");
        change(&mut plan, &site);
        let service = site.serve(&plan);
        for person in ["ajones", "alamb", "jsmith1", "jsmith2"] {
            give_mail(&site, person);
        }
        Self { service, site, slapd, authority, own, smiths }
    }

    /// The port of a policy, with STLS or with TLS from the first octet.
    fn port(&self, policy: (&str, &str), stls: bool) -> SocketAddr {
        let place = POLICIES.iter().position(|own| *own == policy).unwrap();
        self.service.listeners[2 * place + usize::from(stls)].0
    }

    fn tls(&self, certificate: Option<&ClientCertificate>) -> Arc<ClientConfig> {
        showing(&self.site.authority(), certificate)
    }

    /// A greeted client under TLS.
    fn connect(&self, policy: (&str, &str), stls: bool, tls: &Arc<ClientConfig>) -> Conversation {
        let port = self.port(policy, stls);
        if stls {
            let mut client = Conversation::plain(port);
            client.expect("+OK");
            client.stls("localhost", tls);
            return client;
        }
        let mut client = Conversation::tls(port, "localhost", tls);
        client.expect("+OK");
        client
    }

    /// A client that shows a certificate where it alone is enough.
    fn with_certificate(&self, certificate: &ClientCertificate) -> Conversation {
        self.connect(("optional", "optional"), false, &self.tls(Some(certificate)))
    }

    /// Logs in by the certificate alone; whose mail was opened, or the refusal.
    fn external(&self, certificate: &ClientCertificate) -> Result<String, String> {
        let mut client = self.with_certificate(certificate);
        client.send("AUTH EXTERNAL =");
        opened(&mut client)
    }

    /// The certificate alone is refused, and the log says why.
    fn refuses(&self, certificate: &ClientCertificate, reason: &str) {
        let before = self.refusals(reason);
        assert_eq!(self.external(certificate), Err("-ERR [AUTH] name or password is wrong".to_owned()), "{reason}");
        crate::support::wait_until(reason, || self.refusals(reason) > before);
    }

    fn refusals(&self, reason: &str) -> usize {
        self.service.log().iter().filter(|line| line.contains(" login refused ") && line.contains(reason)).count()
    }
}

/// What the reply to a login says; if it is a yes, whose mail was opened.
fn opened(client: &mut Conversation) -> Result<String, String> {
    let reply = client.line();
    login::opened(client, reply)
}

/// The mechanisms that CAPA tells.
fn mechanisms(client: &mut Conversation) -> String {
    client.ask("CAPA", "+OK");
    let lines = String::from_utf8(client.multiline()).unwrap();
    lines.lines().find_map(|line| line.strip_prefix("SASL ")).unwrap_or_default().to_owned()
}

/// Replaces the revocation list by one that holds these numbers.
fn revoke(site: &Site, authority: &ClientAuthority, serials: &[u64]) {
    let until = SystemTime::now() + Duration::from_secs(3600);
    replace_list(site, &authority.revocations(serials, until));
}

/// Replaces the revocation list at one stroke, as authorities' tools do.
fn replace_list(site: &Site, list: &str) {
    let (new, old) = (site.folder().join("new.crl"), site.folder().join("people.crl"));
    fs::write(&new, list).unwrap();
    fs::rename(new, old).unwrap();
}

fn listeners() -> String {
    let pair = |(certificate, password): &(&str, &str)| {
        ["implicit", "starttls"].map(|tls| {
            format!(
                "  - {{ address: \"127.0.0.1:0\", tls: {tls}, client_certificate: {certificate}, \
                 name_and_password: {password} }}\n"
            )
        })
    };
    POLICIES.iter().flat_map(pair).collect()
}

/// The people, with certificates in their entries.
fn ldif(own: &ClientCertificate, smiths: &[ClientCertificate; 2]) -> String {
    let mut ldif = format!("{}\n{FURTHER}", people::LDIF);
    for (uid, certificate) in [("ajones", own), ("jsmith1", &smiths[0]), ("jsmith2", &smiths[1])] {
        let line = format!("\nuid: {uid}\n");
        assert!(ldif.contains(&line));
        ldif = ldif.replace(&line, &format!("{line}{}", certificate.ldif()));
    }
    ldif
}
