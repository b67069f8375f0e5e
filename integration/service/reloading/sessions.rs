//! Sessions in progress: they keep what they began with, and end as they would have.

use std::fs;

use super::{ALAN, LAMB, Reloading};
use crate::support::login::{log_in, opens};
use crate::support::maildir;

/// Names of the files below a folder of Alan's Maildir.
fn files(world: &Reloading, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(world.site.maildir(ALAN.0).join(folder)).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_session_keeps_its_mail_settings_and_its_deletions_take_effect() {
    let mut world = Reloading::new();
    maildir::make(&world.site.maildir(ALAN.0), &[("cur/2.more:2,S", b"Subject: two\n\nText\n")]);
    let mut session = world.service.session(ALAN.0, ALAN.1);
    session.ask("STAT", "+OK 2 ");
    session.ask("DELE 1", "+OK");
    // Other mail, and deleted mail is kept from now on.
    world.plan.mailboxes = "  path: \"elsewhere/{short_name}\"\n  deletion: { keep_for: 7d }\n".to_owned();
    let told = world.reloads();
    assert!(told.contains("mailboxes.deletion.keep_for") && told.contains("mailboxes.path"), "{told}");
    let mut other = world.service.session(ALAN.0, ALAN.1);
    other.ask("STAT", "+OK 0 0");
    session.ask("RETR 2", "+OK");
    session.message();
    session.ask("QUIT", "+OK");
    assert_eq!((files(&world, "new").len(), files(&world, "cur").len()), (0, 1), "one deleted, one left");
    other.ask("QUIT", "+OK");
    assert_eq!(files(&world, "cur").len(), 1);
}

/// A session that was idle when its settings were replaced gives its maildrop up to a later one all the same.
#[test]
fn one_session_for_each_maildrop_stays_one_across_a_reload() {
    let mut world = Reloading::with(|plan| plan.mailboxes.push_str("  sessions_per_maildrop: one\n"));
    let mut session = world.service.session(ALAN.0, ALAN.1);
    session.ask("STAT", "+OK 1 ");
    world.plan.further.push_str("language: de\n");
    world.reloads();
    let refusal = log_in(&world.service, ALAN.0, ALAN.1).unwrap_err();
    assert!(refusal.starts_with("-ERR [IN-USE]"), "{refusal}");
    session.ask("QUIT", "+OK");
    opens(&world.service, ALAN.0, ALAN.1, ALAN.0);
}

#[test]
fn who_and_kick_know_sessions_from_before_a_reload() {
    let mut world = Reloading::new();
    let mut session = world.service.session(ALAN.0, ALAN.1);
    world.plan.further.push_str("cache: { found: 1m }\n");
    world.reloads();
    let who = crate::support::process::output(&mut world.site.command(&["who"]), "");
    assert!(String::from_utf8(who.stdout).unwrap().contains(ALAN.0));
    let kick = crate::support::process::output(&mut world.site.command(&["kick", "ajones"]), "");
    assert!(kick.status.success(), "{kick:?}");
    session.ended();
    opens(&world.service, LAMB.0, LAMB.1, LAMB.0);
}
