//! One message: found again, read whole, or refused before it begins.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use restante::maildir::{EightBitHeaders, FetchFault, Settings};

use super::{Mail, fetched, octets};

#[test]
fn a_message_is_sent_as_it_lies_on_disk() {
    let mail = Mail::new();
    let content = "Subject: x\r\n\r\n.dot\nno end".repeat(3000);
    mail.deliver("cur/1.a:2,", &content);
    assert_eq!(fetched(&mut mail.enter(), 0), content);
}

#[test]
fn a_message_is_followed_wherever_others_move_it() {
    let mail = Mail::new();
    mail.deliver("new/1.a,S=2", "x\n");
    mail.deliver("new/2.b", "y\n");
    let mut maildrop = mail.enter();
    let mut from = "new/1.a,S=2";
    for to in ["cur/1.a,S=2:2,", "cur/1.a,S=2:2,RS", "cur/1.a,S=2,U=12:2,RS", "new/1.a,S=2"] {
        mail.rename(from, to);
        assert_eq!(fetched(&mut maildrop, 0), "x\n", "{to}");
        assert_eq!(fetched(&mut maildrop, 1), "y\n");
        from = to;
    }
    mail.remove(from);
    assert!(matches!(maildrop.fetch(0), Err(FetchFault::Gone)));
    assert_eq!(fetched(&mut maildrop, 1), "y\n", "the rest of the session goes on");
    assert!(matches!(maildrop.fetch(2), Err(FetchFault::Gone)), "no such message");
}

#[test]
fn a_file_that_is_not_the_listed_one_is_refused() {
    let mail = Mail::new();
    for name in ["1.a", "2.b", "3.c", "4.d", "5.e,W=3", "6.f"] {
        mail.deliver(format!("cur/{name}"), "x\n");
    }
    fs::write(mail.disk.path().join("secret"), "x\n").unwrap();
    let mut maildrop = mail.enter();
    mail.deliver("cur/1.a", "longer\n");
    mail.deliver("tmp/2.b", "x\n");
    mail.rename("tmp/2.b", "cur/2.b");
    for name in ["cur/3.c", "cur/4.d", "cur/5.e,W=3"] {
        mail.remove(name);
    }
    symlink(mail.disk.path().join("secret"), mail.at("cur/3.c")).unwrap();
    let _socket = UnixListener::bind(mail.at("cur/4.d")).unwrap();
    fs::create_dir(mail.at("cur/5.e,W=3")).unwrap();
    for index in 0..5 {
        let result = maildrop.fetch(index);
        // What is no regular file does not count as the message, wherever it lies.
        assert!(matches!(result, Err(FetchFault::Changed | FetchFault::Gone)), "{index}: {result:?}");
    }
    assert_eq!(fetched(&mut maildrop, 5), "x\n");
}

/// Neither its size nor its inode tells, but when it was written.
#[test]
fn a_file_that_was_written_over_is_refused() {
    let mail = Mail::new();
    mail.deliver("cur/1.a", "a\nbcd");
    let mut maildrop = mail.enter();
    let written = fs::metadata(mail.at("cur/1.a")).unwrap().modified().unwrap();
    // As long on disk, and longer on the wire.
    mail.deliver("cur/1.a", "a\nb\n\n");
    let file = OpenOptions::new().write(true).open(mail.at("cur/1.a")).unwrap();
    file.set_modified(written + Duration::from_millis(1)).unwrap();
    assert!(matches!(maildrop.fetch(0), Err(FetchFault::Changed)));
    assert_eq!(fetched(&mut mail.enter(), 0), "a\nb\n\n");
}

#[test]
fn a_stump_never_looks_whole() {
    let mail = Mail::new();
    mail.deliver("cur/1.a", &"line\n".repeat(100));
    let mut maildrop = mail.enter();
    let mut block = [0; 64];

    let mut message = maildrop.fetch(0).unwrap();
    message.read(&mut block).unwrap();
    OpenOptions::new().write(true).open(mail.at("cur/1.a")).unwrap().set_len(80).unwrap();
    assert_eq!(message.read(&mut block).unwrap(), 16);
    assert_eq!(message.read(&mut block).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert!(message.read(&mut block).is_err(), "and stays broken");

    let mut maildrop = mail.enter_settled();
    assert!(maildrop.fetch(0).is_err());
    let mut maildrop = mail.enter();
    let mut message = maildrop.fetch(0).unwrap();
    OpenOptions::new().append(true).open(mail.at("cur/1.a")).unwrap().write_all(b"more").unwrap();
    assert_eq!(message.read(&mut block).unwrap(), 64);
    assert_eq!(message.read(&mut block).unwrap_err().kind(), ErrorKind::InvalidData);
}

#[test]
fn a_maildir_that_fell_away_is_an_error_and_not_a_deletion() {
    let mail = Mail::new();
    mail.deliver("cur/1.a", "x\n");
    let mut maildrop = mail.enter();
    fs::rename(mail.root().join("ajones"), mail.root().join("away")).unwrap();
    assert!(matches!(maildrop.fetch(0), Err(FetchFault::Io(_))));
    fs::rename(mail.root().join("away"), mail.root().join("ajones")).unwrap();
    assert_eq!(fetched(&mut maildrop, 0), "x\n");
}

/// The octets told of what is sent in a message's place come from its header, which is read again with it.
#[test]
fn a_message_changed_in_its_place_is_wrapped_by_its_new_header() {
    let wrapping = |settings: &mut Settings| settings.eight_bit_headers = EightBitHeaders::Wrapped;
    let texts = ["Subject: Gr\u{fc}\u{df}e\n\nx\n", "Subject: x\n\nx\n", "Subject: Viele Gr\u{fc}\u{df}e\n\nx\n"];
    let mail = Mail::with(wrapping);
    mail.deliver("cur/1.a:2,S", texts[0]);
    let mut maildrop = mail.enter_settled();
    for text in &texts[1..] {
        mail.deliver("cur/1.a:2,S", text);
        assert!(matches!(maildrop.fetch(0), Err(FetchFault::Changed)), "in its place, with the same inode");
        maildrop = mail.enter();
        let anew = Mail::with(wrapping);
        anew.deliver("cur/1.a:2,S", text);
        assert_eq!(octets(&maildrop), octets(&anew.enter()), "{text}");
        assert_eq!(maildrop.wraps(0), anew.enter().wraps(0), "{text}");
    }
}

/// Of two messages whose names differ in `,U=<n>` alone, what was found out about one is not believed of the other.
#[test]
fn what_was_sent_of_a_message_is_not_told_of_its_twin() {
    let mail = Mail::new();
    mail.deliver("cur/1.a,W=99:2,S", "one\n");
    mail.deliver("cur/1.a,W=99,U=5:2,S", "the second\n");
    assert_eq!(fetched(&mut mail.enter(), 0), "one\n");
    let mut maildrop = mail.enter();
    assert_eq!(octets(&maildrop), [5, 12], "each was counted: the size in the name cannot be both's");
    assert_eq!(fetched(&mut maildrop, 1), "the second\n");
    assert_eq!(octets(&mail.enter()), [5, 12]);
}
