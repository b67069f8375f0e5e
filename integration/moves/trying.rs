//! A trial weeks before the move, a move person by person, and an IMAP server that goes on beside us.

use super::support::dovecot::Dovecot;
use super::support::service::Site;
use super::support::{maildir, wait_until};
use super::{Moved, as_sent, deliver_more, fill, seen, unique_ids};

#[test]
fn mail_that_comes_between_a_trial_and_the_move_keeps_dovecots_strings() {
    let site = Site::new();
    let maildir = site.maildir("ajones");
    let dovecot = Dovecot::serve(&site, "");
    fill(&maildir);
    let mut client = dovecot.session("ajones");
    let first = seen(&mut client);
    client.ask("QUIT", "+OK");
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
    fill(&maildir);
    let mut client = dovecot.session("ajones");
    let before = seen(&mut client);
    client.ask("QUIT", "+OK");
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
fn what_an_imap_client_does_changes_nobody_elses_string() {
    let site = Site::new();
    let maildir = site.maildir("ajones");
    let dovecot = Dovecot::serve(&site, "");
    fill(&maildir);
    let mut client = dovecot.session("ajones");
    let before = seen(&mut client);
    client.ask("QUIT", "+OK");
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
