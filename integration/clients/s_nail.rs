//! S-nail: the mail program of the terminal, which keeps messages in an mbox.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::letters::{HEADERLESS, Letter, NOTHING, all_but};
use super::machine::{Machine, Way, compare, with_line_feeds};

const PACKAGE: &str = "s-nail";

/// What the mbox of S-nail cannot show: it puts an empty header in front of a message that has none.
const LEFT_OUT: [&str; 2] = [HEADERLESS, NOTHING];

/// Copies everything into an mbox, then does what else is asked.
fn s_nail(machine: &Machine, way: Way, name: &str, authority: &Path, further: &[&str]) -> Command {
    let scheme = if way == Way::Pop3s { "pop3s" } else { "pop3" };
    let (name, password) = (percent_encoded(name), percent_encoded(&machine.person.password));
    let file = machine.write(
        ".mailrc",
        &format!(
            "set v15-compat nosave noheader tls-verify=strict tls-ca-no-defaults tls-ca-file={}\n{}",
            authority.display(),
            if way == Way::Stls { "set pop3-use-starttls\n" } else { "" }
        ),
    );
    let mut command = machine.client("s-nail");
    command.env("MAILRC", file).args(["-:u", "-#", "-v", "-v", "-f"]);
    command.arg("-Y").arg(format!("copy * {}", mbox(machine).display()));
    for action in further {
        command.args(["-Y", action]);
    }
    command.args(["-Y", "quit"]).arg(format!("{scheme}://{name}:{password}@localhost:{}", machine.port(way)));
    command
}

fn mbox(machine: &Machine) -> PathBuf {
    machine.kept().join("mbox")
}

/// For a URL; letters stay, since S-nail takes a `%` at the beginning for the user's own mailbox.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() {
            encoded.push(char::from(octet));
        } else {
            write!(encoded, "%{octet:02X}").unwrap();
        }
    }
    encoded
}

/// Cuts an mbox where a line begins with `From ` behind an empty line or at the beginning, and drops these lines: S-nail
/// adds them, and quotes every line of a message that looks like one.
fn without_separators(mbox: &[u8]) -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> = Vec::new();
    for line in mbox.split_inclusive(|octet| *octet == b'\n') {
        if line.starts_with(b"From ") {
            messages.push(Vec::new());
        } else {
            messages.last_mut().unwrap().extend_from_slice(line);
        }
    }
    messages
}

/// An mbox parts messages by one empty line, and S-nail does not add it behind a message that ends with one: how many
/// empty lines were at the end cannot be told afterwards, nor whether one stood behind the header of an empty message.
fn without_empty_lines_at_the_end(message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    while message.ends_with(b"\n\n") {
        message.pop();
    }
    message
}

/// S-nail takes the CRs in front of a line's end for a part of it, and quotes `From ` at the beginning of a line (but
/// not `>From `, so that it could not be undone).
fn as_kept(sent: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    for line in with_line_feeds(&with_line_feeds(sent)).split_inclusive(|octet| *octet == b'\n') {
        kept.extend_from_slice(if line.starts_with(b"From ") { b">" } else { b"" });
        kept.extend_from_slice(line);
    }
    without_empty_lines_at_the_end(&kept)
}

fn compare_kept(machine: &Machine, letters: &[Letter]) {
    let messages = without_separators(&fs::read(mbox(machine)).unwrap());
    let kept = messages.iter().map(|message| without_empty_lines_at_the_end(message)).collect();
    compare(kept, letters, as_kept);
}

fn keeps(short_name: &str, name: &str, way: Way) {
    let letters = all_but(&LEFT_OUT);
    let machine = Machine::with(short_name, &letters);
    let before = machine.maildrop();
    machine.run(&mut s_nail(&machine, way, name, &machine.authority(), &[]), PACKAGE);
    compare_kept(&machine, &letters);
    let log = machine.connections(1, way).remove(0);
    assert!(log.contains(&format!(" retr={0} ", letters.len())) && log.contains(" dele=0 "), "{log}");
    // The list it shows is made of the headers: TOP with no line of the body.
    assert!(log.contains(&format!(" top={} ", letters.len())), "{log}");
    assert_eq!(machine.maildrop(), before);
}

#[test]
fn pop3s_with_spaces_in_the_password_keeps() {
    keeps("alamb", "alamb", Way::Pop3s);
}

#[test]
fn stls_with_umlauts_in_name_and_password_keeps() {
    keeps("jmueller", "Jürgen Müller", Way::Stls);
}

#[test]
fn deletes_what_it_copied() {
    for way in [Way::Pop3s, Way::Stls] {
        let letters = all_but(&LEFT_OUT);
        let machine = Machine::with("alamb", &letters);
        machine.emptied(way, || {
            machine.run(&mut s_nail(&machine, way, "Alan Lamb", &machine.authority(), &["delete *"]), PACKAGE);
            compare_kept(&machine, &letters);
        });
    }
}

/// With `exit` it says no QUIT, and closes the connection without TLS's farewell: nothing may be deleted then.
#[test]
fn deletes_nothing_when_it_exits() {
    let letters = all_but(&LEFT_OUT);
    let machine = Machine::with("alamb", &letters);
    let before = machine.maildrop();
    let mut command = s_nail(&machine, Way::Pop3s, "alamb", &machine.authority(), &["delete *", "exit"]);
    machine.run(&mut command, PACKAGE);
    let log = machine.connections(1, Way::Pop3s).remove(0);
    assert!(log.contains("reason=\"closed by the client without QUIT\""), "{log}");
    assert_eq!(machine.maildrop(), before);
}

#[test]
fn a_strange_authority_is_not_trusted() {
    for way in [Way::Pop3s, Way::Stls] {
        let machine = Machine::with("alamb", &[]);
        let mut command = s_nail(&machine, way, "alamb", &machine.strangers_authority(), &[]);
        machine.run_in_vain(&mut command, PACKAGE);
    }
}
