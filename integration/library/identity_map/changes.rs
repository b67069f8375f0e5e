//! What changes in the directory while it is held here: passwords, names, places.

use std::time::{Duration, Instant};

use restante::demo::ldif;

use super::{ALAN, PASSWORD, SHORT, World};

#[tokio::test]
async fn a_new_password_works_at_once_and_ends_the_old_one() {
    let world = World::new();
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.set_password(ALAN, "new one");
    assert_eq!(world.login("ajones", "new one").await, "ajones/Maildir by bind");
    assert_eq!(world.login("ajones", PASSWORD).await, "refused: wrong password");
    assert_eq!(world.login("ajones", "new one").await, "ajones/Maildir by bind", "the change stamp has moved");
}

#[tokio::test]
async fn an_old_password_works_no_longer_than_it_is_held() {
    let world = World::holding(|cache| cache.password = SHORT);
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    let proven = Instant::now();
    world.set_password(ALAN, "new one");
    // Used without pause: that does not keep it alive.
    world.until("ajones", PASSWORD, "refused: wrong password").await;
    assert!(proven.elapsed() < SHORT + Duration::from_secs(2), "{:?}", proven.elapsed());
}

/// A fresh look-up, for whatever reason, tells that the password changed.
#[tokio::test]
async fn a_moved_change_stamp_ends_an_old_password_before_its_time() {
    let world = World::new();
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.set_password(ALAN, "new one");
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by cache");
    assert_eq!(world.login("Alan Jones", PASSWORD).await, "refused: wrong password");
}

/// A phone that repeats a stale password all day costs its owner one failed bind.
#[tokio::test]
async fn a_refused_password_is_not_bound_again() {
    let world = World::new();
    assert_eq!(world.login("ajones", "stale").await, "refused: wrong password");
    for name in ["ajones", "AJONES", "Alan Jones", "alan.jones@renovations.example", ALAN] {
        for _ in 0..5 {
            assert_eq!(world.login(name, "stale").await, "refused: wrong password, refused before", "{name}");
        }
    }
    assert_eq!(world.asked(), (6, 1), "a search for each name and one behind the bind");
    // The owner is not shut out, neither does their login make the stale one worth a bind.
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    assert_eq!(world.login("ajones", "stale").await, "refused: wrong password, refused before");
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by cache");
    assert_eq!(world.asked().1, 2);
}

#[tokio::test]
async fn a_refused_password_is_bound_again_after_its_time() {
    let world = World::holding(|cache| cache.refused = SHORT);
    assert_eq!(world.login("ajones", "stale").await, "refused: wrong password");
    assert_eq!(world.login("ajones", "stale").await, "refused: wrong password, refused before");
    tokio::time::sleep(SHORT).await;
    assert_eq!(world.login("ajones", "stale").await, "refused: wrong password");
    assert_eq!(world.asked().1, 2);
}

#[tokio::test]
async fn a_refused_password_is_bound_again_once_the_change_stamp_moved() {
    let world = World::holding(|cache| cache.found = SHORT);
    assert_eq!(world.login("ajones", "stale").await, "refused: wrong password");
    assert_eq!(world.login("ajones", "stale").await, "refused: wrong password, refused before");
    world.set_password(ALAN, "stale");
    world.until("ajones", "stale", "ajones/Maildir by bind").await;
    assert_eq!(world.asked().1, 2);
}

#[tokio::test]
async fn an_ambiguous_name_is_nobodys_whoever_had_it() {
    let world = World::holding(|cache| (cache.found, cache.missed) = (SHORT, SHORT));
    assert_eq!(world.login("Alan Lamb", "seven green lamps").await, "alamb/Maildir by bind");
    let namesake = format!(
        "dn: uid=other,{}\nobjectClass: inetOrgPerson\nuid: other\ncn: Alan Lamb\nuserPassword: x\n",
        super::people::BASE
    );
    world.change(|tree| tree.add(ldif::parse(&namesake).unwrap().remove(0)).unwrap());
    let ambiguous = format!("refused: ambiguous: {} and uid=other,{}", super::LAMB, super::people::BASE);
    world.until("Alan Lamb", "seven green lamps", &ambiguous).await;
    let binds = world.asked().1;
    for password in ["seven green lamps", "x", "wrong"] {
        assert_eq!(world.login("Alan Lamb", password).await, ambiguous);
    }
    assert_eq!(world.asked().1, binds, "nobody's password is tried");
    assert_eq!(world.login("alamb", "seven green lamps").await, "alamb/Maildir by cache");
    world.change(|tree| tree.remove(super::LAMB).unwrap());
    world.until("Alan Lamb", "x", "other/Maildir by bind").await;
}

/// An entry that moved has another DN, and that one is bound once.
#[tokio::test]
async fn an_entry_that_moved_is_bound_where_it_is_now() {
    let world = World::holding(|cache| cache.password = Duration::ZERO);
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    let moved = "uid=ajones,ou=Production,ou=people,dc=renovations,dc=example";
    world.change(|tree| tree.move_entry(ALAN, moved).unwrap());
    let (searches, binds) = world.asked();
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    assert_eq!(world.asked(), (searches + 1, binds + 2), "at the old DN, a look-up, at the new DN");
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    assert_eq!(world.asked(), (searches + 2, binds + 3), "the new DN is known, and is still theirs");

    world.change(|tree| tree.move_entry(moved, ALAN).unwrap());
    assert_eq!(world.login("ajones", "wrong").await, "refused: wrong password");
    assert_eq!(world.asked(), (searches + 3, binds + 5));
}

/// The old name leads nowhere; the others lead to the same person by the new one.
#[tokio::test]
async fn a_renamed_person_is_known_by_the_new_name() {
    let world = World::holding(|cache| (cache.password, cache.missed) = (Duration::ZERO, Duration::ZERO));
    for name in ["ajones", "Alan Jones"] {
        assert_eq!(world.login(name, PASSWORD).await, "ajones/Maildir by bind");
    }
    let renamed = "uid=alan,ou=Sales,ou=people,dc=renovations,dc=example";
    world.change(|tree| tree.move_entry(ALAN, renamed).unwrap());
    assert_eq!(world.login("ajones", PASSWORD).await, "refused: no such login name");
    for name in ["Alan Jones", "alan", "alan.jones@renovations.example", renamed] {
        assert_eq!(world.login(name, PASSWORD).await, "alan/Maildir by bind", "{name}");
    }
}

/// A name that goes over to somebody else takes nothing of what was held with it.
#[tokio::test]
async fn a_name_that_changes_hands() {
    let world = World::holding(|cache| cache.found = SHORT);
    world.login("ajones", PASSWORD).await;
    world.change(|tree| {
        tree.set(ALAN, "uid", ["retired"]).unwrap();
        tree.set(super::LAMB, "uid", ["alamb", "ajones"]).unwrap();
    });
    world.until("ajones", PASSWORD, "refused: wrong password").await;
    assert_eq!(world.login("ajones", "seven green lamps").await, "alamb/Maildir by bind");
}

/// One name was looked up anew and leads nowhere: what is held of that person counts under no other name either.
#[tokio::test]
async fn a_person_who_left_is_dropped_under_every_name() {
    let world = World::new();
    for name in ["ajones", "Alan Jones"] {
        assert!(world.login(name, PASSWORD).await.starts_with("ajones/Maildir by "));
    }
    world.change(|tree| tree.remove(ALAN).unwrap());
    assert_eq!(world.login("ajones", "wrong").await, "refused: no such login name");
    assert_eq!(world.login("Alan Jones", PASSWORD).await, "refused: no such login name");
}
