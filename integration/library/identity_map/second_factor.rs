//! A certificate besides a password: nobody finds out with a certificate of their own which password is somebody else's.

use std::time::Duration;

use restante::certificate::Certificate;
use restante::demo::fault_injection::InjectedFault;
use restante::directory::CertificateMapping;
use restante::identity::ShownCertificate;
use restante::lockout::Settings;
use restante::pop3::{Credentials, Mechanism};
use restante::secret::Password;

use super::{ALAN, PASSWORD, World, describe};
use crate::support::certificates::{ClientAuthority, Request};

const LAMB: (&str, &str) = ("alamb", "seven green lamps");

/// Alan Jones' certificate, by its subject's mail address.
fn alans() -> Certificate {
    let authority = ClientAuthority::new("CA for people");
    let signed = authority.sign(Request::named("Alan Jones").mail("alan.jones@renovations.example"));
    Certificate::read(&signed.own).unwrap()
}

/// A world whose authority is believed as to the subject.
fn world() -> World {
    World::mapping(CertificateMapping::Subject, Settings::off(), |_| {})
}

async fn log_in(world: &World, (name, password): (&str, &str), certificate: &Certificate) -> String {
    let password = Password::new(password.as_bytes().to_vec());
    let credentials = Credentials {
        login: name.as_bytes().to_vec(),
        authorization: Vec::new(),
        password,
        mechanism: Mechanism::User,
    };
    let shown = ShownCertificate { certificate, is_required: true };
    describe(world.map.verify_with(credentials, "127.0.0.1".parse().unwrap(), Some(shown)).await)
}

/// Neither by its words nor by a bind, which a slow directory or one that locks accounts would show.
#[tokio::test]
async fn anothers_password_is_not_tried() {
    let (world, certificate) = (world(), alans());
    assert_eq!(log_in(&world, ("ajones", PASSWORD), &certificate).await, "ajones/Maildir by bind");
    assert_eq!(world.login(LAMB.0, LAMB.1).await, "alamb/Maildir by bind");
    let (_, binds) = world.asked();
    for password in [LAMB.1, "wrong"] {
        let refusal = format!("refused: the certificate is another person's: {ALAN}");
        assert_eq!(log_in(&world, (LAMB.0, password), &certificate).await, refusal);
    }
    assert_eq!(world.asked().1, binds);
    assert_eq!(world.login(LAMB.0, LAMB.1).await, "alamb/Maildir by cache", "what is cached of them stays");
}

#[tokio::test]
async fn nor_while_the_directory_is_silent() {
    let certificate = alans();
    let world = World::mapping(CertificateMapping::Subject, Settings::off(), |cache| cache.password = Duration::ZERO);
    assert_eq!(log_in(&world, ("ajones", PASSWORD), &certificate).await, "ajones/Maildir by bind");
    assert_eq!(world.login(LAMB.0, LAMB.1).await, "alamb/Maildir by bind");
    world.controls.inject(InjectedFault::Refuse);
    assert_eq!(log_in(&world, ("ajones", PASSWORD), &certificate).await, "ajones/Maildir by outage grace");
    let [right, wrong] = [LAMB.1, "wrong"].map(|password| (LAMB.0, password));
    assert_eq!(log_in(&world, right, &certificate).await, log_in(&world, wrong, &certificate).await);
}
