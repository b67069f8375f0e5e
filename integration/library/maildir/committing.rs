//! What is removed at QUIT, and what is never touched.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use restante::maildir::{Committed, FetchFault};

use super::{Mail, fetched, octets, unique_ids};

/// Everything below a directory.
fn tree(directory: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        names.insert(entry.path().display().to_string());
        if entry.file_type().unwrap().is_dir() {
            names.append(&mut tree(&entry.path()));
        }
    }
    names
}

fn removed(count: usize) -> Committed {
    Committed { removed: count, ..Committed::default() }
}

#[test]
fn the_marked_messages_are_removed_and_nothing_else() {
    let mail = Mail::new();
    for name in ["new/1.a", "cur/2.b:2,S", "cur/3.c:2,", "tmp/4.d", "cur/.hidden", "dovecot-uidlist"] {
        mail.deliver(name, "x\n");
    }
    symlink(mail.at("cur/3.c:2,"), mail.at("cur/2.link")).unwrap();
    let mut expected = tree(mail.disk.path());
    for name in ["new/1.a", "cur/2.b:2,S"] {
        expected.remove(&mail.at(name).display().to_string());
    }
    let mut maildrop = mail.enter();
    assert_eq!(maildrop.commit(&[]), removed(0));
    assert_eq!(maildrop.commit(&[0, 1]), removed(2));
    assert_eq!(tree(mail.disk.path()), expected);
}

#[test]
fn a_message_is_removed_where_it_lies_now() {
    let mail = Mail::new();
    for number in 0..9 {
        mail.deliver(format!("new/{number}.a"), "x\n");
    }
    let mut maildrop = mail.enter();
    for number in 0..9 {
        mail.rename(&format!("new/{number}.a"), &format!("cur/{number}.a,U={number}:2,S"));
    }
    assert_eq!(maildrop.commit(&[0, 2, 4, 6]), removed(4));
    assert_eq!(mail.unique_ids(), ["1.a", "3.a", "5.a", "7.a", "8.a"]);
}

#[test]
fn already_gone_counts_as_deleted() {
    let mail = Mail::new();
    for name in ["cur/1.a:2,", "cur/2.b:2,", "cur/3.c:2,"] {
        mail.deliver(name, "x\n");
    }
    let (mut one, mut other) = (mail.enter(), mail.enter());
    assert_eq!(one.commit(&[0, 1]), removed(2));
    let expected = Committed { removed: 1, already_gone: 2, failed: vec![] };
    assert_eq!(other.commit(&[0, 1, 2]), expected);
}

#[test]
fn a_failure_stops_none_of_the_others() {
    let mail = Mail::new();
    for name in ["cur/1.a", "cur/2.b", "cur/3.c,W=3", "cur/4.d"] {
        mail.deliver(name, "x\n");
    }
    let outside = mail.disk.path().join("outside");
    fs::write(&outside, "x\n").unwrap();
    let mut maildrop = mail.enter();
    mail.deliver("cur/1.a", "written after it was listed\n");
    mail.remove("cur/2.b");
    symlink(&outside, mail.at("cur/2.b")).unwrap();
    mail.remove("cur/3.c,W=3");
    fs::create_dir(mail.at("cur/3.c,W=3")).unwrap();
    let committed = maildrop.commit(&[0, 1, 2, 3, 4]);
    assert_eq!((committed.removed, committed.already_gone), (1, 1), "the fifth does not exist: {committed:?}");
    for (reason, file) in committed.failed.iter().zip(["cur/1.a", "cur/2.b", "cur/3.c,W=3"]) {
        assert!(reason.starts_with(&format!("{file}: ")), "{reason}");
        assert!(mail.at(file).symlink_metadata().is_ok(), "{file} is still there");
    }
    assert!(outside.exists());
    assert!(!mail.at("cur/4.d").exists());
}

#[test]
fn a_maildir_that_fell_away_is_no_deletion() {
    let mail = Mail::new();
    mail.deliver("cur/1.a", "x\n");
    let mut maildrop = mail.enter();
    fs::rename(mail.root().join("ajones"), mail.root().join("away")).unwrap();
    let committed = maildrop.commit(&[0]);
    assert_eq!((committed.removed, committed.already_gone, committed.failed.len()), (0, 0, 1));
    symlink("../away", mail.root().join("ajones")).unwrap();
    assert_eq!(maildrop.commit(&[0]).failed.len(), 1, "a link that leads out");
}

#[test]
fn after_a_commit_the_rest_is_carried_over() {
    let mail = Mail::new();
    for name in ["cur/1.a", "cur/2.b", "cur/3.c"] {
        mail.deliver(name, "x\n");
    }
    let mut maildrop = mail.enter_settled();
    mail.deliver("cur/3.c", "longer\n");
    assert_eq!(maildrop.commit(&[1]), removed(1));
    let next = mail.enter();
    assert_eq!(unique_ids(&next), ["1.a", "3.c"]);
    assert_eq!(octets(&next), [3, 3], "counted before, and not opened again");
}

/// What the client has got is what it may have removed, also where a name told the octets and nothing was counted.
#[test]
fn a_file_that_was_replaced_after_it_was_fetched_stays() {
    for is_new_file in [false, true] {
        let mail = Mail::new();
        for name in ["cur/1.a,W=3", "cur/2.b,W=3"] {
            mail.deliver(name, "x\n");
        }
        let mut maildrop = mail.enter();
        assert_eq!(fetched(&mut maildrop, 0), "x\n");
        if is_new_file {
            mail.remove("cur/1.a,W=3");
        }
        mail.deliver("cur/1.a,W=3", "another\n");
        assert!(matches!(maildrop.fetch(0), Err(FetchFault::Changed)), "nor is it sent as the same message");
        let committed = maildrop.commit(&[0, 1]);
        assert_eq!((committed.removed, committed.failed.len()), (1, 1), "{committed:?}");
        assert_eq!(fs::read_to_string(mail.at("cur/1.a,W=3")).unwrap(), "another\n");
    }
}
