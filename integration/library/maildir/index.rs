//! The index beside the mail: a cache that survives a restart, and on which nothing depends.

use std::fs;
use std::os::unix::fs::symlink;

use restante::maildir::{EnterFault, FetchFault, Store};

use super::{Mail, fetched, octets, path, unique_ids};

const INDEX: &str = "restante-index";

/// So many messages that an index is worth its writing.
const MANY: usize = 200;

fn name(number: usize) -> String {
    format!("cur/{}.a:2,S", 1000 + number)
}

/// A Maildir whose messages tell no octets in their names.
fn many() -> Mail {
    let mail = Mail::new();
    for number in 0..MANY {
        mail.deliver(name(number), "x\n");
    }
    mail
}

/// A message is written over where it lies, which no directory tells: whoever opens it counts other octets.
fn spoil(mail: &Mail, number: usize) {
    mail.deliver(name(number), "longer\n");
}

fn after_restart(mail: &Mail) -> restante::maildir::Maildrop {
    mail.restarted().enter(&path("ajones")).unwrap()
}

#[test]
fn what_was_counted_is_not_counted_again_after_a_restart() {
    let mail = many();
    drop(mail.enter());
    assert!(mail.at(INDEX).is_file());
    assert_eq!(fs::read_dir(mail.at("tmp")).unwrap().count(), 0, "nothing is left behind");
    spoil(&mail, 7);
    mail.rename(&name(8), "new/1008.a,U=4,S=2,W=99");
    mail.deliver("new/9999.b", "new\n");
    let mut maildrop = after_restart(&mail);
    let mut wanted = vec![3; MANY];
    wanted.push(5);
    assert_eq!(octets(&maildrop), wanted, "the index tells, whatever became of the name");
    // And if it is wrong, that comes out before anything is sent, and is put right for good.
    assert!(matches!(maildrop.fetch(7), Err(FetchFault::Changed)));
}

#[test]
fn a_changed_file_is_put_right_in_the_index() {
    let mail = many();
    drop(mail.enter());
    spoil(&mail, 7);
    let store = mail.restarted();
    let mut maildrop = store.enter(&path("ajones")).unwrap();
    assert!(matches!(maildrop.fetch(7), Err(FetchFault::Changed)));
    assert_eq!(octets(&store.enter(&path("ajones")).unwrap())[7], 8);
    assert_eq!(octets(&after_restart(&mail))[7], 8);
}

#[test]
fn a_wrong_size_in_a_name_is_never_believed_again() {
    let mail = Mail::new();
    mail.deliver("cur/1.a,W=1:2,", "longer\n");
    mail.deliver("cur/2.b,W=3:2,", "y\n");
    assert_eq!(fetched(&mut mail.enter(), 0), "longer\n");
    assert_eq!(octets(&mail.enter()), [8, 3]);
    assert_eq!(octets(&after_restart(&mail)), [8, 3]);
}

#[test]
fn no_index_is_written_where_it_saves_nothing() {
    let mail = Mail::new();
    for number in 0..MANY {
        mail.deliver(format!("cur/{number}.a,W=3:2,S"), "x\n");
    }
    mail.deliver("new/9999.b", "y\n");
    drop(mail.enter());
    assert!(!mail.at(INDEX).exists());
}

#[test]
fn a_damaged_index_is_put_aside_and_built_anew() {
    for damage in [b"".as_slice(), b"restante-index", b"3 V1 N2 dovecot", &[0; 5000]] {
        let mail = many();
        fs::write(mail.at(INDEX), damage).unwrap();
        let maildrop = mail.enter();
        assert_eq!(octets(&maildrop), [3; MANY]);
        assert_eq!(fs::read(mail.at("restante-index.damaged")).unwrap(), damage);
        spoil(&mail, 7);
        assert_eq!(octets(&after_restart(&mail)), [3; MANY], "it was built anew");
    }
}

#[test]
fn an_index_that_cannot_be_read_or_written_costs_nothing_else() {
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("precious");
    fs::write(&target, "precious").unwrap();
    let cases: [&dyn Fn(&Mail); 4] = [
        &|mail| fs::remove_dir(mail.at("tmp")).unwrap(),
        &|mail| fs::create_dir_all(mail.at("restante-index/x")).unwrap(),
        &|mail| symlink(&target, mail.at(INDEX)).unwrap(),
        &|mail| {
            fs::remove_dir(mail.at("tmp")).unwrap();
            symlink(elsewhere.path(), mail.at("tmp")).unwrap();
        },
    ];
    for prepare in cases {
        let mail = many();
        prepare(&mail);
        let mut maildrop = mail.enter();
        assert_eq!(octets(&maildrop), [3; MANY]);
        assert_eq!(fetched(&mut maildrop, 0), "x\n");
        assert_eq!(octets(&after_restart(&mail)), [3; MANY]);
        assert_eq!(fs::read(&target).unwrap(), b"precious");
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1, "nothing is written outside the mail root");
    }
}

/// A Maildir without `new` and `cur` is no empty maildrop if it was one before.
#[test]
fn what_has_an_index_is_not_missing() {
    let mail = many();
    drop(mail.enter());
    fs::rename(mail.at("new"), mail.at("new-away")).unwrap();
    fs::rename(mail.at("cur"), mail.at("cur-away")).unwrap();
    let entered = mail.restarted().enter(&path("ajones"));
    assert!(matches!(entered, Err(EnterFault::Unavailable(_))), "{entered:?}");
    fs::remove_file(mail.at(INDEX)).unwrap();
    assert!(octets(&after_restart(&mail)).is_empty());
}

/// Several nodes know nothing of each other, and share the Maildir.
#[test]
fn nodes_that_write_at_once_lose_nothing_but_work() {
    let mail = many();
    let visit = |node: usize| {
        for round in 0..20 {
            let store: Store = mail.restarted();
            let base = format!("{}.n{node}", 5000 + round);
            mail.deliver(format!("tmp/{base}"), "ab\n");
            mail.rename(&format!("tmp/{base}"), &format!("new/{base}"));
            let maildrop = store.enter(&path("ajones")).unwrap();
            assert_eq!(octets(&maildrop)[..MANY], [3; MANY]);
            let at = unique_ids(&maildrop).iter().position(|unique_id| *unique_id == base).unwrap();
            assert_eq!(octets(&maildrop)[at], 4);
        }
    };
    std::thread::scope(|scope| {
        let visit = &visit;
        let nodes: Vec<_> = (0..3).map(|node| scope.spawn(move || visit(node))).collect();
        assert!(nodes.into_iter().map(std::thread::ScopedJoinHandle::join).all(|outcome| outcome.is_ok()));
    });
    assert!(!mail.at("restante-index.damaged").exists());
    assert_eq!(octets(&after_restart(&mail)).len(), MANY + 60);
}

/// Whoever owns a Maildir can put a file of any size there.
#[test]
fn an_index_far_larger_than_its_messages_explain_is_not_read() {
    let mail = many();
    fs::File::create(mail.at(INDEX)).unwrap().set_len(200 << 20).unwrap();
    assert_eq!(octets(&after_restart(&mail)), [3; MANY]);
    assert!(!mail.at("restante-index.damaged").exists());
    assert!(fs::metadata(mail.at(INDEX)).unwrap().len() < 1 << 20, "written anew");
}

/// A restored back-up, or `touch`: a client that deletes by what it knows asks for no message again.
#[test]
fn a_message_that_was_touched_is_removed_by_the_session_after_the_next() {
    for restarts in [false, true] {
        let mail = many();
        drop(mail.enter());
        let touched = fs::File::options().write(true).open(mail.at(name(7))).unwrap();
        touched.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        let refused = after_restart(&mail).commit(&[7]);
        assert_eq!((refused.removed, refused.failed.len()), (0, 1), "{refused:?}");
        let again = if restarts {
            after_restart(&mail).commit(&[7])
        } else {
            assert_eq!(mail.enter().commit(&[7]).failed.len(), 1, "this one counted it before it was touched");
            mail.enter().commit(&[7])
        };
        assert_eq!((again.removed, again.failed), (1, vec![]));
        assert!(!mail.at(name(7)).exists());
    }
}
