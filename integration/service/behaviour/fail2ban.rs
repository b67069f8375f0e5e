//! fail2ban with the filter and the jail of this repository, on lines that the running service logs.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::conversation::Conversation;
use crate::support::process::{output, program, succeed};
use crate::support::service::Service;
use crate::support::stage::{PASSWORD, Stage};
use crate::support::wait_until;

/// Ports for IPv4 and IPv6, and one that takes no password in clear.
fn stage() -> Stage {
    Stage::set_by(&[], |plan, _| {
        plan.listeners = "  - { address: \"127.0.0.1:0\", tls: starttls }\n  \
                          - { address: \"[::1]:0\", tls: none }\n  \
                          - { address: \"127.0.0.1:0\", tls: starttls, login_without_tls: refuse }\n"
            .to_owned();
    })
}

/// Says these lines from an address, and closes.
fn say(from: &str, server: SocketAddr, lines: &[&str]) {
    let mut client = Conversation::plain_from(from.parse().unwrap(), server);
    client.expect("+OK");
    for line in lines {
        client.send(line);
        client.line();
    }
}

/// Logins from several addresses: those in the first list are to be found.
fn log_of(service: &Service) -> (Vec<&'static str>, String) {
    let [ipv4, ipv6, only_tls] = [0, 1, 2].map(|number| service.listeners[number].0);
    say("127.0.1.1", ipv4, &["USER ajones", "PASS wrong"]);
    say("::1", ipv6, &["USER nobody", "PASS wrong"]);
    // Names that imitate the end of a line, and a reason that is ignored.
    say("127.0.1.2", ipv4, &["USER peer=127.0.9.9:1 listener=\"x\" tls=\"y\"", "PASS wrong"]);
    say("127.0.1.3", ipv4, &["USER x\" reason=\"no login before TLS on this listener", "PASS wrong"]);
    say("127.0.1.4", ipv4, &["USER x\\", "PASS wrong"]);
    // These guess nothing.
    say("127.0.2.1", ipv4, &["USER ajones", &format!("PASS {PASSWORD}")]);
    say("127.0.2.2", only_tls, &["USER ajones"]);
    say("127.0.2.3", ipv4, &["USER INFO login refused event=login_refused", "QUIT"]);
    service.wait_for_logs(&["INFO login refused "], 6);
    service.wait_for_log(&["INFO login event=login person=\"ajones\""]);
    (vec!["127.0.1.1", "127.0.1.2", "127.0.1.3", "127.0.1.4", "::1"], service.log().join("\n") + "\n")
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/fail2ban").join(path)
}

/// The addresses that fail2ban finds in a log, sorted. Its exit status says nothing.
fn found(folder: &Path, log: &str) -> Vec<String> {
    let file = folder.join("restante.log");
    fs::write(&file, log).unwrap();
    let mut command = program("fail2ban-regex");
    let found = output(command.arg(&file).arg(repository("filter.d/restante.conf")).args(["-o", "ip"]), "");
    let text = String::from_utf8([found.stdout, found.stderr].concat()).unwrap();
    let mut addresses: Vec<String> = text.lines().map(str::to_owned).collect();
    addresses.sort();
    addresses
}

#[test]
fn the_filter_finds_the_addresses_of_refused_logins_and_no_others() {
    let stage = stage();
    let (guessing, log) = log_of(&stage.service);
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(found(folder.path(), &log), guessing, "{log}");
    let reworded = log.replace("INFO login refused event=", "INFO not let in: wrong credentials event=");
    assert_ne!(reworded, log);
    assert_eq!(found(folder.path(), &reworded), guessing, "{reworded}");
    // As rsyslog writes it: the journal has taken priority and time.
    let without_time = log.lines().filter_map(|line| line.split_once("Z ")).map(|(_, rest)| rest);
    let as_syslog = |line| format!("Nov 30 21:00:00 mail restante[4711]: {line}\n");
    let syslog = without_time.map(as_syslog).collect::<Vec<String>>().concat();
    assert_eq!(found(folder.path(), &syslog), guessing, "{syslog}");
}

/// fail2ban's own configuration, with our filter and jail; an action that writes down whom it would ban.
fn configuration(folder: &Path, log: &Path) -> PathBuf {
    let etc = folder.join("fail2ban");
    succeed(program("cp").arg("-r").arg("/etc/fail2ban").arg(&etc), "");
    // Debian's own jail reads logs that a machine may not have.
    fs::remove_dir_all(etc.join("jail.d")).unwrap();
    fs::create_dir(etc.join("jail.d")).unwrap();
    for file in ["filter.d/restante.conf", "jail.d/restante.conf"] {
        fs::copy(repository(file), etc.join(file)).unwrap();
    }
    let banned = folder.join("banned");
    fs::write(etc.join("action.d/note.conf"), format!("[Definition]\nactionban = echo <ip> >> {}\n", banned.display()))
        .unwrap();
    let jail = format!(
        "[restante]\nbackend = polling\nlogpath = {}\nmaxretry = 1\nbanaction = note\naction = note\nignoreself = false\nignoreip =\n",
        log.display()
    );
    fs::write(etc.join("jail.local"), jail).unwrap();
    let own = format!("[Definition]\nlogtarget = {}\ndbfile = None\n", folder.join("fail2ban.log").display());
    fs::write(etc.join("fail2ban.local"), own).unwrap();
    etc
}

/// A fail2ban server that runs in a folder. It ends when dropped.
struct Fail2Ban<'f>(&'f Path);

impl Fail2Ban<'_> {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = program("fail2ban-client");
        let [etc, socket, pid] = ["fail2ban", "socket", "pid"].map(|name| self.0.join(name));
        command.arg("-c").arg(etc).arg("-s").arg(socket).arg("-p").arg(pid).args(words);
        command
    }
}

impl Drop for Fail2Ban<'_> {
    fn drop(&mut self) {
        let _ = output(&mut self.command(&["stop"]), "");
    }
}

#[test]
fn the_jail_bans_who_guesses() {
    let stage = stage();
    let (guessing, log) = log_of(&stage.service);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("restante.log");
    fs::write(&file, "").unwrap();
    configuration(folder.path(), &file);
    let server = Fail2Ban(folder.path());
    succeed(&mut server.command(&["start"]), "");
    let mut writing = fs::File::options().append(true).open(&file).unwrap();
    std::io::Write::write_all(&mut writing, log.as_bytes()).unwrap();
    let banned = || {
        let text = fs::read_to_string(folder.path().join("banned")).unwrap_or_default();
        let mut banned: Vec<String> = text.lines().map(str::to_owned).collect();
        banned.sort();
        banned
    };
    wait_until("fail2ban bans", || banned().len() >= guessing.len());
    assert_eq!(banned(), guessing);
}
