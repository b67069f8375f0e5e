//! Whom the outage grace lets in, and whom not.

use std::time::Duration;

use restante::demo::mischief::Mischief;

use super::{ALAN, PASSWORD, SHORT, World};

#[tokio::test]
async fn it_ends_after_its_time_and_is_not_renewed_by_use() {
    let world = World::holding(|cache| {
        (cache.found, cache.password, cache.outage_grace) = (Duration::ZERO, Duration::ZERO, SHORT);
    });
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.controls.set_mischief(Mischief::Refuse);
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by outage grace");
    world.until("ajones", PASSWORD, "unavailable").await;
}

/// The directory said no, and fell silent before it could be asked why.
#[tokio::test]
async fn it_never_overrules_a_refusal() {
    let world = World::holding(|cache| cache.password = Duration::ZERO);
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.set_password(ALAN, "new one");
    world.controls.set_mischief(Mischief::DropOnSearch);
    for _ in 0..2 {
        assert_eq!(world.login("ajones", PASSWORD).await, "unavailable");
    }
    assert_eq!(world.asked().1, 2, "it was refused by a bind");
}

#[tokio::test]
async fn an_outage_is_never_held() {
    let world = World::new();
    world.controls.set_mischief(Mischief::Refuse);
    for name in ["ajones", "nobody"] {
        assert_eq!(world.login(name, PASSWORD).await, "unavailable");
    }
    world.controls.set_mischief(Mischief::None);
    world.until("ajones", PASSWORD, "ajones/Maildir by bind").await;
    assert_eq!(world.login("nobody", PASSWORD).await, "refused: nobody has that name");
}
