//! An outage tells nobody who exists: one answer for all who are not let in, in words and in counters.

use std::time::{Duration, Instant};

use restante::demo::fault_injection::InjectedFault;
use restante::identity::Outcome;
use restante::lockout::Settings;
use restante::pop3::{Mechanism, ScramLogin};

use super::{PASSWORD, SHORT, World};

/// How soon an outage is noticed, though what is cached is cached for longer.
const SOON: Duration = Duration::from_secs(5);

const NETWORK_LOCKED: &str = "refused: locked out: too many refused logins from this network";

/// Answers from memory come for as long as the directory was heard of late, and for no longer.
async fn is_soon_unanswered(world: &World, name: &str, password: &str) {
    let waited = world.until(name, password, "unavailable").await;
    assert!(waited < SOON, "{name}: {waited:?}");
}

#[tokio::test]
async fn whatever_is_cached_of_a_name_it_is_told_the_same() {
    let world = World::counting(Settings { person: 3, network: 0, ..Settings::default() }, |_| {});
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    // Nobody's, several people's, a password refused before, a person and a name locked out.
    let cached = [("nobody", "x"), ("Mary Brown", "paper-boat-42"), ("ajones", "stale")];
    for (name, password) in cached {
        assert!(world.login(name, password).await.starts_with("refused: "), "{name}");
    }
    for name in ["alamb", "nobody else"] {
        for password in ["1", "2", "3", "4"] {
            assert!(world.login(name, password).await.starts_with("refused: "), "{name}");
        }
    }
    world.controls.inject(InjectedFault::Refuse);
    for (name, password) in cached.into_iter().chain([("alamb", "5"), ("nobody else", "5"), ("ajones", "a guess")]) {
        is_soon_unanswered(&world, name, password).await;
    }
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by cache");
    world.controls.inject(InjectedFault::None);
    world.until("nobody", "x", "refused: no such login name").await;
}

/// The time of a bind is not that of a search: those who are cached are asked for like all others.
#[tokio::test]
async fn a_cached_person_is_not_bound_while_the_directory_is_silent() {
    let world = World::new();
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.controls.inject(InjectedFault::Silent);
    assert_eq!(world.login("somebody", "1").await, "unavailable");
    let binds = world.asked().1;
    for password in ["2", "3"] {
        assert_eq!(world.login("ajones", password).await, "unavailable");
    }
    assert_eq!(world.asked().1, binds);
}

/// Whether a password is seen to be wrong, or nothing is known of the name.
#[tokio::test]
async fn every_name_counts_alike_for_the_network() {
    for name in ["ajones", "alamb", "nobody", "Mary Brown"] {
        let settings = Settings { person: 0, network: 5, ..Settings::default() };
        let world =
            World::counting(settings, |cache| (cache.found, cache.missed, cache.password) = (SHORT, SHORT, SHORT));
        assert_eq!(world.login_from("198.51.100.7", "ajones", PASSWORD).await, "ajones/Maildir by bind");
        world.controls.inject(InjectedFault::Refuse);
        for password in ["1", "2", "3", "4"] {
            assert_eq!(world.login(name, password).await, "unavailable", "{name}");
        }
        world.controls.inject(InjectedFault::None);
        world.until_from("198.51.100.7", "ajones", PASSWORD, "ajones/Maildir by bind").await;
        let told = world.login(name, "5").await;
        assert!(told.starts_with("refused: ") && told != NETWORK_LOCKED, "{name}: {told}");
        assert_eq!(world.login(name, "6").await, NETWORK_LOCKED, "{name}");
    }
}

/// Nobody can be let in by the grace any more, so there is nothing to hide: a long outage locks no office out.
#[tokio::test]
async fn behind_the_grace_nothing_counts() {
    let settings = Settings { person: 3, network: 3, ..Settings::default() };
    let world = World::counting(settings, |cache| {
        (cache.found, cache.password, cache.outage_grace) = (Duration::ZERO, Duration::ZERO, SHORT);
    });
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.controls.inject(InjectedFault::Refuse);
    tokio::time::sleep(SHORT).await;
    for password in ["1", "2", "3", "4", "5"] {
        assert_eq!(world.login("ajones", password).await, "unavailable");
        assert_eq!(world.login("nobody", password).await, "unavailable");
    }
    world.controls.inject(InjectedFault::None);
    world.until("ajones", PASSWORD, "ajones/Maildir by bind").await;
}

/// People get no challenge then.
#[tokio::test]
async fn a_name_that_is_cached_as_nobodys_gets_no_scram_challenge() {
    let world = World::new();
    let from = "127.0.0.1".parse().unwrap();
    let wanted = ScramLogin { login: b"nobody".to_vec(), authorization: Vec::new(), mechanism: Mechanism::ScramSha256 };
    assert!(world.map.challenge(&wanted, from).await.is_ok());
    world.controls.inject(InjectedFault::Refuse);
    let began = Instant::now();
    while !matches!(world.map.challenge(&wanted, from).await, Err(Outcome::Unavailable(_))) {
        assert!(began.elapsed() < SOON);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Many wrong names in a row ask it once a second whether it answers, not each time.
#[tokio::test]
async fn a_directory_that_answers_is_hardly_asked_more() {
    let world = World::new();
    let began = Instant::now();
    for _ in 0..50 {
        assert_eq!(world.login("nobody", "x").await, "refused: no such login name");
    }
    assert!(world.asked().0 <= 2 + began.elapsed().as_secs(), "{:?} in {:?}", world.asked(), began.elapsed());
}
