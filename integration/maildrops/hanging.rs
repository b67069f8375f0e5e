//! A file system that does not answer: whose mail lies on it is told so in time, and nobody else notices.

use std::fs;
use std::time::{Duration, Instant};

use super::NOT_NOW;
use super::support::maildir;
use super::support::mount::Shown;
use super::support::stage::{PASSWORD, Stage};

const ONE: &[(&str, &[u8])] = &[("new/1.a", b"Subject: a\n\na\n"), ("cur/2.b:2,", b"Subject: b\n\nb\n")];

/// The mail of `ajones` lies behind FUSE, that of `alamb` does not.
fn stage() -> (Stage, Shown) {
    let stage = Stage::set_by(&[], |plan, _| plan.mailboxes.push_str("  deadline: 1s\n"));
    let behind = stage.site.folder().join("behind");
    maildir::make(&behind.join("Maildir"), ONE);
    maildir::make(&stage.site.maildir("alamb"), ONE);
    fs::remove_dir_all(stage.maildir()).unwrap();
    let shown = Shown::new(&behind, &stage.site.root().join("ajones"));
    (stage, shown)
}

fn served_at_once(stage: &Stage) {
    let begun = Instant::now();
    let mut client = stage.client();
    client.login("alamb", "seven green lamps");
    client.ask("RETR 1", "+OK 17 octets");
    client.message();
    client.ask("QUIT", "+OK");
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[test]
fn a_login_is_told_in_time_and_nobody_else_waits() {
    let (stage, shown) = stage();
    stage.session().ask("STAT", "+OK 2 34");
    served_at_once(&stage);
    shown.freeze();
    // More than there are threads for that file system, and more than the server has workers.
    let mut waiting: Vec<_> = (0..60).map(|_| stage.client()).collect();
    for client in &mut waiting {
        client.ask("USER ajones", "+OK");
        client.send(&format!("PASS {PASSWORD}"));
    }
    for _ in 0..5 {
        served_at_once(&stage);
    }
    for client in &mut waiting {
        client.expect("-ERR [SYS/TEMP]");
    }
    stage.service.wait_for_log(&["ERROR", "maildrop not opened", "person=\"ajones\"", "did not answer within 1s"]);
    shown.thaw();
    stage.session().ask("STAT", "+OK 2 34");
}

#[test]
fn a_session_goes_on_once_the_file_system_answers_again() {
    let (stage, shown) = stage();
    let mut client = stage.session();
    shown.freeze();
    client.ask("RETR 1", NOT_NOW);
    client.ask("RETR 2", NOT_NOW);
    served_at_once(&stage);
    client.ask("STAT", "+OK 2 34");
    shown.thaw();
    client.ask("RETR 1", "+OK 17 octets");
    assert_eq!(client.message(), b"Subject: a\r\n\r\na\r\n");
    client.ask("DELE 1", "+OK");
    client.ask("QUIT", "+OK");
    client.ended();
    assert_eq!(maildir::names(&stage.maildir()), ["cur/2.b:2,"]);
}

/// Not even a thread was left for its call.
#[test]
fn a_session_that_got_no_turn_goes_on_as_well() {
    let (stage, shown) = stage();
    let mut client = stage.session();
    shown.freeze();
    let mut waiting: Vec<_> = (0..60).map(|_| stage.client()).collect();
    for client in &mut waiting {
        client.ask("USER ajones", "+OK");
        client.send(&format!("PASS {PASSWORD}"));
    }
    for client in &mut waiting {
        client.expect("-ERR [SYS/TEMP]");
    }
    client.ask("RETR 1", NOT_NOW);
    shown.thaw();
    client.ask("RETR 1", "+OK 17 octets");
    client.message();
    client.ask("DELE 1", "+OK");
    client.ask("QUIT", "+OK");
    assert_eq!(maildir::names(&stage.maildir()), ["cur/2.b:2,"]);
}

#[test]
fn deletions_that_may_not_have_happened_are_no_success() {
    let (stage, shown) = stage();
    let mut client = stage.session();
    client.ask("DELE 1", "+OK");
    shown.freeze();
    client.ask("QUIT", "-ERR");
    client.ended();
    stage.service.wait_for_log(&["ERROR", "message not deleted", "did not answer within 1s"]);
    shown.thaw();
}

/// NFS caches attributes for 30 to 60 s, which no margin cures: there the names are read at each login. What is behind
/// FUSE is cached by the kernel just so.
#[test]
fn a_change_behind_a_cache_is_seen_at_the_next_login() {
    let stage = Stage::set_by(&[], |plan, _| plan.mailboxes.push_str("  settling: 0s\n"));
    let behind = stage.site.folder().join("behind");
    maildir::make(&behind.join("Maildir"), ONE);
    fs::remove_dir_all(stage.maildir()).unwrap();
    let _shown = Shown::new(&behind, &stage.site.root().join("ajones"));
    for number in 2..12 {
        // The kernel has heard of the times just now.
        stage.session().ask("STAT", &format!("+OK {number} "));
        stage.session().ask("STAT", &format!("+OK {number} "));
        maildir::deliver(&behind.join("Maildir"), &format!("new/{number}.more"), b"x\n");
    }
}
