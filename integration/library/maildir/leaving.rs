//! What a session leaves behind: marks of what was retrieved, what that leaves to be offered, and what is old.

use std::fs::{self, File};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use restante::maildir::{Deletion, Expiry, Maildrop, MarkSeen, Offer};

use super::{Mail, fetched, path, unique_ids};

const DAY: u64 = 24 * 60 * 60;

fn days_ago(days: u64) -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() - days * DAY
}

fn offering(mark_seen: MarkSeen) -> Mail {
    Mail::with(|settings| (settings.offer, settings.mark_seen) = (Offer::Unread, mark_seen))
}

fn ageing() -> Mail {
    Mail::with(|settings| settings.ageing = true)
}

fn expiry(days: u64, also_unretrieved: bool) -> Expiry {
    Expiry { after: Duration::from_secs(days * DAY), also_unretrieved, differs: false }
}

fn session(mail: &Mail, person: &str) -> Maildrop {
    mail.enter().of(person, None).unwrap()
}

/// A session of `ajones` whose mail ages.
fn ageing_session(mail: &Mail, expiry: Expiry) -> Maildrop {
    mail.enter().of("ajones", Some(expiry)).unwrap()
}

/// A session that retrieves the messages at these indices, and ends by QUIT.
fn retrieve(mail: &Mail, person: &str, indices: &[usize]) {
    session(mail, person).leave(&[], indices);
}

/// Delivers a message so many days ago.
fn deliver_old(mail: &Mail, name: &str, days: u64) -> String {
    deliver_old_with(mail, &name.replace('@', &days_ago(days).to_string()), "x\n", days)
}

fn deliver_old_with(mail: &Mail, name: &str, content: &str, days: u64) -> String {
    let name = name.replace('@', &days_ago(100).to_string());
    mail.deliver(&name, content);
    let file = File::options().write(true).open(mail.at(&name)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(days * DAY)).unwrap();
    name
}

/// Notes that a person retrieved messages, as a session so many days ago would have noted it.
fn retrieved_days_ago(mail: &Mail, person: &str, indices: &[usize], days: u64) {
    let file = mail.at("restante-pins");
    let before = fs::read_to_string(&file).unwrap_or_default();
    session(mail, person).note_retrieved(indices, person).unwrap();
    let after = fs::read_to_string(&file).unwrap();
    let new = after.lines().skip(before.lines().count()).map(|line| {
        let [_, "retrieved", _, by, key] = line.split(' ').collect::<Vec<_>>()[..] else { return format!("{line}\n") };
        let text = format!("retrieved {} {by} {key}", days_ago(days));
        let hash = digest(&SHA256, text.as_bytes());
        let sum = u32::from_be_bytes(hash.as_ref()[..4].try_into().unwrap());
        format!("{sum:08x} {text}\n")
    });
    let new: String = new.collect();
    fs::write(&file, before + &new).unwrap();
}

#[test]
fn only_what_is_unread_is_offered() {
    let mail = offering(MarkSeen::None);
    for name in ["cur/1.a:2,S", "cur/2.b:2,F", "new/3.c", "cur/4.d", "new/5.e"] {
        mail.deliver(name, "x\n");
    }
    mail.deliver("new/3.c", "three\n");
    let mut maildrop = session(&mail, "ajones");
    assert_eq!(unique_ids(&maildrop), ["2.b", "3.c", "4.d", "5.e"]);
    assert_eq!(fetched(&mut maildrop, 1), "three\n", "numbers count what is offered");
    assert_eq!(maildrop.commit(&[2]).removed, 1);
    maildrop.leave(&[2], &[1, 2]);
    assert!(mail.at("new/3.c").exists() && !mail.at("cur/4.d").exists(), "nothing is renamed");
    assert_eq!(unique_ids(&session(&mail, "ajones")), ["2.b", "5.e"]);
    // What one person has read, another may not have.
    assert_eq!(unique_ids(&session(&mail, "mbrown")), ["2.b", "3.c", "5.e"]);
}

#[test]
fn where_what_is_retrieved_is_flagged_the_flag_decides() {
    let mail = offering(MarkSeen::Retrieved);
    for name in ["cur/1.a:2,S", "new/2.b", "new/3.c"] {
        mail.deliver(name, "x\n");
    }
    retrieve(&mail, "ajones", &[0]);
    assert!(mail.at("cur/2.b:2,S").exists());
    assert_eq!(unique_ids(&session(&mail, "ajones")), ["3.c"]);
    mail.rename("cur/2.b:2,S", "cur/2.b:2,");
    assert_eq!(unique_ids(&session(&mail, "ajones")), ["2.b", "3.c"], "offered again");
    assert!(!mail.at("restante-pins").exists(), "nobody asks who retrieved what");
}

/// Where others write `;2,`, a colon may not stand in a name at all.
#[test]
fn flags_are_read_and_written_behind_the_separator_that_the_maildir_has() {
    let mail = offering(MarkSeen::Retrieved);
    for name in ["cur/1.a;2,S", "new/2.b", "cur/3.c;2,F"] {
        mail.deliver(name, "x\n");
    }
    assert_eq!(unique_ids(&session(&mail, "ajones")), ["2.b", "3.c"], "seen mail is not offered");
    retrieve(&mail, "ajones", &[0, 1]);
    assert!(mail.at("cur/2.b;2,S").exists() && mail.at("cur/3.c;2,FS").exists());
    assert_eq!(unique_ids(&session(&mail, "ajones")), [] as [&str; 0]);
}

#[test]
fn a_lost_mark_means_not_retrieved() {
    let mail = offering(MarkSeen::None);
    for name in ["new/1.a", "new/2.b"] {
        mail.deliver(name, "x\n");
    }
    retrieve(&mail, "ajones", &[0, 1]);
    assert_eq!(unique_ids(&session(&mail, "ajones")), [] as [&str; 0]);
    let pins = fs::read_to_string(mail.at("restante-pins")).unwrap();
    fs::write(mail.at("restante-pins"), pins.replace("ajones 1.a", "ajones 1.x")).unwrap();
    assert_eq!(unique_ids(&session(&mail, "ajones")), ["1.a"]);
}

#[test]
fn only_what_was_retrieved_long_ago_is_removed() {
    let mail = ageing();
    let names = ["new/@.old", "cur/@.recent:2,S", "cur/@.unretrieved:2,S", "cur/@.others:2,"];
    let names = names.map(|name| deliver_old(&mail, name, 100));
    let all = unique_ids(&session(&mail, "ajones"));
    let index = |part: &str| all.iter().position(|id| id.contains(part)).unwrap();
    retrieved_days_ago(&mail, "ajones", &[index("old"), index("others")], 31);
    retrieved_days_ago(&mail, "mbrown", &[index("others")], 29);
    retrieved_days_ago(&mail, "mbrown", &[index("unretrieved")], 31);
    ageing_session(&mail, expiry(30, false)).leave(&[], &[index("recent")]);
    let left = |name: &str| mail.at(name).exists();
    assert_eq!(names.each_ref().map(|name| left(name)), [false, true, true, true]);
    // Nothing is noted, so nothing is old, if it was retrieved before ageing was switched on.
    ageing_session(&mail, expiry(30, false)).leave(&[], &[]);
    assert_eq!(unique_ids(&session(&mail, "ajones")).len(), 3);
}

#[test]
fn mail_that_was_not_retrieved_is_removed_only_if_that_is_wanted() {
    for also_unretrieved in [false, true] {
        let mail = ageing();
        let old = deliver_old(&mail, "new/@.a", 31);
        // By its name or by its time, one of them young: delivered of late, or copied from elsewhere.
        let imported = format!("new/{}.b", days_ago(31));
        mail.deliver(&imported, "x\n");
        let young = deliver_old(&mail, "new/@.c", 29);
        let odd = "new/no-time";
        mail.deliver(odd, "x\n");
        ageing_session(&mail, expiry(30, also_unretrieved)).leave(&[], &[]);
        assert_eq!(mail.at(old).exists(), !also_unretrieved);
        assert!([imported.as_str(), &young, odd].iter().all(|name| mail.at(name).exists()));
    }
}

/// Only by QUIT, and only what the session had listed.
#[test]
fn a_session_removes_nothing_that_it_has_not_listed() {
    let (mail, expiry) = (ageing(), expiry(30, true));
    let old = deliver_old(&mail, "new/@.a", 31);
    let mut maildrop = ageing_session(&mail, expiry);
    let later = deliver_old(&mail, "new/@.b", 31);
    drop(ageing_session(&mail, expiry));
    assert!(mail.at(&old).exists(), "cut off");
    maildrop.leave(&[], &[]);
    assert!(!mail.at(&old).exists() && mail.at(&later).exists());
}

#[test]
fn aged_mail_goes_where_deleted_mail_goes() {
    let mail = Mail::with(|settings| settings.deletion = Deletion::Keep(Duration::from_secs(DAY)));
    let leave = || ageing_session(&mail, expiry(30, true)).leave(&[], &[]);
    deliver_old(&mail, "new/@.a", 31);
    leave();
    assert_eq!(unique_ids(&session(&mail, "ajones")), [] as [&str; 0]);
    let path = path("ajones");
    let mut deleted = mail.store.deleted(&path).unwrap().unwrap();
    let list = deleted.list().unwrap();
    deleted.undelete(&list[0], false).unwrap();
    leave();
    assert_eq!(unique_ids(&session(&mail, "ajones")).len(), 1, "restored, it is young");
}

#[test]
fn the_command_removes_what_a_session_would() {
    let (mail, expiry) = (ageing(), Some(expiry(30, true)));
    let old = deliver_old(&mail, "new/@.a", 31);
    let young = deliver_old(&mail, "new/@.b", 29);
    let path = path("ajones");
    for (really, exists) in [(false, true), (true, false)] {
        let expired = mail.store.expire(&path, "ajones", expiry, really).unwrap();
        assert_eq!(expired.removed, std::slice::from_ref(&old));
        assert_eq!((expired.cleaned_up, expired.failed), (0, vec![]));
        assert_eq!((mail.at(&old).exists(), mail.at(&young).exists()), (exists, true));
    }
    assert_eq!(mail.store.expire(&super::path("nobody"), "nobody", expiry, true).unwrap().removed, [] as [&str; 0]);
}

/// Where people differ, one of them must not remove what another is told will stay.
#[test]
fn where_people_differ_what_another_has_retrieved_stays() {
    for (differs, others_stay) in [(false, false), (true, true)] {
        let mail = ageing();
        let names = ["new/@.both", "new/@.own", "new/@.theirs"].map(|name| deliver_old(&mail, name, 100));
        let all = unique_ids(&session(&mail, "ajones"));
        let index = |part: &str| all.iter().position(|id| id.contains(part)).unwrap();
        retrieved_days_ago(&mail, "ajones", &[index("both"), index("own")], 60);
        retrieved_days_ago(&mail, "mbrown", &[index("both"), index("theirs")], 60);
        let expiry = Expiry { differs, ..expiry(30, true) };
        let due = mail.store.expire(&path("ajones"), "ajones", Some(expiry), false).unwrap();
        assert_eq!(due.removed.len(), if others_stay { 1 } else { 3 });
        ageing_session(&mail, expiry).leave(&[], &[]);
        let left = names.each_ref().map(|name| mail.at(name).exists());
        assert_eq!(left, [others_stay, false, others_stay]);
    }
}

/// Somebody else's mail in the same Maildir may age by it, now or later.
#[test]
fn what_is_retrieved_by_people_whose_mail_stays_is_noted_too() {
    let mail = ageing();
    let old = deliver_old(&mail, "new/@.a", 100);
    retrieve(&mail, "mbrown", &[0]);
    retrieved_days_ago(&mail, "ajones", &[0], 60);
    ageing_session(&mail, expiry(30, false)).leave(&[], &[]);
    assert!(mail.at(&old).exists());
}

/// Two messages whose names differ in `,U=<n>` alone: what somebody retrieved of one says nothing of the other.
#[test]
fn a_message_is_not_taken_for_retrieved_because_its_twin_was() {
    let mail = offering(MarkSeen::None);
    for name in ["cur/1.a:2,", "cur/1.a,U=5:2,"] {
        mail.deliver(name, &format!("{name}\n"));
    }
    retrieve(&mail, "ajones", &[0]);
    let left = unique_ids(&session(&mail, "ajones"));
    assert_eq!(left.len(), 1, "the second is still unread");
    session(&mail, "ajones").pin(&[0]).unwrap();
    mail.remove("cur/1.a:2,");
    assert_eq!(unique_ids(&session(&mail, "ajones")), left, "nor when it is the only one left");
    retrieve(&mail, "ajones", &[0]);
    assert_eq!(unique_ids(&session(&mail, "ajones")), [] as [&str; 0]);
}

#[test]
fn a_message_does_not_age_because_its_twin_was_retrieved() {
    let (mail, expiry) = (ageing(), expiry(30, false));
    let first = deliver_old(&mail, "cur/@.a:2,S", 100);
    let second = deliver_old_with(&mail, "cur/@.a,U=5:2,S", "another\n", 99);
    retrieved_days_ago(&mail, "ajones", &[0], 31);
    let expired = mail.store.expire(&path("ajones"), "ajones", Some(expiry), true).unwrap();
    assert_eq!(expired.removed, [""; 0], "left to a session, which pins what the other one is known by");
    ageing_session(&mail, expiry).leave(&[], &[]);
    assert!(!mail.at(&first).exists() && mail.at(&second).exists());
}

#[test]
fn aged_mail_that_was_touched_goes_with_the_session_after_the_next() {
    let mail = ageing();
    let name = deliver_old(&mail, "cur/@.a:2,S", 40);
    retrieved_days_ago(&mail, "ajones", &[0], 35);
    let mut counted_before = ageing_session(&mail, expiry(30, false));
    let file = File::options().write(true).open(mail.at(&name)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(50 * DAY)).unwrap();
    counted_before.leave(&[], &[]);
    assert!(mail.at(&name).exists(), "changed after it was listed");
    ageing_session(&mail, expiry(30, false)).leave(&[], &[]);
    assert!(!mail.at(&name).exists());
}
