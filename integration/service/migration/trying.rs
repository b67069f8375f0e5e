//! A trial weeks before the migration, a migration person by person, and an IMAP server that stays in use.

use std::fs;
use std::path::Path;

use super::{Message, Moved, as_sent, deliver_more, fill, seen, unique_ids};
use crate::support::dovecot::Dovecot;
use crate::support::service::Site;
use crate::support::{maildir, wait_until};

/// Delivers mail and lists it through Dovecot.
fn fill_and_read(dovecot: &Dovecot, maildir: &Path) -> Vec<Message> {
    fill(maildir);
    let mut client = dovecot.session("ajones");
    let messages = seen(&mut client);
    client.ask("QUIT", "+OK");
    messages
}

#[test]
fn mail_that_comes_between_a_trial_and_the_move_keeps_dovecots_strings() {
    let site = Site::new();
    let maildir = site.maildir("ajones");
    let dovecot = Dovecot::serve(&site, "");
    let first = fill_and_read(&dovecot, &maildir);
    // The trial: mail that Dovecot has not seen yet is there, too, and a client of ours asks for one message alone.
    deliver_more(&maildir);
    let trial = Moved::serve(&site, "import: read");
    let mut client = trial.session();
    client.ask("UIDL 1", &format!("+OK 1 {}", first[0].unique_id));
    client.ask("QUIT", "+OK");
    drop(trial);
    // Weeks with Dovecot.
    dovecot.own_mail();
    let mut client = dovecot.session("ajones");
    client.ask("DELE 3", "+OK");
    client.ask("QUIT", "+OK");
    maildir::deliver(&maildir, "new/1700000009.M1P1.mx1", b"Subject: between\n\nx\n");
    let mut client = dovecot.session("ajones");
    let before = seen(&mut client);
    client.ask("QUIT", "+OK");
    dovecot.stop();
    assert_eq!(before.len(), 8);
    assert_eq!(Moved::serve(&site, "import: read").seen(), as_sent(&before));
}

#[test]
fn follow_shows_a_message_once_dovecot_has_listed_it() {
    let site = Site::new();
    let maildir = site.maildir("ajones");
    let dovecot = Dovecot::serve(&site, "");
    let before = fill_and_read(&dovecot, &maildir);
    let ours = Moved::serve(&site, "import: follow");
    assert_eq!(ours.seen(), as_sent(&before));
    deliver_more(&maildir);
    assert_eq!(ours.seen(), as_sent(&before), "what Dovecot has not listed is left out");
    dovecot.imap("ajones", &["NOOP"]);
    wait_until("what Dovecot has listed is shown", || ours.seen().len() == 8);
    let mut client = dovecot.session("ajones");
    assert_eq!(ours.seen(), as_sent(&seen(&mut client)));
}

#[test]
fn what_an_imap_client_does_changes_no_unique_id() {
    let site = Site::new();
    let maildir = site.maildir("ajones");
    let dovecot = Dovecot::serve(&site, "");
    let before = fill_and_read(&dovecot, &maildir);
    let ours = Moved::serve(&site, "import: read");
    assert_eq!(ours.seen(), as_sent(&before));
    dovecot.imap("ajones", &["STORE 1:* +FLAGS (\\Flagged)", "CREATE Later", "MOVE 2 Later"]);
    assert_eq!(ours.seen().len(), 5);
    dovecot.imap("ajones", &["SELECT Later", "MOVE 1 INBOX"]);
    // Dovecot's IMAP gives what it moves a name of its own, so for its own POP3 it is another message as well.
    let mut client = dovecot.session("ajones");
    let after = seen(&mut client);
    client.ask("QUIT", "+OK");
    assert_eq!(ours.seen(), as_sent(&after));
    let stayed = unique_ids(&before).into_iter().filter(|unique_id| *unique_id != before[1].unique_id);
    assert!(stayed.eq(unique_ids(&after).into_iter().take(5)), "{after:?}");
}

/// A Maildir of so many messages, `1.a` and so on, all in Dovecot's list under a uid validity.
fn listed(site: &Site, messages: u32, validity: u32) -> std::path::PathBuf {
    let maildir = site.maildir("ajones");
    maildir::make(&maildir, &[]);
    for number in 1..=messages {
        maildir::deliver(&maildir, &format!("cur/{number}.a:2,S"), b"Subject: a\n\na\n");
    }
    list(&maildir, messages, validity);
    maildir
}

/// Writes Dovecot's list as Dovecot does.
fn list(maildir: &Path, messages: u32, validity: u32) {
    let records: Vec<String> = (1..=messages).map(|number| format!("{number} :{number}.a")).collect();
    fs::write(maildir.join("tmp/list"), format!("3 V{validity} N9999\n{}\n", records.join("\n"))).unwrap();
    fs::rename(maildir.join("tmp/list"), maildir.join("dovecot-uidlist")).unwrap();
}

/// A message is pinned when its unique-id is first told to a client, not when it is first seen.
#[test]
fn what_was_told_is_pinned_and_not_what_was_seen() {
    let site = Site::new();
    let maildir = listed(&site, 2, 1);
    let ours = Moved::serve(&site, "import: read");
    let mut client = ours.session();
    for (command, reply) in [("STAT", "+OK 2 "), ("LIST 1", "+OK 1 17"), ("DELE 1", "+OK"), ("RSET", "+OK")] {
        client.ask(command, reply);
    }
    for command in ["LIST", "RETR 1", "RETR 2", "TOP 2 0"] {
        client.ask(command, "+OK");
        client.multiline();
    }
    client.ask("QUIT", "+OK");
    assert!(!maildir.join("restante-pins").exists());
    let mut client = ours.session();
    client.ask("UIDL 1", "+OK 1 0000000100000001");
    client.ask("QUIT", "+OK");
    let pins = fs::read_to_string(maildir.join("restante-pins")).unwrap();
    assert_eq!(pins.lines().filter(|line| line.contains(" told ")).count(), 1, "{pins}");
    list(&maildir, 2, 7);
    assert_eq!(unique_ids(&ours.seen()), ["0000000100000001", "0000000200000007"]);
}

/// `follow` leaves a message out until the old server has listed it, for at most `follow_wait`; then it is shown and
/// pinned by our rule, counted and logged.
#[test]
fn follow_shows_by_our_own_rule_what_is_never_listed() {
    let site = Site::new();
    let maildir = listed(&site, 1, 1);
    let ours = Moved::serve(&site, "import: follow, follow_wait: 2s");
    for name in ["new/2.b", "new/3.c"] {
        maildir::deliver(&maildir, name, b"Subject: b\n\nb\n");
    }
    assert_eq!(unique_ids(&ours.seen()), ["0000000100000001"]);
    wait_until("what is never listed is shown", || ours.seen().len() == 3);
    assert_eq!(unique_ids(&ours.seen()), ["0000000100000001", "2.b", "3.c"]);
    let messages = |line: &String| line.split("messages=").nth(1).unwrap().split(' ').next().unwrap().parse::<u32>();
    let mut told = Vec::new();
    // Both at once or one after the other.
    wait_until("each is logged", || {
        told = ours
            .service
            .wait_for_logs(&["INFO", "messages missing from the old server's list get unique-ids by our own rule"], 1);
        told.iter().map(|line| messages(line).unwrap()).sum::<u32>() >= 2
    });
    assert_eq!(told.iter().map(|line| messages(line).unwrap()).sum::<u32>(), 2, "each once: {told:?}");
    fs::write(maildir.join("dovecot-uidlist"), "3 V1 N9\n1 :1.a\n2 :2.b\n3 :3.c\n").unwrap();
    assert_eq!(unique_ids(&ours.seen()), ["0000000100000001", "2.b", "3.c"], "what was told stays");
}

/// Writers on several nodes merge, and the first pin wins: two processes, each of which has read another list.
#[test]
fn two_nodes_that_tell_at_once_tell_the_same() {
    const MESSAGES: u32 = 100;
    let site = Site::new();
    let maildir = listed(&site, MESSAGES, 1);
    let nodes = [(); 2].map(|()| Moved::serve(&site, "import: read"));
    let mut validity = 0;
    let clients = nodes.each_ref().map(|node| {
        validity += 1;
        list(&maildir, MESSAGES, validity);
        node.session()
    });
    let told = std::thread::scope(|scope| {
        let told = clients.map(|mut client| {
            scope.spawn(move || {
                let one = |number| client.ask(&format!("UIDL {number}"), &format!("+OK {number} "));
                (1..=MESSAGES).map(one).collect::<Vec<_>>()
            })
        });
        told.map(|told| told.join().unwrap())
    });
    assert_eq!(told[0], told[1]);
    list(&maildir, MESSAGES, 7);
    for node in &nodes {
        let later = node.seen();
        assert!(told[0].iter().zip(unique_ids(&later)).all(|(told, later)| told.ends_with(&format!(" {later}"))));
    }
}

/// Some programs move a message with its name: out and back, with a restart and another list in between.
#[test]
fn a_message_that_was_moved_out_and_back_keeps_its_string() {
    let site = Site::new();
    let maildir = listed(&site, 2, 1);
    let (ours, told) = (Moved::serve(&site, "import: read"), ["0000000100000001", "0000000200000001"]);
    assert_eq!(unique_ids(&ours.seen()), told);
    maildir::make(&maildir.join(".Later"), &[]);
    fs::rename(maildir.join("cur/1.a:2,S"), maildir.join(".Later/cur/1.a:2,S")).unwrap();
    list(&maildir, 2, 7);
    assert_eq!(unique_ids(&ours.seen()), told[1..]);
    drop(ours);
    let ours = Moved::serve(&site, "import: done");
    assert_eq!(unique_ids(&ours.seen()), told[1..]);
    fs::rename(maildir.join(".Later/cur/1.a:2,S"), maildir.join("cur/1.a:2,FS")).unwrap();
    assert_eq!(unique_ids(&ours.seen()), told);
}

/// What can be read of a list counts, and the log tells where it is damaged and how many messages that costs, once.
#[test]
fn an_incomplete_list_is_reported_once_and_left_alone() {
    let site = Site::new();
    let maildir = listed(&site, 3, 1);
    let damaged = "3 V1700000000 N9\n7 :1.a\n6 :2.a\n9 :3.a\n";
    fs::write(maildir.join("dovecot-uidlist"), damaged).unwrap();
    let ours = Moved::serve(&site, "import: read");
    for _ in 0..2 {
        let mut client = ours.session();
        client.ask("UIDL 1", "+OK 1 000000076553f100");
        client.ask("UIDL 2", "+OK 2 000000096553f100");
    }
    let words = ["WARN", "another server's list of unique-ids is incomplete"];
    let told = ours.service.wait_for_logs(&words, 1);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        ["dovecot-uidlist, line 3: ", "unlisted=1", "ajones"].iter().all(|word| told[0].contains(word)),
        "{told:?}"
    );
    assert_eq!(fs::read_to_string(maildir.join("dovecot-uidlist")).unwrap(), damaged);
    // A version that Dovecot never released.
    fs::write(maildir.join("dovecot-uidlist"), "2 V1 N9\n1 :1.a\n2 :2.a\n3 :3.a\n").unwrap();
    assert_eq!(unique_ids(&ours.seen()), ["000000076553f100", "000000096553f100", "2.a"]);
    let told = ours.service.wait_for_logs(&words, 2);
    assert!(told[1].contains("none of it counts"), "{told:?}");
}
