//! Files of ours beside the mail that have a further name: another person's file may be behind it.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::Mail;
use super::pinning::{PINS, listed, without_list};

/// Whoever may write into a Maildir may give another's file the name of the pins.
#[test]
fn nothing_is_written_into_a_file_that_has_a_further_name() {
    let mail = listed(1);
    let other = mail.root().join("another's message");
    for message in ["Subject: x\n\nno end of line", "Subject: x\n\nx\n", ""] {
        fs::write(&other, message).unwrap();
        fs::hard_link(&other, mail.at(PINS)).unwrap();
        let told = mail.told();
        assert_eq!(fs::read_to_string(&other).unwrap(), message);
        assert_eq!(told, ["000000016553f100"]);
        assert_eq!(without_list(&mail), told);
        mail.uidlist("1 :1.a\n");
        fs::remove_file(mail.at(PINS)).unwrap();
    }
}

/// A back-up of hard links has every file of the Maildir under a second name.
#[test]
fn pins_are_kept_where_their_file_has_a_further_name() {
    let mail = listed(3);
    let before = mail.told();
    let backup = mail.root().join("backup");
    fs::hard_link(mail.at(PINS), &backup).unwrap();
    let saved = fs::read(&backup).unwrap();
    mail.deliver("cur/9.z:2,S", "x");
    mail.uidlist("1 :1.a\n2 :2.a\n3 :3.a\n9 :9.z\n");
    let told = mail.told();
    assert_eq!((&told[..3], told.len()), (&*before, 4));
    assert_eq!(fs::read(&backup).unwrap(), saved);
    assert_eq!(without_list(&mail), told);
}

/// A process that is killed while it writes the file anew leaves a second name of it.
#[test]
fn a_second_name_left_by_a_rewriting_goes() {
    let mail = listed(3);
    let before = mail.told();
    fs::hard_link(mail.at(PINS), mail.at("restante-pins.replaced")).unwrap();
    let inode = |mail: &Mail| fs::metadata(mail.at(PINS)).unwrap().ino();
    let same = inode(&mail);
    mail.deliver("cur/9.z:2,S", "x");
    assert_eq!(mail.told()[..3], before);
    assert_eq!((inode(&mail), fs::metadata(mail.at(PINS)).unwrap().nlink()), (same, 1), "written on in its place");
}
