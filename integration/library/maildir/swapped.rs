//! A program gives the name of a file to another one, just before that file is removed or renamed.

use std::fs;
use std::time::Duration;

use restante::maildir::{Deletion, FolderName, MarkSeen, Settings};

use super::remembered::Elsewhere;
use super::{Mail, fetched, unique_ids};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The names and octets of the files in a directory of the Maildir.
fn files(mail: &Mail, directory: &str) -> Vec<(String, String)> {
    let Ok(entries) = fs::read_dir(mail.at(directory)) else { return Vec::new() };
    let mut files: Vec<_> = entries
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    files.sort_unstable();
    files
}

fn file(name: &str, octets: &str) -> (String, String) {
    (name.to_owned(), octets.to_owned())
}

/// Two messages of one base name, and the program that swaps them at the last moment.
fn two_messages(change: impl Fn(&mut Settings)) -> Elsewhere {
    let elsewhere = Elsewhere::with(&["cur/1.a:2,"], change);
    elsewhere.mail.deliver("cur/1.a:2,S", "other\n");
    elsewhere
}

#[test]
fn only_the_message_that_was_deleted_goes() {
    let folder = || FolderName::parse("Trash").unwrap();
    for deletion in [Deletion::Remove, Deletion::Keep(DAY), Deletion::Move(folder(), None)] {
        let elsewhere = two_messages(|settings| settings.deletion = deletion.clone());
        let mut maildrop = elsewhere.enter();
        assert_eq!(fetched(&mut maildrop, 0), "x\n");
        elsewhere.swap_once("1.a:2,", "1.a:2,S", "1.a:2,F");
        let committed = maildrop.commit(&[0]);
        assert_eq!((committed.removed, &*committed.failed), (1, &[][..]), "{deletion:?}");
        assert!(!elsewhere.is_swap_due(), "{deletion:?}: the name was never touched");
        assert_eq!(files(&elsewhere.mail, "cur"), [file("1.a:2,", "other\n")], "{deletion:?}");
        if matches!(deletion, Deletion::Move(..)) {
            assert_eq!(files(&elsewhere.mail, ".Trash/cur"), [file("1.a:2,F", "x\n")]);
        }
        assert_eq!(unique_ids(&elsewhere.enter_anew()).len(), 1);
    }
}

/// Where the file system cannot rename without replacing, a name is given by a link, and the old one removed.
#[test]
fn marking_a_message_as_seen_removes_no_other() {
    let elsewhere = Elsewhere::with(&["cur/1.a:2,"], |settings| settings.mark_seen = MarkSeen::Retrieved);
    elsewhere.mail.deliver("cur/1.a:2,R", "other\n");
    let mut maildrop = elsewhere.enter();
    elsewhere.swap_once("1.a:2,", "1.a:2,R", "1.a:2,F");
    maildrop.leave(&[], &[0]);
    assert!(!elsewhere.is_swap_due(), "the name was never touched");
    assert_eq!(files(&elsewhere.mail, "cur"), [file("1.a:2,", "other\n"), file("1.a:2,FS", "x\n")]);
}

/// The session was killed when it had taken the message from its name.
#[test]
fn a_message_that_a_killed_session_has_taken_from_its_name_is_listed_again() {
    let mail = Mail::new();
    for (taken, name) in [("cur/.restante-0123456789abcdef=1.a:2,S", "cur/1.a:2,S"), ("new/.restante-0=2.b", "new/2.b")]
    {
        mail.deliver(taken, "x\n");
        let ids = mail.unique_ids();
        assert!(mail.at(name).exists() && !mail.at(taken).exists(), "{name}: {ids:?}");
    }
    assert_eq!(mail.unique_ids(), ["1.a", "2.b"]);
}

/// The file that has its name now is not overwritten, and clients still know both.
#[test]
fn a_message_whose_name_is_in_use_keeps_its_base_name() {
    let mail = Mail::new();
    mail.deliver("cur/1.a:2,S", "other\n");
    mail.deliver("cur/.restante-0123456789abcdef=1.a:2,S", "x\n");
    let mut maildrop = mail.enter();
    assert_eq!(files(&mail, "new"), [file("1.a", "x\n")]);
    let mut octets: Vec<String> = (0..unique_ids(&maildrop).len()).map(|index| fetched(&mut maildrop, index)).collect();
    octets.sort_unstable();
    assert_eq!(octets, ["other\n", "x\n"]);
}

/// Since the login, another program has given the message a flag, and its name to another message.
#[test]
fn a_message_is_marked_as_seen_where_it_lies_now() {
    let mail = Mail::with(|settings| settings.mark_seen = MarkSeen::Retrieved);
    mail.deliver("cur/1.a:2,", "x\n");
    mail.deliver("cur/1.a:2,R", "other\n");
    let mut maildrop = mail.enter();
    let index = usize::from(fetched(&mut maildrop, 0) != "x\n");
    mail.rename("cur/1.a:2,", "cur/1.a:2,F");
    mail.rename("cur/1.a:2,R", "cur/1.a:2,");
    maildrop.leave(&[], &[index]);
    assert_eq!(files(&mail, "cur"), [file("1.a:2,", "other\n"), file("1.a:2,FS", "x\n")]);
}

/// Since the login, a message was flagged, and other mail arrived under the name that it had.
#[test]
fn what_arrives_under_the_name_of_a_message_is_not_sent_in_its_place() {
    for name in ["cur/1.a,W=3:2,", "cur/1.a:2,"] {
        let mail = Mail::new();
        mail.deliver(name, "x\n");
        let mut maildrop = mail.enter();
        mail.rename(name, &format!("{name}F"));
        mail.deliver(name, "other\n");
        if let Some(message) = maildrop.fetch_cached(0).unwrap() {
            panic!("{message:?} is another file");
        }
        assert_eq!(fetched(&mut maildrop, 0), "x\n", "{name}");
        let committed = maildrop.commit(&[0]);
        assert_eq!((committed.removed, &*committed.failed), (1, &[][..]), "{name}");
        assert_eq!(files(&mail, "cur").len(), 1, "{name}");
        assert_eq!(fs::read_to_string(mail.at(name)).unwrap(), "other\n");
    }
}

/// Two messages of one name, one in `new` and one in `cur`, are both kept, and both can be brought back.
#[test]
fn two_messages_of_one_file_name_are_both_kept() {
    let mail = Mail::with(|settings| settings.deletion = Deletion::Keep(DAY));
    mail.deliver("new/1.a", "x\n");
    mail.deliver("cur/1.a", "other\n");
    let mut maildrop = mail.enter();
    let committed = maildrop.commit(&[0, 1]);
    assert_eq!((committed.removed, &*committed.failed), (2, &[][..]));
    let path = super::path("ajones");
    let mut deleted = mail.store.deleted(&path).unwrap().unwrap();
    assert_eq!(deleted.list().unwrap().len(), 2);
}
