//! Logins that wait until another has read the same maildrop: impatient clients hold up nobody but themselves.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::disk_errors::compiled;
use crate::support::conversation::Conversation;
use crate::support::maildir;
use crate::support::mount::Shown;
use crate::support::service::{Plan, Service, Site};
use crate::support::stage::{PASSWORD, Stage, directory};
use crate::support::wait_until;

const ONE: &[(&str, &[u8])] = &[("new/1.a", b"Subject: a\n\na\n")];

/// More clients than a pool has places.
const MANY: usize = 100;

fn begin_login(service: &Service) -> Conversation {
    let mut client = service.client();
    client.ask("USER ajones", "+OK");
    client.send(&format!("PASS {PASSWORD}"));
    client
}

fn logs_in(service: &Service, person: &str, password: &str) {
    let mut client = service.session(person, password);
    client.ask("STAT", "+OK 1 ");
    client.ask("QUIT", "+OK");
}

fn threads(service: &Service) -> usize {
    fs::read_dir(format!("/proc/{}/task", service.pid())).unwrap().count()
}

/// The pool of a file system has 48 places: those who wait take none of them.
#[test]
fn they_take_no_place_of_a_file_system_on_which_others_log_in() {
    let stage = Stage::set_by(&[], |plan, _| plan.mailboxes.push_str("  deadline: 1s\n"));
    let (behind, slow, root) =
        (stage.site.folder().join("behind"), stage.site.folder().join("slow"), stage.site.root());
    fs::remove_dir_all(root.join("ajones")).unwrap();
    fs::create_dir(root.join("far")).unwrap();
    fs::create_dir(&slow).unwrap();
    for person in ["ajones", "alamb", "mbrown"] {
        maildir::make(&behind.join(person).join("Maildir"), ONE);
        symlink(format!("far/{person}"), root.join(person)).unwrap();
    }
    let _far = Shown::by_threads(&behind, &root.join("far"));
    // Of one maildrop a part takes for ever.
    let never_ends = Shown::new(&slow, &behind.join("ajones/Maildir/cur"));
    never_ends.freeze();
    for round in 0..2 {
        let mut waiting: Vec<_> = (0..MANY).map(|_| begin_login(&stage.service)).collect();
        logs_in(&stage.service, "alamb", "seven green lamps");
        logs_in(&stage.service, "mbrown", "paper-boat-42");
        for client in &mut waiting {
            client.expect("-ERR [SYS/TEMP]");
        }
        stage.service.wait_for_logs(&["maildrop not opened", "did not answer within 1s"], (round + 1) * MANY);
    }
    never_ends.thaw();
    wait_until("the maildrop is served again", || begin_login(&stage.service).line().starts_with("+OK"));
}

/// On this machine's own disks as well: whoever waits takes no thread, and is served as soon as the first one is.
#[test]
fn they_take_no_thread_while_a_message_is_counted() {
    let (directory, site) = (directory(), Site::new());
    maildir::make(&site.maildir("ajones"), &[("cur/1.slow", b"Subject: a\n\na\n")]);
    maildir::make(&site.maildir("alamb"), ONE);
    let (library, hangs) = (compiled(site.folder()), site.folder().join("the disk hangs"));
    fs::write(&hangs, "").unwrap();
    let service = site.serve_by(&Plan::at(&directory.url()).and("refusal_step: 0s"), |command: &mut Command| {
        command.env("LD_PRELOAD", library).env("FAILING_FILE", "cur/1.slow").env("FAILING_WHEN", &hangs);
        command.env("FAILING_HANGS", "1");
    });
    logs_in(&service, "alamb", "seven green lamps");
    let before = threads(&service);
    let mut waiting: Vec<_> = (0..MANY).map(|_| begin_login(&service)).collect();
    service.wait_for_logs(&["login", "person=\"ajones\""], MANY);
    maildir::deliver(&site.maildir("alamb"), "cur/1.a", b"Subject: b\n\nb\n");
    fs::remove_file(site.maildir("alamb").join("new/1.a")).unwrap();
    logs_in(&service, "alamb", "seven green lamps");
    // Those that looked at the Maildir at the same moment had a thread each for that, which ends when nobody needs it.
    wait_until("clients that wait take no threads", || threads(&service).saturating_sub(before) < 10);
    fs::remove_file(&hangs).unwrap();
    for client in &mut waiting {
        client.expect("+OK maildrop has 1 message");
        client.ask("STAT", "+OK 1 17");
    }
}
