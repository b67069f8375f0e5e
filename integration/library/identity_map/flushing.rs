//! A flush is not lost to what is under way: answers asked for before it are not kept.

use std::time::Duration;

use restante::demo::fault_injection::InjectedFault;
use restante::directory::Change;
use restante::identity::Flush;
use restante::names::LoginName;

use super::{ALAN, LAMB, PASSWORD, World};
use crate::support;

/// Long enough to do something in between, short enough for a look-up of three messages within its second.
const SLOW: InjectedFault = InjectedFault::Slow(Duration::from_millis(200));

const LAMBS: &str = "seven green lamps";

fn ajones() -> Flush {
    Flush::Person(LoginName::new(b"ajones").unwrap())
}

/// Waits until so many searches and binds were asked.
async fn until_asked(world: &World, asked: (u64, u64)) {
    let deadline = std::time::Instant::now() + support::PATIENCE;
    while world.asked() != asked {
        assert!(std::time::Instant::now() < deadline, "{:?}", world.asked());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The name goes over to somebody else while an answer about its old owner is on its way.
async fn hand_over(world: &World, flush: &Flush) {
    until_asked(world, (1, 0)).await;
    world.change(|tree| {
        tree.set(ALAN, "uid", ["retired"]).unwrap();
        tree.set(LAMB, "uid", ["alamb", "ajones"]).unwrap();
    });
    world.map.flush(flush).await.unwrap();
    world.controls.inject(InjectedFault::None);
}

#[tokio::test]
async fn a_look_up_under_way_is_not_kept() {
    for flush in [Flush::Everybody, ajones()] {
        let world = World::new();
        world.controls.inject(SLOW);
        let (_, ()) = tokio::join!(world.login("ajones", PASSWORD), hand_over(&world, &flush));
        assert_eq!(world.login("ajones", PASSWORD).await, "refused: wrong password", "{flush:?}");
        assert_eq!(world.login("ajones", LAMBS).await, "alamb/Maildir by bind", "{flush:?}");
    }
}

/// The password changes while the directory's word about the old one is on its way.
#[tokio::test]
async fn a_bind_under_way_is_not_kept() {
    for flush in [Flush::Everybody, ajones()] {
        let world = World::new();
        assert_eq!(world.login("ajones", "not his").await, "refused: wrong password");
        world.controls.inject(SLOW);
        let meddle = async {
            until_asked(&world, (2, 2)).await;
            world.change(|tree| tree.set(ALAN, "userPassword", ["new one"]).unwrap());
            world.map.flush(&flush).await.unwrap();
            world.controls.inject(InjectedFault::None);
        };
        let (told, ()) = tokio::join!(world.login("ajones", PASSWORD), meddle);
        assert_eq!(told, "ajones/Maildir by bind", "true when it was asked");
        assert_eq!(world.login("ajones", PASSWORD).await, "refused: wrong password", "{flush:?}");
        assert_eq!(world.login("ajones", "new one").await, "ajones/Maildir by bind", "{flush:?}");
    }
}

/// What was flushed bridges no outage.
#[tokio::test]
async fn a_flush_ends_the_outage_grace() {
    let world = World::new();
    for (name, password) in [("ajones", PASSWORD), ("alamb", LAMBS)] {
        assert!(world.login(name, password).await.ends_with(" by bind"));
    }
    world.map.flush(&ajones()).await.unwrap();
    world.controls.inject(InjectedFault::Refuse);
    assert_eq!(world.login("ajones", PASSWORD).await, "unavailable");
    assert_eq!(world.login("alamb", LAMBS).await, "alamb/Maildir by cache");
}

/// A followed directory may tell changes faster than it answers, such as while it is filled: what was asked for after a login
/// began is true enough for it, and not kept.
#[tokio::test]
async fn changes_without_end_keep_nobody_waiting() {
    let world = World::new();
    world.controls.inject(InjectedFault::Slow(Duration::from_millis(20)));
    let churn = async {
        loop {
            world.map.on_directory_change("test", Change::Groups);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let logins = async {
        assert_eq!(world.login("nobody", "x").await, "refused: no such login name");
        assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    };
    tokio::select! {
        () = churn => {}
        told = tokio::time::timeout(support::PATIENCE, logins) => told.expect("nobody waits for the changes to end"),
    }
}
