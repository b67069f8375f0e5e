//! Ambiguous names whose password is tried on each of the people who have them.

use std::time::Duration;

use restante::demo::fault_injection::InjectedFault;
use restante::demo::people::BASE;
use restante::identity::{Ambiguous, Flush, Lifetimes, ResetScope};
use restante::lockout;

use super::several::{Setup, Two};
use super::{LAMB, SHORT, told};

const FIRST: &str = "uid=mbrown,ou=Sales,ou=people,dc=renovations,dc=example";
const SECOND: &str = "uid=mbrown2,ou=Production,ou=people,dc=renovations,dc=example";
const OF_FIRST: &str = "paper-boat-42";
const OF_SECOND: &str = "quiet-orchard-8";

/// A common name that two people of the first directory have.
const MARY: &str = "Mary Brown";
/// One that somebody in each directory has, with their passwords.
const LAMBS: (&str, &str, &str) = ("Alan Lamb", "seven green lamps", "bellows");

fn trying() -> Setup {
    Setup { ambiguous: Ambiguous::TryEach, ..Setup::default() }
}

fn none_of(first: &str, second: &str) -> String {
    format!("refused: ambiguous, and the password is wrong for all: {FIRST}: {first} and {SECOND}: {second}")
}

#[tokio::test]
async fn the_password_tells_them_apart_and_repeats_ask_nobody() {
    let two = Two::with(trying());
    for (password, opened) in [(OF_FIRST, "mbrown"), (OF_SECOND, "mbrown2")] {
        assert_eq!(two.login(MARY, password).await, format!("{opened}/Maildir by bind"));
        for _ in 0..5 {
            assert_eq!(two.login(MARY, password).await, format!("{opened}/Maildir by cache"));
        }
    }
    assert_eq!(two.binds(), (4, 0));
    for _ in 0..5 {
        let told = two.login(MARY, "neither").await;
        assert!(told.starts_with("refused: ambiguous, and the password is wrong for all: "), "{told}");
    }
    assert_eq!(two.binds(), (6, 0));
    // And who is called so otherwise.
    for (name, password) in [("mbrown", OF_FIRST), ("mbrown2", OF_SECOND)] {
        assert_eq!(two.login(name, password).await, format!("{name}/Maildir by cache"));
    }
}

#[tokio::test]
async fn in_two_directories() {
    let two = Two::with(trying());
    let (name, of_alamb, of_alamb2) = LAMBS;
    assert_eq!(two.login(name, of_alamb).await, "alamb/Maildir by bind");
    assert_eq!(two.login(name, of_alamb2).await, "alamb2/Maildir by bind");
    assert_eq!(two.binds(), (2, 2));
}

#[tokio::test]
async fn one_password_of_two_people_is_nobodys() {
    let two = Two::with(trying());
    two.first.change(|tree| tree.set(SECOND, "userPassword", [OF_FIRST]).unwrap());
    for _ in 0..3 {
        assert_eq!(
            two.login(MARY, OF_FIRST).await,
            format!("refused: ambiguous, and the password is right for {FIRST} and {SECOND}")
        );
    }
    assert!(two.login("mbrown2", OF_FIRST).await.starts_with("mbrown2/Maildir by "));
}

/// More than four are refused, not the first four tried.
#[tokio::test]
async fn of_five_nobody_is_tried() {
    let two = Two::with(trying());
    let add = |number: usize| {
        let entry = format!(
            "dn: uid=m{number},{BASE}\nobjectClass: inetOrgPerson\nuid: m{number}\ncn: Mary Brown\nsn: Brown\nuserPassword: p{number}\n"
        );
        two.first.change(|tree| tree.add(restante::demo::ldif::parse(&entry).unwrap().remove(0)).unwrap());
    };
    (3..=4).for_each(add);
    assert_eq!(two.login(MARY, OF_FIRST).await, "mbrown/Maildir by bind");
    assert_eq!(two.binds(), (4, 0));
    add(5);
    two.map.flush(&Flush::Everybody).await.unwrap();
    for password in [OF_FIRST, "p5"] {
        assert!(two.login(MARY, password).await.starts_with("refused: ambiguous: uid="));
    }
    assert_eq!(two.binds(), (4, 0));
    assert_eq!(two.login("m5", "p5").await, "m5/Maildir by bind");
}

#[tokio::test]
async fn each_is_judged_by_their_account() {
    let two = Two::with(trying());
    two.first.change(|tree| tree.set(SECOND, "nsAccountLock", ["true"]).unwrap());
    assert_eq!(two.login(MARY, OF_SECOND).await, none_of("wrong password", "account disabled"));
    assert_eq!(two.login(MARY, OF_FIRST).await, "mbrown/Maildir by bind");
    assert_eq!(two.binds(), (2, 0), "the disabled one is not tried");
    // It is over, and nobody is told otherwise from memory.
    two.first.change(|tree| tree.set(SECOND, "nsAccountLock", ["false"]).unwrap());
    assert_eq!(two.login(MARY, OF_SECOND).await, "mbrown2/Maildir by bind");
}

/// One success and one who cannot be asked is not exactly one.
#[tokio::test]
async fn all_of_them_must_be_heard() {
    let (name, of_alamb, of_alamb2) = LAMBS;
    for fault in [InjectedFault::Refuse, InjectedFault::BindResult { code: 51, text: "busy".to_owned() }] {
        let two = Two::with(trying());
        two.second.inject(fault);
        for password in [of_alamb, of_alamb2, "neither"] {
            assert_eq!(two.login(name, password).await, "unavailable");
        }
        two.second.inject(InjectedFault::None);
        two.until(name, of_alamb2, "alamb2/Maildir by bind").await;
        assert!(two.login(name, of_alamb).await.starts_with("alamb/Maildir by "));
    }
}

/// It is never held as one person's: whoever gets the name counts at once after `missed`.
#[tokio::test]
async fn who_has_the_name_is_asked_anew() {
    let two = Two::with(Setup { cache: Lifetimes { missed: SHORT, ..Lifetimes::default() }, ..trying() });
    let (name, of_alamb, of_alamb2) = LAMBS;
    assert_eq!(two.login(name, of_alamb).await, "alamb/Maildir by bind");
    two.first.change(|tree| tree.set(LAMB, "cn", ["Another Name"]).unwrap());
    two.until(name, of_alamb, "refused: wrong password, refused before").await;
    assert_eq!(two.login(name, of_alamb2).await, "alamb2/Maildir by bind");
}

/// The entry moves between the look-up and the bind.
#[tokio::test]
async fn an_entry_that_moved_is_bound_where_it_is_now() {
    let two = Two::with(trying());
    assert_eq!(two.login(MARY, "neither").await, none_of("wrong password", "wrong password"));
    two.first.change(|tree| tree.move_entry(SECOND, &format!("uid=mbrown2,{BASE}")).unwrap());
    assert_eq!(two.login(MARY, OF_SECOND).await, "mbrown2/Maildir by bind");
}

/// What a namesake types says nothing of the password that is held.
#[tokio::test]
async fn a_namesake_takes_away_neither_the_held_password_nor_the_grace() {
    let no_time = Duration::ZERO;
    for found in [no_time, Lifetimes::default().found] {
        let two = Two::with(Setup { cache: Lifetimes { found, ..Lifetimes::default() }, ..trying() });
        assert_eq!(two.login("mbrown", OF_FIRST).await, "mbrown/Maildir by bind");
        assert_eq!(two.login(MARY, OF_SECOND).await, "mbrown2/Maildir by bind");
        assert_eq!(two.login("mbrown", OF_FIRST).await, "mbrown/Maildir by cache");
        for controls in [&two.first, &two.second] {
            controls.inject(InjectedFault::Refuse);
        }
        let told = two.login("mbrown", OF_FIRST).await;
        assert!(told == "mbrown/Maildir by cache" || told == "mbrown/Maildir by outage grace", "{told}");
    }
}

fn counting() -> Setup {
    Setup { lockout: lockout::Settings { person: 3, network: 0, ..lockout::Settings::default() }, ..trying() }
}

/// The name has a counter, in whatever form it is typed; the people have none by it.
#[tokio::test]
async fn wrong_passwords_count_for_the_name() {
    let two = Two::with(counting());
    for (name, guess) in [(MARY, "guess 1"), ("mary  brown", "guess 2"), ("CN=Mary Brown", "guess 3")] {
        assert_eq!(two.login(name, guess).await, none_of("wrong password", "wrong password"));
    }
    let locked_out = "refused: locked out: too many wrong passwords for this name";
    for password in [OF_FIRST, OF_SECOND, "guess 4"] {
        assert_eq!(two.login(MARY, password).await, locked_out);
    }
    assert_eq!(two.binds(), (6, 0));
    let elsewhere = "203.0.113.9";
    assert_eq!(told(&two.map, elsewhere, MARY, OF_FIRST).await, locked_out);
    for (name, password) in [("mbrown", OF_FIRST), ("mbrown2", OF_SECOND)] {
        assert_eq!(two.login(name, password).await, format!("{name}/Maildir by bind"));
    }
    assert!(two.map.reset_counters(&ResetScope::Person("mbrown2".to_owned())) > 0);
    assert_eq!(told(&two.map, elsewhere, MARY, OF_FIRST).await, "mbrown/Maildir by cache");
}

/// Else each of them would lock the other out by logging in.
#[tokio::test]
async fn right_passwords_count_for_nobody() {
    let two = Two::with(counting());
    for round in 0..5 {
        let password = format!("number {round}");
        two.first.change(|tree| tree.set(FIRST, "userPassword", [password.as_str()]).unwrap());
        assert_eq!(two.login(MARY, &password).await, "mbrown/Maildir by bind");
    }
    assert_eq!(two.login("mbrown2", OF_SECOND).await, "mbrown2/Maildir by bind");
    assert_eq!(two.login(MARY, OF_SECOND).await, "mbrown2/Maildir by cache");
}

/// Whoever is locked out by their own name is, by the one they share.
#[tokio::test]
async fn a_lock_out_of_a_person_holds_for_every_name() {
    let two = Two::with(counting());
    for guess in 1..=3 {
        assert_eq!(two.login("mbrown2", &format!("guess {guess}")).await, "refused: wrong password");
    }
    let locked_out = "locked out: too many wrong passwords for this person";
    assert_eq!(two.login(MARY, OF_SECOND).await, none_of("wrong password", locked_out));
    assert_eq!(two.login(MARY, OF_FIRST).await, "mbrown/Maildir by bind");
}

/// A lock-out made elsewhere does not reach whoever is at home.
#[tokio::test]
async fn at_home_the_name_has_a_counter_of_its_own() {
    let two = Two::with(counting());
    let home = "198.51.100.7";
    assert_eq!(told(&two.map, home, MARY, OF_FIRST).await, "mbrown/Maildir by bind");
    for guess in 1..=3 {
        assert_eq!(two.login(MARY, &format!("guess {guess}")).await, none_of("wrong password", "wrong password"));
    }
    assert!(two.login(MARY, OF_FIRST).await.starts_with("refused: locked out"));
    assert_eq!(told(&two.map, home, MARY, OF_FIRST).await, "mbrown/Maildir by cache");
}
