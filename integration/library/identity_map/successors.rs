//! A DN that was given to a successor: whoever binds under it now is not the person who was found there before.

use std::time::Duration;

use restante::demo::fault_injection::InjectedFault;
use restante::demo::ldif;
use restante::identity::Ambiguous;
use restante::lockout;

use super::several::{Setup, Two};
use super::{ALAN, PASSWORD, World};

const SUCCESSOR: &str = "the successor's";
const ALANS_NEW_DN: &str = "uid=alan,ou=Sales,ou=people,dc=renovations,dc=example";

/// Somebody new at a DN that may have been another's.
fn somebody_at(dn: &str, further: &str) -> String {
    let uid = dn.split([',', '=']).nth(1).unwrap();
    format!(
        "dn: {dn}\nobjectClass: inetOrgPerson\nuid: {uid}\nsn: Successor\nmodifyTimestamp: 20200101000000Z\n{further}userPassword: {SUCCESSOR}\n\
         entryUUID: 5acce550-0000-4000-8000-000000000001\n"
    )
}

/// Alan Jones has another DN, and somebody else has the old one.
fn succeed_alan(world: &World) {
    world.change(|tree| {
        tree.move_entry(ALAN, ALANS_NEW_DN).unwrap();
        tree.add(ldif::parse(&somebody_at(ALAN, "cn: A Successor\n")).unwrap().remove(0)).unwrap();
    });
}

#[tokio::test]
async fn a_successors_password_opens_the_successors_mail_under_the_cached_name() {
    let world = World::new();
    for name in ["ajones", "Alan Jones"] {
        assert!(world.login(name, PASSWORD).await.starts_with("ajones/Maildir by "));
    }
    succeed_alan(&world);
    assert_eq!(world.login("ajones", SUCCESSOR).await, "ajones/Maildir by bind");
    // It is the successor's maildrop of that name: Alan has another one by now.
    for _ in 0..2 {
        assert!(world.login("Alan Jones", SUCCESSOR).await.starts_with("refused: wrong password"));
        assert!(world.login("Alan Jones", PASSWORD).await.starts_with("alan/Maildir by "));
    }
    assert_eq!(world.login("ajones", PASSWORD).await, "refused: wrong password");
    assert_eq!(world.login("ajones", SUCCESSOR).await, "ajones/Maildir by cache");
}

/// The first name that the successor types is another one of the person who was there before.
#[tokio::test]
async fn a_successors_password_opens_nothing_under_the_predecessors_other_names() {
    for other in ["Alan Jones", "alan.jones@renovations.example"] {
        let world = World::new();
        world.login(other, PASSWORD).await;
        succeed_alan(&world);
        assert_eq!(world.login(other, SUCCESSOR).await, "refused: wrong password", "{other}");
        assert!(world.login("alan", SUCCESSOR).await.starts_with("refused: wrong password"), "{other}");
        assert!(world.login(other, PASSWORD).await.starts_with("alan/Maildir by "), "{other}");
    }
}

/// Gone, not renamed: the cached names lead to nobody.
#[tokio::test]
async fn a_successors_password_opens_nothing_of_a_person_who_was_removed() {
    let world = World::new();
    for name in ["ajones", "Alan Jones"] {
        world.login(name, PASSWORD).await;
    }
    world.change(|tree| {
        tree.remove(ALAN).unwrap();
        tree.add(ldif::parse(&somebody_at(ALAN, "cn: A Successor\n")).unwrap().remove(0)).unwrap();
    });
    assert_eq!(world.login("Alan Jones", SUCCESSOR).await, "refused: no such login name");
    assert_eq!(world.login("ajones", SUCCESSOR).await, "ajones/Maildir by bind");
    assert_eq!(world.login("Alan Jones", PASSWORD).await, "refused: no such login name");
}

/// Not somebody who may log in at all: then the cached name leads where it leads now.
#[tokio::test]
async fn an_entry_that_is_no_person_is_no_successor() {
    let world = World::new();
    world.login("Alan Jones", PASSWORD).await;
    world.change(|tree| {
        tree.move_entry(ALAN, ALANS_NEW_DN).unwrap();
        let printer = format!("dn: {ALAN}\nobjectClass: device\ncn: A Printer\nuserPassword: {SUCCESSOR}\n");
        tree.add(ldif::parse(&printer).unwrap().remove(0)).unwrap();
    });
    assert_eq!(world.login("Alan Jones", SUCCESSOR).await, "refused: wrong password");
    assert_eq!(world.login("Alan Jones", PASSWORD).await, "alan/Maildir by bind");
}

/// Whose password it was is not known, so it opens nothing.
#[tokio::test]
async fn a_directory_that_falls_silent_behind_the_bind_lets_nobody_in() {
    let world = World::new();
    world.login("Alan Jones", PASSWORD).await;
    succeed_alan(&world);
    world.controls.inject(InjectedFault::DropOnSearch);
    assert_eq!(world.login("Alan Jones", SUCCESSOR).await, "unavailable");
}

/// Neither the person nor the successor is left with a try that was not theirs.
#[tokio::test]
async fn a_login_that_begins_again_counts_once() {
    let lockout = lockout::Settings { person: 2, network: 0, ..lockout::Settings::default() };
    let world = World::counting(lockout, |_| {});
    world.login("Alan Jones", PASSWORD).await;
    succeed_alan(&world);
    assert_eq!(world.login("ajones", SUCCESSOR).await, "ajones/Maildir by bind");
    assert_eq!(world.login_from("203.0.113.1", "alan", "one wrong").await, "refused: wrong password");
    assert!(world.login_from("203.0.113.2", "alan", PASSWORD).await.starts_with("alan/Maildir by "));
}

/// Of several people of one name, one's DN was given away.
#[tokio::test]
async fn a_successor_of_one_of_several_is_not_tried_as_that_one() {
    const SECOND: &str = "uid=mbrown2,ou=Production,ou=people,dc=renovations,dc=example";
    let two = Two::with(Setup { ambiguous: Ambiguous::TryEach, ..Setup::default() });
    assert_eq!(two.login("Mary Brown", "quiet-orchard-8").await, "mbrown2/Maildir by bind");
    let new = "uid=mary2,ou=Production,ou=people,dc=renovations,dc=example";
    two.first.change(|tree| {
        tree.move_entry(SECOND, new).unwrap();
        tree.add(ldif::parse(&somebody_at(SECOND, "cn: A Successor\n")).unwrap().remove(0)).unwrap();
    });
    let told = two.login("Mary Brown", SUCCESSOR).await;
    assert!(told.starts_with("refused: ambiguous, and the password is wrong for all: "), "{told}");
    assert!(two.login("mary2", SUCCESSOR).await.starts_with("refused: wrong password"));
    assert_eq!(two.login("Mary Brown", "quiet-orchard-8").await, "mary2/Maildir by bind");
    // Somebody of the same name at the old DN is one of several again.
    two.first.change(|tree| tree.set(SECOND, "cn", ["Mary Brown"]).unwrap());
    two.until("Mary Brown", SUCCESSOR, "mbrown2/Maildir by bind").await;
}

/// The second look is taken only where the first one was another login's.
#[tokio::test]
async fn what_was_just_looked_up_is_not_looked_up_again() {
    let world = World::holding(|cache| cache.password = Duration::ZERO);
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    assert_eq!(world.asked(), (1, 1));
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    assert_eq!(world.asked(), (2, 2));
}
