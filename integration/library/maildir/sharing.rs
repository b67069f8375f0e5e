//! What sessions have in common: the kept snapshot, and other programs that work in the same Maildir.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use restante::maildir::{EightBitHeaders, FetchFault, Maildrop, Message, Settings, Store};

use super::{Mail, fetched, octets, path, shares, unique_ids};

#[test]
fn a_store_can_be_handed_from_thread_to_thread() {
    fn shared<T: Send + Sync + Clone>() {}
    fn sent<T: Send>() {}
    shared::<Store>();
    sent::<Maildrop>();
    sent::<Message>();
}

#[test]
fn an_unchanged_maildir_is_not_read_again() {
    let mail = Mail::new();
    mail.deliver("cur/1.a:2,", "x\n");
    let maildrop = mail.enter_settled();
    // Written in place: neither `new` nor `cur` tells of it.
    mail.deliver("cur/1.a:2,", "longer\n");
    let other = mail.enter();
    assert!(shares(&maildrop, &other));
    assert_eq!(octets(&other), [3]);
}

#[test]
fn a_change_is_seen_at_the_next_login() {
    let mail = Mail::new();
    mail.deliver("cur/1.a:2,", "x\n");
    drop(mail.enter_settled());
    mail.deliver("new/2.b", "y\n");
    assert_eq!(mail.unique_ids(), ["1.a", "2.b"]);
    drop(mail.enter_settled());
    mail.remove("cur/1.a:2,");
    assert_eq!(mail.unique_ids(), ["2.b"]);
    fs::remove_dir(mail.at("cur")).unwrap();
    assert!(mail.try_enter("ajones").is_err(), "what lay in cur is not known");
    fs::create_dir(mail.at("cur")).unwrap();
    mail.deliver("cur/0.z:2,", "z\n");
    assert_eq!(mail.unique_ids(), ["0.z", "2.b"]);
}

#[test]
fn a_young_change_is_not_settled() {
    let mail = Mail::with(|settings| settings.timestamp_granularity = Duration::from_secs(3600));
    mail.deliver("cur/1.a:2,", "x\n");
    let maildrop = mail.enter();
    assert!(!shares(&maildrop, &mail.enter()), "another change may share its time stamp");
}

/// A clock that was ahead: a later change may have an earlier stamp.
#[test]
fn a_change_in_the_future_is_not_settled() {
    let mail = Mail::new();
    mail.deliver("cur/1.a:2,", "x\n");
    set_modified(&mail, SystemTime::now() + Duration::from_secs(3600));
    let begun = Instant::now();
    // Longer than a step of the kernel's clock.
    while begun.elapsed() < Duration::from_millis(100) {
        assert!(!shares(&mail.enter(), &mail.enter()));
    }
    set_modified(&mail, SystemTime::now() - Duration::from_secs(3600));
    drop(mail.enter_settled());
}

/// Programs that copy mail set times back, but nobody sets the time of that.
#[test]
fn a_change_that_was_dated_back_is_seen() {
    let mail = Mail::new();
    mail.deliver("cur/1.a:2,", "x\n");
    let before = fs::metadata(mail.at("cur")).unwrap().modified().unwrap();
    drop(mail.enter_settled());
    mail.deliver("cur/2.b:2,", "y\n");
    set_modified(&mail, before);
    assert_eq!(fs::metadata(mail.at("cur")).unwrap().modified().unwrap(), before);
    assert_eq!(mail.unique_ids(), ["1.a", "2.b"]);
}

fn set_modified(mail: &Mail, time: SystemTime) {
    fs::File::open(mail.at("cur")).unwrap().set_modified(time).unwrap();
}

#[test]
fn only_new_messages_are_opened() {
    let mail = Mail::new();
    mail.deliver("new/1.a,S=2", "x\n");
    drop(mail.enter());
    mail.deliver("new/1.a,S=2", "longer\n");
    mail.rename("new/1.a,S=2", "cur/1.a,U=4,S=2,W=99:2,S");
    mail.deliver("new/2.b", "y\n");
    assert_eq!(octets(&mail.enter()), [3, 3], "the first was counted before, and is not opened again");
}

#[test]
fn a_maildrop_too_large_to_be_kept_is_still_right() {
    let mail = Mail::with(|settings| settings.kept_octets = 0);
    mail.deliver("new/1.a", "x\n");
    assert_eq!(octets(&mail.enter()), [3]);
    mail.deliver("new/1.a", "longer\n");
    assert_eq!(octets(&mail.enter()), [8]);
}

#[test]
fn a_file_that_was_replaced_is_counted_anew() {
    let mail = Mail::new();
    mail.deliver("cur/1.a:2,", "x\n");
    let mut maildrop = mail.enter_settled();
    mail.deliver("cur/1.a:2,", "longer\n");
    assert!(matches!(maildrop.fetch(0), Err(FetchFault::Changed)));
    assert_eq!(octets(&mail.enter()), [8]);
    drop(mail.enter_settled());
    mail.deliver("tmp/1.a", "another file\n");
    mail.rename("tmp/1.a", "cur/1.a:2,");
    let mut maildrop = mail.enter();
    assert_eq!(octets(&maildrop), [14], "another inode under the same name");
    assert_eq!(fetched(&mut maildrop, 0), "another file\n");
}

#[test]
fn a_wrong_size_in_the_name_neither_cuts_nor_pads_and_is_put_right() {
    let mail = Mail::new();
    mail.deliver("cur/1.a,W=1:2,", "longer\n");
    mail.deliver("cur/2.b,W=999:2,", "x\n");
    mail.deliver("cur/3.c,W=3:2,", "y\n");
    let mut maildrop = mail.enter_settled();
    assert_eq!(octets(&maildrop), [1, 999, 3]);
    assert_eq!(fetched(&mut maildrop, 0), "longer\n");
    assert_eq!(fetched(&mut maildrop, 1), "x\n");
    assert_eq!(fetched(&mut maildrop, 2), "y\n");
    assert_eq!(octets(&maildrop), [1, 999, 3], "a session is told one thing");
    assert_eq!(octets(&mail.enter()), [8, 3, 3]);
    let settled = mail.enter_settled();
    assert_eq!(unique_ids(&settled), unique_ids(&maildrop));
    mail.rename("cur/1.a,W=1:2,", "cur/1.a,W=1:2,S");
    assert_eq!(octets(&mail.enter()), [8, 3, 3], "the name is never believed again");
}

/// A Maildir in which others rename every message without a pause.
#[derive(Clone, Copy)]
struct Busy {
    messages: usize,
    /// What the names of the messages end in.
    ending: &'static str,
}

impl Busy {
    /// Every tenth message must be opened and counted.
    fn name_of(self, number: usize) -> String {
        let ending = self.ending;
        if number.is_multiple_of(10) {
            format!("{number}.counted{ending}")
        } else {
            format!("{number}.believed{ending},W=3")
        }
    }

    fn names(self) -> Vec<String> {
        (0..self.messages).map(|number| self.name_of(number)).collect()
    }

    /// Renames every message again and again, as IMAP clients and mbsync do.
    fn rename_until(self, stop: &AtomicBool, passes: &AtomicUsize, mail: &Mail) {
        let mut from = "new/N".to_owned();
        for to in ["cur/N:2,", "cur/N:2,S", "cur/N:2,RS", "cur/N,U=1:2,S"].iter().cycle() {
            for name in self.names() {
                mail.rename(&from.replace('N', &name), &to.replace('N', &name));
            }
            (*to).clone_into(&mut from);
            passes.fetch_add(1, Ordering::Relaxed);
            if stop.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    /// Two nodes that know nothing of each other see every message at each login.
    fn is_seen_whole(self, logins: usize) {
        let mail = Mail::new();
        for name in self.names() {
            mail.deliver(format!("new/{name}"), "x\n");
        }
        let wanted = mail.unique_ids();
        assert_eq!(wanted.len(), self.messages);
        let (stop, passes) = (AtomicBool::new(false), AtomicUsize::new(0));
        let visit = || {
            while passes.load(Ordering::Relaxed) == 0 {
                std::thread::yield_now();
            }
            for _ in 0..logins {
                let maildrop = mail.restarted().enter(&path("ajones")).unwrap();
                let seen = unique_ids(&maildrop);
                assert!(seen == wanted, "{} of {} messages", seen.len(), wanted.len());
                assert!(octets(&maildrop).iter().all(|octets| *octets == 3));
            }
        };
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            scope.spawn(|| self.rename_until(&stop, &passes, &mail));
            let sessions = [scope.spawn(visit), scope.spawn(visit)];
            let outcomes = sessions.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
            stop.store(true, Ordering::Relaxed);
            outcomes
        });
        assert!(outcomes.iter().all(Result::is_ok));
    }
}

#[test]
fn every_session_sees_every_message_once_while_others_rename() {
    Busy { messages: 3000, ending: "" }.is_seen_whole(10);
}

/// Their names do not fit into one answer of the kernel, which would be a look at one moment.
#[test]
fn names_that_take_many_looks_are_all_seen_while_others_rename() {
    let ending = concat!(
        "-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789",
        "-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789"
    );
    Busy { messages: 4800, ending }.is_seen_whole(3);
}

/// A header that moves while it is looked for is found: what is not ASCII is wrapped in every session.
#[test]
fn every_header_is_looked_at_while_others_rename() {
    let mail = Mail::with(|settings| settings.eight_bit_headers = EightBitHeaders::Wrapped);
    let name = |number: usize, flags: &str| mail.at(format!("cur/{number}.a,W=20:2,{flags}"));
    for number in 0..300 {
        std::fs::write(name(number, ""), "Subject: Gr\u{fc}\u{df}e\n\nx\n").unwrap();
    }
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (from, to) in [("", "S"), ("S", "")].into_iter().cycle() {
                for number in 0..300 {
                    std::fs::rename(name(number, from), name(number, to)).unwrap();
                }
                if ended.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        let raw: Vec<Result<usize, String>> = (0..20)
            .map(|_| {
                // Another process, which has not read any of them before.
                let settings = Settings { eight_bit_headers: EightBitHeaders::Wrapped, ..Settings::new(mail.root()) };
                let maildrop = Store::new(settings).unwrap().enter(&path("ajones"));
                let raw = |maildrop: Maildrop| (0..300).filter(|index| !maildrop.wraps(*index)).count();
                maildrop.map(raw).map_err(|fault| fault.to_string())
            })
            .collect();
        ended.store(true, Ordering::Relaxed);
        assert_eq!(raw, vec![Ok(0); 20]);
    });
}
