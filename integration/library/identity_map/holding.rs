//! What is held asks nobody, and not for longer than it may.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::{ALAN, PASSWORD, SHORT, World};

#[tokio::test]
async fn a_held_password_asks_nobody() {
    let world = World::new();
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    for _ in 0..20 {
        assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by cache");
    }
    assert_eq!(world.asked(), (1, 1));
    // The password is the person's, not the name's.
    for name in ["Alan Jones", "alan.jones@renovations.example", ALAN, "Alan Jones/Sales/people"] {
        assert_eq!(world.login(name, PASSWORD).await, "ajones/Maildir by cache", "{name}");
    }
    assert_eq!(world.asked().1, 1);
    // And nobody else's.
    assert_eq!(world.login("alamb", PASSWORD).await, "refused: wrong password");
}

#[tokio::test]
async fn a_held_password_is_not_renewed_by_use() {
    let world = World::holding(|cache| cache.password = SHORT);
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.until("ajones", PASSWORD, "ajones/Maildir by bind").await;
    assert_eq!(world.asked().1, 2);
}

#[tokio::test]
async fn a_held_identity_is_not_renewed_by_use() {
    let world = World::holding(|cache| cache.found = SHORT);
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.change(|tree| tree.remove(ALAN).unwrap());
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by cache");
    world.until("ajones", PASSWORD, "refused: no such login name").await;
}

#[tokio::test]
async fn a_name_nobody_has_is_held_for_its_own_time() {
    let world = World::holding(|cache| cache.missed = SHORT);
    for _ in 0..10 {
        assert_eq!(world.login("alan", PASSWORD).await, "refused: no such login name");
    }
    assert_eq!(world.asked(), (1, 0));
    world.change(|tree| tree.set(ALAN, "uid", ["ajones", "alan"]).unwrap());
    world.until("alan", PASSWORD, "ajones/Maildir by bind").await;
    assert_eq!(world.asked(), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_first_logins_of_one_name_are_one_search() {
    let world = Arc::new(World::new());
    world.controls.inject(restante::demo::fault_injection::InjectedFault::Slow(Duration::from_millis(50)));
    let mut logins = JoinSet::new();
    for _ in 0..50 {
        let world = Arc::clone(&world);
        logins.spawn(async move { world.login("ajones", PASSWORD).await });
    }
    for told in logins.join_all().await {
        assert!(told.starts_with("ajones/Maildir by "), "{told}");
    }
    assert_eq!(world.asked().0, 1);
}

#[tokio::test]
async fn nothing_is_held_for_no_time() {
    let world = World::holding(|cache| {
        (cache.found, cache.missed) = (Duration::ZERO, Duration::ZERO);
        (cache.password, cache.refused) = (Duration::ZERO, Duration::ZERO);
    });
    for round in 1..=3 {
        assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
        assert_eq!(world.login("ajones", "stale").await, "refused: wrong password");
        assert_eq!(world.login("nobody", "x").await, "refused: no such login name");
        // The refused bind is followed by one more look at the entry.
        assert_eq!(world.asked(), (4 * round, 2 * round));
    }
}

/// Each of the times can be switched off by itself.
#[tokio::test]
async fn each_time_stands_alone() {
    let world = World::holding(|cache| cache.found = Duration::ZERO);
    world.login("ajones", PASSWORD).await;
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by cache");
    assert_eq!(world.asked(), (2, 1));

    let world = World::holding(|cache| cache.password = Duration::ZERO);
    world.login("ajones", PASSWORD).await;
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    assert_eq!(world.asked(), (2, 2), "whose DN it is now is read behind the second bind");

    let world = World::holding(|cache| cache.missed = Duration::ZERO);
    world.login("nobody", "x").await;
    world.login("nobody", "x").await;
    world.login("ajones", PASSWORD).await;
    world.login("ajones", PASSWORD).await;
    assert_eq!(world.asked(), (3, 1));
}

/// More people than are held are served all the same.
#[tokio::test]
async fn a_full_map_serves_everybody() {
    let world = World::holding(|cache| cache.people = 1);
    for _ in 0..3 {
        for (name, password) in [("ajones", PASSWORD), ("alamb", "seven green lamps"), ("mbrown", "paper-boat-42")] {
            assert!(world.login(name, password).await.starts_with(&format!("{name}/Maildir by ")), "{name}");
            assert!(world.login("nobody", password).await.starts_with("refused"));
        }
    }
}
