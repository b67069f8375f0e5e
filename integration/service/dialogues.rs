//! Dialogues written down as text, each played in every way in which a client may send it: in clear, under TLS from the
//! first octet and after STLS; line by line, octet by octet, and all at once. Some are
//! played in memory as well, with the client's octets cut at every place.

mod cuts;
mod play;
mod script;
use std::collections::BTreeSet;
use std::path::Path;

/// A test for each file, so that a failure names it; and the list of them.
macro_rules! dialogues {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            play::play(include_str!(concat!("dialogues/", stringify!($name), ".txt")));
        })*

        const PLAYED: &[&str] = &[$(stringify!($name)),*];
    };
}

dialogues! {
    auth_cancelled
    auth_empty
    auth_list
    auth_login
    auth_login_initial
    auth_malformed
    auth_over_long
    auth_plain
    auth_plain_challenge
    auth_plain_identity
    auth_scram_not_offered
    capabilities
    capabilities_before_tls
    directory_gone
    directory_misconfigured
    drop_listing
    empty_maildrop
    language
    language_before_tls
    line_too_long
    lower_case
    message_numbers
    name_full_of_signs
    name_in_utf8
    name_is_an_address
    names_and_passwords
    no_tls_at_all
    password_before_tls
    pipeline
    quit_before_login
    refused
    reset
    retr
    stls
    stls_after_login
    too_many_refused
    too_many_wrong
    top
    update
    user_and_pass
    user_without_name
    utf8_mode
    wrong_state
}

#[test]
fn every_dialogue_is_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("integration/service/dialogues");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let written: BTreeSet<String> = files.filter_map(|file| Some(file.strip_suffix(".txt")?.to_owned())).collect();
    assert_eq!(written, PLAYED.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn a_pattern_is_taken_literally_but_for_its_asterisks() {
    for (pattern, line) in [("+OK", "+OK"), ("+OK*", "+OK bye"), ("*", ""), ("a*c*e", "abcde"), ("*é*", "née")] {
        assert!(script::matches(pattern, line), "{pattern} {line}");
    }
    for (pattern, line) in [("+OK", "+OK "), ("+OK*", "-ERR"), ("a*c", "abcd"), ("", "x")] {
        assert!(!script::matches(pattern, line), "{pattern} {line}");
    }
}
