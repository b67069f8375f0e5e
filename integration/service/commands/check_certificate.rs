//! `restante check` finds what clients would find wrong with the server's certificates.

use std::fs;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, DnType, ExtendedKeyUsagePurpose, IsCa, SanType};
use restante::demo::directory::EmbeddedDirectory;
use rustls::pki_types::CertificateDer;

use super::{Ended, command};
use crate::support::certificates::{ClientAuthority, ClientCertificate, Request};
use crate::support::process::{program, succeed};
use crate::support::service::{Plan, Site};
use crate::support::{process, stage};

const DAY: Duration = Duration::from_secs(86_400);

/// The `hostname` of the site's configuration.
const HOST: &str = "mail.renovations.example";

/// A root, an intermediate authority, and a site whose certificate they sign.
struct World {
    root: ClientAuthority,
    between: ClientAuthority,
    site: Site,
    plan: Plan,
    _directory: EmbeddedDirectory,
}

impl World {
    fn new() -> Self {
        let root = ClientAuthority::new("Root");
        let (between, directory) = (root.below("Intermediate", 7), stage::directory());
        Self { root, between, site: Site::new(), plan: Plan::at(&directory.url()), _directory: directory }
    }

    /// Writes a chain and a key as `tls/NAME.pem` and `tls/NAME.key`.
    fn write(&self, name: &str, chain: &[&CertificateDer<'_>], of: &ClientCertificate) {
        let folder = self.site.folder().join("tls");
        of.write(&folder, name);
        fs::write(folder.join(format!("{name}.pem")), pem(chain)).unwrap();
    }

    fn check(&self) -> Ended {
        fs::write(self.site.folder().join("restante.yaml"), self.plan.yaml()).unwrap();
        command(&self.site, &["check"], "")
    }

    /// Checks a chain of the server's.
    fn check_chain(&self, chain: &[&CertificateDer<'_>], of: &ClientCertificate) -> Ended {
        self.write("server", chain, of);
        self.check()
    }

    /// Checks a certificate of the intermediate authority, with all that belongs to it.
    fn check_request(&self, request: Request) -> Ended {
        let own = self.between.sign(request);
        self.check_chain(&[&own.own, self.between.own(), self.root.own()], &own)
    }
}

fn pem(chain: &[&CertificateDer<'_>]) -> String {
    chain.iter().map(|certificate| crate::support::certificates::pem(certificate)).collect()
}

/// A certificate for the site's host.
fn request() -> Request {
    request_for(HOST)
}

fn request_for(host: &str) -> Request {
    let mut request = Request::named("server").and(SanType::DnsName(host.try_into().unwrap()));
    request.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    request
}

fn fine(ended: &Ended) {
    assert_eq!((ended.status, ended.complained.as_str()), (0, ""), "{}", ended.told);
}

/// Status 1, and one complaint that says all of this.
fn faulty(ended: &Ended, words: &[&str]) {
    assert_eq!((ended.status, ended.complained.lines().count()), (1, 1), "{}", ended.complained);
    assert!(ended.complained.starts_with("restante: tls.certificates: "), "{}", ended.complained);
    for word in words.iter().chain(&["; expected "]) {
        assert!(ended.complained.contains(word), "{word}: {}", ended.complained);
    }
}

/// Status 0, and a note that says this.
fn noted(ended: &Ended, words: &str) {
    fine(ended);
    let is_there = ended.told.lines().any(|line| line.starts_with("note: tls.certificates: ") && line.contains(words));
    assert!(is_there, "{words}: {}", ended.told);
}

#[test]
fn a_chain_that_lacks_its_intermediate_or_is_in_the_wrong_order_is_found() {
    let world = World::new();
    let server = world.between.sign(request());
    let (own, between, root) = (&server.own, world.between.own(), world.root.own());

    let whole = world.check_chain(&[own, between, root], &server);
    fine(&whole);
    assert!(!whole.told.contains("note: tls"), "{}", whole.told);
    noted(
        &world.check_chain(&[own, between], &server),
        "\"CN=Root\", which issued \"CN=Intermediate\", is no authority that",
    );

    let missing =
        ["server.pem: the certificate of \"CN=Intermediate\", which issued \"CN=server\", is missing", "fullchain"];
    faulty(&world.check_chain(&[own], &server), &missing);
    let order = ["wrong order", "\"CN=server\", then \"CN=Intermediate\", then \"CN=Root\""];
    faulty(&world.check_chain(&[own, root, between], &server), &order);

    // A certificate that has no part in it.
    let stranger = ClientAuthority::new("Stranger");
    let more = world.check_chain(&[own, between, root, stranger.own()], &server);
    noted(&more, "\"CN=Stranger\" does not belong to the chain");
    let missing = world.check_chain(&[own, stranger.own()], &server);
    faulty(&missing, &["\"CN=Intermediate\", which issued \"CN=server\", is missing"]);

    // One of the same name as its issuer, but with another key.
    let namesake = world.root.below("Intermediate", 8);
    let mut request = request();
    request.params.use_authority_key_identifier_extension = false;
    let server = world.between.sign(request);
    let forged = world.check_chain(&[&server.own, namesake.own(), root], &server);
    faulty(&forged, &["clients reject the chain of \"CN=server\": invalid peer certificate: BadSignature"]);
}

/// What the system trusts need not be in the file.
#[test]
fn a_root_that_the_system_knows_completes_a_chain() {
    let world = World::new();
    let server = world.between.sign(request());
    world.write("server", &[&server.own, world.between.own()], &server);
    fs::write(world.site.folder().join("restante.yaml"), world.plan.yaml()).unwrap();
    fs::write(world.site.folder().join("system.pem"), pem(&[world.root.own()])).unwrap();
    let mut check = super::restante();
    check.env("SSL_CERT_FILE", world.site.folder().join("system.pem"));
    check.args(["check", "--config"]).arg(world.site.folder().join("restante.yaml"));
    let ended = process::output(&mut check, "");
    let told = String::from_utf8(ended.stdout).unwrap();
    assert!(ended.status.success() && !told.contains("note: tls"), "{told}");
}

#[test]
fn the_time_of_each_certificate_is_looked_at() {
    let world = World::new();
    let now = SystemTime::now();
    let expired = world.check_request(request().until(now - Duration::from_secs(60)));
    faulty(&expired, &["\"CN=server\" expired at 20", "its renewed certificate"]);

    let mut early = request().until(now + 3 * DAY);
    early.params.not_before = (now + DAY).into();
    faulty(&world.check_request(early), &["\"CN=server\" is not valid before 20", "a clock that is right"]);

    let mut soon = request().until(now + 9 * DAY + Duration::from_secs(60));
    soon.params.not_before = (now - 90 * DAY).into();
    noted(&world.check_request(soon), "\"CN=server\" expires at 20");

    // Those above it are looked at as well.
    let old = world.root.below_until("Intermediate", 9, now - Duration::from_secs(60));
    let server = old.sign(request());
    let ended = world.check_chain(&[&server.own, old.own(), world.root.own()], &server);
    faulty(&ended, &["\"CN=Intermediate\" expired at 20"]);
}

#[test]
fn a_certificate_for_other_hosts_is_found() {
    let mut world = World::new();
    let other = world.check_request(request_for("pop.renovations.example"));
    let words =
        ["none is valid for mail.renovations.example, the `hostname` of this file, but for pop.renovations.example"];
    faulty(&other, &words);
    fine(&world.check_request(request_for("*.renovations.example")));
    fine(&world.check_request(request_for("MAIL.Renovations.Example")));
    // A wildcard stands for exactly one label (RFC 6125 §6.4.3).
    faulty(
        &world.check_request(request_for("*.example")),
        &["none is valid for mail.renovations.example", "*.example"],
    );

    // Any of several certificates may be for it.
    let pop = world.between.sign(request_for("pop.renovations.example"));
    let mail = world.between.sign(request());
    for (name, server) in [("pop", &pop), ("mail", &mail), ("again", &mail)] {
        world.write(name, &[&server.own, world.between.own(), world.root.own()], server);
    }
    let item = |name: &str| format!("    - {{ chain: tls/{name}.pem, key: tls/{name}.key }}\n");
    world.plan.certificates = item("pop") + &item("mail");
    fine(&world.check());
    world.plan.certificates.push_str(&item("again"));
    noted(&world.check(), "again.pem: is never shown: ");
}

/// Clients have not looked at the common name for many years.
#[test]
fn a_certificate_without_host_names_is_found() {
    let world = World::new();
    let mut request = Request::named(HOST);
    request.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let ended = world.check_request(request);
    assert_eq!(ended.status, 1);
    assert!(ended.complained.contains("is for no host: clients ignore the common name; expected"));
    assert!(
        ended
            .complained
            .contains("none is valid for mail.renovations.example, the `hostname` of this file, but for no host")
    );
}

#[test]
fn a_certificate_of_another_purpose_is_found() {
    let world = World::new();
    let mut authority = request();
    authority.params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    faulty(&world.check_request(authority), &["\"CN=server\" is an authority's certificate"]);
    let mut for_clients = request();
    for_clients.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    faulty(&world.check_request(for_clients), &["\"CN=server\" is not for servers"]);
    // Signed by itself: nothing is wrong with it, but each client must be told.
    let mut own = request().params;
    own.distinguished_name.push(DnType::CommonName, "self");
    let key = rcgen::KeyPair::generate().unwrap();
    let own = own.self_signed(&key).unwrap();
    let own = ClientCertificate { own: own.der().clone(), between: Vec::new(), key: key.into() };
    noted(&world.check_chain(&[&own.own], &own), "is self-signed");
}

/// A certificate that openssl makes, with its key, in place of the server's.
fn make(world: &World, options: &[&str]) {
    let folder = world.site.folder().join("tls");
    let mut command = program("openssl");
    command.args(["req", "-x509", "-days", "2", "-subj", "/CN=server"]).args(options);
    command.args(["-addext", &format!("subjectAltName=DNS:{HOST}"), "-addext", "basicConstraints=critical,CA:FALSE"]);
    command.arg("-keyout").arg(folder.join("server.key"));
    succeed(command.arg("-out").arg(folder.join("server.pem")), "");
}

/// What cannot even be served with is a mistake of the configuration.
#[test]
fn a_key_that_cannot_be_used_is_reported_with_what_is_expected() {
    let world = World::new();
    let refused = |ended: &Ended, key: &str, words: &str| {
        assert_eq!((ended.status, ended.complained.lines().count()), (78, 1), "{}", ended.complained);
        assert!(ended.complained.contains(&format!("tls.certificates.{key}: ")), "{}", ended.complained);
        assert!(ended.complained.contains(words) && ended.complained.contains("; expected"), "{}", ended.complained);
    };
    let (server, other) = (world.between.sign(request()), world.between.sign(request()));
    let between = world.between.own();
    let foreign = world.check_chain(&[&server.own, between], &other);
    refused(&foreign, "key", "server.key: the key does not belong to the first certificate in ");
    let order = world.check_chain(&[between, &server.own], &server);
    refused(&order, "key", "but to the one at place 2; expected a chain that begins with the server's own");

    make(&world, &["-newkey", "rsa:1024", "-nodes"]);
    refused(
        &world.check(),
        "key",
        "\"CN=server\" has an RSA key of 1024 bits, which clients reject; expected RSA with",
    );
    make(&world, &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1", "-nodes"]);
    refused(&world.check(), "key", "\"CN=server\" has an ECDSA key on a curve that TLS does not use");
    make(&world, &["-newkey", "rsa:2048", "-passout", "pass:secret"]);
    refused(&world.check(), "key", "holds a key that is encrypted with a passphrase");
    make(&world, &["-newkey", "ed25519", "-nodes"]);
    fine(&world.check());
}

#[test]
fn a_signature_that_clients_reject_is_found() {
    let world = World::new();
    let folder = world.site.folder().join("tls");
    let openssl = |arguments: &[&str]| succeed(program("openssl").current_dir(&folder).args(arguments), "");
    let (root, server) = (["-subj", "/CN=Old root"], ["-subj", "/CN=server"]);
    openssl(
        &[&["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem"], &root[..]]
            .concat(),
    );
    openssl(
        &[&["req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr"], &server[..]]
            .concat(),
    );
    fs::write(folder.join("extensions"), format!("subjectAltName=DNS:{HOST}\n")).unwrap();
    let sign = ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-extfile", "extensions"];
    openssl(&[&sign[..], &["-sha1", "-out", "own.pem"]].concat());
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    fs::write(folder.join("server.pem"), read("own.pem") + &read("ca.pem")).unwrap();
    faulty(&world.check(), &["\"CN=server\" is signed by SHA-1, which clients reject", "SHA-256"]);
}
