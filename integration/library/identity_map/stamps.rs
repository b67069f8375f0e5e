//! Change stamps: what they tell of a password, and what they do not.

use std::time::{Duration, SystemTime};

use restante::date::Date;
use restante::directory::Change;
use restante::identity::Trace;

use super::{ALAN, PASSWORD, SHORT, World};

const STALE: &str = "a stale one";
const REFUSED: &str = "refused: wrong password";
const REFUSED_BEFORE: &str = "refused: wrong password, refused before";

/// This very second, as directories write it.
fn this_second() -> String {
    Date::of(SystemTime::now()).generalized()
}

/// Gives Alan Jones a password at a moment.
fn set_password_at(world: &World, password: &str, moment: &str) {
    world.change(|tree| {
        tree.set(ALAN, "userPassword", [password]).unwrap();
        tree.set(ALAN, "pwdChangedTime", [moment]).unwrap();
    });
}

/// The stamp does not move: it has whole seconds.
#[tokio::test]
async fn a_password_refused_and_made_right_within_one_second_works_at_once() {
    let (world, now) = (World::new(), this_second());
    set_password_at(&world, "another", &now);
    assert_eq!(world.login("ajones", PASSWORD).await, REFUSED);
    set_password_at(&world, PASSWORD, &now);
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by cache");
}

/// Nor is it too late when a device has repeated it within that second.
#[tokio::test]
async fn a_password_made_right_behind_its_repetitions_works_when_the_second_is_over() {
    let (world, now) = (World::new(), this_second());
    set_password_at(&world, "another", &now);
    for _ in 0..5 {
        assert!(world.login("ajones", PASSWORD).await.starts_with(REFUSED));
    }
    set_password_at(&world, PASSWORD, &now);
    let waited = world.until("ajones", PASSWORD, "ajones/Maildir by bind").await;
    assert!(waited < Duration::from_secs(4), "{waited:?}");
}

/// A device that repeats a stale password without pause right behind the change of the password: two failed binds more than
/// at any other time, against the five at which directories lock accounts as a rule.
#[tokio::test]
async fn a_stale_password_is_bound_three_times_at_most_under_a_young_stamp() {
    let world = World::new();
    set_password_at(&world, PASSWORD, &this_second());
    let began = std::time::Instant::now();
    while began.elapsed() < Duration::from_secs(3) {
        assert!(world.login("ajones", STALE).await.starts_with(REFUSED));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let binds = world.asked().1;
    assert!((2..=3).contains(&binds), "{binds}");
    assert_eq!(world.login("ajones", STALE).await, REFUSED_BEFORE);
}

#[tokio::test]
async fn a_stamp_that_is_old_settles_a_refusal_at_once() {
    let world = World::new();
    assert_eq!(world.login("ajones", STALE).await, REFUSED);
    assert_eq!(world.login("ajones", STALE).await, REFUSED_BEFORE);
    assert_eq!(world.asked().1, 1);
}

/// Where refused binds change the entry, each of them makes its stamp young.
#[tokio::test]
async fn a_stamp_that_each_refused_bind_moves_costs_one_bind_more() {
    let world = World::holding(|cache| cache.found = Duration::ZERO);
    for _ in 0..6 {
        world.change(|tree| tree.set(ALAN, "description", [this_second()]).unwrap());
        assert!(world.login("ajones", STALE).await.starts_with(REFUSED));
    }
    let binds = world.asked().1;
    assert!((2..=3).contains(&binds), "{binds}");
}

/// The stamp stands still, but a follower reports that the entry was changed.
#[tokio::test]
async fn a_reported_change_within_the_same_second_ends_it_at_once() {
    let (world, now) = (World::new(), this_second());
    set_password_at(&world, PASSWORD, &now);
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    let alan = world.map.resolve(b"ajones", Trace::OFF).await.unwrap().identity.id.clone();
    set_password_at(&world, "another", &now);
    world.map.on_directory_change("test", Change::Entry(alan));
    assert_eq!(world.login("ajones", PASSWORD).await, REFUSED);
}

/// In slapd `entryCSN` counts microseconds, where `modifyTimestamp` stands still.
#[tokio::test]
async fn a_finer_stamp_counts_where_the_directory_has_one() {
    let world = World::holding(|cache| cache.found = SHORT);
    let set = |password: &str, fraction: u32| {
        let csn = format!("20200101000000.{fraction:06}Z#000000#000#000000");
        world.change(|tree| {
            tree.set(ALAN, "userPassword", [password]).unwrap();
            tree.set(ALAN, "entryCSN", [csn]).unwrap();
            tree.set(ALAN, "pwdChangedTime", [""; 0]).unwrap();
            tree.set(ALAN, "modifyTimestamp", ["20200101000000Z"]).unwrap();
        });
    };
    set("another", 1);
    assert_eq!(world.login("ajones", PASSWORD).await, REFUSED);
    assert_eq!(world.login("ajones", PASSWORD).await, REFUSED_BEFORE);
    set(PASSWORD, 2);
    world.until("ajones", PASSWORD, "ajones/Maildir by bind").await;
    set("a third", 3);
    world.until("ajones", PASSWORD, REFUSED).await;
}

/// As slapd's ppolicy does: the guess is written down in the entry, whose stamp moves, and no password was changed.
#[tokio::test]
async fn a_refused_bind_that_moves_the_stamp_takes_away_nobodys_cached_password() {
    let world = World::new();
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    world.change(|tree| tree.set(ALAN, "pwdFailureTime", [this_second()]).unwrap());
    assert_eq!(world.login_from("203.0.113.66", "ajones", "a guess").await, REFUSED);
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by cache");
    assert_eq!(world.login("Alan Jones", PASSWORD).await, "ajones/Maildir by cache");
    // The same guess is not tried again for that reason either.
    world.change(|tree| tree.set(ALAN, "pwdFailureTime", [this_second()]).unwrap());
    assert_eq!(world.login_from("203.0.113.66", "Al Jones", "a guess").await, REFUSED_BEFORE);
}

#[tokio::test]
async fn sixteen_refused_passwords_are_cached_of_each_person() {
    let world = World::new();
    let passwords: Vec<String> = (0..17).map(|number| number.to_string()).collect();
    for password in &passwords {
        assert_eq!(world.login("ajones", password).await, REFUSED);
    }
    for password in &passwords[1..] {
        assert_eq!(world.login("ajones", password).await, REFUSED_BEFORE);
    }
    assert_eq!(world.login("ajones", &passwords[0]).await, REFUSED);
    assert_eq!(world.asked().1, 18);
    assert_eq!(world.login("alamb", "2").await, REFUSED, "another person's is another password");
}

/// A device that polls once an hour is remembered from one poll to the next.
#[test]
fn a_refused_password_is_cached_for_longer_than_an_hour() {
    assert_eq!(restante::identity::Lifetimes::default().refused, Duration::from_secs(65 * 60));
}
