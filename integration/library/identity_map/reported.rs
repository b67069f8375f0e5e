//! What a directory has said of a person is not bridged by the outage that comes behind it, and no login outlives the grace.

use std::time::{Duration, Instant};

use restante::certificate::Certificate;
use restante::demo::fault_injection::InjectedFault;
use restante::directory::{CertificateMapping, Change, EntryId};
use restante::identity::{Lifetimes, Trace};
use restante::lockout::Settings;

use super::several::{Setup, Two};
use super::{ALAN, LAMB, PASSWORD, World, describe};
use crate::support::certificates::{ClientAuthority, Request};

const BRIDGED: &str = "ajones/Maildir by outage grace";
const SECOND: Duration = Duration::from_secs(1);

/// Nothing but the grace can let anybody in without the directory.
fn world() -> World {
    World::mapping(CertificateMapping::Subject, Settings::off(), |cache| {
        (cache.found, cache.missed, cache.password) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    })
}

/// Alan Jones' certificate: by his DN, or by his mail address.
fn alans(is_by_dn: bool) -> Certificate {
    let authority = ClientAuthority::new("CA for people");
    let request = Request::named("Alan Jones").mail("alan.jones@renovations.example");
    let mut certificate = Certificate::read(&authority.sign(request).own).unwrap();
    if is_by_dn {
        (certificate.subject, certificate.mails) = (ALAN.to_owned(), Vec::new());
    }
    certificate
}

async fn external(world: &World, certificate: &Certificate) -> String {
    describe(world.map.verify_certificate(certificate, b"", "127.0.0.1".parse().unwrap()).await)
}

async fn id(world: &World, name: &str) -> EntryId {
    world.map.resolve(name.as_bytes(), Trace::OFF).await.unwrap().identity.id.clone()
}

#[tokio::test]
async fn a_reported_change_of_a_person_is_not_bridged_by_any_kind_of_login() {
    let (world, certificate) = (world(), alans(false));
    let (alan, lamb) = (id(&world, "ajones").await, id(&world, "alamb").await);
    for changes in [
        vec![Change::Entry(alan.clone())],
        vec![Change::Groups],
        vec![
            Change::Entry(alan.clone()),
            // That is how the follower ends when the directory falls silent.
            Change::Lost("connection lost".to_owned()),
        ],
    ] {
        world.controls.inject(InjectedFault::None);
        world.until("ajones", PASSWORD, "ajones/Maildir by bind").await;
        assert_eq!(external(&world, &certificate).await, "ajones/Maildir by certificate");
        world.controls.inject(InjectedFault::Refuse);
        world.map.on_directory_change("test", Change::Entry(lamb.clone()));
        assert_eq!(world.login("ajones", PASSWORD).await, BRIDGED, "another person was changed");
        for change in changes {
            world.map.on_directory_change("test", change);
        }
        assert_eq!(world.login("ajones", PASSWORD).await, "unavailable");
        assert_eq!(external(&world, &certificate).await, "unavailable");
    }
}

/// Nothing was reported of anybody: what an outage is bridged by is as true as without a follower.
#[tokio::test]
async fn the_end_of_following_is_bridged() {
    let (world, certificate) = (world(), alans(false));
    for change in [Change::Lost("connection lost".to_owned()), Change::Following] {
        world.controls.inject(InjectedFault::None);
        world.until("ajones", PASSWORD, "ajones/Maildir by bind").await;
        assert_eq!(external(&world, &certificate).await, "ajones/Maildir by certificate");
        world.controls.inject(InjectedFault::Refuse);
        world.map.on_directory_change("test", change);
        assert_eq!(world.login("ajones", PASSWORD).await, BRIDGED);
        assert_eq!(external(&world, &certificate).await, BRIDGED);
    }
}

/// Somebody else, or the same person under another name, saw that they are gone or barred.
#[tokio::test]
async fn what_was_seen_under_another_name_is_not_bridged() {
    for attribute in [None, Some("nsAccountLock")] {
        let (world, certificate) = (world(), alans(false));
        for name in ["ajones", "Alan Jones"] {
            assert_eq!(world.login(name, PASSWORD).await, "ajones/Maildir by bind");
        }
        assert_eq!(external(&world, &certificate).await, "ajones/Maildir by certificate");
        world.change(|tree| match attribute {
            None => tree.remove(ALAN).unwrap(),
            Some(attribute) => tree.set(ALAN, attribute, ["true"]).unwrap(),
        });
        assert!(world.login("ajones", PASSWORD).await.starts_with("refused: "));
        world.controls.inject(InjectedFault::Refuse);
        for name in ["ajones", "Alan Jones"] {
            assert_eq!(world.login(name, PASSWORD).await, "unavailable", "{name}, {attribute:?}");
        }
        assert_eq!(external(&world, &certificate).await, "unavailable", "{attribute:?}");
    }
}

/// What is proven by a look-up alone is proven when that was made, however long its answer is cached.
#[tokio::test]
async fn a_certificate_outlives_no_outage_grace() {
    let certificate = alans(false);
    let world = World::mapping(CertificateMapping::Subject, Settings::off(), |cache| {
        (cache.found, cache.outage_grace) = (SECOND, SECOND);
    });
    let looked_up = Instant::now();
    assert_eq!(external(&world, &certificate).await, "ajones/Maildir by certificate");
    world.controls.inject(InjectedFault::Refuse);
    while external(&world, &certificate).await != "unavailable" {
        assert!(looked_up.elapsed() < SECOND * 19 / 10, "{:?}", looked_up.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether nobody else has the name is known from the last time when both were heard.
#[tokio::test]
async fn with_one_of_two_directories_silent_no_login_outlives_the_grace() {
    let cache = Lifetimes { found: SECOND, outage_grace: SECOND, ..Lifetimes::default() };
    let two = Two::with(Setup { cache, ..Setup::default() });
    let heard = Instant::now();
    assert_eq!(two.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    two.second.inject(InjectedFault::Refuse);
    while two.login("ajones", PASSWORD).await != "unavailable" {
        assert!(heard.elapsed() < SECOND * 19 / 10, "{:?}", heard.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A certificate that is somebody's by its subject's DN is its successor's, once the DN was given away.
#[tokio::test]
async fn a_certificate_by_dn_is_whose_the_dn_is_now() {
    let certificate = alans(true);
    let world = World::mapping(CertificateMapping::Subject, Settings::off(), |_| {});
    assert_eq!(external(&world, &certificate).await, "ajones/Maildir by certificate");
    let searches = world.asked().0;
    assert_eq!(external(&world, &certificate).await, "ajones/Maildir by certificate");
    assert_eq!(world.asked().0, searches + 1, "whose DN it is now is read");
    world.change(|tree| tree.move_entry(ALAN, "uid=alan,ou=Sales,ou=people,dc=renovations,dc=example").unwrap());
    assert!(external(&world, &certificate).await.starts_with("refused: no person found for the certificate"));
    world.change(|tree| tree.move_entry(LAMB, ALAN).unwrap());
    world.map.flush(&restante::identity::Flush::Everybody).await.unwrap();
    assert_eq!(external(&world, &certificate).await, "ajones/Maildir by certificate", "it is Alan Lamb's DN by now");
    world.controls.inject(InjectedFault::Refuse);
    assert_eq!(external(&world, &certificate).await, BRIDGED);
}
