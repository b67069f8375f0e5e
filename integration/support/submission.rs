//! Sending mail: a real slapd, Restante with the sockets of the guide, and real clients and mail transfer agents with the
//! guide's configuration. The system's own configuration and queues are not touched.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use restante::demo::people;
use rustix::process::geteuid;

use super::dovecot::{MAIL, hand_over};
use super::process::{output, program};
use super::service::{Plan, Service, Site};
use super::slapd::Slapd;
use super::stage::PASSWORD;

const GUIDE: &str = include_str!("../../config/guide/submission.md");

/// Where the sockets of the guide are.
const SOCKETS: &str = "/run/restante-mta";

/// `ajones` by common name, who sends the mail in most tests.
pub const ALAN: (&str, &str) = ("Alan Jones", PASSWORD);

/// The address of `ajones`.
pub const ALANS: &str = "alan.jones@renovations.example";

/// `alamb`, who gets it.
pub const LAMB: (&str, &str) = ("Alan Lamb", "seven green lamps");

/// The address of `alamb`.
pub const LAMBS: &str = "alan.lamb@renovations.example";

/// A directory, and Restante that answers mail transfer agents. Mail belongs to the user `mail`.
pub struct Sending {
    pub service: Service,
    pub site: Site,
    pub slapd: Slapd,
}

/// The first piece of a language in the guide.
pub fn piece(language: &str) -> String {
    let (_, piece) = GUIDE.split_once(&format!("```{language}\n")).unwrap();
    piece.split("```").next().unwrap().to_owned()
}

impl Sending {
    /// Serves with the sockets of the guide, which belong to a group, and further lines of configuration. A line may
    /// replace the guide's.
    pub fn to_group(group: u32, further: &str) -> Self {
        assert!(geteuid().is_root(), "Postfix and Exim run as root only: their tests need root");
        let (slapd, site) = (Slapd::start(people::LDIF), Site::new());
        hand_over(&site);
        let sockets = site.folder().join("mta");
        fs::create_dir(&sockets).unwrap();
        chown(&sockets, Some(MAIL), Some(group)).unwrap();
        // install -d -o restante -g postfix -m 2750
        fs::set_permissions(&sockets, Permissions::from_mode(0o2750)).unwrap();
        let mut plan = Plan::at(&super::directory::RealDirectory::url(&slapd)).and("user: mail");
        let of_guide = piece("yaml");
        let is_replaced = |line: &&str| further.contains(line.split(':').next().unwrap());
        of_guide.lines().filter(|line| !is_replaced(line)).for_each(|line| plan.further += &[line, "\n"].concat());
        plan.further.push_str(further);
        if !further.contains("refusal_step") {
            plan.further.push_str("\nrefusal_step: 0s\n");
        }
        if further.contains("# count") {
            "person: 3, network: 0".clone_into(&mut plan.lockout);
        }
        plan.further = adapted(&site, &plan.further);
        Self { service: site.serve(&plan), site, slapd }
    }

    /// A socket of the guide.
    pub fn socket(&self, name: &str) -> PathBuf {
        self.site.folder().join("mta").join(name)
    }

    /// A text with the paths of this site.
    pub fn adapted(&self, text: &str) -> String {
        adapted(&self.site, text)
    }

    /// A piece of the guide, with the paths of this site and the user who owns the mail here.
    pub fn piece(&self, language: &str) -> String {
        self.adapted(&piece(language)).replace("user=restante", "user=mail").replace("user = restante", "user = mail")
    }
}

fn adapted(site: &Site, text: &str) -> String {
    text.replace(SOCKETS, &site.folder().join("mta").display().to_string())
}

/// What a mail program sends.
pub struct Submission<'a> {
    pub login: Option<(&'a str, &'a str)>,
    pub mechanism: &'a str,
    pub from: &'a str,
    pub to: &'a str,
    pub text: &'a str,
}

impl Default for Submission<'_> {
    /// Alan Jones writes to Alan Lamb.
    fn default() -> Self {
        Self { login: Some(ALAN), mechanism: "plain", from: ALANS, to: LAMBS, text: "hello" }
    }
}

impl Submission<'_> {
    /// Sends it by msmtp(1) under STARTTLS; if the server refuses, what it said.
    pub fn send(&self, server: SocketAddr, authority: &Path) -> Result<(), String> {
        let Self { login, mechanism, from, to, text } = self;
        let mut msmtp = program("msmtp");
        msmtp.env("HOME", "/nonexistent").args(["--host=127.0.0.1", "--tls=on", "--tls-starttls=on"]);
        msmtp.arg(format!("--port={}", server.port())).arg("--tls-host-override=localhost");
        msmtp.arg(format!("--tls-trust-file={}", authority.display())).arg(format!("--from={from}"));
        if let Some((name, password)) = login {
            msmtp.arg(format!("--auth={mechanism}")).arg(format!("--user={name}"));
            msmtp.arg(format!("--passwordeval=printf %s '{password}'"));
        }
        let message = format!("From: {from}\nTo: {to}\nSubject: sent\n\n{text}\n");
        let done = output(msmtp.arg(to), &message);
        let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
        if done.status.success() { Ok(()) } else { Err(said) }
    }

    /// The server refuses it with these words.
    pub fn refused(&self, server: SocketAddr, authority: &Path, words: &[&str]) {
        let said = self.send(server, authority).expect_err("refused");
        assert!(words.iter().all(|word| said.contains(word)), "{words:?} in {said}");
    }
}
