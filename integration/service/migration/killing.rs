//! `kill -9` while pins are written, and a disk that takes none.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;

use super::{Moved, plan};
use crate::support::calls::Calls;
use crate::support::conversation::Conversation;
use crate::support::mount::Mount;
use crate::support::service::Site;
use crate::support::stage;
use crate::support::{maildir, process};

/// Messages of one round; each has a size of its own, by which it is known whatever its unique-id.
const MESSAGES: usize = 8;

/// The old server's list, as it would be if it had begun anew: a message that was told to nobody gets another string.
fn list(maildir: &Path, validity: usize) {
    let names = maildir::names(maildir);
    let bases = names.iter().map(|name| name.rsplit('/').next().unwrap().split(':').next().unwrap());
    let lines: Vec<String> = (1..).zip(bases).map(|(uid, base)| format!("{uid} :{base}\n")).collect();
    fs::write(maildir.join("tmp/list"), format!("3 V{validity} N99999\n{}", lines.concat())).unwrap();
    fs::rename(maildir.join("tmp/list"), maildir.join("dovecot-uidlist")).unwrap();
}

/// Asks for one unique-id after the other, until the connection ends; each one told is told for ever.
fn ask_each(mut client: Conversation, told: &mut HashMap<String, String>) -> Option<()> {
    let mut size_of = HashMap::new();
    let mut ask = |line: String| {
        client.try_send(&line)?;
        let answer = client.line_or_end()?;
        let (number, value) = answer.strip_prefix("+OK ")?.split_once(' ')?;
        Some((number.to_owned(), value.to_owned()))
    };
    for number in 1.. {
        let (number, octets) = ask(format!("LIST {number}"))?;
        size_of.insert(number.clone(), octets);
        let (number, unique_id) = ask(format!("UIDL {number}"))?;
        let octets = size_of.get(&number).unwrap().clone();
        let first = told.entry(octets).or_insert_with(|| unique_id.clone());
        assert_eq!(*first, unique_id, "told before, and told differently now");
    }
    None
}

fn kill_at_random_moments(rounds: usize) {
    let (site, mut told) = (Site::new(), HashMap::new());
    let maildir = site.maildir("ajones");
    maildir::make(&maildir, &[]);
    for round in 1..=rounds {
        for number in 0..MESSAGES {
            let octets = "x".repeat(round * MESSAGES + number) + "\n";
            maildir::deliver(&maildir, &format!("new/{round}.{number}.mx"), octets.as_bytes());
        }
        list(&maildir, round);
        let moved = Moved::serve(&site, "import: read");
        let client = moved.session();
        let moment = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos() % 40_000;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_micros(moment.into()));
                moved.service.signal(Signal::KILL);
            });
            ask_each(client, &mut told);
        });
    }
    list(&maildir, rounds + 1);
    let moved = Moved::serve(&site, "import: read");
    let before = told.len();
    ask_each(moved.session(), &mut told);
    assert!(before > 0, "killed before anything was told");
    assert_eq!(told.len(), rounds * MESSAGES);
    let mut strings: Vec<&String> = told.values().collect();
    strings.sort();
    strings.dedup();
    assert_eq!(strings.len(), told.len(), "one string for two messages");
}

#[test]
fn unique_ids_survive_a_kill() {
    kill_at_random_moments(12);
}

#[test]
#[ignore = "takes minutes"]
fn unique_ids_survive_200_kills() {
    kill_at_random_moments(200);
}

/// Restante where nothing that is written to `restante-pins` reaches the disk, once a file says so.
fn on_a_full_disk(site: &Site, uidl: &str) -> (Moved, std::path::PathBuf) {
    let library = process::library(site.folder(), "full_disk", include_str!("full_disk.c"));
    let (directory, full) = (stage::directory(), site.folder().join("the disk is full"));
    let service = site.serve_by(&plan(&directory.url(), uidl), |command| {
        command.env("LD_PRELOAD", library).env("FULL_FILE", "restante-pins").env("FULL_WHEN", &full);
    });
    (Moved { service, _directory: directory }, full)
}

#[test]
fn what_cannot_be_pinned_is_not_sent_while_an_old_server_has_a_list() {
    let site = Site::new();
    let maildir = site.maildir("ajones");
    maildir::make(&maildir, &[("new/1.a", b"Subject: a\n\na\n")]);
    list(&maildir, 7);
    let (moved, full) = on_a_full_disk(&site, "import: read");
    fs::write(&full, "").unwrap();
    let mut client = moved.session();
    client.ask("UIDL", "-ERR [SYS/TEMP]");
    client.ask("UIDL 1", "-ERR [SYS/TEMP]");
    moved.service.wait_for_log(&["ERROR", "unique-ids not sent", "No space left on device"]);
    client.ask("RETR 1", "+OK");
    client.message();
    fs::remove_file(&full).unwrap();
    client.ask("UIDL 1", "+OK 1 0000000100000007");
}

#[test]
fn without_an_old_list_mail_is_served_though_nothing_can_be_pinned() {
    let site = Site::new();
    maildir::make(&site.maildir("ajones"), &[("new/1.a", b"Subject: a\n\na\n")]);
    let (moved, full) = on_a_full_disk(&site, "import: read");
    fs::write(&full, "").unwrap();
    moved.session().ask("UIDL 1", "+OK 1 1.a");
    moved.service.wait_for_log(&["WARN", "unique-ids are shown without being pinned"]);
}

#[test]
fn what_cannot_be_pinned_on_a_read_only_disk_is_not_sent() {
    let site = Site::new();
    fs::create_dir(site.root().join("ajones")).unwrap();
    let disk = Mount::memory(&site.root().join("ajones"), 1 << 20);
    let maildir = site.maildir("ajones");
    maildir::make(&maildir, &[("new/1.a", b"Subject: a\n\na\n")]);
    list(&maildir, 7);
    disk.read_only();
    let moved = Moved::serve(&site, "import: read");
    let mut client = moved.session();
    client.ask("UIDL 1", "-ERR [SYS/TEMP]");
    client.ask("RETR 1", "+OK 17 octets");
    client.message();
    client.ask("UIDL", "-ERR [SYS/TEMP]");
    client.ask("QUIT", "+OK");
    moved.service.wait_for_log(&["ERROR", "unique-ids not sent", "Read-only file system"]);
}

/// A machine that loses its power must not have told what it does not know afterwards.
#[test]
fn what_is_sent_is_on_disk_before() {
    let site = Site::new();
    let maildir = site.maildir("ajones");
    maildir::make(&maildir, &[("new/1.a", b"a\n"), ("new/2.b", b"b\n")]);
    list(&maildir, 7);
    let moved = Moved::serve(&site, "import: read");
    let mut client = moved.session();
    let calls = Calls::watch(moved.service.pid(), "write,fdatasync,fsync,sendto");
    for number in 1..=2 {
        client.ask(&format!("UIDL {number}"), "+OK");
    }
    let calls = calls.seen();
    let at = |name: &str, word: &str, from: usize| {
        let found = calls.iter().skip(from).position(|call| call.name == name && call.told.contains(word));
        from + found.unwrap_or_else(|| panic!("no {name} of {word} behind {from}: {calls:?}"))
    };
    let mut from = 0;
    for (number, base) in [(1, "1.a"), (2, "2.b")] {
        let written = at("write", base, from);
        let synced = at("fdatasync", "= 0", written);
        if number == 1 {
            assert!(at("fsync", "= 0", synced) < at("sendto", "+OK 1 ", from), "the file is new: {calls:?}");
        }
        let told = at("sendto", &format!("+OK {number} "), from);
        assert!(synced < told, "{calls:?}");
        from = told;
    }
}
