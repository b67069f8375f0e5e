//! curl: it gives out exactly the octets that were sent.

use std::process::Command;

use super::letters::{Letter, NOTHING, all};
use super::machine::{Machine, Way, sent};

const PACKAGE: &str = "curl";

/// curl in its quiet form, trusting one authority; logging in by SASL.
fn curl(machine: &Machine, name: &str, mechanism: &str) -> Command {
    let mut command = machine.client("curl");
    command.args(["--disable", "--silent", "--show-error", "--ssl-reqd", "--login-options", mechanism]);
    command.arg("--cacert").arg(machine.authority());
    command.arg("--user").arg(format!("{name}:{}", machine.person.password));
    command
}

fn url(machine: &Machine, way: Way, path: &str) -> String {
    let scheme = if way == Way::Pop3s { "pop3s" } else { "pop3" };
    format!("{scheme}://localhost:{}/{path}", machine.port(way))
}

/// Every message on one connection, each into a file of its own.
fn fetches_all(machine: &Machine, letters: &[Letter], way: Way, name: &str, mechanism: &str) {
    let mut command = curl(machine, name, mechanism);
    for number in 1..=letters.len() {
        command.arg(url(machine, way, &number.to_string()));
        command.arg("--output").arg(machine.kept().join(number.to_string()));
    }
    machine.run(&mut command, PACKAGE);
    for (number, (letter, expected)) in (1..).zip(letters.iter().zip(sent(letters))) {
        let kept = std::fs::read(machine.kept().join(number.to_string())).unwrap_or_default();
        if letter.name == NOTHING {
            // Of a message without any octets curl 7 gives the end of the reply's first line, newer ones nothing.
            assert!(matches!(&*kept, b"" | b"\r\n"), "{}", kept.escape_ascii());
            continue;
        }
        assert!(kept == expected, "{}: {}", letter.name, kept.escape_ascii());
    }
}

#[test]
fn pop3s_with_spaces_in_the_password() {
    let letters = all();
    let machine = Machine::with("alamb", &letters);
    fetches_all(&machine, &letters, Way::Pop3s, "alamb", "AUTH=*");
    let octets: usize = sent(&letters).iter().map(Vec::len).sum();
    let log = machine.connections(1, Way::Pop3s).remove(0);
    let counts = format!(" retr={} retr_octets={octets} top=0 top_octets=0 dele=0 ", letters.len());
    assert!(log.contains(&counts) && log.contains("reason=\"quit\""), "{log} without {counts}");
}

#[test]
fn stls_with_umlauts_in_name_and_password() {
    let letters = all();
    let machine = Machine::with("jmueller", &letters);
    for (mechanism, logged) in [("AUTH=LOGIN", "mechanism=LOGIN"), ("AUTH=PLAIN", "mechanism=PLAIN")] {
        fetches_all(&machine, &letters, Way::Stls, "Jürgen Müller", mechanism);
        machine.service.wait_for_log(&["login", "login=\"Jürgen Müller\"", "kind=\"common_name\"", logged]);
    }
    machine.connections(2, Way::Stls);
}

#[test]
fn sizes_are_those_of_the_messages() {
    let letters = all();
    let machine = Machine::with("alamb", &letters);
    let mut command = curl(&machine, "alan.lamb@renovations.example", "AUTH=*");
    let list = machine.run(command.arg(url(&machine, Way::Pop3s, "")), PACKAGE).output;
    let list = String::from_utf8(list).unwrap();
    let lengths: Vec<usize> = sent(&letters).iter().map(Vec::len).collect();
    assert_eq!(list.lines().count(), lengths.len(), "{list}");
    for (number, (line, octets)) in (1..).zip(list.lines().zip(lengths)) {
        assert_eq!(line, format!("{number} {octets}"));
    }
}

#[test]
fn a_strange_authority_is_not_trusted() {
    for way in [Way::Pop3s, Way::Stls] {
        let machine = Machine::with("alamb", &[]);
        let mut command = curl(&machine, "alamb", "AUTH=*");
        command.arg("--cacert").arg(machine.strangers_authority()).arg(url(&machine, way, ""));
        machine.run_in_vain(&mut command, PACKAGE);
    }
}
