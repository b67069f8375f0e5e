//! Unique-ids that another server told before: which one counts, in which order messages come, and when the lists are
//! read.

use std::fs;
use std::time::{Duration, Instant};

use restante::maildir::ListKind::{Courier, Dovecot, DovecotSaved, ImportFile};
use restante::maildir::{EnterFault, ImportMode, ListKind, OverLong, UidlFormat, UniqueIdSettings};

use super::{Mail, path, unique_ids};

const HEAD: &str = "3 V1700000000 N45\n";

impl Mail {
    /// Where lists are read.
    pub(super) fn importing(change: impl FnOnce(&mut UniqueIdSettings)) -> Self {
        Self::with(|settings| {
            settings.unique_ids.import = ImportMode::Read;
            change(&mut settings.unique_ids);
        })
    }

    /// Writes a list as its server does.
    pub(super) fn list(&self, name: &str, content: &str) {
        fs::write(self.at("tmp/list"), content).unwrap();
        self.rename("tmp/list", name);
    }

    pub(super) fn uidlist(&self, records: &str) {
        self.list("dovecot-uidlist", &format!("{HEAD}{records}"));
    }

    /// What a client is told: the unique-ids, pinned before.
    pub(super) fn told(&self) -> Vec<String> {
        let mut maildrop = self.enter();
        let all: Vec<usize> = (0..unique_ids(&maildrop).len()).collect();
        maildrop.pin(&all).unwrap();
        unique_ids(&maildrop)
    }
}

#[test]
fn a_listed_message_has_the_string_that_dovecot_told() {
    let mail = Mail::importing(|_| {});
    for name in ["cur/1.a:2,RS", "cur/2.b:2,", "new/3.c", "new/4.d", "cur/5.e,U=9:2,S"] {
        mail.deliver(name, "x");
    }
    mail.uidlist("5 :1.a:2,S\n6 PUID12-1690000000 :2.b\n7 P :3.c\n8 :5.e\n9 :6.gone\n");
    let told = ["000000056553f100", "UID12-1690000000", "3.c", "000000086553f100", "4.d"];
    assert_eq!(mail.unique_ids(), told, "the unlisted come last");
    assert_eq!(mail.told(), told);
}

#[test]
fn courier_told_by_numbers_in_the_order_of_the_names() {
    let mail = Mail::importing(|_| {});
    // By our own order M5 comes before M10; by Courier's, which compares octets, it comes after.
    for name in ["cur/1.M10.a:2,S", "cur/1.M5.b:2,", "new/2.c"] {
        mail.deliver(name, "x");
    }
    assert_eq!(mail.unique_ids(), ["1.M5.b", "1.M10.a", "2.c"]);
    mail.list("courierpop3dsizelist", "/3 15 1690000000\n1.M10.a:2,S 3 12:1690000000:0\n1.M5.b:2, 3 14:1690000000:0\n");
    assert_eq!(mail.told(), ["UID12-1690000000", "UID14-1690000000", "2.c"]);
    fs::remove_file(mail.at("courierpop3dsizelist")).unwrap();
    assert_eq!(mail.told(), ["UID12-1690000000", "UID14-1690000000", "2.c"], "a pinned message keeps its place");
}

#[test]
fn a_list_of_ones_own_gives_strings_and_order() {
    let mail = Mail::importing(|_| {});
    for name in ["cur/1.a:2,S", "cur/2.b:2,", "new/3.c"] {
        mail.deliver(name, "x");
    }
    mail.list("restante-import", "# from Cyrus\n3.c 1690000000.3\n1.a 1690000000.1\n");
    assert_eq!(mail.told(), ["1690000000.3", "1690000000.1", "2.b"]);
}

#[test]
fn qmail_told_base_names_whatever_their_length() {
    let mail = Mail::importing(|settings| settings.precedence = vec![ListKind::BaseName]);
    let long = format!("1.{}", "h".repeat(100));
    mail.deliver(format!("cur/{long}:2,S"), "x");
    assert_eq!(mail.told(), [long]);
}

#[test]
fn the_first_list_counts_that_has_the_message() {
    let lists = |mail: &Mail| {
        mail.deliver("cur/1.a:2,S", "x");
        mail.deliver("cur/2.b:2,S", "x");
        mail.uidlist("5 :1.a\n6 Psaved :2.b\n");
        mail.list("courierpop3dsizelist", "/3 15 16\n1.a:2,S 3 12:16:0\n2.b:2,S 3 13:16:0\n");
        mail.list("restante-import", "2.b imported\n");
    };
    for (precedence, told) in [
        (vec![ImportFile, DovecotSaved, Dovecot, Courier], ["imported", "000000056553f100"].as_slice()),
        (vec![DovecotSaved, Courier], &["saved", "UID12-16"]),
        (vec![Courier, Dovecot], &["UID12-16", "UID13-16"]),
        (vec![Dovecot], &["000000056553f100", "000000066553f100"]),
        (vec![ImportFile], &["imported", "1.a"]),
    ] {
        let mail = Mail::importing(|settings| settings.precedence = precedence.clone());
        lists(&mail);
        let mut all = mail.unique_ids();
        all.sort();
        let mut told = told.to_vec();
        told.sort_unstable();
        assert_eq!(all, told, "{precedence:?}");
    }
}

#[test]
fn what_is_over_long_is_kept_or_replaced_and_what_is_not_printable_replaced() {
    let long = format!("1.{}", "h".repeat(100));
    for (over_long, kept) in [(OverLong::Keep, true), (OverLong::Replace, false)] {
        let mail = Mail::importing(|settings| {
            settings.over_long = over_long;
            settings.dovecot_format = UidlFormat::parse("%f").unwrap();
        });
        mail.deliver(format!("cur/{long}:2,S"), "x");
        mail.deliver("cur/2.a b:2,S", "x");
        mail.uidlist(&format!("5 :{long}\n6 :2.a b\n"));
        let told = mail.told();
        assert_eq!(told[0] == long, kept, "{told:?}");
        assert!(told[1].len() == 32 && (kept || told[0].len() == 32), "{told:?}");
    }
}

#[test]
fn no_two_messages_have_one_string_and_none_that_another_had() {
    let mail = Mail::importing(|_| {});
    mail.deliver("cur/1.a:2,S", "x");
    mail.deliver("cur/2.b:2,S", "x");
    mail.uidlist("5 Psame :1.a\n6 Psame :2.b\n");
    let told = mail.told();
    assert_eq!((told[0].as_str(), told[1].len()), ("same", 32));
    mail.remove("cur/1.a:2,S");
    assert_eq!(mail.told(), told[1..]);
    // A client that knows "same" would take this for what it has, and never fetch it.
    mail.deliver("cur/3.c:2,S", "x");
    mail.uidlist("6 Psame :2.b\n7 Psame :3.c\n");
    assert_eq!(mail.told()[1].len(), 32);
}

#[test]
fn a_trial_weeks_before_the_move_freezes_only_what_was_told() {
    let mail = Mail::importing(|_| {});
    mail.deliver("cur/1.a:2,S", "x");
    mail.deliver("new/2.b", "x");
    mail.uidlist("5 :1.a\n");
    // One client asks for the first message alone; another session only looks.
    let mut maildrop = mail.enter();
    assert_eq!(unique_ids(&maildrop), ["000000056553f100", "2.b"]);
    maildrop.pin(&[0]).unwrap();
    mail.deliver("new/3.c", "x");
    mail.uidlist("5 :1.a\n6 :2.b\n7 :3.c\n");
    assert_eq!(mail.told(), ["000000056553f100", "000000066553f100", "000000076553f100"]);
    // The old server made its list anew: what was told stays, what was not is told by the new list.
    mail.deliver("new/4.d", "x");
    mail.list("dovecot-uidlist", "3 V1800000000 N9\n1 :1.a\n2 :2.b\n3 :3.c\n4 :4.d\n");
    assert_eq!(mail.told(), ["000000046b49d200", "000000056553f100", "000000066553f100", "000000076553f100"]);
}

#[test]
fn an_unchanged_list_is_not_read_again_and_a_changed_one_is() {
    let mail = Mail::importing(|_| {});
    mail.deliver("cur/1.a:2,S", "x");
    mail.uidlist("");
    assert_eq!(unique_ids(&mail.enter_settled()), ["1.a"]);
    // A line is appended, which touches no directory.
    fs::write(mail.at("dovecot-uidlist"), format!("{HEAD}5 :1.a\n")).unwrap();
    assert_eq!(unique_ids(&mail.enter_settled()), ["000000056553f100"]);
}

#[test]
fn a_list_that_cannot_be_read_lets_nobody_download_everything_again() {
    let mail = Mail::importing(|_| {});
    mail.deliver("cur/1.a:2,S", "x");
    fs::create_dir(mail.at("dovecot-uidlist")).unwrap();
    assert!(matches!(mail.try_enter("ajones"), Err(EnterFault::Unavailable(_))));
}

#[test]
fn follow_leaves_a_message_out_until_it_is_listed_or_the_wait_is_over() {
    let waits = |wait| {
        Mail::importing(|settings| {
            settings.import = ImportMode::Follow;
            settings.follow_wait = wait;
        })
    };
    let mail = waits(Duration::from_secs(60));
    mail.deliver("cur/1.a:2,S", "x");
    mail.deliver("new/2.b", "x");
    mail.uidlist("5 :1.a\n");
    assert_eq!(mail.told(), ["000000056553f100"]);
    mail.uidlist("5 :1.a\n6 :2.b\n");
    assert_eq!(mail.told(), ["000000056553f100", "000000066553f100"]);
    let mail = waits(Duration::from_millis(300));
    mail.deliver("new/2.b", "x");
    assert!(mail.told().is_empty());
    let deadline = std::time::Instant::now() + Duration::from_secs(120);
    while mail.told() != ["2.b"] {
        assert!(std::time::Instant::now() < deadline, "left out for ever");
    }
    mail.uidlist("5 :2.b\n");
    assert_eq!(mail.told(), ["2.b"], "what was told stays");
}

/// For at most `follow_wait`: whoever flags a message meanwhile makes it no younger, nor hides what was shown.
#[test]
fn a_message_that_is_renamed_again_and_again_is_left_out_no_longer() {
    let mail = Mail::importing(|settings| {
        settings.import = ImportMode::Follow;
        settings.follow_wait = Duration::from_millis(500);
    });
    mail.deliver("new/1.a", "x");
    mail.uidlist("");
    let begun = Instant::now();
    let flag = |from: &str, to: &str| {
        mail.rename(from, to);
        mail.unique_ids()
    };
    assert!(flag("new/1.a", "cur/1.a:2,").is_empty());
    let mut names = ["cur/1.a:2,", "cur/1.a,U=3:2,S"];
    while flag(names[0], names[1]).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(5), "left out as long as somebody renames it");
        names.reverse();
    }
    assert!(begun.elapsed() >= Duration::from_millis(450), "{:?}", begun.elapsed());
    for _ in 0..10 {
        names.reverse();
        assert_eq!(flag(names[0], names[1]), ["1.a"], "shown, and so it stays");
    }
}

#[test]
fn done_reads_no_list_and_keeps_what_was_told() {
    let mail = Mail::importing(|_| {});
    for name in ["cur/1.a:2,S", "cur/2.b:2,S"] {
        mail.deliver(name, "x");
    }
    mail.uidlist("6 :1.a\n5 :2.b\n");
    mail.uidlist("5 :2.b\n6 :1.a\n");
    let before = mail.told();
    assert_eq!(before, ["000000056553f100", "000000066553f100"]);
    let mut settings = restante::maildir::Settings::new(mail.root());
    settings.unique_ids.import = ImportMode::Done;
    let after = restante::maildir::Store::new(settings).unwrap();
    mail.deliver("new/3.c", "x");
    mail.uidlist("5 :2.b\n6 :1.a\n7 :3.c\n");
    let size = fs::metadata(mail.at("restante-pins")).unwrap().len();
    let mut maildrop = after.enter(&path("ajones")).unwrap();
    maildrop.pin(&[0, 1, 2]).unwrap();
    assert_eq!(unique_ids(&maildrop), ["000000056553f100", "000000066553f100", "3.c"]);
    assert_eq!(fs::metadata(mail.at("restante-pins")).unwrap().len(), size, "our own rule needs no pin");
}

#[test]
fn a_site_without_a_move_writes_nothing() {
    let mail = Mail::new();
    mail.deliver("cur/1.a:2,S", "x");
    mail.deliver(format!("new/2.{}", "b".repeat(80)), "x");
    mail.uidlist("5 :1.a\n");
    assert_eq!(mail.told()[0], "1.a");
    let names: Vec<_> = fs::read_dir(mail.at("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().starts_with("restante")), "{names:?}");
}

/// Our own unique-ids would be pinned for ever, though the old server's are what clients know.
#[test]
fn a_list_that_cannot_be_read_keeps_everything_from_being_pinned_until_it_is_repaired() {
    let good = [
        ("dovecot-uidlist", format!("{HEAD}5 :1.a\n6 :2.b\n")),
        ("courierpop3dsizelist", "/3 15 1690000000\n1.a 100 5:1690000000:0\n2.b 100 6:1690000000:0\n".to_owned()),
        ("restante-import", "1.a five\n2.b six\n".to_owned()),
    ];
    let broken = [
        ("dovecot-uidlist", ["", "5 :1.a\n6 :2.b\n", "3 V1700000000"]),
        ("courierpop3dsizelist", ["", "1.a 100 5:1690000000:0\n2.b 100 6:1690000000:0\n", "/9 15\n"]),
        ("restante-import", ["", "1.a\n", "\n2.b\n"]),
    ];
    for ((name, good), (_, broken)) in good.iter().zip(broken) {
        for broken in broken {
            let mail = Mail::importing(|_| {});
            mail.deliver("cur/1.a:2,S", "x");
            mail.list(name, good);
            let first = mail.told();
            mail.deliver("new/2.b", "x");
            mail.list(name, broken);
            let mut maildrop = mail.enter();
            assert_eq!(unique_ids(&maildrop).len(), 2, "{name} {broken:?}: the mail itself can be fetched");
            maildrop.pin(&[0]).unwrap();
            let refused = maildrop.pin(&[1]).unwrap_err().to_string();
            assert!(refused.starts_with(name), "{refused}");
            mail.list(name, good);
            let repaired = mail.told();
            assert_eq!(repaired.len(), 2);
            assert_eq!(repaired[0], first[0]);
            assert!(!repaired[1].starts_with("2.b"), "{name} {broken:?}: {repaired:?}");
        }
    }
}

/// Without the list, or once the move is over, our own rule holds.
#[test]
fn a_list_that_cannot_be_read_is_in_nobodys_way_once_it_is_gone_or_the_move_is_done() {
    for (import, is_removed) in [(ImportMode::Read, true), (ImportMode::Done, false), (ImportMode::Off, false)] {
        let mail = Mail::importing(|settings| settings.import = import);
        mail.deliver("new/2.b", "x");
        mail.list("dovecot-uidlist", "");
        if is_removed {
            assert!(mail.enter().pin(&[0]).is_err());
            fs::remove_file(mail.at("dovecot-uidlist")).unwrap();
        }
        assert_eq!(mail.told(), ["2.b"], "{import:?}");
    }
}
