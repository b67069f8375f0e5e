//! Pins: what was told once is told for ever, whatever happens to the file they stand in.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Barrier;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use restante::maildir::{Deletion, EightBitHeaders, EnterFault, ImportMode, Maildrop, Offer, Settings, Store};

use super::{Mail, octets, path, unique_ids};

pub(super) const PINS: &str = "restante-pins";

/// A Maildir of so many messages, all listed.
pub(super) fn listed(messages: usize) -> Mail {
    let mail = Mail::importing(|_| {});
    let names: Vec<String> = (1..=messages).map(|number| format!("{number}.a")).collect();
    for name in &names {
        mail.deliver(format!("cur/{name}:2,S"), "x");
    }
    mail.uidlist(&records(&names));
    mail
}

/// The lines of Dovecot's list for these base names.
pub(super) fn records(names: &[String]) -> String {
    let lines: Vec<String> = (1..).zip(names).map(|(uid, name)| format!("{uid} :{name}")).collect();
    lines.join("\n") + "\n"
}

/// What another process tells once the old server's list is gone: only pins know what was told.
pub(super) fn without_list(mail: &Mail) -> Vec<String> {
    fs::remove_file(mail.at("dovecot-uidlist")).unwrap();
    told_anew(mail)
}

fn told_anew(mail: &Mail) -> Vec<String> {
    let mut maildrop = Store::new(mail.importing_settings()).unwrap().enter(&path("ajones")).unwrap();
    let all: Vec<usize> = (0..unique_ids(&maildrop).len()).collect();
    maildrop.pin(&all).unwrap();
    unique_ids(&maildrop)
}

fn lines(mail: &Mail) -> Vec<String> {
    fs::read_to_string(mail.at(PINS)).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_damaged_line_costs_itself_alone() {
    for damaged in 0..6 {
        let mail = listed(5);
        let before = mail.told();
        let mut lines = lines(&mail);
        assert_eq!(lines.len(), 6, "a first line for whoever finds the file, and five pins");
        lines[damaged] = lines[damaged].replacen('0', "\u{0}", 1);
        fs::write(mail.at(PINS), lines.join("\n") + "\n").unwrap();
        let after = without_list(&mail);
        let lost: Vec<&String> = before.iter().filter(|told| !after.contains(told)).collect();
        let expected: Vec<&String> =
            before.iter().skip(damaged.wrapping_sub(1)).take(usize::from(damaged > 0)).collect();
        assert_eq!(lost, expected);
        // The message whose pin was lost is last now, since nobody knows its place.
        assert_eq!(told_anew(&mail), after, "what was told then stays, too");
    }
}

#[test]
fn what_a_damaged_line_said_is_taken_from_the_file_before() {
    let mail = listed(3);
    let before = mail.told();
    let whole = fs::read(mail.at(PINS)).unwrap();
    fs::write(mail.at(PINS), [&whole[..], b"nonsense\n"].concat()).unwrap();
    mail.deliver("cur/9.z:2,S", "x");
    assert_eq!(mail.told()[..3], before, "written anew, and the damaged one kept");
    assert!(mail.at("restante-pins.previous").exists());
    assert!(!lines(&mail).contains(&"nonsense".to_owned()));
    for damage in ["", "# Res", "xxxx\n"] {
        fs::write(mail.at(PINS), damage).unwrap();
        let store = Store::new(mail.settings()).unwrap();
        let told = unique_ids(&store.enter(&path("ajones")).unwrap());
        assert_eq!(told[..3], before, "{damage:?}");
    }
    fs::remove_file(mail.at(PINS)).unwrap();
    assert_eq!(without_list(&mail)[..3], before);
}

#[test]
fn a_line_cut_off_was_told_to_nobody_and_costs_no_other() {
    let mail = listed(3);
    let before = mail.told();
    let whole = fs::read(mail.at(PINS)).unwrap();
    for cut in [1, 10] {
        fs::write(mail.at(PINS), &whole[..whole.len() - cut]).unwrap();
        mail.deliver(format!("new/{cut}0.new"), "x");
        assert_eq!(mail.told()[..3], before, "the third is listed as before");
        assert!(!mail.at("restante-pins.previous").exists(), "no damage");
    }
}

#[test]
fn a_message_that_is_moved_out_and_back_keeps_its_string() {
    let mail = listed(2);
    let before = mail.told();
    mail.rename("cur/1.a:2,S", "away");
    mail.uidlist("2 :2.a\n");
    assert_eq!(mail.told(), before[1..]);
    mail.rename("away", "cur/1.a:2,RS");
    mail.uidlist("2 :2.a\n3 :1.a\n");
    assert_eq!(mail.told(), before);
}

/// Tells one message after the other, so that two nodes are first at times.
fn tell_each(mut maildrop: Maildrop, start: &Barrier) -> Vec<String> {
    start.wait();
    for index in 0..unique_ids(&maildrop).len() {
        maildrop.pin(&[index]).unwrap();
    }
    unique_ids(&maildrop)
}

#[test]
fn of_two_nodes_at_once_the_first_pin_counts_on_both() {
    for _ in 0..20 {
        let mail = listed(50);
        let names: Vec<String> = (1..=50).map(|number| format!("{number}.a")).collect();
        // Each node sees another state of the list before it tells anything.
        let node = |validity: u32| {
            mail.list("dovecot-uidlist", &format!("3 V{validity} N99\n{}", records(&names)));
            Store::new(mail.importing_settings()).unwrap().enter(&path("ajones")).unwrap()
        };
        let (start, nodes) = (&Barrier::new(2), [node(1), node(2)]);
        let told = std::thread::scope(|scope| {
            let told = nodes.map(|maildrop| scope.spawn(move || tell_each(maildrop, start)));
            told.map(|told| told.join().unwrap())
        });
        assert_eq!(told[0], told[1]);
        assert_eq!(told[0].iter().collect::<BTreeSet<_>>().len(), 50);
        let later = Store::new(mail.importing_settings()).unwrap().enter(&path("ajones")).unwrap();
        assert_eq!(unique_ids(&later), told[0]);
    }
}

#[test]
fn a_maildir_whose_pins_are_known_is_not_empty_because_it_is_missing() {
    let mail = listed(1);
    mail.told();
    mail.remove("cur/1.a:2,S");
    assert!(mail.told().is_empty());
    for part in ["new", "cur"] {
        fs::remove_dir(mail.at(part)).unwrap();
    }
    assert!(matches!(mail.try_enter("ajones"), Err(EnterFault::Unavailable(_))));
    let restarted = Store::new(mail.settings()).unwrap();
    assert!(matches!(restarted.enter(&path("ajones")), Err(EnterFault::Unavailable(_))));
}

#[test]
fn pins_that_cannot_be_read_let_nobody_download_everything_again() {
    let mail = listed(1);
    fs::create_dir(mail.at(PINS)).unwrap();
    assert!(matches!(mail.try_enter("ajones"), Err(EnterFault::Unavailable(_))));
}

#[test]
fn the_second_of_two_that_clash_keeps_its_string_after_a_restart() {
    let mail = Mail::new();
    mail.deliver("cur/1.a:2,S", "1 one");
    mail.deliver("cur/1.a,U=5:2,S", "2 two");
    let before = mail.told();
    mail.remove("cur/1.a:2,S");
    let restarted = Store::new(mail.settings()).unwrap();
    assert_eq!(unique_ids(&restarted.enter(&path("ajones")).unwrap()), before[1..]);
}

#[test]
fn who_retrieved_a_message_is_noted_once() {
    let mail = Mail::new();
    mail.deliver("cur/1.a:2,S", "x");
    mail.deliver("cur/2.b:2,S", "x");
    let mut maildrop = mail.enter();
    for (indices, by) in [([0].as_slice(), "ajones"), (&[0, 1], "mbrown"), (&[0], "ajones")] {
        maildrop.note_retrieved(indices, by).unwrap();
    }
    let retrievals = mail.store.retrievals(&path("ajones")).unwrap();
    let by = |base: &str| retrievals[base.as_bytes()].iter().map(|one| one.by.to_string()).collect::<Vec<_>>();
    assert_eq!((by("1.a"), by("2.b")), (vec!["ajones".to_owned(), "mbrown".to_owned()], vec!["mbrown".to_owned()]));
    assert_eq!(lines(&mail).len(), 4);
    assert_eq!(mail.unique_ids(), ["1.a", "2.b"]);
}

impl Mail {
    fn settings(&self) -> Settings {
        let mut settings = Settings::new(self.root());
        settings.timestamp_granularity = std::time::Duration::ZERO;
        settings
    }

    fn importing_settings(&self) -> Settings {
        let mut settings = self.settings();
        settings.unique_ids.import = ImportMode::Read;
        settings
    }
}

/// Nothing that stands in the way of a new file costs anybody a unique-id: what is appended is whole without it.
#[test]
fn pins_that_cannot_be_written_anew_are_told_all_the_same() {
    let mail = listed(3);
    let before = mail.told();
    let whole = fs::read(mail.at(PINS)).unwrap();
    fs::write(mail.at(PINS), [&whole[..], b"nonsense\n"].concat()).unwrap();
    fs::create_dir_all(mail.at("restante-pins.begun/full disk")).unwrap();
    mail.deliver("cur/9.z:2,S", "x");
    let told = mail.told();
    assert_eq!(told[..3], before);
    assert_eq!(without_list(&mail), told);
}

/// Where the file was lost, that before it is all there is: the first line of a new one must not hide it.
#[test]
fn pins_that_only_the_file_before_tells_outlive_a_crash() {
    for lost in [None, Some(""), Some("\0\0\0\0")] {
        let mail = listed(3);
        mail.told();
        let whole = fs::read(mail.at(PINS)).unwrap();
        fs::rename(mail.at(PINS), mail.at("restante-pins.previous")).unwrap();
        if let Some(lost) = lost {
            fs::write(mail.at(PINS), lost).unwrap();
        }
        // As if the process was killed behind the appending.
        fs::create_dir_all(mail.at("restante-pins.begun/full disk")).unwrap();
        mail.deliver("cur/9.z:2,S", "x");
        let told = mail.told();
        assert!(fs::read(mail.at(PINS)).unwrap().len() > whole.len());
        assert_eq!(without_list(&mail), told, "{lost:?}");
    }
}

/// Whoever owns a Maildir can put anything there; it costs them their own unique-ids, and nobody else the memory.
#[test]
fn a_file_of_pins_that_is_far_too_big_is_not_read() {
    let mail = listed(1);
    fs::File::create(mail.at(PINS)).unwrap().set_len(2 << 30).unwrap();
    assert!(matches!(mail.try_enter("ajones"), Err(EnterFault::Unavailable(_))));
    // Not so large, and yet of very many lines.
    fs::write(mail.at(PINS), "\n".repeat(1_100_000)).unwrap();
    let fault = mail.try_enter("ajones").unwrap_err();
    assert!(fault.to_string().contains("far larger than pins of these messages can be"), "{fault}");
}

/// A line of the file as it would be if the name of its message were gone since so many days.
fn gone_since(line: &str, days: u64) -> String {
    let (_, text) = line.split_once(' ').unwrap();
    let today = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 86_400;
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    assert_eq!((&*words[0], &*words[3]), ("told", "-"), "{line}");
    words[3] = (today - days).to_string();
    let text = words.join(" ");
    let sum = digest(&SHA256, text.as_bytes());
    format!("{:08x} {text}", u32::from_be_bytes(sum.as_ref()[..4].try_into().unwrap()))
}

/// A pin outlives its name by 180 days: an IMAP client may move a message out and back.
#[test]
fn a_message_that_was_away_for_180_days_keeps_its_string() {
    let mail = listed(3);
    let before = mail.told();
    for number in 1..=3 {
        mail.rename(&format!("cur/{number}.a:2,S"), &format!("away{number}"));
    }
    // Of the second and the third it was noted when they went away. Damage has the file written anew.
    let told = lines(&mail);
    let text = [&*told[0], &told[1], &gone_since(&told[2], 179), &gone_since(&told[3], 182), "nonsense"].join("\n");
    fs::write(mail.at(PINS), text + "\n").unwrap();
    mail.deliver("cur/9.z:2,S", "x");
    assert_eq!(mail.told().len(), 1);
    let left = lines(&mail);
    assert!(!left.contains(&"nonsense".to_owned()) && left.len() == 4, "{left:?}");
    mail.remove("cur/9.z:2,S");
    for number in 1..=3 {
        mail.rename(&format!("away{number}"), &format!("cur/{number}.a:2,S"));
    }
    let after = without_list(&mail);
    assert_eq!(after[..2], before[..2]);
    assert_eq!(after[2], "3.a", "that was over");
}

/// Numbers count what is offered, pins what there is.
#[test]
fn of_what_is_offered_the_right_message_is_pinned() {
    let mail = listed(3);
    let before = mail.unique_ids();
    mail.rename("cur/2.a:2,S", "cur/2.a:2,");
    let settings = Settings { offer: Offer::Unread, ..mail.importing_settings() };
    let mut maildrop = Store::new(settings).unwrap().enter(&path("ajones")).unwrap().of("ajones", None).unwrap();
    assert_eq!(unique_ids(&maildrop), before[1..2]);
    maildrop.pin(&[0]).unwrap();
    assert_eq!(unique_ids(&maildrop), before[1..2]);
    let mut after = without_list(&mail);
    after.sort();
    assert_eq!(after, [&*before[1], "1.a", "3.a"]);
}

/// `undelete` gives a message a new base name, since a client ignores a unique-id that it remembers; `--same-id` keeps it.
#[test]
fn what_was_deleted_comes_back_under_its_pin_only_if_that_is_wanted() {
    for same in [true, false] {
        let mail = Mail::with(|settings| {
            settings.unique_ids.import = ImportMode::Read;
            settings.deletion = Deletion::Keep(Duration::from_secs(86_400));
        });
        mail.deliver("cur/1.a:2,S", "x");
        mail.uidlist("5 :1.a\n");
        let before = mail.told();
        assert_eq!(before, ["000000056553f100"]);
        assert_eq!(mail.enter().commit(&[0]).removed, 1);
        mail.uidlist("");
        assert!(mail.told().is_empty());
        let path = path("ajones");
        let mut deleted = mail.store.deleted(&path).unwrap().unwrap();
        for one in deleted.list().unwrap() {
            deleted.undelete(&one, same).unwrap();
        }
        let after = mail.told();
        assert_eq!((after.len(), after == before), (1, same), "{after:?}");
    }
}

/// A message that is offered wrapped is the same message: whoever was first with its string, was first for both.
#[test]
fn a_wrapped_message_has_the_string_of_its_original() {
    let mail = Mail::importing(|_| {});
    mail.deliver("cur/1.a:2,S", "Subject: Gr\u{fc}\u{df}e\n\nx\n");
    mail.uidlist("5 :1.a\n");
    let settings = Settings { eight_bit_headers: EightBitHeaders::Wrapped, ..mail.importing_settings() };
    let mut maildrop = Store::new(settings).unwrap().enter(&path("ajones")).unwrap();
    let both = |maildrop: &Maildrop| {
        [true, false].map(|utf8| maildrop.listing(utf8).get(0).map(|one| one.unique_id.as_str().to_owned()).unwrap())
    };
    assert_ne!(octets(&maildrop), [maildrop.listing(true).get(0).unwrap().octets], "wrapped");
    assert_eq!(both(&maildrop), ["000000056553f100"; 2]);
    mail.uidlist("7 :1.a\n");
    assert_eq!(mail.told(), ["000000076553f100"]);
    maildrop.pin(&[0]).unwrap();
    assert_eq!(both(&maildrop), ["000000076553f100"; 2]);
}

/// After a move a client may ask for the unique-id of one message after the other; a look at one freezes no more.
#[test]
fn one_unique_id_after_the_other_is_pinned_by_few_writes() {
    for backwards in [false, true] {
        let mail = listed(2_000);
        let before = mail.unique_ids();
        let mut maildrop = mail.enter();
        let mut order: Vec<usize> = (0..2_000).collect();
        if backwards {
            order.reverse();
        }
        let (mut size, mut writes) = (0, 0);
        for (asked, index) in order.into_iter().enumerate() {
            maildrop.pin(&[index]).unwrap();
            let now = fs::metadata(mail.at(PINS)).unwrap().len();
            writes += usize::from(now != size);
            size = now;
            assert!(asked > 0 || lines(&mail).len() == 2, "a first line, and the pin that was asked for");
            let expected = &before[index];
            assert_eq!(maildrop.listing(false).get(index).unwrap().unique_id.as_str(), expected);
        }
        assert!(writes <= 12, "{writes}");
        assert_eq!(lines(&mail).len(), 2_001);
        assert_eq!(without_list(&mail), before);
    }
}
