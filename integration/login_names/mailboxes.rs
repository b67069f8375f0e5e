//! Where the mail of the person found lies, or why that cannot be told.

use super::World;
use super::support::login::{give_mail, log_in, opens};
use super::support::maildir;

/// The right password of somebody without mailbox gets the words of a wrong one; the log knows.
#[test]
fn nobody_logs_in_without_a_mailbox() {
    let world = World::with("names: fewer", |plan| "  path: \"{mail}/Maildir\"\n".clone_into(&mut plan.mailboxes));
    give_mail(&world.site, "alan.jones@renovations.example");
    opens(&world.service, "ajones", world.password("ajones"), "alan.jones@renovations.example");
    opens(&world.service, "Alan Jones", world.password("ajones"), "alan.jones@renovations.example");
    world.refuses(&[
        ("tclerk", "tclerk", "no maildrop: the entry has no value for {mail} "),
        ("Tom Clerk/Production/people", "tclerk", "no maildrop: the entry has no value for {mail} "),
        ("jmueller", "jmueller", "no maildrop: the entry has several values for {mail}, none of them in its RDN "),
    ]);
    world.refuses_with("tclerk", "wrong", "wrong password");
}

/// The canonical name and the maildrop come from the entry, never from what was typed.
#[test]
fn what_was_typed_never_makes_a_path() {
    let world = World::with_names("names: fewer");
    for typed in ["AJONES", "Alan Jones", "alan.jones@renovations.example"] {
        maildir::make(&world.site.maildir(typed), &[("new/1.x", b"Subject: mail of nobody\n\n")]);
        opens(&world.service, typed, world.password("ajones"), "ajones");
    }
    for typed in ["../ajones", "ajones/", "/ajones", "ajones/../alamb", "./ajones"] {
        world.refuses_with(typed, world.password("ajones"), "nobody has that name");
    }
    assert!(log_in(&world.service, "ajones", world.password("alamb")).is_err());
}
