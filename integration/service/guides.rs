//! The guides that begin beside another program, each followed word by word on a machine of its own: a Debian with this
//! machine's packages, booted by systemd. Nothing is replaced but what stands before a guide's first step: the test lays
//! out what the guide takes for granted, such as the directory.

mod active_directory;
mod backup;
mod courier;
mod directory_server_389;
mod openldap;
mod sending;
mod steps;
mod upgrading;

use std::fs;
use std::path::Path;

use restante::demo::authority::Authority;
use tempfile::TempDir;

use self::steps::{Guide, Step};
use crate::support::machine::DebianMachine;

/// The password of the directory's administrator on all of these machines.
const ADMINISTRATOR: &str = "Directory manager 1";

/// The names under which the guides reach their servers, which are all this one machine.
const HOSTS: &str =
    "127.0.0.1 localhost pop.example.org ldap1.example.org dc1.example.org mx.example.org old.example.org";

/// Restante as the README installs it: steps 1, 2 and 4 of "Serve your own mail", with the certificate for mail programs.
const INSTALLED: &str = "
cp /shelf/ca.pem /usr/local/share/ca-certificates/example.crt && update-ca-certificates > /dev/null 2>&1
ln -s /shelf/restante /usr/local/bin/restante
useradd --system --user-group --no-create-home --shell /usr/sbin/nologin restante
install -d -o root -g restante -m 0750 /etc/restante
install -d -o restante -g restante -m 0700 /srv/mail
install -o restante -g restante -m 0400 /shelf/server.key /etc/restante/privkey.pem
install -m 0644 /shelf/server.pem /etc/restante/fullchain.pem
cp /shelf/restante.service /etc/systemd/system
systemctl daemon-reload
";

/// The configuration of a service that a guide takes for granted.
const CONFIGURATION: &str = r#"hostname: pop.example.org
listeners:
  - { address: "[::]:110", tls: starttls, login_without_tls: refuse }
  - { address: "[::]:995", tls: implicit }
tls: { certificates: [{ chain: fullchain.pem, key: privkey.pem }] }
directories:
  - { name: example, urls: ["ldapi://%2Frun%2Fslapd%2Fldapi"], base: "ou=people,dc=example,dc=org" }
mailboxes: { root: /srv/mail, path: "{short_name}/Maildir" }
admin: { socket: /run/restante/admin.sock, mode: "0660" }
"#;

/// A machine on which a guide is followed.
struct Follower {
    machine: DebianMachine,
    shelf: TempDir,
    /// What is typed when a command asks for a password.
    typed: &'static str,
}

impl Follower {
    /// Boots a machine with Restante installed, but not configured. `/shelf` has `ca.pem`, and `server.pem` with
    /// `server.key` for all [`HOSTS`].
    fn new() -> Self {
        let (shelf, repository) = (tempfile::tempdir().unwrap(), Path::new(env!("CARGO_MANIFEST_DIR")));
        let authority = Authority::new().unwrap();
        let names: Vec<&str> = HOSTS.split(' ').skip(1).collect();
        authority.certify(&names).unwrap().write(shelf.path(), "server").unwrap();
        fs::write(shelf.path().join("ca.pem"), authority.pem()).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_restante"), shelf.path().join("restante")).unwrap();
        fs::copy(repository.join("config/restante.service"), shelf.path().join("restante.service")).unwrap();
        let machine = DebianMachine::like_this(shelf.path());
        machine.succeeds(&format!("set -e; echo '{HOSTS}' > /etc/hosts; hostname pop.example.org; {INSTALLED}"));
        Self { machine, shelf, typed: ADMINISTRATOR }
    }

    /// Configures and starts the service in front of a slapd on this machine, with further lines of configuration.
    fn serve(&self, further: &str) {
        openldap::start_slapd(self, openldap::PEOPLE);
        self.write("/etc/restante/restante.yaml", &format!("{CONFIGURATION}{further}"));
        self.succeeds("chgrp restante /etc/restante/restante.yaml; chmod 0640 /etc/restante/restante.yaml; systemctl start restante");
    }

    /// Runs a script that must succeed, before or after the guide; gives its output.
    fn succeeds(&self, script: &str) -> String {
        self.machine.succeeds(&format!("set -e; cd /root; {script}"))
    }

    /// Delivers one message, as a delivery agent of the service's own user does.
    fn deliver(&self, person: &str, name: &str, subject: &str) {
        self.succeeds(&format!(
            "umask 077; cd /srv/mail; mkdir -p {person}/Maildir/{{new,cur,tmp}};
             printf 'From: grace@example.net\\nSubject: {subject}\\n\\nWelcome.\\n' > {person}/Maildir/new/{name};
             chown -R restante:restante {person}"
        ));
    }

    /// Follows a whole guide.
    fn follow(&self, guide: &Guide) {
        self.follow_steps(&guide.steps);
    }

    /// Follows some steps of a guide, in its order.
    fn follow_steps(&self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::File { path, text } => self.write(path, text),
                Step::Script(script) => drop(self.run(script)),
                Step::Session(commands) => {
                    for (command, shown) in commands {
                        let printed = self.print(command);
                        assert!(steps::is_shown(&printed, shown), "$ {command}\nprints\n{printed}\nnot\n{shown}");
                    }
                }
            }
        }
    }

    /// Writes a file, as an administrator does who is in the directory `/root`. An existing one keeps owner and mode.
    fn write(&self, path: &str, text: &str) {
        let written = self.machine.runs(&format!("cd /root && cat > '{path}'"), text);
        assert!(written.status.success(), "{path}: {}", String::from_utf8_lossy(&written.stderr));
    }

    /// Runs a script that must succeed; a question for a password is answered.
    fn run(&self, script: &str) -> String {
        let ended = self.machine.runs(&format!("set -euo pipefail; cd /root; {script}"), &format!("{}\n", self.typed));
        let told = [ended.stdout, ended.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned()).concat();
        assert!(ended.status.success(), "{script}\nends with {}:\n{told}", ended.status);
        told
    }

    /// Everything that a command prints, whether it succeeds or not.
    fn print(&self, command: &str) -> String {
        let ended = self.machine.runs(&format!("exec 2>&1; cd /root; {command}"), &format!("{}\n", self.typed));
        String::from_utf8_lossy(&ended.stdout).replace('\r', "")
    }

    /// That the guide's configuration passes the check, too, with each of these ways to reach the directory instead of the
    /// line that it has.
    fn passes_the_check_with(&self, ways: &[String], line: &str) {
        let whole = self.succeeds("cat /etc/restante/restante.yaml");
        assert!(whole.contains(line) && !ways.is_empty());
        for way in ways {
            let lines = way.strip_prefix("directories:\n").unwrap().replacen("  - ", "    ", 1);
            self.write("/etc/restante/restante.yaml", &whole.replace(line, &lines));
            self.succeeds("restante check --config /etc/restante/restante.yaml");
        }
    }
}
