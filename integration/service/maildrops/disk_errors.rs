//! A disk that fails while a message is read.
//!
//! No file system gives EIO on command, so a small library stands between Restante and `read(2)`. What Restante sees is
//! what a dying disk shows: the first octets, then the error.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{NOT_NOW, long};
use crate::support::conversation::Conversation;
use crate::support::maildir;
use crate::support::process;
use crate::support::service::{Plan, Service, Site};
use crate::support::stage::{PASSWORD, directory};

/// Lines of 64 octets.
const LINES: usize = 6000;

const GOOD: &[u8] = b"Subject: good\n\ngood\n";

/// Restante on a disk that fails at an octet of `cur/1.bad`, from [`Disk::fail`] on.
struct Disk {
    service: Service,
    site: Site,
    _directory: restante::demo::directory::EmbeddedDirectory,
}

impl Disk {
    fn failing_from(octet: usize) -> Self {
        let (directory, site) = (directory(), Site::new());
        // More than the 256 KiB that are read at a time.
        maildir::make(&site.maildir("ajones"), &[("cur/1.bad", &long(LINES)), ("cur/2.good", GOOD)]);
        let library = compiled(site.folder());
        let switch = site.folder().join("the disk fails");
        let service = site.serve_by(&Plan::at(&directory.url()).and("refusal_step: 0s"), |command: &mut Command| {
            command.env("LD_PRELOAD", library).env("FAILING_FILE", "cur/1.bad").env("FAILING_WHEN", switch);
            command.env("FAILING_FROM", octet.to_string());
        });
        Self { service, site, _directory: directory }
    }

    fn fail(&self) {
        fs::write(self.site.folder().join("the disk fails"), "").unwrap();
    }

    fn recover(&self) {
        fs::remove_file(self.site.folder().join("the disk fails")).unwrap();
    }

    fn session(&self) -> Conversation {
        self.service.session("ajones", PASSWORD)
    }
}

pub(super) fn compiled(folder: &Path) -> PathBuf {
    process::library(folder, "failing_read", include_str!("failing_read.c"))
}

/// Nothing of the message is sent: the client is told, and the session goes on.
#[test]
fn an_error_before_the_first_octet_is_an_answer() {
    // At the second place, a part of the first block was read already.
    for octet in [0, 1000] {
        let disk = Disk::failing_from(octet);
        let mut client = disk.session();
        disk.fail();
        client.ask("RETR 1", NOT_NOW);
        client.ask("TOP 1 0", NOT_NOW);
        disk.service.wait_for_log(&["WARN", "message not sent", "message_number=1", "Input/output error"]);
        client.ask("RETR 2", "+OK 23 octets");
        assert_eq!(client.message().len(), 23);
        client.ask("QUIT", "+OK");
    }
}

/// A stump that looks whole would be deleted by its reader: no final dot, the connection is cut, nothing is deleted.
#[test]
fn an_error_in_the_middle_cuts_the_connection_without_the_final_dot() {
    let disk = Disk::failing_from(300_000);
    for mut client in [disk.session(), disk.session()] {
        disk.fail();
        // The commands behind it were sent already.
        client.send_octets(b"DELE 2\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n");
        client.expect("+OK");
        client.expect("+OK 384019");
        let mut lines = 0;
        while client.line_or_end().is_some_and(|line| line != ".") {
            lines += 1;
        }
        assert!(lines < LINES, "the whole message went out");
        assert!(!client.dialogue().contains("S: .\\r\\n"), "a final dot was sent");
        disk.recover();
        assert_eq!(maildir::names(&disk.site.maildir("ajones")), ["cur/1.bad", "cur/2.good"]);
    }
    disk.service
        .wait_for_logs(&["ERROR", "message cut while it was sent", "message_number=1", "Input/output error"], 2);
    let ends = disk.service.wait_for_logs(&["connection ended", "reason=\"message cut: "], 2);
    assert!(ends.iter().all(|line| line.contains("retr=0") && line.contains("dele=0")), "{ends:?}");
}

/// What cannot be counted keeps its place: the octets told of it are those of its file, and RETR decides.
#[test]
fn an_error_while_octets_are_counted_leaves_no_message_out() {
    let disk = Disk::failing_from(70_000);
    disk.fail();
    let mut client = disk.session();
    let size = long(LINES).len();
    client.ask("STAT", &format!("+OK 2 {}", size + 23));
    client.ask("LIST 1", &format!("+OK 1 {size}"));
    client.ask("UIDL 1", "+OK 1 1.bad");
    client.ask("RETR 2", "+OK 23 octets");
    assert_eq!(client.message().len(), 23);
    client.ask("QUIT", "+OK");
    disk.service.wait_for_log(&["ERROR", "cannot be read", "1.bad", "Input/output error"]);
    // Once for each message.
    maildir::deliver(&disk.site.maildir("ajones"), "new/3.more", GOOD);
    disk.session().ask("STAT", &format!("+OK 3 {}", size + 46));
    assert_eq!(disk.service.log().iter().filter(|line| line.contains("1.bad")).count(), 1);
    disk.recover();
    let mut client = disk.session();
    client.ask("RETR 1", "+OK");
    assert_eq!(client.message().len(), 64 * LINES + 19);
    client.ask("QUIT", "+OK");
    disk.session().ask("LIST 1", &format!("+OK 1 {}", 64 * LINES + 19));
}
