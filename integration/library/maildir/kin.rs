//! Files whose base names are the same, or differ in `,U=<n>` alone.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use restante::maildir::{Committed, Deletion, Maildrop, Settings};

use super::{Mail, fetched, octets, path, unique_ids};

fn after_restart(mail: &Mail) -> Maildrop {
    mail.restarted().enter(&path("ajones")).unwrap()
}

/// What a client is told by a service that was started anew.
fn told_after_restart(mail: &Mail) -> Vec<String> {
    let mut maildrop = after_restart(mail);
    let all: Vec<usize> = (0..unique_ids(&maildrop).len()).collect();
    maildrop.pin(&all).unwrap();
    unique_ids(&maildrop)
}

fn names(mail: &Mail) -> Vec<String> {
    let of = |part: &str| {
        let files = fs::read_dir(mail.at(part)).unwrap();
        files.map(|file| format!("{part}/{}", file.unwrap().file_name().into_string().unwrap())).collect::<Vec<_>>()
    };
    let mut names = [of("cur"), of("new")].concat();
    names.sort();
    names
}

fn removed(count: usize) -> Committed {
    Committed { removed: count, ..Committed::default() }
}

/// Gives a file the time of its delivery.
fn delivered(mail: &Mail, name: &str, seconds_ago: u64) {
    let file = File::options().write(true).open(mail.at(name)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds_ago)).unwrap();
}

/// A back-up was restored beside the mail.
#[test]
fn the_same_octets_under_one_base_name_are_one_message_and_its_deletion_removes_both() {
    for (one, other) in [("new/1.a", "cur/1.a:2,S"), ("cur/1.a:2,", "cur/1.a:2,S"), ("cur/1.a:2,", "cur/1.a,U=3:2,")] {
        for is_link in [false, true] {
            let mail = Mail::new();
            mail.deliver(one, "x\n");
            mail.deliver("cur/2.b:2,", "y\n");
            if is_link {
                fs::hard_link(mail.at(one), mail.at(other)).unwrap();
            } else {
                mail.deliver(other, "x\n");
            }
            let mut maildrop = mail.enter();
            assert_eq!(unique_ids(&maildrop), ["1.a", "2.b"], "{one}, {other}");
            assert_eq!(fetched(&mut maildrop, 0), "x\n");
            assert_eq!(unique_ids(&after_restart(&mail)), ["1.a", "2.b"]);
            assert_eq!(maildrop.commit(&[0]), removed(1), "{one}, {other}");
            assert_eq!(names(&mail), ["cur/2.b:2,"]);
        }
    }
}

#[test]
fn a_restored_copy_that_moved_is_removed_too_and_kept_once() {
    let mail = Mail::with(|settings| settings.deletion = Deletion::Keep(Duration::from_secs(86_400)));
    mail.deliver("cur/1.a:2,S", "x\n");
    mail.deliver("new/1.a", "x\n");
    let mut maildrop = mail.enter();
    mail.rename("new/1.a", "cur/1.a:2,");
    mail.rename("cur/1.a:2,S", "cur/1.a:2,FS");
    assert_eq!(maildrop.commit(&[0]), removed(1));
    assert_eq!(names(&mail), [""; 0]);
    let path = path("ajones");
    assert_eq!(mail.store.deleted(&path).unwrap().unwrap().list().unwrap().len(), 1);
}

/// Neither hides the other, and neither gets the unique-id of one that was deleted.
#[test]
fn different_mail_under_one_base_name_is_two_messages() {
    for (one, other) in [("new/1.a", "cur/1.a:2,S"), ("cur/1.a:2,", "cur/1.a:2,S"), ("cur/1.a,W=5", "cur/1.a,W=5:2,S")]
    {
        let mail = Mail::new();
        mail.deliver(one, "one\n");
        mail.deliver(other, "two, and more\n");
        let told = mail.told();
        assert_eq!((told.len(), told[0] != told[1]), (2, true), "{told:?}");
        let texts = |maildrop: &mut Maildrop| [fetched(maildrop, 0), fetched(maildrop, 1)];
        let before = texts(&mut mail.enter());
        let mut sorted = before.clone();
        sorted.sort();
        assert_eq!(sorted, ["one\n", "two, and more\n"]);
        mail.rename(other, "cur/1.a,U=7:2,RS");
        mail.rename("cur/1.a,U=7:2,RS", other);
        assert_eq!((mail.unique_ids(), texts(&mut mail.enter())), (told.clone(), before.clone()));
        let mut again = after_restart(&mail);
        assert_eq!((unique_ids(&again), texts(&mut again)), (told.clone(), before.clone()));
        for gone in [0, 1] {
            let copy = Mail::new();
            for name in [one, other, "restante-pins"] {
                fs::copy(mail.at(name), copy.at(name)).unwrap();
            }
            delivered(&copy, one, 10);
            delivered(&copy, other, 5);
            let mut maildrop = after_restart(&copy);
            let (ids, all) = (unique_ids(&maildrop), texts(&mut maildrop));
            assert_eq!(maildrop.commit(&[gone]), removed(1));
            let mut left = after_restart(&copy);
            assert_eq!(unique_ids(&left), [&*ids[1 - gone]], "{one}, {other}: it keeps its own");
            assert_eq!(fetched(&mut left, 0), all[1 - gone]);
        }
    }
}

/// Nobody was told of the second by UIDL, and nothing but its name would be known after a restart.
#[test]
fn what_is_left_never_gets_the_unique_id_of_what_was_deleted() {
    for (first, second) in
        [("cur/1.a:2,", "cur/1.a:2,S"), ("cur/1.a:2,", "cur/1.a,U=3:2,"), ("cur/1.a,U=3:2,", "cur/1.a:2,")]
    {
        let mail = Mail::new();
        mail.deliver(first, "one\n");
        delivered(&mail, first, 100);
        mail.deliver(second, "second\n");
        let mut maildrop = mail.enter();
        let index = usize::from(fetched(&mut maildrop, 0) != "one\n");
        let told = unique_ids(&maildrop);
        assert_eq!(told[index], "1.a", "{first} was there first");
        assert_eq!(maildrop.commit(&[index]), removed(1));
        assert_eq!(unique_ids(&mail.enter()), [&*told[1 - index]]);
        assert_eq!(unique_ids(&after_restart(&mail)), [&*told[1 - index]], "{first}, {second}");
    }
}

/// Where another program removes what was listed, a file of the same base name is mail that nobody saw yet.
#[test]
fn what_was_not_listed_is_not_removed_in_place_of_what_was() {
    for base in ["1.a", "1.a,W=3"] {
        let mail = Mail::new();
        mail.deliver(format!("cur/{base}:2,"), "x\n");
        drop(mail.enter_settled());
        let mut maildrop = mail.enter();
        mail.deliver(format!("new/{base}"), "another\n");
        mail.remove(&format!("cur/{base}:2,"));
        assert_eq!(maildrop.commit(&[0]), Committed { already_gone: 1, ..Committed::default() });
        assert_eq!(names(&mail), [format!("new/{base}")]);
        let mut next = mail.enter();
        assert_ne!(unique_ids(&next), [base], "a client would take it for what it has deleted");
        assert_eq!(fetched(&mut next, 0), "another\n");
        // Put in its place, it is another file as well.
        mail.deliver(format!("cur/{base}:2,"), "x\n");
        let mut maildrop = after_restart(&mail);
        let index = usize::from(octets(&maildrop)[0] != 3 || fetched(&mut maildrop, 0) != "x\n");
        mail.deliver("tmp/replacement", "y\n");
        mail.rename("tmp/replacement", &format!("cur/{base}:2,"));
        let committed = maildrop.commit(&[index]);
        assert_eq!((committed.removed, committed.failed.len()), (0, 1), "{committed:?}");
        assert_eq!(names(&mail).len(), 2);
    }
}

#[test]
fn a_file_that_arrives_during_the_session_does_not_come_back_as_what_was_deleted() {
    let mail = Mail::new();
    mail.deliver("cur/1.a:2,", "x\n");
    let mut maildrop = mail.enter();
    mail.deliver("new/1.a", "restored meanwhile\n");
    assert_eq!(maildrop.commit(&[0]), removed(1));
    assert_eq!(names(&mail), ["new/1.a"]);
    assert_ne!(mail.told(), ["1.a"]);
    assert_ne!(unique_ids(&after_restart(&mail)), ["1.a"]);
}

/// Of two that differ in `,U=<n>` alone the older keeps its unique-id when the younger comes.
#[test]
fn the_older_keeps_its_unique_id_when_the_younger_comes() {
    for is_restarted in [false, true] {
        for importing in [false, true] {
            let settings = |settings: &mut Settings| {
                if importing {
                    settings.unique_ids.import = restante::maildir::ImportMode::Read;
                }
            };
            let mail = Mail::with(settings);
            mail.deliver("cur/1.a,U=5:2,S", "the older\n");
            delivered(&mail, "cur/1.a,U=5:2,S", 1000);
            let before = mail.told();
            assert_eq!(before, ["1.a"]);
            mail.deliver("new/1.a", "the younger one\n");
            let mut maildrop = if is_restarted { after_restart(&mail) } else { mail.enter() };
            let both = unique_ids(&maildrop);
            let older = usize::from(fetched(&mut maildrop, 0) != "the older\n");
            assert_eq!((both.len(), &*both[older]), (2, "1.a"), "restarted {is_restarted}, importing {importing}");
            assert_eq!(both[1 - older].len(), 32);
            assert_eq!(told_after_restart(&mail), both);
            assert_eq!(maildrop.commit(&[older]), removed(1));
            assert_eq!(unique_ids(&after_restart(&mail)), [&*both[1 - older]]);
        }
    }
}

/// What was found out about one is not believed of the other.
#[test]
fn octets_of_messages_of_one_base_name_are_their_own_after_a_restart() {
    let mail = Mail::new();
    for number in 0..200 {
        mail.deliver(format!("cur/{}.a:2,S", 1000 + number), "x\n");
        mail.deliver(format!("new/{}.a", 1000 + number), &format!("{number:0500}\n"));
    }
    let before = octets(&mail.enter());
    assert_eq!((before.len(), before.iter().sum::<u64>()), (400, 200 * 3 + 200 * 502));
    assert_eq!(octets(&after_restart(&mail)), before);
}

/// A restored copy that was linked before it was restored has several names of its own.
#[test]
fn a_copy_under_several_names_is_removed_under_all_of_them() {
    let mail = Mail::new();
    mail.deliver("cur/1.a:2,", "x\n");
    mail.deliver("cur/1.a:2,S", "x\n");
    fs::hard_link(mail.at("cur/1.a:2,S"), mail.at("cur/1.a:2,FS")).unwrap();
    let mut maildrop = mail.enter();
    assert_eq!(maildrop.commit(&[0]), removed(1));
    assert_eq!(names(&mail), [""; 0]);
}

/// What was left of it would come back as another message.
#[test]
fn of_a_message_with_a_changed_copy_nothing_is_removed() {
    let mail = Mail::new();
    mail.deliver("cur/1.a:2,", "x\n");
    mail.deliver("cur/1.a:2,S", "x\n");
    let mut maildrop = mail.enter();
    for name in names(&mail) {
        let copy = mail.at(&name);
        let times = fs::metadata(&copy).unwrap().modified().unwrap();
        let file = File::options().write(true).open(&copy).unwrap();
        file.set_modified(times + Duration::from_secs(1)).unwrap();
        let committed = maildrop.commit(&[0]);
        assert_eq!((committed.removed, committed.failed.len()), (0, 1), "{name}: {committed:?}");
        assert_eq!(names(&mail).len(), 2, "{name}");
        file.set_modified(times).unwrap();
    }
    assert_eq!(mail.enter().commit(&[0]), removed(1));
    assert_eq!(names(&mail), [""; 0]);
}
