//! Sylpheed: a client with windows, on a screen that nobody sees.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::letters::{Letter, NOTHING, NUL, all_but};
use super::machine::{Machine, Running, Way, compare, with_line_feeds};
use crate::support::wait_until;

const PACKAGE: &str = "sylpheed";

/// What Sylpheed does not keep as it came, by its own doing:
/// - it writes lines as C strings, which end at the octet 0;
/// - a message whose size is 0 it takes for one that it has already.
const LEFT_OUT: [&str; 2] = [NUL, NOTHING];

/// A screen in memory; it ends when dropped.
struct Screen {
    server: Child,
    display: String,
}

impl Screen {
    /// Takes the first free number, whatever other screens there are.
    fn open(machine: &Machine) -> Self {
        let mut command = machine.client("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "1024x768x24", "-nolisten", "tcp"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let spawned = command.spawn();
        let mut server = spawned.unwrap_or_else(|fault| {
            panic!("Xvfb cannot be started: {fault}. It is in the Debian package xvfb; see integration/packages")
        });
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        let screen = Self { server, display: format!(":{}", number.trim()) };
        assert!(screen.display.len() > 1, "Xvfb found no free display");
        screen
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ended_before = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Sylpheed with one account, a mail folder in MH's form, and one authority besides the system's.
struct Sylpheed<'machine> {
    machine: &'machine Machine,
    screen: Screen,
}

impl<'machine> Sylpheed<'machine> {
    fn set_up(machine: &'machine Machine, way: Way, name: &str, authority: &Path, delete: bool) -> Self {
        let (port, password, mail) = (machine.port(way), &machine.person.password, machine.kept());
        let (tls, delete) = (if way == Way::Pop3s { 1 } else { 2 }, u8::from(delete));
        fs::create_dir(mail.join("inbox")).unwrap();
        machine.write("sylpheed/certs.crt", &fs::read_to_string(authority).unwrap());
        machine.write("sylpheed/sylpheedrc", "[Common]\nauto_update_check=0\n");
        machine.write(
            "sylpheed/folderlist.xml",
            &format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<folderlist><folder type=\"mh\" name=\"Mailbox\" \
                 path=\"{}\"><folderitem type=\"inbox\" name=\"inbox\" path=\"inbox\"/></folder></folderlist>\n",
                mail.display()
            ),
        );
        machine.write(
            "sylpheed/accountrc",
            &format!(
                "[Account: 1]\naccount_name=test\nis_default=1\nname=Reader\naddress=reader@renovations.example\n\
                 protocol=0\nreceive_server=localhost\nuser_id={name}\npassword={password}\n\
                 inbox=#mh/Mailbox/inbox\nremove_mail={delete}\nmessage_leave_time=0\nget_all_mail=0\n\
                 receive_at_get_all=1\nfilter_on_receive=0\nssl_pop={tls}\nset_popport=1\npop_port={port}\n"
            ),
        );
        Self { machine, screen: Screen::open(machine) }
    }

    fn command(&self, action: &str) -> Command {
        let mut command = self.machine.client("sylpheed");
        command.env("DISPLAY", &self.screen.display);
        command.arg("--configdir").arg(self.machine.home().join("sylpheed")).arg(action).arg("--debug");
        command
    }

    fn start(&self) -> Running {
        self.machine.start(&mut self.command("--receive-all"), PACKAGE)
    }

    /// Lets it receive, and closes it when it has ended its so many-th connection.
    fn receive(&self, connections: usize) {
        let running = self.start();
        self.machine.service.wait_for_logs(&["connection ended"], connections);
        wait_until("Sylpheed has stored what it received", || running.told().contains("inc_finished:"));
        let _closing = self.command("--exit").stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        let ended = running.ended();
        assert!(ended.status.success(), "{}", ended.told);
    }
}

/// Messages are files whose names are numbers; everything is as it was sent, but for the line ends of files.
fn compare_kept(machine: &Machine, letters: &[Letter]) {
    let files = fs::read_dir(machine.kept().join("inbox")).unwrap().map(|file| file.unwrap().path());
    let numbered = files.filter(|file| file.file_name().unwrap().to_string_lossy().parse::<u32>().is_ok());
    compare(numbered.map(|file| fs::read(file).unwrap()).collect(), letters, with_line_feeds);
}

/// Receives all, twice: the second time nothing is new.
fn keeps(short_name: &str, name: &str, way: Way) {
    let letters = all_but(&LEFT_OUT);
    let machine = Machine::with(short_name, &letters);
    let sylpheed = Sylpheed::set_up(&machine, way, name, &machine.authority(), false);
    machine.fetched_twice(way, "retr", |connections| {
        sylpheed.receive(connections);
        compare_kept(&machine, &letters);
    });
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
fn deletes_what_it_stored() {
    for way in [Way::Pop3s, Way::Stls] {
        let letters = all_but(&LEFT_OUT);
        let machine = Machine::with("alamb", &letters);
        let log = machine.emptied(way, || {
            Sylpheed::set_up(&machine, way, "alamb", &machine.authority(), true).receive(1);
            compare_kept(&machine, &letters);
        });
        assert!(log.contains("reason=\"quit\""), "{log}");
    }
}

/// It asks its user what to do, which nobody answers here.
#[test]
fn a_strange_authority_is_not_trusted() {
    for way in [Way::Pop3s, Way::Stls] {
        let machine = Machine::with("alamb", &all_but(&LEFT_OUT));
        let sylpheed = Sylpheed::set_up(&machine, way, "alamb", &machine.strangers_authority(), false);
        let running = sylpheed.start();
        wait_until("Sylpheed complains", || running.told().contains("SSL certificate verify failed"));
        drop(running);
        machine.expect_no_login();
    }
}
