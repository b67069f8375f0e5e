//! Certificates that are renewed while the service runs, as certbot, Kubernetes and people replace the files.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use crate::support::certificates::{ClientAuthority, ClientCertificate, Request};
use crate::support::conversation::Conversation;
use crate::support::stage::Stage;
use crate::support::wait_until;

const DAY: Duration = Duration::from_secs(86_400);

/// How often the service looks at the files, with time to spare for a busy machine.
const SEVERAL_LOOKS: Duration = Duration::from_secs(6);

/// Often enough to meet each state of the files.
const BETWEEN_HANDSHAKES: Duration = Duration::from_millis(100);

/// A service whose certificate is renewed.
struct Renewal {
    stage: Stage,
    authority: ClientAuthority,
    tls: Arc<ClientConfig>,
}

impl Renewal {
    /// Serves with the files that `lay_out` makes in the folder `tls`, and that the configuration names `chain` and `key`.
    fn stage(chain: &str, key: &str, lay_out: impl FnOnce(&Path, &ClientAuthority)) -> Self {
        let authority = ClientAuthority::new("Authority");
        let stage = Stage::set_by(&[], |plan, site| {
            lay_out(&site.folder().join("tls"), &authority);
            plan.certificates = format!("    - {{ chain: tls/{chain}, key: tls/{key} }}\n");
        });
        let mut roots = RootCertStore::empty();
        roots.add(authority.own().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let mut tls = builder.with_root_certificates(roots).with_no_client_auth();
        // In a resumed session no certificate is sent.
        tls.resumption = Resumption::disabled();
        Self { stage, authority, tls: Arc::new(tls) }
    }

    fn folder(&self) -> std::path::PathBuf {
        self.stage.site.folder().join("tls")
    }

    /// What clients are shown in handshakes that they accept: over implicit TLS, and after STLS.
    fn shown(&self) -> [CertificateDer<'static>; 2] {
        let mut implicit = Conversation::tls(self.stage.service.pop3s(), "localhost", &self.tls);
        implicit.expect("+OK");
        let mut upgraded = self.stage.client();
        upgraded.stls("localhost", &self.tls);
        [implicit, upgraded].map(|client| client.session().peer_certificates().unwrap()[0].clone().into_owned())
    }

    fn is_shown(&self, certificate: &CertificateDer<'_>) -> bool {
        self.shown().iter().all(|shown| shown == certificate)
    }

    fn becomes(&self, certificate: &ClientCertificate) {
        wait_until("the renewed certificate is shown", || self.is_shown(&certificate.own));
        self.stage.service.wait_for_log(&["certificate reloaded", "until="]);
    }

    fn shows_only(&self, certificate: &CertificateDer<'_>) {
        let began = Instant::now();
        while began.elapsed() < SEVERAL_LOOKS {
            assert!(self.is_shown(certificate));
            std::thread::sleep(BETWEEN_HANDSHAKES);
        }
    }

    /// That certificate is shown for as long as several looks at the files take.
    fn stays(&self, certificate: &ClientCertificate) {
        self.shows_only(&certificate.own);
    }
}

fn write(certified: &ClientCertificate, chain: &Path, key: &Path) {
    fs::write(chain, certified.chain()).unwrap();
    fs::write(key, certified.key.serialize_pem()).unwrap();
}

fn for_server() -> Request {
    let host = rcgen::SanType::DnsName("mail.renovations.example".try_into().unwrap());
    Request::of_server().and(host).until(SystemTime::now() + 90 * DAY)
}

/// certbot has `live/NAME/*.pem` lead to `archive/NAME/*1.pem`, and renews by unlinking and linking one after the other.
#[test]
fn a_renewal_by_certbot_is_used_once_all_its_links_are_swapped() {
    let mut first = None;
    let renewal = Renewal::stage("live/fullchain.pem", "live/privkey.pem", |tls, authority| {
        let certified = authority.sign(for_server());
        fs::create_dir_all(tls.join("archive")).unwrap();
        fs::create_dir_all(tls.join("live")).unwrap();
        write(&certified, &tls.join("archive/fullchain1.pem"), &tls.join("archive/privkey1.pem"));
        for name in ["fullchain", "privkey"] {
            symlink(format!("../archive/{name}1.pem"), tls.join(format!("live/{name}.pem"))).unwrap();
        }
        first = Some(certified);
    });
    let (mut current, tls) = (first.unwrap(), renewal.folder());
    for round in 2..4 {
        let next = renewal.authority.sign(for_server());
        write(
            &next,
            &tls.join(format!("archive/fullchain{round}.pem")),
            &tls.join(format!("archive/privkey{round}.pem")),
        );
        for name in ["privkey", "fullchain"] {
            let link = tls.join(format!("live/{name}.pem"));
            fs::remove_file(&link).unwrap();
            assert!(renewal.is_shown(&current.own));
            symlink(format!("../archive/{name}{round}.pem"), &link).unwrap();
            if name == "privkey" {
                // The new key does not belong to the old certificate.
                renewal.shows_only(&current.own);
            }
        }
        renewal.becomes(&next);
        current = next;
    }
}

/// Kubernetes has `tls.crt` lead to `..data/tls.crt`, and `..data` to a dated folder; one rename of `..data` changes both.
#[test]
fn a_renewed_secret_of_kubernetes_is_used() {
    let put = |tls: &Path, dated: &str, certified: &ClientCertificate| {
        fs::create_dir_all(tls.join(dated)).unwrap();
        write(certified, &tls.join(dated).join("tls.crt"), &tls.join(dated).join("tls.key"));
        symlink(dated, tls.join("..data_tmp")).unwrap();
        fs::rename(tls.join("..data_tmp"), tls.join("..data")).unwrap();
    };
    let renewal = Renewal::stage("tls.crt", "tls.key", |tls, authority| {
        put(tls, "..2026_01", &authority.sign(for_server()));
        for name in ["tls.crt", "tls.key"] {
            symlink(format!("..data/{name}"), tls.join(name)).unwrap();
        }
    });
    for dated in ["..2026_02", "..2026_03"] {
        let next = renewal.authority.sign(for_server());
        put(&renewal.folder(), dated, &next);
        renewal.becomes(&next);
    }
}

#[test]
fn a_half_written_pair_is_never_shown() {
    let mut first = None;
    let renewal = Renewal::stage("own.pem", "own.key", |tls, authority| {
        let certified = authority.sign(for_server());
        write(&certified, &tls.join("own.pem"), &tls.join("own.key"));
        first = Some(certified);
    });
    let (first, tls) = (first.unwrap(), renewal.folder());
    let next = renewal.authority.sign(for_server());
    let text = next.chain();
    let (one, other) = text.split_at(text.len() / 3);
    let mut chain = fs::File::create(tls.join("own.pem")).unwrap();
    renewal.stays(&first);
    chain.write_all(one.as_bytes()).unwrap();
    renewal.stays(&first);
    chain.write_all(other.as_bytes()).unwrap();
    renewal.stays(&first);
    fs::write(tls.join("own.key"), next.key.serialize_pem()).unwrap();
    renewal.becomes(&next);
    let log = renewal.stage.service.log();
    assert!(!log.iter().any(|line| line.contains("cannot be used")), "nothing to complain about yet");
}

/// Nobody wants to be told of each half of a renewal, but of one that never becomes whole.
#[test]
fn a_pair_that_cannot_be_used_is_logged_after_a_minute_and_the_previous_one_stays() {
    let mut first = None;
    let renewal = Renewal::stage("own.pem", "own.key", |tls, authority| {
        let certified = authority.sign(for_server());
        write(&certified, &tls.join("own.pem"), &tls.join("own.key"));
        first = Some(certified);
    });
    let tls = renewal.folder();
    fs::write(tls.join("own.key"), renewal.authority.sign(for_server()).key.serialize_pem()).unwrap();
    let line =
        renewal.stage.service.wait_for_log(&["ERROR", "cannot be used", "the previous certificate stays in force"]);
    assert!(line.contains("own.key: the key does not belong to the first certificate"), "{line}");
    assert!(renewal.is_shown(&first.unwrap().own));
    let next = renewal.authority.sign(for_server());
    write(&next, &tls.join("own.pem"), &tls.join("own.key"));
    renewal.becomes(&next);
}

#[test]
fn a_certificate_that_clients_would_reject_does_not_replace_one_that_they_accept() {
    let mut first = None;
    let renewal = Renewal::stage("own.pem", "own.key", |tls, authority| {
        let certified = authority.sign(for_server());
        write(&certified, &tls.join("own.pem"), &tls.join("own.key"));
        first = Some(certified);
    });
    let (first, tls, now) = (first.unwrap(), renewal.folder(), SystemTime::now());
    let put = |certified: &ClientCertificate| write(certified, &tls.join("own.pem"), &tls.join("own.key"));
    put(&renewal.authority.sign(for_server().from(now - 9 * DAY).until(now - DAY)));
    renewal.stays(&first);
    put(&renewal.authority.sign(for_server().from(now + DAY)));
    renewal.stays(&first);
    // The host name of the configuration is missing.
    put(&renewal.authority.sign(Request::of_server()));
    renewal.stays(&first);
    let between = renewal.authority.below("Between", 7);
    let disordered = between.sign(for_server());
    put(&disordered);
    let chain: Vec<String> = [between.own(), &disordered.own].map(|own| crate::support::certificates::pem(own)).into();
    fs::write(tls.join("own.pem"), chain.concat()).unwrap();
    renewal.stays(&first);
    fs::write(tls.join("own.pem"), disordered.chain()).unwrap();
    renewal.becomes(&disordered);
}

#[test]
fn the_end_of_a_certificate_is_announced() {
    for (days, level, event) in
        [(10, "WARN", "certificate expires soon"), (2, "ERROR", "certificate expires within three days")]
    {
        let renewal = Renewal::stage("own.pem", "own.key", |tls, authority| {
            let until = SystemTime::now() + days * DAY + DAY / 2;
            write(&authority.sign(for_server().until(until)), &tls.join("own.pem"), &tls.join("own.key"));
        });
        let line = renewal.stage.service.wait_for_log(&[level, event, "own.pem"]);
        assert!(line.contains(&format!("days={days} ")), "{line}");
        renewal.stage.service.wait_for_log(&["certificate in use", "own.pem", "until="]);
    }
}
