//! Which Maildir is entered, and what is seen in it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, chown, lchown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use restante::maildir::{EnterFault, LockResult, Maildrop, PathTemplate, Settings, Store, StoreFault};

use super::{Mail, octets, path, unique_ids};

fn is_unavailable<T>(result: &Result<T, EnterFault>) -> bool {
    matches!(result, Err(EnterFault::Unavailable(_)))
}

fn is_forbidden<T>(result: &Result<T, EnterFault>) -> bool {
    matches!(result, Err(EnterFault::Forbidden(_)))
}

fn is_empty(result: &Result<Maildrop, EnterFault>) -> bool {
    result.as_ref().is_ok_and(|maildrop| maildrop.listing(false).totals() == (0, 0))
}

#[test]
fn messages_stand_in_order_of_arrival() {
    let mail = Mail::new();
    let in_order = ["9.z", "10.123_1.mx", "10.M5P2.mx", "10.M40P1.mx", "10.M40P2.mx", "11.a"];
    for (number, name) in in_order.iter().enumerate().rev() {
        let place = if number % 2 == 0 { "new" } else { "cur" };
        mail.deliver(format!("{place}/{name}"), "x");
    }
    assert_eq!(mail.unique_ids(), in_order);
}

#[test]
fn octets_are_counted_or_believed_from_w_never_from_s() {
    let mail = Mail::new();
    mail.deliver("new/1.a", "a\nb\n");
    mail.deliver("new/2.b,S=9999", "a\r\nb\r\n");
    mail.deliver("cur/3.c:2,S", ".a\nno end");
    mail.deliver("cur/4.d,S=1,W=4321:2,", "x");
    mail.deliver("cur/5.e", "");
    let long = format!("{}\n", "a".repeat(99)).repeat(2000);
    mail.deliver("cur/6.f", &long);
    assert_eq!(octets(&mail.enter()), [6, 6, 12, 4321, 0, 2000 * 101]);
}

#[test]
fn a_message_in_new_and_cur_counts_once_and_cur_wins() {
    let mail = Mail::new();
    mail.deliver("new/1.a,W=9", "x\n");
    mail.deliver("cur/1.a,W=9:2,S", "x\n");
    let mut maildrop = mail.enter();
    assert_eq!(unique_ids(&maildrop), ["1.a,W=9"]);
    mail.remove("new/1.a,W=9");
    assert_eq!(super::fetched(&mut maildrop, 0), "x\n");
}

#[test]
fn only_regular_files_that_are_not_hidden_are_messages() {
    let mail = Mail::new();
    mail.deliver("cur/1.a:2,", "x");
    mail.deliver("cur/.hidden", "x");
    mail.deliver("tmp/2.b", "x");
    fs::create_dir(mail.at("cur/3.directory")).unwrap();
    symlink(mail.at("cur/1.a:2,"), mail.at("cur/4.link")).unwrap();
    let _socket = UnixListener::bind(mail.at("new/5.socket")).unwrap();
    assert_eq!(mail.unique_ids(), ["1.a"]);
}

#[test]
fn a_unique_id_outlives_flags_moves_and_mbsync() {
    let mail = Mail::new();
    mail.deliver("new/1.a,S=1", "x");
    let long = format!("new/2.{}", "b".repeat(80));
    mail.deliver(&long, "x");
    let before = mail.unique_ids();
    mail.rename("new/1.a,S=1", "cur/1.a,S=1,U=17:2,RS");
    mail.rename(&long, &format!("{}:2,S", long.replace("new", "cur")));
    assert_eq!(before[0], "1.a,S=1");
    assert_eq!(before[1].len(), 32);
    assert_eq!(mail.unique_ids(), before);
    let restarted = Store::new(Settings::new(mail.root())).unwrap();
    assert_eq!(unique_ids(&restarted.enter(&path("ajones")).unwrap()), before);
}

/// Maildirs written where a colon is no character of names, as on FAT: `;2,` and `!2,` stand before the flags.
#[test]
fn a_flag_behind_another_separator_changes_no_unique_id() {
    for separator in [";", "!"] {
        let mail = Mail::new();
        mail.deliver("new/1.a", "x\n");
        mail.deliver(format!("cur/2.b{separator}2,"), "y\n");
        let mut maildrop = mail.enter();
        assert_eq!(unique_ids(&maildrop), ["1.a", "2.b"]);
        mail.rename("new/1.a", &format!("cur/1.a{separator}2,RS"));
        mail.rename(&format!("cur/2.b{separator}2,"), &format!("cur/2.b,U=3{separator}2,S"));
        assert_eq!(super::fetched(&mut maildrop, 0), "x\n", "followed");
        assert_eq!(mail.unique_ids(), ["1.a", "2.b"]);
    }
}

#[test]
fn a_name_need_not_be_utf8() {
    let mail = Mail::new();
    mail.deliver(Path::new("cur").join(OsStr::from_bytes(b"1.\xff\xfe:2,S")), "x\n");
    let mut maildrop = mail.enter();
    assert_eq!(unique_ids(&maildrop)[0].len(), 32);
    assert_eq!(super::fetched(&mut maildrop, 0), "x\n");
    assert_eq!(maildrop.commit(&[0]).removed, 1);
    assert_eq!(fs::read_dir(mail.at("cur")).unwrap().count(), 0);
}

#[test]
fn on_a_clash_the_first_keeps_its_unique_id() {
    let mail = Mail::new();
    mail.deliver("cur/1.a,W=7:2,S", "1 one");
    mail.deliver("cur/1.a,W=7,U=5:2,S", "2 two");
    let mut maildrop = mail.enter();
    let unique_ids = unique_ids(&maildrop);
    assert_eq!((unique_ids[0].as_str(), unique_ids[1].len()), ("1.a,W=7", 32));
    mail.rename("cur/1.a,W=7:2,S", "cur/1.a,W=7:2,");
    mail.rename("cur/1.a,W=7,U=5:2,S", "cur/1.a,W=7,U=5:2,");
    assert_eq!(super::fetched(&mut maildrop, 0), "1 one");
    assert_eq!(super::fetched(&mut maildrop, 1), "2 two");
    assert_eq!(mail.unique_ids(), unique_ids);
    mail.remove("cur/1.a,W=7:2,");
    assert!(maildrop.fetch(0).is_err(), "the other message is not taken for it");
    assert_eq!(mail.unique_ids(), unique_ids[1..], "never the unique-id of the one that is gone");
}

#[test]
fn missing_is_empty() {
    let mail = Mail::new();
    assert!(is_empty(&mail.try_enter("nobody")));
    fs::create_dir_all(mail.root().join("shell/Maildir")).unwrap();
    assert!(is_empty(&mail.try_enter("shell")));
}

#[test]
fn unmounted_is_not_empty() {
    let mail = Mail::new();
    fs::rename(mail.root(), mail.disk.path().join("elsewhere")).unwrap();
    assert!(is_unavailable(&mail.try_enter("nobody")), "no root at all");
    fs::create_dir(mail.root()).unwrap();
    assert!(is_unavailable(&mail.try_enter("nobody")), "another directory in the root's place");
    fs::remove_dir(mail.root()).unwrap();
    fs::rename(mail.disk.path().join("elsewhere"), mail.root()).unwrap();
    assert!(is_empty(&mail.try_enter("nobody")));
}

#[test]
fn without_the_marker_there_is_no_mail() {
    let mail = Mail::with(|settings| settings.markers = vec![PathTemplate::parse_marker(".mounted").unwrap()]);
    mail.deliver("new/1.a", "x");
    drop(mail.enter_settled());
    fs::remove_file(mail.root().join(".mounted")).unwrap();
    assert!(is_unavailable(&mail.try_enter("ajones")));
    assert!(is_unavailable(&mail.try_enter("nobody")));
    let mut settings = Settings::new(mail.root());
    assert!(Store::new(settings.clone()).is_ok());
    settings.markers = vec![PathTemplate::parse_marker(".mounted").unwrap()];
    assert!(matches!(Store::new(settings), Err(StoreFault::Marker(..))));
    let gone = Settings::new(mail.root().join("nothing"));
    assert!(matches!(Store::new(gone), Err(StoreFault::Root(..))));
}

#[test]
fn a_maildir_that_held_messages_and_is_missing_has_fallen_away() {
    let mail = Mail::new();
    mail.deliver("new/1.a", "x");
    drop(mail.enter());
    fs::rename(mail.root().join("ajones"), mail.root().join("away")).unwrap();
    assert!(is_unavailable(&mail.try_enter("ajones")));
    fs::create_dir_all(mail.at("")).unwrap();
    assert!(is_unavailable(&mail.try_enter("ajones")), "an empty mount point");
    fs::remove_dir_all(mail.root().join("ajones")).unwrap();
    fs::rename(mail.root().join("away"), mail.root().join("ajones")).unwrap();
    assert_eq!(mail.unique_ids(), ["1.a"]);
}

#[test]
fn what_is_no_directory_is_unavailable() {
    let mail = Mail::new();
    fs::write(mail.root().join("file"), "").unwrap();
    assert!(is_unavailable(&mail.try_enter("file")));
    fs::remove_dir(mail.at("cur")).unwrap();
    fs::write(mail.at("cur"), "").unwrap();
    assert!(is_unavailable(&mail.try_enter("ajones")));
}

#[test]
fn a_link_that_leads_out_is_forbidden() {
    let mail = Mail::new();
    let outside = mail.disk.path().join("outside");
    fs::create_dir_all(outside.join("Maildir/cur")).unwrap();
    symlink("../outside", mail.root().join("relative")).unwrap();
    symlink(&outside, mail.root().join("absolute")).unwrap();
    symlink(mail.root().join("ajones"), mail.root().join("round")).unwrap();
    symlink("loop", mail.root().join("loop")).unwrap();
    for person in ["relative", "absolute", "round", "loop"] {
        assert!(is_forbidden(&mail.try_enter(person)), "{person}");
    }
    fs::remove_dir(mail.at("cur")).unwrap();
    symlink(outside.join("Maildir/cur"), mail.at("cur")).unwrap();
    assert!(is_forbidden(&mail.try_enter("ajones")));
    assert!(is_forbidden(&mail.try_enter(&"a".repeat(300))), "a name that no file system takes");
}

#[test]
fn a_link_that_stays_beneath_is_followed_unless_it_leads_to_nothing() {
    let mail = Mail::new();
    mail.deliver("new/1.a", "x\n");
    symlink("ajones", mail.root().join("alan")).unwrap();
    let mut maildrop = mail.try_enter("alan").unwrap();
    assert_eq!(super::fetched(&mut maildrop, 0), "x\n");
    symlink("disk2/bob", mail.root().join("bob")).unwrap();
    assert!(is_unavailable(&mail.try_enter("bob")), "its disk is not mounted");
    fs::remove_dir(mail.at("cur")).unwrap();
    symlink("../../disk2/cur", mail.at("cur")).unwrap();
    assert!(is_unavailable(&mail.try_enter("ajones")));
}

#[test]
fn nothing_is_held_open_between_calls() {
    let mail = Mail::new();
    mail.deliver("new/1.a", "x");
    let mut maildrop = mail.enter();
    super::fetched(&mut maildrop, 0);
    let root = mail.root();
    let open = fs::read_dir("/proc/self/fd").unwrap().filter_map(|fd| fs::read_link(fd.ok()?.path()).ok());
    assert_eq!(open.filter(|target| target.starts_with(&root)).count(), 0, "an administrator must be able to unmount");
}

/// Whoever may write to one Maildir, as in a home directory, must not have another's mail shown and deleted as their own.
#[test]
fn a_link_to_what_is_not_its_owners_is_not_followed() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    for (link_of, mail_of, is_followed) in [(1001, 1001, true), (0, 1002, true), (1001, 1002, false), (1001, 0, false)]
    {
        let mail = Mail::new();
        mail.deliver("cur/1.a,W=3:2,", "x\n");
        chown(mail.at("cur"), Some(mail_of), None).unwrap();
        let link = |at: &str, to: &str| {
            symlink(to, mail.root().join(at)).unwrap();
            lchown(mail.root().join(at), Some(link_of), None).unwrap();
        };
        fs::create_dir_all(mail.root().join("bob/Maildir/new")).unwrap();
        link("bob/Maildir/cur", "../../ajones/Maildir/cur");
        // By way of a link that anybody may make, too.
        fs::create_dir_all(mail.root().join("carl/Maildir/new")).unwrap();
        symlink("../../bob/Maildir/cur", mail.root().join("carl/Maildir/cur")).unwrap();
        for person in ["bob", "carl"] {
            match mail.try_enter(person) {
                Ok(maildrop) => {
                    assert!(is_followed && unique_ids(&maildrop).len() == 1, "{person}, {link_of}, {mail_of}");
                }
                Err(EnterFault::Forbidden(_)) => assert!(!is_followed, "{person}, {link_of}, {mail_of}"),
                Err(fault) => panic!("{fault}"),
            }
        }
    }
}

/// Whoever gives another maildrop's lock a further name in their own Maildir does not lock that person out.
#[test]
fn a_lock_with_a_further_name_is_replaced_by_one_of_its_own() {
    let mail = Mail::new();
    fs::create_dir_all(mail.root().join("mbrown/Maildir/cur")).unwrap();
    let lock = |person: &str| mail.root().join(person).join("Maildir/restante.lock");
    fs::write(lock("mbrown"), "").unwrap();
    fs::hard_link(lock("mbrown"), lock("ajones")).unwrap();
    let one = mail.store.lock(&path("ajones"));
    assert!(matches!(one, LockResult::Locked(_)), "{one:?}");
    let other = mail.store.lock(&path("mbrown"));
    assert!(matches!(other, LockResult::Locked(_)), "{other:?}");
    assert!(matches!(mail.store.lock(&path("ajones")), LockResult::InUse(_)));
    assert!(["ajones", "mbrown"].iter().all(|person| fs::metadata(lock(person)).unwrap().nlink() == 1));
    drop(one);
    assert!(matches!(mail.store.lock(&path("ajones")), LockResult::Locked(_)));
}
