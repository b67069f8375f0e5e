//! What an entry may hold, and what proves it; with the example of RFC 7677 §3 (user `user`, password `pencil`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use zeroize::Zeroizing;

use super::keys::{DecoyCredentials, ScramKeys};
use crate::identity::settings::ScramSettings;
use crate::pop3::scram_example::{FIRST, LAST, NONCE, SALT, SIGNATURE, session};
use crate::pop3::{Action, Event, Line, LoginVerdict, ScramChallenge};
use crate::secret::Password;

/// What an entry holds for the example.
const STORED_KEY: &str = "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=";
const SERVER_KEY: &str = "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

fn of(values: &[&str]) -> Option<ScramKeys> {
    let values: Vec<_> = values.iter().map(|value| Zeroizing::new(value.as_bytes().to_vec())).collect();
    ScramKeys::of(&values)
}

fn example() -> ScramKeys {
    of(&[&format!("SCRAM-SHA-256$4096:{SALT}${STORED_KEY}:{SERVER_KEY}")]).unwrap()
}

fn line(octets: &[u8]) -> Event {
    Event::Line(Line::new(octets.to_vec()))
}

/// The whole exchange between a session and the credentials; the server's signature, if it comes so far.
fn play(credentials: &ScramKeys, first: &[u8], last: &[u8]) -> Option<String> {
    let mut session = session(None);
    session.step(line(format!("AUTH SCRAM-SHA-256 {}", STANDARD.encode(first)).as_bytes()));
    let (salt, iterations) = (credentials.salt.clone(), credentials.iterations);
    session.step(Event::Challenge(ScramChallenge { nonce: NONCE.to_owned(), salt, iterations }));
    let Action::Prove(Ok(proof)) = session.step(line(STANDARD.encode(last).as_bytes())) else { return None };
    if !credentials.are_proven_by(&proof) {
        session.step(Event::Judged(LoginVerdict::Refused));
        return None;
    }
    Some(STANDARD.encode(credentials.signature(&proof)))
}

#[test]
fn the_example_of_rfc_7677_is_proven_and_signed() {
    assert_eq!(play(&example(), FIRST.as_bytes(), LAST.as_bytes()).as_deref(), Some(SIGNATURE));
}

#[test]
fn an_entry_may_write_credentials_in_several_ways() {
    let rfc = format!("SCRAM-SHA-256$4096:{SALT}${STORED_KEY}:{SERVER_KEY}");
    let braces = format!("{{SCRAM-SHA-256}}4096,{SALT},{STORED_KEY},{SERVER_KEY}");
    for value in [
        rfc.clone(),
        format!(" SCRAM-SHA-256 $ 4096:{SALT} $ {STORED_KEY}:{SERVER_KEY} "),
        braces.clone(),
        format!("{braces},c4a49510323ab4f952cac1fa99441939e78ea74d6be81ddf7096e87513dc615d"),
    ] {
        let credentials = of(&[&value]).unwrap();
        assert_eq!(play(&credentials, FIRST.as_bytes(), LAST.as_bytes()).as_deref(), Some(SIGNATURE), "{value}");
    }
    for value in [
        "",
        "{SSHA}x",
        "SCRAM-SHA-256",
        &rfc.replace("SHA-256", "SHA-1"),
        &rfc.replace("4096", "0"),
        &rfc.replace("4096", "+1"),
        &rfc.replace("4096", ""),
        &rfc.replace("4096", "99999999999"),
        &rfc.replace(SALT, ""),
        &rfc.replace(SALT, "?"),
        &rfc.replace(SERVER_KEY, "AAAA"),
        &rfc.replace(STORED_KEY, SALT),
        &format!("{rfc}$"),
        &braces.replace(',', ":"),
    ] {
        assert!(of(&[value]).is_none(), "{value}");
    }
}

/// Values have no order: the one that counts is the same in any.
#[test]
fn of_several_values_the_one_with_most_iterations_counts() {
    let one = format!("SCRAM-SHA-256$4096:{SALT}${STORED_KEY}:{SERVER_KEY}");
    let more = one.replace("4096", "10000");
    let other = one.replace(SALT, "AAAA");
    for values in [[&*one, &*more, &*other, "SCRAM-SHA-1$1:a$b:c"], ["{SSHA}x", &*other, &*more, &*one]] {
        assert_eq!(of(&values).unwrap().iterations, 10_000);
    }
    assert_eq!(of(&[&one, &other]).unwrap().salt, of(&[&other, &one]).unwrap().salt);
}

#[test]
fn credentials_are_never_printed() {
    assert_eq!(format!("{:?}", example()), "Credentials(…)");
}

#[test]
fn decoys_are_the_same_for_a_name_and_a_key_and_nobody_proves_them() {
    let with = |key: Option<&str>| {
        let key = key.map(|key| Password::new(key.as_bytes().to_vec()).unwrap());
        DecoyCredentials::new(&ScramSettings { key, salt_octets: 12, iterations: 10_000 }).unwrap()
    };
    let (one, alike, other, random) = (with(Some("one")), with(Some("one")), with(Some("other")), with(None));
    let salt = |decoys: &DecoyCredentials, name: &str| decoys.keys_of(name).salt;
    assert_eq!(salt(&one, "nobody"), salt(&alike, "nobody"));
    assert_eq!(salt(&random, "nobody"), salt(&random, "nobody"));
    assert_ne!(salt(&one, "nobody"), salt(&one, "somebody"));
    assert_ne!(salt(&one, "nobody"), salt(&other, "nobody"));
    assert_ne!(salt(&random, "nobody"), salt(&with(None), "nobody"));
    let decoy = one.keys_of("nobody");
    assert_eq!((decoy.salt.len(), decoy.iterations), (12, 10_000));
    assert_eq!(play(&decoy, FIRST.as_bytes(), LAST.as_bytes()), None);
}

proptest! {
    /// Whatever octet of whatever message is another one, nobody is let in.
    #[test]
    fn a_tampered_message_never_succeeds(at in 0..FIRST.len() + LAST.len(), other: u8) {
        let mut both = [FIRST, LAST].concat().into_bytes();
        prop_assume!(both[at] != other);
        both[at] = other;
        let (first, last) = both.split_at(FIRST.len());
        prop_assert_eq!(play(&example(), first, last), None);
    }

    #[test]
    fn any_value_is_credentials_or_none(value: Vec<u8>, text in "SCRAM-SHA-256\\$.*") {
        ScramKeys::of(&[Zeroizing::new(value), Zeroizing::new(text.into_bytes())]);
    }
}
