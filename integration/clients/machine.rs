//! A machine with mail on it: slapd, Restante, one person's maildrop, and a home for the client that fetches it.

use std::fs::{self, File, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use restante::demo::authority::Authority;
use restante::demo::people::{self, DemoPerson, LDIF};

use super::letters::{Letter, wire};
use crate::support::directory::RealDirectory;
use crate::support::service::{Plan, Service, Site};
use crate::support::slapd::Slapd;
use crate::support::{maildir, wait_until};

/// How a client comes to TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// TLS from the first octet.
    Pop3s,
    /// In clear, then STLS.
    Stls,
}

/// The servers and the client's home. Everything ends and is removed when dropped.
pub(super) struct Machine {
    // Restante goes first, the directory it asks last.
    pub(super) service: Service,
    site: Site,
    _slapd: Slapd,
    /// Whose maildrop it is.
    pub(super) person: DemoPerson,
}

/// A client that ended.
pub(super) struct Ended {
    /// How.
    pub(super) status: ExitStatus,
    /// What it wrote to its standard output.
    pub(super) output: Vec<u8>,
    /// What it wrote, for people to read.
    pub(super) told: String,
}

/// A client that runs; it is killed when dropped.
pub(super) struct Running {
    child: Child,
    name: String,
    output: PathBuf,
    errors: PathBuf,
}

impl Machine {
    /// With a person of the sample directory, and letters in the maildrop.
    pub(super) fn with(short_name: &str, letters: &[Letter]) -> Self {
        let (slapd, site) = (Slapd::start(LDIF), Site::new());
        let person = people::people().unwrap().into_iter().find(|person| person.short_name == short_name).unwrap();
        let files: Vec<(&str, &[u8])> = letters.iter().map(|letter| (&*letter.file, &*letter.disk)).collect();
        maildir::make(&site.maildir(short_name), &files);
        for folder in ["home", "home/tmp", "kept", "strangers"] {
            fs::create_dir(site.folder().join(folder)).unwrap();
        }
        fs::write(site.folder().join("strangers/ca.pem"), Authority::new().unwrap().pem()).unwrap();
        let service = site.serve(&Plan::at(&slapd.url()));
        Self { service, site, _slapd: slapd, person }
    }

    /// The certificate that the client shall trust: ours.
    pub(super) fn authority(&self) -> PathBuf {
        self.site.authority()
    }

    /// A certificate that did not sign the server's: who trusts it alone must not log in.
    pub(super) fn strangers_authority(&self) -> PathBuf {
        self.site.folder().join("strangers/ca.pem")
    }

    /// The configuration of Restante.
    pub(super) fn configuration(&self) -> PathBuf {
        self.site.folder().join("restante.yaml")
    }

    /// The client's `$HOME`.
    pub(super) fn home(&self) -> PathBuf {
        self.site.folder().join("home")
    }

    /// An empty folder for what the client keeps.
    pub(super) fn kept(&self) -> PathBuf {
        self.site.folder().join("kept")
    }

    /// The files in [`Self::kept`], or in a folder of it.
    pub(super) fn kept_files(&self, part: &str) -> Vec<Vec<u8>> {
        let files = fs::read_dir(self.kept().join(part)).unwrap().map(|file| file.unwrap().path());
        files.filter(|path| path.is_file()).map(|path| fs::read(path).unwrap()).collect()
    }

    /// Names and octets of all that is in the maildrop.
    pub(super) fn maildrop(&self) -> Vec<(String, Vec<u8>)> {
        let at = self.site.maildir(&self.person.short_name);
        let names = maildir::names(&at);
        names.into_iter().map(|name| (name.clone(), fs::read(at.join(name)).unwrap())).collect()
    }

    /// Lets a client fetch everything and leave it, twice: the second time nothing is new. The client is told which time it
    /// is, and fetches by the command of that counter in the log. Gives the log of both connections.
    pub(super) fn fetched_twice(&self, way: Way, counter: &str, mut fetch: impl FnMut(usize)) -> Vec<String> {
        let before = self.maildrop();
        for time in [1, 2] {
            fetch(time);
        }
        let log = self.connections(2, way);
        assert!(log[0].contains(&format!(" {counter}={} ", before.len())), "{log:#?}");
        assert!(log[1].contains(&format!(" {counter}=0 ")), "{log:#?}");
        assert_eq!(self.maildrop(), before);
        log
    }

    /// Lets a client take everything away in one connection; gives the log of it.
    pub(super) fn emptied(&self, way: Way, fetch: impl FnOnce()) -> String {
        let letters = self.maildrop().len();
        fetch();
        assert!(self.maildrop().is_empty());
        let log = self.connections(1, way).remove(0);
        assert!(log.contains(&format!(" dele={letters} ")), "{log}");
        log
    }

    /// The port for one way.
    pub(super) fn port(&self, way: Way) -> u16 {
        match way {
            Way::Pop3s => self.service.pop3s().port(),
            Way::Stls => self.service.pop3().port(),
        }
    }

    /// Writes a file of the client's home that its owner alone may read.
    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// A shell script that takes one message and keeps it, for clients that hand mail to a program.
    pub(super) fn delivery(&self) -> String {
        format!("cat > $(mktemp {}/XXXXXXXX)", self.kept().display())
    }

    /// A command that sees nothing of the account it runs in.
    pub(super) fn client(&self, program: &str) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command.env_clear().env("PATH", format!("/usr/bin:/bin:{path}")).env("LANG", "C.UTF-8");
        command.env("HOME", self.home()).env("TMPDIR", self.home().join("tmp")).current_dir(self.home());
        command
    }

    /// Starts a client of a Debian package.
    pub(super) fn start(&self, command: &mut Command, package: &str) -> Running {
        let name = command.get_program().to_string_lossy().into_owned();
        let (output, errors) = (self.site.folder().join("output"), self.site.folder().join("errors"));
        command.stdin(Stdio::null()).stdout(File::create(&output).unwrap()).stderr(File::create(&errors).unwrap());
        match command.spawn() {
            Ok(child) => Running { child, name, output, errors },
            Err(fault) if fault.kind() == ErrorKind::NotFound => {
                panic!("{name} is not here. It is in the Debian package {package}; see integration/packages")
            }
            Err(fault) => panic!("{name} cannot be started: {fault}"),
        }
    }

    /// Runs a client of a Debian package to its end, which must be a good one.
    pub(super) fn run(&self, command: &mut Command, package: &str) -> Ended {
        let ended = self.start(command, package).ended();
        assert!(ended.status.success(), "{command:?}: {}\n{}", ended.status, ended.told);
        ended
    }

    /// Runs a client that must refuse the server's certificate, and tell it no password. Whether it ends well is its own
    /// affair: S-nail goes on without a mailbox.
    pub(super) fn run_in_vain(&self, command: &mut Command, package: &str) {
        let ended = self.start(command, package).ended();
        assert!(ended.told.to_lowercase().contains("certificate"), "{command:?} does not complain\n{}", ended.told);
        self.expect_no_login();
    }

    /// Waits for the end of a connection without a person; no login may have been tried before.
    pub(super) fn expect_no_login(&self) {
        self.service.wait_for_log(&["connection ended"]);
        let log = self.service.log();
        assert!(!log.iter().any(|line| line.contains(" login")), "{log:#?}");
    }

    /// What the log says of the end of the person's connections, of which there must be so many by now; every one was
    /// protected, and came by the way that was meant.
    pub(super) fn connections(&self, count: usize, way: Way) -> Vec<String> {
        let person = format!("person=\"{}\"", self.person.short_name);
        let lines = self.service.wait_for_logs(&["connection ended", &person], count);
        assert_eq!(lines.len(), count, "{lines:#?}");
        let port = format!(":{}\" tls=\"TLS 1.3\"", self.port(way));
        assert!(lines.iter().all(|line| line.contains(&port)), "{lines:#?}");
        lines
    }
}

impl Running {
    /// Waits for the end.
    pub(super) fn ended(mut self) -> Ended {
        let mut status = None;
        wait_until(&format!("{} ends", self.name), || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        Ended { status: status.unwrap(), output: fs::read(&self.output).unwrap(), told: self.told() }
    }

    /// What it wrote so far.
    pub(super) fn told(&self) -> String {
        let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        format!("{}\n{}", read(&self.output), read(&self.errors))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended_before = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {}\n{}\n---", self.name, self.told());
        }
    }
}

/// The letters as RETR sends them.
pub(super) fn sent(letters: &[Letter]) -> Vec<Vec<u8>> {
    letters.iter().map(|letter| wire(&letter.disk)).collect()
}

/// Compares what a client kept, in whatever order, with the letters as this client keeps them.
pub(super) fn compare(mut kept: Vec<Vec<u8>>, letters: &[Letter], keeps: impl Fn(&[u8]) -> Vec<u8>) {
    for letter in letters {
        let expected = keeps(&wire(&letter.disk));
        let Some(at) = kept.iter().position(|octets| *octets == expected) else {
            let like =
                kept.iter().find(|octets| String::from_utf8_lossy(octets).contains(&format!("<{}@", letter.name)));
            let like = like.map_or_else(|| "nothing like it".to_owned(), |octets| shown(octets));
            panic!("{} should be kept as\n{}\nkept is\n{like}", letter.name, shown(&expected))
        };
        kept.swap_remove(at);
    }
    assert!(kept.is_empty(), "nobody sent\n{}", kept.iter().map(|octets| shown(octets)).collect::<String>());
}

/// The beginning and the end of a message, readable.
fn shown(octets: &[u8]) -> String {
    let end = &octets[octets.len().saturating_sub(500)..];
    format!("{} octets, the last of them \"{}\"", octets.len(), end.escape_ascii())
}

/// Line ends as on Unix: what a client does that stores mail in files with LF. Nothing but the CR of a CRLF goes.
pub(super) fn with_line_feeds(octets: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(octets.len());
    for octet in octets {
        if *octet == b'\n' && kept.last() == Some(&b'\r') {
            kept.pop();
        }
        kept.push(*octet);
    }
    kept
}

/// Takes so many lines off the front, which must begin like this: header lines that a client adds.
pub(super) fn without_lines(octets: &[u8], beginnings: &[&str]) -> Vec<u8> {
    let mut rest = octets;
    for beginning in beginnings {
        assert!(rest.starts_with(beginning.as_bytes()), "no {beginning:?} in front of {}", shown(octets));
        let end = rest.iter().position(|octet| *octet == b'\n').unwrap();
        rest = &rest[end + 1..];
    }
    rest.to_vec()
}
