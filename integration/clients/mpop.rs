//! mpop: it sends its commands in a pipeline, and delivers into a Maildir.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::letters::{Letter, all};
use super::machine::{Machine, Way, compare, with_line_feeds, without_lines};

const PACKAGE: &str = "mpop";

fn mpop(machine: &Machine, way: Way, name: &str, authority: &Path, keep: bool) -> Command {
    for part in ["new", "cur", "tmp"] {
        fs::create_dir_all(machine.kept().join(part)).unwrap();
    }
    let on = |yes: bool| if yes { "on" } else { "off" };
    let file = machine.write(
        ".mpoprc",
        &format!(
            "account default\nhost localhost\nport {}\nuser \"{name}\"\npassword \"{}\"\ntls on\ntls_starttls {}\n\
             tls_trust_file {}\nkeep {}\ndelivery maildir {}\nuidls_file {}\n",
            machine.port(way),
            machine.person.password,
            on(way == Way::Stls),
            authority.display(),
            on(keep),
            machine.kept().display(),
            machine.home().join("uidls").display()
        ),
    );
    let mut command = machine.client("mpop");
    command.arg("--debug").arg("--file").arg(file);
    command
}

/// mpop puts three lines in front: a `Received` of its own.
fn without_received(kept: &[u8]) -> Vec<u8> {
    without_lines(kept, &["Received: from localhost ", "\tby ", "\tfor "])
}

/// Everything else is as it was sent, but for the line ends of files: no letter need be left out.
fn compare_kept(machine: &Machine, letters: &[Letter]) {
    let kept = machine.kept_files("new").iter().map(|octets| without_received(octets)).collect();
    compare(kept, letters, with_line_feeds);
}

/// Fetches all, twice: the second time nothing is new.
fn keeps(short_name: &str, name: &str, way: Way) {
    let letters = all();
    let machine = Machine::with(short_name, &letters);
    machine.fetched_twice(way, "retr", |_| {
        machine.run(&mut mpop(&machine, way, name, &machine.authority(), true), PACKAGE);
        compare_kept(&machine, &letters);
    });
}

#[test]
fn pop3s_with_spaces_in_the_password_keeps() {
    keeps("alamb", "alan.lamb@renovations.example", Way::Pop3s);
}

#[test]
fn stls_with_umlauts_in_the_password_keeps() {
    keeps("jmueller", "jmueller", Way::Stls);
}

/// One run only: mpop writes the login name into its file of unique-ids as it is, and cannot read that file again if
/// there is a space in the name ("invalid or missing user name").
#[test]
fn deletes_what_it_delivered_to_a_name_with_spaces_and_umlauts() {
    for way in [Way::Pop3s, Way::Stls] {
        let letters = all();
        let machine = Machine::with("jmueller", &letters);
        machine.emptied(way, || {
            let ended = machine.run(&mut mpop(&machine, way, "Jürgen Müller", &machine.authority(), false), PACKAGE);
            compare_kept(&machine, &letters);
            // The commands really went out in a pipeline: the second before the reply to the first.
            assert!(ended.told.contains("--> RETR 1\r\n--> RETR 2\r\n"), "{}", ended.told);
        });
    }
}

#[test]
fn a_strange_authority_is_not_trusted() {
    for way in [Way::Pop3s, Way::Stls] {
        let machine = Machine::with("alamb", &[]);
        machine.run_in_vain(&mut mpop(&machine, way, "alamb", &machine.strangers_authority(), true), PACKAGE);
    }
}
