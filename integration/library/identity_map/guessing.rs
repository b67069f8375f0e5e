//! What is counted, of whom, and whom a lock-out reaches.

use std::sync::Arc;
use std::time::{Duration, Instant};

use restante::demo::fault_injection::InjectedFault;
use restante::identity::ResetScope;
use restante::lockout::{Block, Settings};
use tokio::task::JoinSet;

use super::{ALAN, PASSWORD, SHORT, World};

const WRONG: [&str; 5] = ["one", "two", "three", "four", "five"];
const LOCKED: &str = "refused: locked out: too many wrong passwords for this person";
const NAME_LOCKED: &str = "refused: locked out: too many wrong passwords for this name";
const NETWORK_LOCKED: &str = "refused: locked out: too many refused logins from this network";
const HOME: &str = "198.51.100.7";

fn world() -> World {
    World::counting(Settings { person: 5, network: 0, ..Settings::default() }, |_| {})
}

/// Tries wrong passwords, each from another address.
async fn guess(world: &World, name: &str, passwords: &[&str]) {
    for (number, password) in passwords.iter().enumerate() {
        let told = world.login_from(&format!("203.0.113.{number}"), name, password).await;
        assert!(told.starts_with("refused: ") && !told.contains("locked"), "{told}");
    }
}

#[tokio::test]
async fn five_distinct_ones_lock_a_person_out_under_every_name_without_asking_the_directory() {
    let world = world();
    guess(&world, "ajones", &WRONG[..2]).await;
    guess(&world, "Alan Jones", &WRONG[2..]).await;
    let (_, binds) = world.asked();
    for (name, password) in [("ajones", PASSWORD), ("Alan Jones", "six"), ("Al Jones", PASSWORD)] {
        assert_eq!(world.login(name, password).await, LOCKED);
    }
    assert_eq!((binds, world.asked().1), (5, 5));
    assert_eq!(world.login("alamb", "seven green lamps").await, "alamb/Maildir by bind", "others are not locked out");
}

#[tokio::test]
async fn a_right_password_takes_back_no_wrong_ones_from_elsewhere() {
    let world = world();
    guess(&world, "ajones", &WRONG[..4]).await;
    assert_eq!(world.login_from(HOME, "ajones", PASSWORD).await, "ajones/Maildir by bind");
    guess(&world, "ajones", &WRONG[4..]).await;
    assert_eq!(world.login("ajones", PASSWORD).await, LOCKED);
}

#[tokio::test]
async fn a_lock_out_made_elsewhere_does_not_reach_who_is_at_home_and_is_no_free_pass() {
    let world = world();
    assert_eq!(world.login_from(HOME, "ajones", PASSWORD).await, "ajones/Maildir by bind");
    guess(&world, "ajones", &WRONG).await;
    assert_eq!(world.login("ajones", PASSWORD).await, LOCKED);
    assert!(world.login_from(HOME, "ajones", PASSWORD).await.starts_with("ajones/Maildir by "));
    assert_eq!(world.login_from(&format!("::ffff:{HOME}"), "ajones", PASSWORD).await, "ajones/Maildir by cache");
    for password in &WRONG[..4] {
        world.login_from(HOME, "ajones", password).await;
    }
    assert!(world.login_from(HOME, "ajones", PASSWORD).await.starts_with("ajones/Maildir by "));
    for password in WRONG {
        world.login_from(HOME, "ajones", password).await;
    }
    assert_eq!(world.login_from(HOME, "ajones", PASSWORD).await, LOCKED);
}

#[tokio::test]
async fn names_that_lead_to_nobody_are_locked_out_alike() {
    let world = world();
    for name in ["nobody", "Mary Brown"] {
        guess(&world, name, &WRONG).await;
        assert_eq!(world.login(name, "six").await, NAME_LOCKED);
        assert_eq!(world.login(&name.to_uppercase(), "six").await, NAME_LOCKED);
    }
    assert!(world.login("nobody else", "six").await.ends_with("no such login name"));
}

#[tokio::test]
async fn a_network_is_locked_out_by_distinct_pairs_and_nobody_there_is_let_in() {
    let world = World::counting(Settings { person: 0, network: 8, ..Settings::default() }, |_| {});
    for round in 0..8 {
        // One password on many names is as much guessing as many passwords on one name.
        let (name, last) = (format!("name {}", round % 4), format!("2001:db8:1:2::{round}"));
        world.login_from(&last, &name, ["x", "y"][round / 4]).await;
        world.login_from(&last, &name, ["x", "y"][round / 4]).await;
    }
    let (searches, binds) = world.asked();
    assert_eq!(world.login_from("2001:db8:1:2:ffff::1", "ajones", PASSWORD).await, NETWORK_LOCKED);
    assert_eq!(world.asked(), (searches, binds), "without asking the directory");
    assert_eq!(world.login_from("2001:db8:1:3::1", "ajones", PASSWORD).await, "ajones/Maildir by bind");
}

#[tokio::test]
async fn an_exempt_network_is_counted_by_person_only_and_is_nobodys_home() {
    let exempt_networks = vec![Block::parse("10.0.0.0/8").unwrap()];
    let world = World::counting(Settings { person: 5, network: 3, exempt_networks, ..Settings::default() }, |_| {});
    assert_eq!(world.login_from("10.1.2.3", "ajones", PASSWORD).await, "ajones/Maildir by bind");
    for password in WRONG {
        assert_eq!(world.login_from("::ffff:10.1.2.3", "ajones", password).await, "refused: wrong password");
    }
    assert_eq!(world.login_from("10.1.2.3", "ajones", PASSWORD).await, LOCKED);
    assert_eq!(world.login_from("10.1.2.3", "alamb", "seven green lamps").await, "alamb/Maildir by bind");
}

#[tokio::test]
async fn a_disabled_account_counts_for_the_network_only() {
    let world = World::counting(Settings { person: 2, network: 8, ..Settings::default() }, |_| {});
    world.controls.inject(InjectedFault::BindResult { code: 53, text: "account inactivated".to_owned() });
    for number in 0..4 {
        let told = world.login_from("203.0.113.1", "ajones", &format!("password {number}")).await;
        assert!(told.starts_with("refused: ") && !told.contains("locked"), "{told}");
    }
    world.controls.inject(InjectedFault::None);
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    for number in 0..4 {
        world.login_from("203.0.113.1", "nobody", &format!("password {number}")).await;
    }
    assert_eq!(world.login_from("203.0.113.1", "ajones", PASSWORD).await, NETWORK_LOCKED);
}

/// The same where the entry says so, and no bind is made.
#[tokio::test]
async fn an_account_that_its_entry_bars_counts_for_the_network_only() {
    let world = World::counting(Settings { person: 2, network: 8, ..Settings::default() }, |cache| {
        cache.found = Duration::ZERO;
    });
    for (attribute, bars, ends) in
        [("nsAccountLock", "true", "false"), ("pwdEndTime", "20200101000000Z", "20991231000000Z")]
    {
        world.change(|tree| tree.set(ALAN, attribute, [bars]).unwrap());
        for number in 0..4 {
            let told = world.login_from("203.0.113.1", "ajones", &format!("{attribute} {number}")).await;
            assert!(told.starts_with("refused: account "), "{told}");
        }
        world.change(|tree| tree.set(ALAN, attribute, [ends]).unwrap());
        assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    }
    assert_eq!(world.login_from("203.0.113.1", "ajones", PASSWORD).await, NETWORK_LOCKED);
}

#[tokio::test]
async fn an_outage_counts_for_nobody() {
    let world = World::counting(Settings { person: 3, network: 3, ..Settings::default() }, |_| {});
    world.controls.inject(InjectedFault::Refuse);
    for password in WRONG {
        assert_eq!(world.login("ajones", password).await, "unavailable");
        assert_eq!(world.login("nobody", password).await, "unavailable");
    }
    world.controls.inject(InjectedFault::None);
    world.until("ajones", PASSWORD, "ajones/Maildir by bind").await;
}

/// Unlike the held one, and seen to be so without the directory.
#[tokio::test]
async fn wrong_passwords_within_the_outage_grace_count_for_person_and_network() {
    let of_person = Settings { network: 0, ..Settings::default() };
    let of_network = Settings { person: 0, network: 5, ..Settings::default() };
    for (settings, locked) in [(of_person, LOCKED), (of_network, NETWORK_LOCKED)] {
        let world = World::counting(settings, |cache| (cache.found, cache.password) = (Duration::ZERO, SHORT));
        assert_eq!(world.login_from(HOME, "ajones", PASSWORD).await, "ajones/Maildir by bind");
        world.controls.inject(InjectedFault::Refuse);
        for password in WRONG {
            assert_eq!(world.login("ajones", password).await, "unavailable");
        }
        world.controls.inject(InjectedFault::None);
        world.until("ajones", PASSWORD, locked).await;
        world.until_from(HOME, "ajones", PASSWORD, "ajones/Maildir by bind").await;
    }
}

#[tokio::test]
async fn a_lock_out_ends_and_what_was_refused_before_is_asked_anew() {
    let world = World::counting(Settings { person: 2, network: 0, lasts: SHORT, ..Settings::default() }, |_| {});
    guess(&world, "ajones", &WRONG[..2]).await;
    assert_eq!(world.login("ajones", "one").await, LOCKED);
    world.until("ajones", "one", "refused: wrong password").await;
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
}

#[tokio::test]
async fn each_further_lock_out_lasts_twice_as_long() {
    let settings = Settings { person: 1, network: 0, lasts: SHORT, lasts_at_most: 4 * SHORT, ..Settings::default() };
    let world = World::counting(settings, |_| {});
    assert_eq!(world.login("ajones", "guess").await, "refused: wrong password");
    for (number, times) in [1, 2, 4, 4].into_iter().enumerate() {
        let lasted = world.until("ajones", &format!("guess {number}"), "refused: wrong password").await;
        assert!(lasted + SHORT / 2 > SHORT * times, "{times}: {lasted:?}");
    }
}

#[tokio::test]
async fn an_administrator_forgives() {
    let world = World::counting(Settings { person: 2, network: 4, ..Settings::default() }, |_| {});
    let lock = async || {
        for (name, password) in [("ajones", "1"), ("ajones", "2"), ("nobody", "1"), ("nobody", "2")] {
            world.login(name, password).await;
        }
        assert_eq!(world.login("alamb", "seven green lamps").await, NETWORK_LOCKED);
    };
    lock().await;
    assert!(world.map.reset_counters(&ResetScope::Network("127.0.0.1".parse().unwrap())) > 0);
    assert_eq!(world.login("ajones", PASSWORD).await, LOCKED);
    assert_eq!(
        world.map.reset_counters(&ResetScope::Person("AJones".to_owned())),
        2,
        "the person, and the name as typed"
    );
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    assert_eq!(world.login("nobody", "3").await, NAME_LOCKED);
    assert_eq!(world.map.reset_counters(&ResetScope::Person("nobody".to_owned())), 1);
    assert_eq!(world.login("nobody", "3").await, "refused: no such login name");
    world.map.reset_counters(&ResetScope::All);
    lock().await;
    world.map.reset_counters(&ResetScope::All);
    assert_eq!(world.login("ajones", PASSWORD).await, "ajones/Maildir by cache");
    assert_eq!(world.map.reset_counters(&ResetScope::Person("stranger".to_owned())), 0);
}

/// Else a hundred connections would be a hundred guesses, and lock the account in the directory as well.
#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_are_no_way_around_it() {
    let world = Arc::new(world());
    world.controls.inject(InjectedFault::Slow(Duration::from_millis(50)));
    let mut guesses = JoinSet::new();
    for number in 0..50 {
        let world = Arc::clone(&world);
        guesses.spawn(async move { world.login("ajones", &format!("password {number}")).await });
    }
    let told = guesses.join_all().await;
    assert_eq!(told.iter().filter(|told| *told == "refused: wrong password").count(), 5, "{told:?}");
    assert_eq!(world.asked().1, 5);
    assert_eq!(world.login("ajones", PASSWORD).await, LOCKED);
}

/// The same device with the right password on many connections is nobody guessing.
#[tokio::test(flavor = "multi_thread")]
async fn one_right_password_many_times_at_once_is_let_in() {
    let world = Arc::new(world());
    world.controls.inject(InjectedFault::Slow(Duration::from_millis(20)));
    let mut logins = JoinSet::new();
    for _ in 0..20 {
        let world = Arc::clone(&world);
        logins.spawn(async move { world.login("ajones", PASSWORD).await });
    }
    for told in logins.join_all().await {
        assert!(told.starts_with("ajones/Maildir by "), "{told}");
    }
}

/// The change stamp moves with the password, so a refused one may be refused from memory for as long as it is repeated.
#[tokio::test]
async fn a_stale_password_repeated_without_end_is_bound_once() {
    let world = World::counting(Settings::default(), |cache| cache.refused = SHORT);
    world.set_password(ALAN, PASSWORD);
    let began = std::time::Instant::now();
    assert_eq!(world.login("ajones", "stale").await, "refused: wrong password");
    while began.elapsed() < 4 * SHORT {
        assert_eq!(world.login("ajones", "stale").await, "refused: wrong password, refused before");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(world.asked().1, 1);
}

/// Where more people log in than `cache.people`, somebody new is remembered, too.
#[tokio::test]
async fn a_newcomers_refused_password_is_remembered_though_the_map_is_full() {
    let world = World::holding(|cache| cache.people = 1);
    for _ in 0..100 {
        world.login("alamb", "seven green lamps").await;
    }
    let ((_, before), began) = (world.asked(), Instant::now());
    while began.elapsed() < 4 * SHORT {
        assert!(world.login("ajones", "stale").await.starts_with("refused: wrong password"));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(world.asked().1 - before, 1);
}

/// A client that opens many connections with one stale password, or somebody who wants the directory to lock its owner out:
/// what is under way is not asked once more beside it.
#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_password_many_times_at_once_is_bound_once() {
    let world = Arc::new(world());
    world.controls.inject(InjectedFault::Slow(Duration::from_millis(50)));
    let mut logins = JoinSet::new();
    for number in 0..20 {
        let world = Arc::clone(&world);
        let address = format!("203.0.113.{number}");
        logins.spawn(async move { world.login_from(&address, "ajones", "stale").await });
    }
    for told in logins.join_all().await {
        assert!(told.starts_with("refused: wrong password"), "{told}");
    }
    assert_eq!(world.asked().1, 1);
}
