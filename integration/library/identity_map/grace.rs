//! Whom the outage grace lets in, and whom not.

use std::time::Duration;

use restante::demo::fault_injection::InjectedFault;
use restante::directory::Change;
use restante::identity::Trace;

use super::{ALAN, PASSWORD, SHORT, World, told_as};

/// Nothing but the grace can let anybody in without the directory.
fn world() -> World {
    World::holding(|cache| {
        (cache.found, cache.missed) = (Duration::ZERO, Duration::ZERO);
        (cache.password, cache.refused) = (Duration::ZERO, Duration::ZERO);
    })
}

#[tokio::test]
async fn it_ends_after_its_time_and_is_not_renewed_by_use() {
    let world = World::holding(|cache| {
        (cache.found, cache.password, cache.outage_grace) = (Duration::ZERO, Duration::ZERO, SHORT);
    });
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.controls.inject(InjectedFault::Refuse);
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by outage grace");
    world.until("ajones", PASSWORD, "unavailable").await;
}

/// A mail client at home and one on the road may know the same person by different names.
#[tokio::test]
async fn it_holds_for_every_name_that_was_looked_up() {
    let world = World::holding(|cache| (cache.found, cache.password) = (Duration::ZERO, SHORT));
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    assert_eq!(world.login("Alan Jones", PASSWORD).await, "ajones/Maildir by cache");
    world.controls.inject(InjectedFault::Refuse);
    for name in ["ajones", "Alan Jones"] {
        world.until(name, PASSWORD, "ajones/Maildir by outage grace").await;
    }
    assert_eq!(world.login("alan.jones@renovations.example", PASSWORD).await, "unavailable");
}

/// A client that sends the address as well goes on, too; and nobody becomes another person by an outage.
#[tokio::test]
async fn it_holds_for_the_authorization_identity() {
    let world = world();
    let as_whom = |whom| told_as(&world.map, "127.0.0.1", "ajones", whom, PASSWORD);
    let mail = "alan.jones@renovations.example";
    assert_eq!(as_whom(mail).await, "ajones/Maildir by bind");
    assert_eq!(world.login("alamb", "seven green lamps").await, "alamb/Maildir by bind");
    world.controls.inject(InjectedFault::Refuse);
    assert_eq!(as_whom(mail).await, "ajones/Maildir by outage grace");
    assert!(as_whom("alamb").await.starts_with("refused: the authorization identity"));
    assert_eq!(as_whom("Alan Jones").await, "unavailable", "nobody was asked for that name before");
}

/// The directory said no, and fell silent before it could be asked why.
#[tokio::test]
async fn it_never_overrules_a_refusal() {
    let world = World::holding(|cache| cache.password = Duration::ZERO);
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.set_password(ALAN, "new one");
    world.controls.inject(InjectedFault::DropOnSearch);
    for _ in 0..2 {
        assert_eq!(world.login("ajones", PASSWORD).await, "unavailable");
    }
    assert_eq!(world.asked().1, 2, "it was refused by a bind, and not asked again while nobody can be looked up");
}

/// The last thing the directory said of the name was that nobody has it.
#[tokio::test]
async fn it_is_not_for_those_who_left() {
    let world = world();
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.change(|tree| tree.remove(ALAN).unwrap());
    assert_eq!(world.login("ajones", PASSWORD).await, "refused: no such login name");
    world.controls.inject(InjectedFault::Refuse);
    assert_eq!(world.login("ajones", PASSWORD).await, "unavailable");
}

#[tokio::test]
async fn an_outage_is_never_held() {
    let world = World::new();
    world.controls.inject(InjectedFault::Refuse);
    for name in ["ajones", "nobody"] {
        assert_eq!(world.login(name, PASSWORD).await, "unavailable");
    }
    world.controls.inject(InjectedFault::None);
    world.until("ajones", PASSWORD, "ajones/Maildir by bind").await;
    assert_eq!(world.login("nobody", PASSWORD).await, "refused: no such login name");
}

/// Whoever asked: a login by certificate or token, or an administrator. The directory has told that the password is another.
#[tokio::test]
async fn it_is_not_for_a_password_that_was_seen_to_be_changed() {
    let world = World::holding(|cache| cache.password = Duration::ZERO);
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.set_password(ALAN, "new one");
    world.map.on_directory_change("test", Change::Following);
    world.map.resolve(b"ajones", Trace::OFF).await.unwrap();
    world.controls.inject(InjectedFault::Refuse);
    assert_eq!(world.login("ajones", PASSWORD).await, "unavailable");
}
