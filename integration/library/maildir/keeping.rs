//! Deleted mail that is kept or moved to a folder, restored, and cleaned up by age.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::time::Duration;

use restante::maildir::{Committed, Deletion, FolderName};

use super::{Mail, fetched, path, unique_ids};

const DAY: u64 = 24 * 60 * 60;

fn keeping() -> Mail {
    Mail::with(|settings| settings.deletion = Deletion::Keep(Duration::from_secs(14 * DAY)))
}

fn moving(days: Option<u64>) -> Mail {
    let time = days.map(|days| Duration::from_secs(days * DAY));
    Mail::with(|settings| settings.deletion = Deletion::Move(FolderName::parse("Trash").unwrap(), time))
}

fn removed(count: usize) -> Committed {
    Committed { removed: count, ..Committed::default() }
}

/// What lies below a directory of the Maildir, without the times in the names of batches.
fn lies_in(mail: &Mail, directory: &str) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(mail.at(directory)).into_iter().flatten().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            let number = name.split_once('.').unwrap_or_default().1;
            let digits = number.split_once('+').map_or("", |(_, term)| term.split('@').next().unwrap());
            let number = number.replace(&format!("+{digits}"), "");
            let inner =
                fs::read_dir(entry.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
            names.extend(inner.map(|inner| format!("{number}/{inner}")));
        } else {
            names.push(name);
        }
    }
    names.sort();
    names
}

/// Lets every batch be older.
fn age(mail: &Mail, days: u64) {
    for entry in fs::read_dir(mail.at("restante-deleted")).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let (seconds, rest) = name.split_once('.').unwrap();
        let Some(older) = seconds.parse::<u64>().unwrap().checked_sub(days * DAY) else { continue };
        fs::rename(entry.path(), mail.at(format!("restante-deleted/{older}.{rest}"))).unwrap();
    }
}

fn undelete_all(mail: &Mail, same: bool) -> usize {
    let path = path("ajones");
    let mut deleted = mail.store.deleted(&path).unwrap().unwrap();
    let list = deleted.list().unwrap();
    for one in &list {
        deleted.undelete(one, same).unwrap();
    }
    list.len()
}

#[test]
fn what_is_kept_lies_beside_the_mail() {
    let mail = keeping();
    mail.deliver("cur/1.a:2,S", "one\n");
    mail.deliver("new/2.b", "two\n");
    mail.deliver("new/3.c", "three\n");
    let inode = fs::metadata(mail.at("new/2.b")).unwrap().ino();
    let mut maildrop = mail.enter();
    mail.rename("new/2.b", "cur/2.b:2,F");
    assert_eq!(maildrop.commit(&[0, 1]), removed(2));
    assert_eq!(mail.unique_ids(), ["3.c"]);
    assert_eq!(lies_in(&mail, "restante-deleted"), ["0/1.a:2,S", "0/2.b:2,F"]);
    // The same second or another: a commit has a batch of its own.
    assert_eq!(mail.enter().commit(&[0]), removed(1));
    assert_eq!(lies_in(&mail, "restante-deleted").len(), 3);
    let kept = fs::read_dir(mail.at("restante-deleted")).unwrap().map(|batch| batch.unwrap().path().join("2.b:2,F"));
    assert!(kept.into_iter().any(|file| fs::metadata(file).is_ok_and(|kept| kept.ino() == inode)), "the file itself");
}

/// What cannot be kept is not deleted.
#[test]
fn a_message_stays_where_it_is_unless_it_can_be_kept() {
    let mail = keeping();
    mail.deliver("cur/1.a:2,S", "x\n");
    fs::write(mail.at("restante-deleted"), "in the way").unwrap();
    let committed = mail.enter().commit(&[0]);
    assert_eq!((committed.removed, committed.failed.len()), (0, 1));
    assert!(committed.failed[0].starts_with("cur/1.a:2,S: restante-deleted: "), "{committed:?}");
    let mail = moving(None);
    mail.deliver("cur/1.a:2,S", "x\n");
    fs::write(mail.at(".Trash"), "in the way").unwrap();
    let committed = mail.enter().commit(&[0]);
    assert!(committed.failed[0].starts_with("cur/1.a:2,S: the folder Trash: "), "{committed:?}");
    assert_eq!(mail.unique_ids(), ["1.a"]);
    assert_eq!(lies_in(&mail, "restante-deleted"), Vec::<String>::new());
}

#[test]
fn a_message_that_changed_is_neither_kept_nor_removed() {
    let mail = keeping();
    mail.deliver("cur/1.a:2,S", "x\n");
    let mut maildrop = mail.enter();
    mail.deliver("cur/1.a:2,S", "longer\n");
    assert_eq!(maildrop.commit(&[0]).failed.len(), 1);
    assert_eq!(mail.unique_ids(), ["1.a"]);
}

#[test]
fn of_two_sessions_that_delete_a_message_one_keeps_it() {
    let mail = keeping();
    mail.deliver("cur/1.a:2,S", "x\n");
    let (mut one, mut other) = (mail.enter(), mail.enter());
    assert_eq!(one.commit(&[0]), removed(1));
    assert_eq!(other.commit(&[0]), Committed { already_gone: 1, ..Committed::default() });
    assert_eq!(undelete_all(&mail, false), 1);
}

#[test]
fn a_folder_is_made_with_the_permissions_of_its_maildir() {
    let mail = moving(None);
    fs::set_permissions(mail.at(""), Permissions::from_mode(0o750)).unwrap();
    mail.deliver("cur/1.a:2,S", "one\n");
    mail.deliver("new/2.b", "two\n");
    assert_eq!(mail.enter().commit(&[0, 1]), removed(2));
    for name in ["", "/new", "/cur", "/tmp"] {
        let mode = fs::metadata(mail.at(format!(".Trash{name}"))).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o750, "{name}");
    }
    assert_eq!(fs::metadata(mail.at(".Trash/maildirfolder")).unwrap().mode() & 0o7777, 0o640);
    assert_eq!(fs::read_to_string(mail.at(".Trash/cur/1.a:2,S")).unwrap(), "one\n");
    assert_eq!(fs::read_to_string(mail.at(".Trash/new/2.b")).unwrap(), "two\n");
}

#[test]
fn nothing_in_a_folder_is_ever_overwritten() {
    let mail = moving(None);
    fs::create_dir_all(mail.at(".Trash/cur")).unwrap();
    mail.deliver(".Trash/cur/1.a:2,S", "other\n");
    mail.deliver("cur/1.a:2,S", "mine\n");
    assert_eq!(mail.enter().commit(&[0]), removed(1));
    let mut content: Vec<String> = fs::read_dir(mail.at(".Trash/cur"))
        .unwrap()
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    content.sort();
    assert_eq!(content, ["mine\n", "other\n"]);
    assert_eq!(undelete_all(&mail, false), 1);
    assert_eq!(fetched(&mut mail.enter(), 0), "mine\n");
    assert_eq!(fs::read_to_string(mail.at(".Trash/cur/1.a:2,S")).unwrap(), "other\n");
}

/// A client ignores a unique-id that it remembers, so a message comes back as a new one.
#[test]
fn what_comes_back_is_new_to_every_client() {
    for mail in [keeping(), moving(None)] {
        mail.deliver("cur/1.a,S=4:2,S", "one\n");
        mail.deliver("new/2.b", "two\n");
        mail.deliver("cur/3.c:2,FST", "six\n");
        assert_eq!(mail.enter().commit(&[0, 1, 2]), removed(3));
        assert_eq!(undelete_all(&mail, false), 3);
        let mut maildrop = mail.enter();
        assert!(unique_ids(&maildrop).iter().all(|id| !["1.a,S=4", "2.b", "3.c"].contains(&id.as_str())));
        let mut all: Vec<String> = (0..3).map(|index| fetched(&mut maildrop, index)).collect();
        all.sort();
        assert_eq!(all, ["one\n", "six\n", "two\n"]);
        let names: Vec<PathBuf> = ["new", "cur"]
            .iter()
            .flat_map(|part| fs::read_dir(mail.at(part)).unwrap())
            .map(|e| e.unwrap().path())
            .collect();
        let flagged: Vec<&PathBuf> = names.iter().filter(|name| name.to_str().unwrap().contains(":2,")).collect();
        assert_eq!(flagged.len(), 1, "{names:?}");
        assert!(flagged[0].to_str().unwrap().ends_with(":2,F"), "{flagged:?}");
        assert_eq!(fs::read_dir(mail.at("restante-deleted")).unwrap().count(), 0, "nothing is left behind");
    }
}

#[test]
fn the_same_id_comes_back_where_it_is_wanted() {
    for mail in [keeping(), moving(None)] {
        mail.deliver("cur/1.a,S=4:2,S", "one\n");
        mail.deliver("new/2.b", "two\n");
        assert_eq!(mail.enter().commit(&[0, 1]), removed(2));
        assert_eq!(undelete_all(&mail, true), 2);
        assert_eq!(mail.unique_ids(), ["1.a,S=4", "2.b"]);
        assert!(mail.at("cur/1.a,S=4:2,S").exists() && mail.at("new/2.b").exists());
    }
}

/// Another message of the same name is never overwritten.
#[test]
fn a_name_that_is_taken_is_not_taken_twice() {
    let mail = keeping();
    mail.deliver("new/1.a", "old\n");
    assert_eq!(mail.enter().commit(&[0]), removed(1));
    mail.deliver("new/1.a", "another\n");
    let path = path("ajones");
    let mut deleted = mail.store.deleted(&path).unwrap().unwrap();
    let list = deleted.list().unwrap();
    assert!(deleted.undelete(&list[0], true).is_err());
    deleted.undelete(&list[0], false).unwrap();
    assert_eq!(fs::read_to_string(mail.at("new/1.a")).unwrap(), "another\n");
    assert_eq!(mail.unique_ids().len(), 2);
}

#[test]
fn a_moved_message_is_found_under_other_flags_and_not_if_it_was_moved_on() {
    let mail = moving(None);
    for name in ["cur/1.a:2,S", "cur/2.b:2,S"] {
        mail.deliver(name, "x\n");
    }
    assert_eq!(mail.enter().commit(&[0, 1]), removed(2));
    mail.rename(".Trash/cur/1.a:2,S", ".Trash/cur/1.a,U=3:2,RS");
    mail.remove(".Trash/cur/2.b:2,S");
    assert_eq!(undelete_all(&mail, true), 1);
    assert!(mail.at("cur/1.a,U=3:2,RS").exists());
}

#[test]
fn what_is_kept_is_gone_when_its_time_is_over() {
    let mail = keeping();
    mail.deliver("new/1.a", "x\n");
    assert_eq!(mail.enter().commit(&[0]), removed(1));
    age(&mail, 13);
    // What is no batch of ours is left alone.
    fs::create_dir(mail.at("restante-deleted/0.other")).unwrap();
    mail.deliver("new/2.b", "x\n");
    assert_eq!(mail.enter().commit(&[0]), removed(1));
    assert_eq!(mail.store.clean_up(&path("ajones")).unwrap(), 0);
    age(&mail, 1);
    let mut maildrop = mail.enter();
    assert!(maildrop.leaves_something(false));
    maildrop.leave(&[], &[]);
    assert_eq!(lies_in(&mail, "restante-deleted"), ["0/2.b"]);
}

#[test]
fn a_clock_that_was_set_back_makes_nothing_old() {
    let mail = keeping();
    mail.deliver("new/1.a", "x\n");
    assert_eq!(mail.enter().commit(&[0]), removed(1));
    for entry in fs::read_dir(mail.at("restante-deleted")).unwrap().map(Result::unwrap) {
        fs::rename(entry.path(), mail.at("restante-deleted/9999999999.0")).unwrap();
    }
    assert_eq!(mail.store.clean_up(&path("ajones")).unwrap(), 0);
    assert_eq!(lies_in(&mail, "restante-deleted").len(), 1);
}

#[test]
fn what_was_moved_is_removed_from_its_folder_only_if_that_is_wanted() {
    for (days, left) in [(Some(7), vec!["3.other:2,S"]), (None, vec!["1.a:2,S", "3.other:2,S"])] {
        let mail = moving(days);
        for name in ["cur/1.a:2,S", "cur/2.b:2,S"] {
            mail.deliver(name, "x\n");
        }
        assert_eq!(mail.enter().commit(&[0, 1]), removed(2));
        mail.deliver(".Trash/cur/3.other:2,S", "of an IMAP user\n");
        fs::rename(mail.at(".Trash/cur/2.b:2,S"), mail.at("cur/2.b:2,S")).unwrap();
        age(&mail, 31);
        mail.enter().leave(&[], &[]);
        assert_eq!(lies_in(&mail, ".Trash/cur"), left);
        assert_eq!(mail.unique_ids(), ["2.b"], "moved back by its owner");
        assert_eq!(fs::read_dir(mail.at("restante-deleted")).unwrap().count(), 0);
    }
}

/// Two messages whose names differ in `,U=<n>` alone lie side by side in the folder: each is itself, there as well.
#[test]
fn of_two_alike_in_the_folder_the_right_one_comes_back() {
    let mail = moving(Some(30));
    mail.deliver("cur/1.a:2,S", "one\n");
    mail.deliver("cur/1.a,U=5:2,S", "the second\n");
    assert_eq!(mail.enter().commit(&[0, 1]), removed(2));
    let path = path("ajones");
    let mut deleted = mail.store.deleted(&path).unwrap().unwrap();
    let list = deleted.list().unwrap();
    assert_eq!(list.iter().map(|one| one.size).collect::<Vec<_>>(), [11, 4]);
    deleted.undelete(&list[0], true).unwrap();
    assert_eq!(fetched(&mut mail.enter(), 0), "the second\n");
    // The other is what is cleaned up, whatever its name became meanwhile.
    mail.rename(".Trash/cur/1.a:2,S", ".Trash/cur/1.a,U=77:2,RS");
    age(&mail, 31);
    assert_eq!(mail.store.clean_up(&path).unwrap(), 1);
    assert_eq!(lies_in(&mail, ".Trash/cur"), [] as [&str; 0]);
}

/// Its owner took it out of the folder, and deleted it again later: its time begins anew.
#[test]
fn what_was_deleted_again_is_kept_from_then_on() {
    let mail = moving(Some(30));
    let path = path("ajones");
    mail.deliver("cur/1.a:2,S", "one\n");
    assert_eq!(mail.enter().commit(&[0]), removed(1));
    age(&mail, 29);
    mail.rename(".Trash/cur/1.a:2,S", "cur/1.a:2,RS");
    assert_eq!(mail.enter().commit(&[0]), removed(1));
    age(&mail, 2);
    assert_eq!(mail.store.clean_up(&path).unwrap(), 0);
    assert_eq!(lies_in(&mail, ".Trash/cur"), ["1.a:2,RS"]);
    assert_eq!(undelete_all(&mail, true), 1, "once, and it is there");
    assert_eq!(mail.enter().commit(&[0]), removed(1));
    age(&mail, 30);
    assert_eq!(mail.store.clean_up(&path).unwrap(), 1);
    assert_eq!(lies_in(&mail, ".Trash/cur"), [] as [&str; 0]);
}
