//! A real IMAP server: what it moves and flags is followed, what it removes is gone, and what it set stays.

use super::Neighbours;
use crate::support::imap::Imap;
use crate::support::maildir;

const FIVE: &[(&str, &[u8])] = &[
    ("new/1700000001.M1P1.mx", b"Subject: one\n\n1\n"),
    ("new/1700000002.M1P1.mx", b"Subject: two\n\n2\n"),
    ("cur/1700000003.M1P1.mx:2,F", b"Subject: three\n\n3\n"),
    ("new/1700000004.M1P1.mx", b"Subject: four\n\n4\n"),
    ("cur/1700000005.M1P1.mx:2,S", b"Subject: five\n\n5\n"),
];

fn ids(numbers: &[u32]) -> Vec<String> {
    (1..).zip(numbers).map(|(number, id)| format!("{number} 170000000{id}.M1P1.mx")).collect()
}

#[test]
fn what_an_imap_client_does_meanwhile_is_followed() {
    let both = Neighbours::new("", FIVE);
    let mut client = both.stage.session();
    client.ask("STAT", "+OK 5 ");
    // Opening the inbox moves everything from new to cur.
    let mut imap = both.dovecot.imap_session("ajones");
    imap.command("SELECT INBOX");
    client.ask("RETR 1", "+OK");
    assert!(client.message().ends_with(b"1\r\n"));
    let numbers = imap.uids();
    let uid = |id: usize| numbers[id - 1];
    imap.command(&format!("UID STORE {} +FLAGS (\\Flagged $Important)", uid(1)));
    imap.command(&format!("UID STORE {} +FLAGS (\\Answered)", uid(4)));
    imap.command(&format!("UID STORE {} +FLAGS (\\Deleted)", uid(2)));
    imap.command("EXPUNGE");
    for (number, content) in [(1, "1"), (3, "3"), (4, "4"), (5, "5")] {
        client.ask(&format!("RETR {number}"), "+OK");
        assert!(client.message().ends_with(format!("{content}\r\n").as_bytes()));
    }
    client.ask("RETR 2", "-ERR ");
    client.ask("DELE 2", "+OK");
    client.ask("DELE 4", "+OK");
    imap.command(&format!("UID STORE {} +FLAGS (\\Draft)", uid(4)));
    client.ask("QUIT", "+OK bye");
    imap.command("NOOP");
    assert_eq!(imap.flags(), ["one $Important \\Flagged", "three \\Flagged", "five \\Seen"]);
    assert_eq!(both.unique_ids(), ids(&[1, 3, 5]));
}

#[test]
fn what_was_fetched_is_seen_by_imap_and_offered_again_if_it_says_so() {
    let both = Neighbours::new("  mark_seen: retrieved\n  offer: unread\n", FIVE);
    let mut imap = both.dovecot.imap_session("ajones");
    imap.command("SELECT INBOX");
    let numbers = imap.uids();
    imap.command(&format!("UID STORE {} +FLAGS (\\Flagged $Important)", numbers[0]));
    assert_eq!(both.unique_ids(), ids(&[1, 2, 3, 4]));
    let mut client = both.stage.session();
    for number in [1, 3] {
        client.ask(&format!("RETR {number}"), "+OK");
        client.message();
    }
    imap.command(&format!("UID STORE {} +FLAGS (\\Answered)", numbers[2]));
    client.ask("QUIT", "+OK bye");
    imap.command("NOOP");
    let flags = ["one $Important \\Flagged \\Seen", "two", "three \\Answered \\Flagged \\Seen", "four", "five \\Seen"];
    assert_eq!(imap.flags(), flags);
    assert_eq!(both.unique_ids(), ids(&[2, 4]));
    imap.command(&format!("UID STORE {} -FLAGS (\\Seen)", numbers[0]));
    assert_eq!(both.unique_ids(), ids(&[1, 2, 4]));
}

#[test]
fn without_marks_what_was_retrieved_is_not_offered_and_imap_sees_no_change() {
    let both = Neighbours::new("  offer: unread\n", FIVE);
    let mut client = both.stage.session();
    for number in [1, 3] {
        client.ask(&format!("RETR {number}"), "+OK");
        client.message();
    }
    client.ask("QUIT", "+OK bye");
    let mut imap = both.dovecot.imap_session("ajones");
    imap.command("SELECT INBOX");
    assert_eq!(imap.flags(), ["one", "two", "three \\Flagged", "four", "five \\Seen"]);
    assert_eq!(both.unique_ids(), ids(&[2, 4]));
}

/// By POP3, which the IMAP client sees.
fn delete_first_and_last(both: &Neighbours, imap: &mut Imap) {
    let mut client = both.stage.session();
    client.ask("DELE 1", "+OK");
    client.ask("DELE 5", "+OK");
    client.ask("QUIT", "+OK bye");
    imap.command("NOOP");
    assert_eq!(imap.flags(), ["two", "three \\Flagged", "four"]);
}

#[test]
fn kept_mail_is_not_a_folder_and_is_restored_as_new() {
    let both = Neighbours::new("  sessions_per_maildrop: one\n  deletion: { keep_for: 14d }\n", FIVE);
    let mut imap = both.dovecot.imap_session("ajones");
    imap.command("SELECT INBOX");
    delete_first_and_last(&both, &mut imap);
    assert_eq!(imap.folders(), ["INBOX"]);
    let highest = imap.uids().into_iter().max().unwrap();
    let back = both.stage.command(&["undelete", "ajones"]);
    assert!(back.contains("restored 2 of 2 messages of ajones"), "{back}");
    imap.command("NOOP");
    assert_eq!(imap.flags(), ["two", "three \\Flagged", "four", "one", "five"]);
    assert!(imap.uids()[3..].iter().all(|uid| *uid > highest), "new to an IMAP client as well");
    assert_eq!(imap.folders(), ["INBOX"]);
}

#[test]
fn moved_mail_is_in_a_folder_with_its_flags() {
    let both = Neighbours::new("  deletion: { move_to: Trash }\n", FIVE);
    let mut imap = both.dovecot.imap_session("ajones");
    imap.command("SELECT INBOX");
    let first = imap.uids()[0];
    imap.command(&format!("UID STORE {first} +FLAGS (\\Flagged)"));
    delete_first_and_last(&both, &mut imap);
    // Folders that others make are listed from the next session on.
    let mut imap = both.dovecot.imap_session("ajones");
    assert_eq!(imap.folders(), ["INBOX", "Trash"]);
    imap.command("SELECT Trash");
    assert_eq!(imap.flags(), ["one \\Flagged", "five \\Seen"]);
    // Its owner reads it there; it is found all the same.
    imap.command("STORE 1 +FLAGS (\\Seen \\Answered)");
    let back = both.stage.command(&["undelete", "--same-id", "ajones"]);
    assert!(back.contains("restored 2 of 2 messages of ajones"), "{back}");
    imap.command("NOOP");
    assert_eq!(imap.flags(), [] as [&str; 0]);
    imap.command("SELECT INBOX");
    assert_eq!(imap.flags().len(), 5);
    assert_eq!(both.unique_ids(), ids(&[1, 2, 3, 4, 5]));
    assert!(maildir::names(&both.stage.maildir()).contains(&"cur/1700000001.M1P1.mx:2,FRS".to_owned()));
}
