//! poplib of Python: what most scripts use.

use std::path::Path;
use std::process::Command;

use super::letters::all;
use super::machine::{Machine, Way, sent};

const PACKAGE: &str = "python3";

/// Fetches every message and writes it into a file. poplib gives lines without their ends, which were CRLF: any other
/// end would be a fault of the server, and poplib could not tell it, so that the check of the octets is curl's as well.
/// It refuses lines of over 2,048 octets until it is told otherwise, as everybody does who fetches real mail.
const SCRIPT: &str = r"
import poplib, ssl, sys
way, port, authority, name, password, kept = sys.argv[1:]
poplib._MAXLINE = 1 << 20
context = ssl.create_default_context(cafile=authority)
if way == 'Pop3s':
    client = poplib.POP3_SSL('localhost', int(port), context=context)
else:
    client = poplib.POP3('localhost', int(port))
    client.stls(context=context)
    assert 'STLS' not in client.capa()
client.user(name)
client.pass_(password)
count, octets = client.stat()
for number in range(1, count + 1):
    _, lines, _ = client.retr(number)
    _, top, _ = client.top(number, 1000000)
    assert lines == top, number
    with open('%s/%d' % (kept, number), 'wb') as file:
        file.write(b''.join(line + b'\r\n' for line in lines))
assert sum(int(line.split()[1]) for line in client.list()[1]) == octets
assert len(set(line.split()[1] for line in client.uidl()[1])) == count
client.noop()
client.quit()
";

fn run(machine: &Machine, way: Way, name: &str, authority: &Path) -> Command {
    let mut command = machine.client("python3");
    command.args(["-I", "-c", SCRIPT]).arg(format!("{way:?}")).arg(machine.port(way).to_string());
    command.arg(authority).arg(name).arg(&machine.person.password).arg(machine.kept());
    command
}

fn fetches_all(short_name: &str, name: &str, way: Way) {
    let letters = all();
    let machine = Machine::with(short_name, &letters);
    machine.run(&mut run(&machine, way, name, &machine.authority()), PACKAGE);
    for (number, (letter, expected)) in (1..).zip(letters.iter().zip(sent(&letters))) {
        let kept = std::fs::read(machine.kept().join(number.to_string())).unwrap();
        assert!(kept == expected, "{}: {}", letter.name, kept.escape_ascii());
    }
    machine.connections(1, way);
}

#[test]
fn pop3s_with_spaces_in_the_password() {
    fetches_all("alamb", "Alan Lamb", Way::Pop3s);
}

#[test]
fn stls_with_umlauts_in_name_and_password() {
    fetches_all("jmueller", "Jürgen Müller", Way::Stls);
}

#[test]
fn a_strange_authority_is_not_trusted() {
    for way in [Way::Pop3s, Way::Stls] {
        let machine = Machine::with("alamb", &[]);
        machine.run_in_vain(&mut run(&machine, way, "alamb", &machine.strangers_authority()), PACKAGE);
    }
}
