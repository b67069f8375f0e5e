//! fetchmail: it hands every message to a program. It asks for it by TOP; by RETR if it is told to fetch all.

use std::path::Path;
use std::process::Command;

use super::letters::{HEADERLESS, Letter, NO_BLANK_LINE, NOTHING, all_but};
use super::machine::{Machine, Way, compare, without_lines};

const PACKAGE: &str = "fetchmail";

/// What fetchmail does not deliver as it came, by its own doing:
/// - without a header there is nobody it could be from: fetchmail puts a message of its own in its place;
/// - of a message without any octets it delivers nothing.
const LEFT_OUT: [&str; 2] = [HEADERLESS, NOTHING];

/// fetchmail ends with 1 if there was nothing to fetch.
const NO_MAIL: i32 = 1;

fn fetchmail(machine: &Machine, way: Way, name: &str, authority: &Path, keep: bool) -> Command {
    let protection = if way == Way::Pop3s { "ssl" } else { "sslproto \"TLS1.2+\"" };
    let (keep, delivery) = (if keep { "keep" } else { "nokeep fetchall" }, machine.delivery());
    let file = machine.write(
        ".fetchmailrc",
        &format!(
            "poll localhost service {} protocol pop3 uidl user \"{name}\" password \"{}\" {protection} sslcertck \
             sslcertfile \"{}\" {keep} mda \"/bin/sh -c '{delivery}'\"\n",
            machine.port(way),
            machine.person.password,
            authority.display()
        ),
    );
    let mut command = machine.client("fetchmail");
    // Without a lock file of its own, root's is one for the whole system, and a second fetchmail would not run.
    command.arg("--pidfile").arg(machine.home().join("fetchmail.pid"));
    command.env("FETCHMAILHOME", machine.home()).args(["-v", "-v", "-f"]).arg(file);
    command
}

/// fetchmail puts three lines in front: a `Received` of its own.
fn without_received(kept: &[u8]) -> Vec<u8> {
    without_lines(kept, &["Received: from localhost ", "\tby ", "\tfor "])
}

/// fetchmail takes every CR out, lone ones too: it has no way to tell them from line ends. A header without a blank
/// line behind it gets one.
fn as_kept(sent: &[u8]) -> Vec<u8> {
    let mut kept: Vec<u8> = sent.iter().copied().filter(|octet| *octet != b'\r').collect();
    if String::from_utf8_lossy(sent).contains(&format!("<{NO_BLANK_LINE}@")) {
        kept.push(b'\n');
    }
    kept
}

fn compare_kept(machine: &Machine, letters: &[Letter]) {
    let kept = machine.kept_files("").iter().map(|octets| without_received(octets)).collect();
    compare(kept, letters, as_kept);
}

/// Fetches all, twice: the second time nothing is new.
fn keeps(short_name: &str, name: &str, way: Way) {
    let letters = all_but(&LEFT_OUT);
    let machine = Machine::with(short_name, &letters);
    // By TOP with a huge number of lines it avoids that old servers mark the message as read.
    let log = machine.fetched_twice(way, "top", |time| {
        let ended = machine.start(&mut fetchmail(&machine, way, name, &machine.authority(), true), PACKAGE).ended();
        let expected = if time == 1 { 0 } else { NO_MAIL };
        assert_eq!(ended.status.code(), Some(expected), "{}", ended.told);
        compare_kept(&machine, &letters);
    });
    assert!(log.iter().all(|line| line.contains(" retr=0 ") && line.contains(" dele=0 ")), "{log:#?}");
}

#[test]
fn pop3s_with_spaces_in_the_password_keeps() {
    keeps("alamb", "Alan Lamb", Way::Pop3s);
}

#[test]
fn stls_with_umlauts_in_name_and_password_keeps() {
    keeps("jmueller", "Jürgen Müller", Way::Stls);
}

#[test]
fn deletes_what_it_delivered() {
    for way in [Way::Pop3s, Way::Stls] {
        let letters = all_but(&LEFT_OUT);
        let machine = Machine::with("alamb", &letters);
        let log = machine.emptied(way, || {
            machine.run(&mut fetchmail(&machine, way, "alamb", &machine.authority(), false), PACKAGE);
            compare_kept(&machine, &letters);
        });
        assert!(log.contains(&format!(" retr={} ", letters.len())) && log.contains("reason=\"quit\""), "{log}");
    }
}

#[test]
fn a_strange_authority_is_not_trusted() {
    for way in [Way::Pop3s, Way::Stls] {
        let machine = Machine::with("alamb", &all_but(&LEFT_OUT));
        let mut command = fetchmail(&machine, way, "alamb", &machine.strangers_authority(), true);
        machine.run_in_vain(&mut command, PACKAGE);
    }
}
