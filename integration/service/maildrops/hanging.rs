//! A file system that does not answer: whose mail lies on it is told so in time, and nobody else notices.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{NOT_NOW, long};
use crate::support::conversation::Conversation;
use crate::support::maildir;
use crate::support::mount::Shown;
use crate::support::stage::{PASSWORD, Stage};
use crate::support::{wait_until, wait_until_settled};

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
    // What waits for a frozen file system without a deadline waits for ever.
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
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
    // bindfs keeps an open file under another name until it is closed.
    wait_until("the message is gone", || maildir::names(&stage.maildir()) == ["cur/2.b:2,"]);
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

/// Noting what was retrieved comes after the removal, and has a deadline of its own.
#[test]
fn deletions_that_happened_are_a_success_whatever_hangs_afterwards() {
    let stage = Stage::set_by(&[], |plan, _| plan.mailboxes.push_str("  deadline: 1s\n  offer: unread\n"));
    let behind = stage.site.folder().join("behind");
    maildir::make(&behind.join("Maildir"), ONE);
    fs::remove_dir_all(stage.maildir()).unwrap();
    let _shown = Shown::new(&behind, &stage.site.root().join("ajones"));
    let mut client = stage.session();
    client.ask("RETR 2", "+OK");
    client.message();
    client.ask("DELE 1", "+OK");
    let marks = fs::File::create(stage.maildir().join("restante-pins")).unwrap();
    rustix::fs::flock(&marks, rustix::fs::FlockOperation::LockExclusive).unwrap();
    client.ask("QUIT", "+OK");
    client.ended();
    stage.service.wait_for_log(&["WARN", "retrieved messages may not be recorded", "did not answer within 1s"]);
    drop(marks);
    assert_eq!(maildir::names(&stage.maildir()), ["cur/2.b:2,"]);
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

/// A message of more octets than a connection holds, which need not be counted.
const LARGE: &str = "cur/3.large,W=12800019";

/// People whose mail lies on one file system of another machine, by way of links, and their passwords.
const FAR: [(&str, &str); 5] = [
    ("ajones", PASSWORD),
    ("mbrown", "paper-boat-42"),
    ("mbrown2", "quiet-orchard-8"),
    ("asmith", "lantern*(over)\\water"),
    ("tclerk", "brass-button-3"),
];

/// Their mail lies behind FUSE, where links in the mail root lead; that of `alamb` lies on this machine.
fn linked(further: &str) -> (Stage, Shown) {
    let stage = Stage::set_by(&[], |plan, _| {
        plan.mailboxes.push_str("  deadline: 3s\n");
        plan.mailboxes.push_str(further);
    });
    let (behind, root) = (stage.site.folder().join("behind"), stage.site.root());
    fs::create_dir(root.join("far")).unwrap();
    fs::remove_dir_all(root.join("ajones")).unwrap();
    for (person, _) in FAR {
        maildir::make(&behind.join(person).join("Maildir"), ONE);
        maildir::deliver(&behind.join(person).join("Maildir"), LARGE, &long(200_000));
        symlink(format!("far/{person}"), root.join(person)).unwrap();
    }
    maildir::make(&stage.site.maildir("alamb"), ONE);
    let shown = Shown::new(&behind, &root.join("far"));
    (stage, shown)
}

fn session_of(stage: &Stage, (person, password): (&str, &str)) -> Conversation {
    let mut client = stage.client();
    client.login(person, password);
    client
}

/// Sends a login without waiting for the answer.
fn begin_login(stage: &Stage, (person, password): (&str, &str)) -> Conversation {
    let mut client = stage.client();
    client.ask(&format!("USER {person}"), "+OK");
    client.send(&format!("PASS {password}"));
    client
}

/// How many files the service has open whose path holds this.
fn open_files(stage: &Stage, part: &str) -> usize {
    let open = fs::read_dir(format!("/proc/{}/fd", stage.service.pid())).unwrap();
    let targets = open.filter_map(|fd| fs::read_link(fd.ok()?.path()).ok());
    targets.filter(|target| target.to_string_lossy().contains(part)).count()
}

/// More than the server has threads that drive sessions.
fn many() -> usize {
    std::thread::available_parallelism().map_or(4, |cores| cores.get() + 2)
}

/// Where a Maildir lies is told by the directory that is opened, not by the text of its path.
#[test]
fn a_link_into_another_file_system_counts_as_that_file_system() {
    let (stage, shown) = linked("");
    for person in FAR {
        session_of(&stage, person).ask("STAT", "+OK 3 ");
    }
    shown.freeze();
    let mut waiting: Vec<_> = (0..12).flat_map(|_| FAR).map(|person| begin_login(&stage, person)).collect();
    for _ in 0..5 {
        served_at_once(&stage);
    }
    for client in &mut waiting {
        client.expect("-ERR [SYS/TEMP]");
    }
    stage.service.wait_for_log(&["ERROR", "maildrop not opened", "person=\"tclerk\"", "did not answer within 3s"]);
    shown.thaw();
    session_of(&stage, FAR[1]).ask("STAT", "+OK 3 ");
}

/// To close a file, the kernel asks the other machine as well (FLUSH of FUSE, close-to-open of NFS).
#[test]
fn a_file_on_a_frozen_file_system_is_closed_while_others_are_served() {
    let (stage, shown) = linked("");
    let mut clients: Vec<_> = (0..many()).map(|_| stage.session()).collect();
    for client in &mut clients {
        client.ask("RETR 3", "+OK");
    }
    // Nobody reads it on, so it stays open.
    wait_until("all of them are sent it", || open_files(&stage, "3.large") == many());
    shown.freeze();
    drop(clients);
    stage.service.wait_for_logs(&["connection ended", "person=\"ajones\""], many());
    for _ in 0..5 {
        served_at_once(&stage);
    }
    shown.thaw();
    wait_until("all of them are closed", || open_files(&stage, "3.large") == 0);
}

/// So does letting go of a lock.
#[test]
fn a_lock_on_a_frozen_file_system_is_released_while_others_are_served() {
    let (stage, shown) = linked("  sessions_per_maildrop: one\n");
    let clients = FAR.map(|person| session_of(&stage, person));
    shown.freeze();
    drop(clients);
    stage.service.wait_for_logs(&["connection ended", "closed by the client"], FAR.len());
    for _ in 0..5 {
        served_at_once(&stage);
    }
    shown.thaw();
    for person in FAR {
        wait_until("the lock is released", || {
            let mut client = begin_login(&stage, person);
            client.line().starts_with("+OK")
        });
    }
}

/// Who has read the reply to QUIT may log in at once, there as well.
#[test]
fn a_maildrop_of_another_machine_is_free_before_the_last_reply() {
    let (stage, _shown) = linked("  sessions_per_maildrop: one\n");
    for deletes in [false, true, false, true, false] {
        let mut client = stage.session();
        if deletes {
            client.ask("DELE 1", "+OK");
        }
        client.ask("QUIT", "+OK");
    }
    assert_eq!(maildir::names(&stage.maildir()), [LARGE]);
}

/// What was looked at on this machine may be elsewhere at the next login.
#[test]
fn what_was_mounted_over_a_maildir_since_is_waited_for_by_nobody_else() {
    let (stage, behind) = (Stage::set_by(ONE, |plan, _| plan.mailboxes.push_str("  deadline: 1s\n")), "behind");
    maildir::make(&stage.site.maildir("alamb"), ONE);
    stage.session().ask("STAT", "+OK 2 ");
    wait_until_settled(&stage.maildir());
    stage.session().ask("STAT", "+OK 2 ");
    let behind = stage.site.folder().join(behind);
    maildir::make(&behind, ONE);
    let shown = Shown::new(&behind, &stage.maildir());
    shown.freeze();
    let mut waiting: Vec<_> = (0..many()).map(|_| begin_login(&stage, FAR[0])).collect();
    for _ in 0..5 {
        served_at_once(&stage);
    }
    for client in &mut waiting {
        client.expect("-ERR [SYS/TEMP]");
    }
    shown.thaw();
}

/// Home directories that lie elsewhere are refused by their names alone: nobody asks a disk where the root leads.
#[test]
fn a_path_is_made_without_asking_a_disk() {
    let stage = Stage::set_by(&[], |plan, site| {
        "  path: \"{attr:homeDirectory}/Maildir\"\n".clone_into(&mut plan.mailboxes);
        fs::remove_dir_all(site.root()).unwrap();
        fs::create_dir_all(site.folder().join("behind/mail")).unwrap();
        fs::create_dir(site.folder().join("far")).unwrap();
        symlink("far/mail", site.root()).unwrap();
        fs::create_dir(site.folder().join("far/mail")).unwrap();
    });
    let shown = Shown::new(&stage.site.folder().join("behind"), &stage.site.folder().join("far"));
    shown.freeze();
    let mut waiting: Vec<_> = (0..many()).map(|_| begin_login(&stage, FAR[0])).collect();
    for client in &mut waiting {
        client.expect("-ERR [SYS/PERM]");
    }
    shown.thaw();
}

/// Mail on this machine, the old server's lists on another.
#[test]
fn lists_on_a_frozen_file_system_are_waited_for_by_nobody_else() {
    let lists = |folder: &Path| folder.join("lists");
    let stage = Stage::set_by(ONE, |plan, site| {
        plan.mailboxes.push_str("  deadline: 1s\n");
        plan.further.push_str("uidl: { import: read, lists: { root: lists, path: \"{short_name}\" } }\n");
        fs::create_dir_all(lists(site.folder()).join("ajones")).unwrap();
    });
    maildir::make(&stage.site.maildir("alamb"), ONE);
    fs::create_dir(stage.site.folder().join("behind")).unwrap();
    let shown = Shown::new(&stage.site.folder().join("behind"), &lists(stage.site.folder()).join("ajones"));
    shown.freeze();
    let mut waiting: Vec<_> = (0..60).map(|_| begin_login(&stage, FAR[0])).collect();
    for _ in 0..5 {
        served_at_once(&stage);
    }
    for client in &mut waiting {
        client.expect("-ERR [SYS/TEMP]");
    }
    shown.thaw();
}
