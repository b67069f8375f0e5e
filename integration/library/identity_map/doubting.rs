//! A password that was right, whose change stamp stands, and that the directory refuses: is the account locked, unseen?

use std::time::{Duration, Instant};

use restante::demo::fault_injection::InjectedFault;

use super::{ALAN, PASSWORD, SHORT, World};

const REFUSED: &str = "refused: wrong password";
const REFUSED_BEFORE: &str = "refused: wrong password, refused before";

impl World {
    /// Every login is a bind, or is refused from memory for a short time.
    fn doubting() -> Self {
        Self::holding(|cache| (cache.password, cache.refused) = (Duration::ZERO, SHORT))
    }

    /// Every bind is refused as if the password were wrong.
    fn lock(&self) {
        self.controls.inject(InjectedFault::BindResult { code: 49, text: String::new() });
    }

    /// A device that sends a password without pause.
    async fn repeat(&self, password: &str, time: Duration) {
        let began = Instant::now();
        while began.elapsed() < time {
            assert!([REFUSED, REFUSED_BEFORE].contains(&&*self.login("ajones", password).await));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn after_an_unseen_lock_the_right_password_works_though_it_is_repeated() {
    let world = World::doubting();
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.lock();
    assert_eq!(world.login("ajones", PASSWORD).await, REFUSED);
    world.repeat(PASSWORD, SHORT / 2).await;
    world.controls.inject(InjectedFault::None);
    let waited = world.until("ajones", PASSWORD, "ajones/Maildir by bind").await;
    assert!(waited < SHORT + Duration::from_secs(1), "{waited:?}");
}

/// Sent by many at once it is tried once for all of them, and doubted no less.
#[tokio::test]
async fn after_an_unseen_lock_the_right_password_works_though_many_sent_it_at_once() {
    let world = World::doubting();
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.lock();
    let login = || world.login("ajones", PASSWORD);
    let told = tokio::join!(login(), login(), login(), login(), login(), login());
    assert_eq!(told.0, REFUSED);
    assert_eq!(world.asked().1, 1 + 1);
    world.controls.inject(InjectedFault::None);
    let began = Instant::now();
    while world.login("ajones", PASSWORD).await == REFUSED_BEFORE {
        assert!(began.elapsed() < SHORT + Duration::from_secs(1));
    }
    assert_eq!(world.asked().1, 1 + 2);
}

/// Neither a long lock nor a stamp that does not move with the password makes one device a guesser.
#[tokio::test]
async fn it_is_tried_four_times_in_all() {
    let world = World::doubting();
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.lock();
    world.repeat(PASSWORD, SHORT * 16).await;
    assert_eq!(world.asked().1, 1 + 4, "the last of them after seven times as long");
}

#[tokio::test]
async fn a_password_that_was_changed_is_not_doubted_to_be_wrong() {
    let world = World::doubting();
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.set_password(ALAN, "new one");
    world.repeat(PASSWORD, SHORT * 5).await;
    world.repeat("never right", SHORT * 5).await;
    assert_eq!(world.asked().1, 1 + 2);
}
