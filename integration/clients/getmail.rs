//! getmail6: POP3S only (it has no STLS), by Python's poplib.

use std::path::Path;
use std::process::Command;

use super::letters::{HEADERLESS, Letter, NO_BLANK_LINE, NOTHING, all_but};
use super::machine::{Machine, Way, compare, with_line_feeds, without_lines};

const PACKAGE: &str = "getmail6";

/// What getmail reads as something else before it delivers, since it takes every message apart and puts it together
/// again: without a header it puts an empty one in front, and of a message without any octets it makes a blank line.
const LEFT_OUT: [&str; 2] = [HEADERLESS, NOTHING];

/// It delivers by a program: its own Maildir delivery refuses to run as root. That program ends only when getmail sleeps,
/// waiting for it: getmail misses the signal of one that has ended before (`_wait_for_child` in its `baseclasses.py`), and
/// then waits for three minutes.
fn getmail(machine: &Machine, name: &str, authority: &Path, delete: bool) -> Command {
    let file = machine.write(
        "getmail/getmailrc",
        &format!(
            "[retriever]\ntype = SimplePOP3SSLRetriever\nserver = localhost\nport = {}\nusername = {name}\n\
             password = {}\nca_certs = {}\n\
             [destination]\ntype = MDA_external\npath = /bin/sh\narguments = (\"-c\", \"{}\")\n\
             allow_root_commands = true\n\
             [options]\nread_all = false\ndelete = {delete}\n",
            machine.port(Way::Pop3s),
            machine.person.password,
            authority.display(),
            format_args!("{}; until grep -q '^State:.S' /proc/$PPID/status; do :; done", machine.delivery())
        ),
    );
    let mut command = machine.client("getmail");
    command.arg("--getmaildir").arg(file.parent().unwrap()).arg("--rcfile").arg(&file);
    command
}

/// getmail adds two fields behind `Return-Path`, with which every letter here begins: `Delivered-To`, and a `Received` of
/// two lines.
fn without_delivered_to_and_received(kept: &[u8]) -> Vec<u8> {
    let end = kept.iter().position(|octet| *octet == b'\n').unwrap() + 1;
    let rest = without_lines(&kept[end..], &["Delivered-To: ", "Received: from localhost ", "  "]);
    [&kept[..end], &rest].concat()
}

/// getmail ends a line at every CR, but for one in front of the line's end, which is lost. A header without a blank line behind it gets one.
fn as_kept(sent: &[u8]) -> Vec<u8> {
    let lines = with_line_feeds(&with_line_feeds(sent));
    let mut kept: Vec<u8> = lines.into_iter().map(|octet| if octet == b'\r' { b'\n' } else { octet }).collect();
    if String::from_utf8_lossy(sent).contains(&format!("<{NO_BLANK_LINE}@")) {
        kept.push(b'\n');
    }
    kept
}

fn compare_kept(machine: &Machine, letters: &[Letter]) {
    let kept = machine.kept_files("").iter().map(|octets| without_delivered_to_and_received(octets)).collect();
    compare(kept, letters, as_kept);
}

/// Fetches all, twice: the second time nothing is new.
fn keeps(short_name: &str, name: &str) {
    let letters = all_but(&LEFT_OUT);
    let machine = Machine::with(short_name, &letters);
    machine.fetched_twice(Way::Pop3s, "retr", |_| {
        machine.run(&mut getmail(&machine, name, &machine.authority(), false), PACKAGE);
        compare_kept(&machine, &letters);
    });
}

#[test]
fn pop3s_with_spaces_in_the_password_keeps() {
    keeps("alamb", "alamb");
}

#[test]
fn pop3s_with_umlauts_in_name_and_password_keeps() {
    keeps("jmueller", "Jürgen Müller");
}

#[test]
fn deletes_what_it_delivered() {
    let letters = all_but(&LEFT_OUT);
    let machine = Machine::with("alamb", &letters);
    machine.emptied(Way::Pop3s, || {
        machine.run(&mut getmail(&machine, "alamb", &machine.authority(), true), PACKAGE);
        compare_kept(&machine, &letters);
    });
}

#[test]
fn a_strange_authority_is_not_trusted() {
    let machine = Machine::with("alamb", &[]);
    machine.run_in_vain(&mut getmail(&machine, "alamb", &machine.strangers_authority(), false), PACKAGE);
}
