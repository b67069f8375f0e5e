//! What a stranger who guesses takes away from the owner: nothing.

use std::time::Duration;

use restante::demo::fault_injection::InjectedFault;
use restante::identity::Ambiguous;

use super::several::{Setup, Two};
use super::{ALAN, PASSWORD, SHORT, World};

const STRANGER: &str = "203.0.113.66";

#[tokio::test]
async fn a_wrong_guess_leaves_the_cached_password() {
    let world = World::new();
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    for guess in ["one", "two", "three", "one"] {
        let told = world.login_from(STRANGER, "ajones", guess).await;
        assert!(told.starts_with("refused: wrong password"), "{told}");
    }
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by cache");
}

#[tokio::test]
async fn a_wrong_guess_leaves_the_outage_grace() {
    let world = World::holding(|cache| (cache.found, cache.password) = (Duration::ZERO, Duration::ZERO));
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    assert_eq!(world.login_from(STRANGER, "ajones", "a guess").await, "refused: wrong password");
    world.controls.inject(InjectedFault::Refuse);
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by outage grace");
}

/// A password that the directory has refused is repeated while it is silent, and behind a look at the entry that fails.
#[tokio::test]
async fn a_guess_while_the_directory_is_silent_leaves_what_is_cached() {
    let world = World::holding(|cache| cache.outage_grace = Duration::ZERO);
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.controls.inject(InjectedFault::DropOnSearch);
    for _ in 0..2 {
        assert_eq!(world.login_from(STRANGER, "ajones", "a guess").await, "unavailable");
        assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by cache");
    }
}

/// What is cached is not cached for longer because somebody asked in vain.
#[tokio::test]
async fn a_guess_in_vain_renews_nothing() {
    let world = World::holding(|cache| (cache.found, cache.outage_grace) = (SHORT, Duration::ZERO));
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.controls.inject(InjectedFault::DropOnSearch);
    let began = std::time::Instant::now();
    while world.login("ajones", PASSWORD).await == "ajones/Maildir by cache" {
        world.login_from(STRANGER, "ajones", "a guess").await;
        assert!(began.elapsed() < SHORT + Duration::from_secs(2));
    }
    assert_eq!(world.login("ajones", PASSWORD).await, "unavailable");
}

#[tokio::test]
async fn the_refused_password_is_the_one_that_is_dropped() {
    let world = World::holding(|cache| (cache.found, cache.password) = (Duration::ZERO, SHORT));
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.set_password(ALAN, "new one");
    assert_eq!(world.login("ajones", PASSWORD).await, "refused: wrong password");
    world.controls.inject(InjectedFault::Refuse);
    assert_eq!(world.login("ajones", PASSWORD).await, "unavailable");
}

/// The answer to a guess tells that the account is locked or disabled: that is the person, whatever the password.
#[tokio::test]
async fn a_guess_that_is_answered_by_a_state_drops_the_cached_password() {
    let world = World::new();
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.controls.inject(InjectedFault::BindResult { code: 19, text: "Exceed password retry limit".to_owned() });
    assert_eq!(world.login_from(STRANGER, "ajones", "a guess").await, "refused: account locked");
    assert_eq!(world.login("ajones", PASSWORD).await, "refused: account locked");
}

/// The look at the entry behind the refused bind tells that its password changed.
#[tokio::test]
async fn a_guess_that_shows_a_moved_stamp_drops_the_cached_password() {
    let world = World::new();
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.set_password(ALAN, "new one");
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by cache");
    assert_eq!(world.login_from(STRANGER, "ajones", "a guess").await, "refused: wrong password");
    assert_eq!(world.login("ajones", PASSWORD).await, "refused: wrong password");
}

/// Five wrong ones in an outage end the grace until the directory answers; then it begins anew.
#[tokio::test]
async fn guesses_in_one_outage_do_not_end_the_grace_of_the_next() {
    let world = World::holding(|cache| (cache.found, cache.password) = (Duration::ZERO, Duration::ZERO));
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.controls.inject(InjectedFault::Refuse);
    for guess in ["1", "2", "3", "4", "5"] {
        assert_eq!(world.login_from(STRANGER, "ajones", guess).await, "unavailable");
    }
    assert_eq!(world.login("ajones", PASSWORD).await, "unavailable");
    world.controls.inject(InjectedFault::None);
    world.until_from(STRANGER, "ajones", "6", "refused: wrong password").await;
    world.controls.inject(InjectedFault::Refuse);
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by outage grace");
}

/// Where the password is tried on several people as well.
#[tokio::test]
async fn a_guess_under_an_ambiguous_name_leaves_both_cached_passwords() {
    let two = Two::with(Setup { ambiguous: Ambiguous::TryEach, ..Setup::default() });
    for (name, password) in [("mbrown", "paper-boat-42"), ("mbrown2", "quiet-orchard-8")] {
        assert_eq!(two.login(name, password).await, format!("{name}/Maildir by bind"));
    }
    assert!(
        two.login("Mary Brown", "a guess").await.starts_with("refused: ambiguous, and the password is wrong for all")
    );
    for (name, password) in [("mbrown", "paper-boat-42"), ("mbrown2", "quiet-orchard-8")] {
        assert_eq!(two.login(name, password).await, format!("{name}/Maildir by cache"));
    }
}
