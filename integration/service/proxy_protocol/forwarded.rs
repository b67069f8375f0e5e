//! What a proxy says about a client's certificate: believed only where the listener says so, and then treated as one that
//! the client shows to Restante itself.

use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use restante::demo::people;

use super::{behind, from_ipv4, text};
use crate::support::certificates::{ClientAuthority, ClientCertificate, Request, showing};
use crate::support::conversation::Conversation;
use crate::support::directory::RealDirectory as _;
use crate::support::haproxy::HaProxy;
use crate::support::login::{self, give_mail};
use crate::support::service::{Plan, Service, Site};
use crate::support::slapd::Slapd;
use crate::support::stage::{NAME, PASSWORD};

/// Restante in front of slapd, behind a proxy that terminates TLS. Restante has no certificate of its own.
struct World {
    service: Service,
    site: Site,
    authority: ClientAuthority,
    /// Alan Jones' certificate, whose key is in his entry.
    own: ClientCertificate,
    _slapd: Slapd,
}

/// `client_certificate`, `name_and_password`, and what is believed of the proxy.
const POLICIES: [(&str, &str, &str); 4] = [
    ("optional", "optional", "believed"),
    ("required", "required", "believed"),
    ("required", "optional", "believed"),
    ("none", "required", "ignored"),
];
const OPTIONAL: usize = 0;
const REQUIRED: usize = 1;
const ENOUGH: usize = 2;
const IGNORED: usize = 3;

impl World {
    fn new() -> Self {
        let (authority, site) = (ClientAuthority::new("Renovations CA for people"), Site::new());
        let own = authority.sign(Request::named("Alan Jones"));
        let line = "\nuid: ajones\n";
        let slapd = Slapd::start(&people::LDIF.replace(line, &format!("{line}{}", own.ldif())));
        fs::write(site.folder().join("people-ca.pem"), authority.pem()).unwrap();
        let until = SystemTime::now() + Duration::from_secs(3600);
        fs::write(site.folder().join("people.crl"), authority.revocations(&[2], until)).unwrap();
        let mut plan = Plan::at(&slapd.url()).and("refusal_step: 0s");
        plan.listeners = POLICIES.iter().fold(String::new(), |listeners, (certificate, password, believed)| {
            listeners
                + &format!(
                    "  - {{ address: \"127.0.0.1:0\", tls: none, login_without_tls: refuse, client_certificate: \
                     {certificate}, name_and_password: {password}, proxy_protocol: {{ from: [127.0.0.1], tls: believed, \
                     client_certificates: {believed} }} }}\n"
                )
        });
        plan.certificates = String::new();
        plan.tls = "  client_ca: people-ca.pem\n  crls: [people.crl]\n".to_owned();
        let service = site.serve(&plan);
        for person in ["ajones", "alamb"] {
            give_mail(&site, person);
        }
        Self { service, site, authority, own, _slapd: slapd }
    }

    fn port(&self, policy: usize) -> SocketAddr {
        self.service.listeners[policy].0
    }

    fn connect(&self, policy: usize, header: &[u8]) -> Conversation {
        let mut client = behind(self.port(policy), header);
        client.expect("+OK");
        client
    }

    /// Such a client has no certificate that counts: only its password logs it in.
    fn ignores(&self, policy: usize, header: &[u8]) {
        let mut client = self.connect(policy, header);
        client.ask("AUTH EXTERNAL =", "-ERR EXTERNAL requires a client certificate that is accepted here");
        client.login("ajones", PASSWORD);
    }
}

/// The header of a proxy that terminated TLS 1.3, with these octets of `client` and `verify`.
fn header(client: u8, verify: u8, common_name: &str, whole: Option<&ClientCertificate>) -> Vec<u8> {
    let field = |kind: u8, value: &[u8]| {
        let length = u16::try_from(value.len()).unwrap().to_be_bytes();
        [&[kind], &length[..], value].concat()
    };
    let whole = whole.map_or_else(Vec::new, |certificate| field(0x28, &certificate.own));
    let value =
        [vec![client, 0, 0, 0, verify], field(0x21, b"TLSv1.3"), field(0x22, common_name.as_bytes()), whole].concat();
    from_ipv4(&field(0x20, &value))
}

fn external(client: &mut Conversation) -> Result<String, String> {
    client.send("AUTH EXTERNAL =");
    let reply = client.line();
    login::opened(client, reply)
}

#[test]
fn a_whole_certificate_logs_in_as_one_shown_to_restante_does() {
    let world = World::new();
    let shown = header(7, 0, "Alan Jones", Some(&world.own));
    for policy in [OPTIONAL, ENOUGH] {
        assert_eq!(external(&mut world.connect(policy, &shown)).as_deref(), Ok("ajones"));
    }
    let certificate = "certificate=\"CN=Alan Jones\" mechanism=EXTERNAL proof=\"certificate\"";
    let tls = "tls=\"TLS 1.3 at the proxy\"";
    world.service.wait_for_logs(&["event=login person=\"ajones\"", certificate, "peer=192.0.2.7:40000", tls], 2);
    // The name in the header does not count beside the certificate.
    let named = header(7, 0, "Adrian Lamb", Some(&world.own));
    assert_eq!(external(&mut world.connect(OPTIONAL, &named)).as_deref(), Ok("ajones"));
    // The key of this one is in nobody's entry.
    let nobodys = header(7, 0, "Alan Jones", Some(&world.authority.sign(Request::named("Alan Jones").numbered(4))));
    assert!(external(&mut world.connect(OPTIONAL, &nobodys)).unwrap_err().starts_with("-ERR [AUTH]"));
}

#[test]
fn a_required_certificate_may_be_forwarded_by_the_proxy() {
    let world = World::new();
    for policy in [REQUIRED, ENOUGH] {
        for header in [header(1, 0, "", None), header(7, 0, "Alan Jones", None), header(7, 1, "", Some(&world.own))] {
            behind(world.port(policy), &header).ended();
        }
        let shown = header(7, 0, "Alan Jones", Some(&world.own));
        world.connect(policy, &shown).login("ajones", PASSWORD);
        let mut other = world.connect(policy, &shown);
        other.ask("USER alamb", "+OK");
        other.ask("PASS seven green lamps", "-ERR [AUTH]");
    }
    let mut client = world.connect(REQUIRED, &header(7, 0, "Alan Jones", Some(&world.own)));
    client.ask("AUTH EXTERNAL =", "-ERR EXTERNAL requires");
    for reason in ["the client sent no certificate", "forwards only the name", "the proxy could not verify"] {
        world.service.wait_for_logs(&["connection ended", reason], 2);
    }
    // Without TLS at the proxy there is no certificate, and no password is accepted.
    let mut clear = world.connect(REQUIRED, &text("192.0.2.7"));
    clear.ask("USER ajones", "-ERR");
}

#[test]
fn a_forwarded_certificate_that_is_not_proven_or_not_valid_is_ignored() {
    let world = World::new();
    let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
    let alan = || Request::named("Alan Jones");
    let signed = |request| world.authority.sign_key(request, &world.own.key);
    let foreign = ClientAuthority::new("Somebody").sign_key(alan(), &world.own.key);
    for (header, reason) in [
        (header(7, 18, "Alan Jones", Some(&world.own)), Some("the proxy could not verify the client's certificate")),
        (header(7, 0, "Alan Jones", None), Some("the proxy forwards only the name")),
        (header(7, 0, "Alan Jones", Some(&foreign)), Some("is not signed by an authority in tls.client_ca")),
        (header(7, 0, "Alan Jones", Some(&signed(alan().numbered(2)))), Some("is revoked")),
        (header(7, 0, "Alan Jones", Some(&signed(alan().numbered(3).until(an_hour_ago)))), Some("has expired")),
        (header(1, 0, "Alan Jones", Some(&world.own)), None),
    ] {
        world.ignores(OPTIONAL, &header);
        if let Some(reason) = reason {
            world.service.wait_for_log(&["client certificate ignored", reason, "tls=\"TLS 1.3 at the proxy\""]);
        }
    }
    let mut clear = world.connect(OPTIONAL, &text("192.0.2.7"));
    clear.ask("AUTH EXTERNAL =", "-ERR");
}

#[test]
fn a_forwarded_certificate_is_ignored_by_default() {
    let world = World::new();
    world.ignores(IGNORED, &header(7, 0, "Alan Jones", Some(&world.own)));
}

/// `HAProxy` 2.6 forwards common names only, which anybody may share.
#[test]
fn a_common_name_from_haproxy_is_no_certificate() {
    let world = World::new();
    let folder = world.site.folder();
    let both = folder.join("both.pem");
    let of = |name: &str| fs::read_to_string(folder.join("tls").join(name)).unwrap();
    fs::write(&both, of("server.pem") + &of("server.key")).unwrap();
    let configuration = format!(
        "defaults\n    mode tcp\n    timeout connect 5s\n    timeout client 1m\n    timeout server 1m\nfrontend pop3s\n    \
         bind :995 ssl crt {} ca-file {} verify optional\n    default_backend pop3s\nbackend pop3s\n    \
         server mail1 {} send-proxy-v2-ssl-cn\n",
        both.display(),
        folder.join("people-ca.pem").display(),
        world.port(OPTIONAL),
    );
    let haproxy = HaProxy::serve(&configuration, &[]);
    let connect = |certificate| {
        let mut client = Conversation::tls(haproxy.frontends[0], NAME, &showing(&world.site.authority(), certificate));
        client.expect("+OK");
        client.ask("AUTH EXTERNAL =", "-ERR EXTERNAL requires a client certificate that is accepted here");
        client.login("ajones", PASSWORD);
    };
    connect(None);
    connect(Some(&world.own));
    let reason = "the proxy forwards only the name in the client's certificate";
    world.service.wait_for_logs(&["client certificate ignored", reason], 1);
}
