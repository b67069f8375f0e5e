//! Restante itself, as a process of its own with a folder of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

use restante::demo::authority::{Authority, SERVER_NAMES};
use restante::demo::people;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::conversation::Conversation;
use super::wait_until;

/// A folder with certificates, the service's password, a mail root, and room for a configuration.
pub struct Site {
    folder: TempDir,
}

/// The parts of a configuration that tests like to change; the rest is the same for all.
#[derive(Clone)]
pub struct Plan {
    /// The items of `listeners:`, indented by two.
    pub listeners: String,
    /// The items of `tls.certificates`, indented by four.
    pub certificates: String,
    /// Lines of `tls:` besides the server's certificate, indented by two.
    pub tls: String,
    /// Lines of the one directory, indented by four.
    pub directory: String,
    /// Lines of `mailboxes:` besides the root, indented by two.
    pub mailboxes: String,
    /// The keys of `lockout:`, in one line. Tests refuse hundreds of logins from one address, so nothing is counted unless
    /// a test wants it.
    pub lockout: String,
    /// Further sections, not indented.
    pub further: String,
}

/// A running Restante. It is killed when dropped.
pub struct Service {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    is_read: Arc<(Mutex<bool>, Condvar)>,
    reader: Option<JoinHandle<()>>,
    /// Address and `tls` of each listener, in the order of the configuration.
    pub listeners: Vec<(SocketAddr, String)>,
}

impl Plan {
    /// A port with STLS and one with TLS, and a directory at a URL, asked as the service's own entry.
    pub fn at(url: &str) -> Self {
        let (service, base) = (people::SERVICE, people::BASE);
        Self {
            listeners:
                "  - { address: \"127.0.0.1:0\", tls: starttls }\n  - { address: \"127.0.0.1:0\", tls: implicit }\n"
                    .to_owned(),
            certificates: "    - { chain: tls/server.pem, key: tls/server.key }\n".to_owned(),
            tls: String::new(),
            directory: format!(
                "    urls: [\"{url}\"]\n    bind: {{ dn: \"{service}\", password_file: ldap.password }}\n    base: \"{base}\"\n"
            ),
            mailboxes: "  path: \"{short_name}/Maildir\"\n".to_owned(),
            lockout: "person: 0, network: 0".to_owned(),
            further: String::new(),
        }
    }

    /// The same with further sections, such as `refusal_step: 0s`.
    pub fn and(mut self, further: &str) -> Self {
        self.further.push_str(further);
        self.further.push('\n');
        self
    }

    /// The whole file.
    pub fn yaml(&self) -> String {
        let Self { listeners, certificates, tls, directory, mailboxes, lockout, further } = self;
        format!(
            "hostname: mail.renovations.example\nlisteners:\n{listeners}tls:\n  certificates:\n{certificates}{tls}\
             directories:\n  - name: test\n{directory}mailboxes:\n  root: mail\n{mailboxes}lockout: {{ {lockout} }}\n{further}"
        )
    }
}

impl Site {
    /// Lays out certificates of a fresh authority, the password of the sample directory's service entry, an empty root.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new().unwrap();
        fs::create_dir(folder.path().join("tls")).unwrap();
        fs::create_dir(folder.path().join("mail")).unwrap();
        fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        authority.certify(&SERVER_NAMES).unwrap().write(&folder.path().join("tls"), "server").unwrap();
        fs::write(folder.path().join("ldap.password"), people::service_password().unwrap()).unwrap();
        Self { folder }
    }

    /// The folder, in which relative paths of the configuration begin.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The certificate that clients must trust, PEM.
    pub fn authority(&self) -> PathBuf {
        self.folder().join("ca.pem")
    }

    /// The mail root.
    pub fn root(&self) -> PathBuf {
        self.folder().join("mail")
    }

    /// The Maildir of a person under the default path.
    pub fn maildir(&self, short_name: &str) -> PathBuf {
        self.root().join(short_name).join("Maildir")
    }

    /// A command of ours, of one word or more, with the configuration of this folder.
    pub fn command(&self, words: &[&str]) -> Command {
        let (first, rest) = words.split_first().unwrap();
        let mut command = restante();
        command.arg(first).arg("--config").arg(self.folder().join("restante.yaml")).args(rest);
        command
    }

    /// Writes the configuration and serves it.
    pub fn serve(&self, plan: &Plan) -> Service {
        self.serve_by(plan, |_| {})
    }

    /// The same for a whole file.
    pub fn serve_yaml(&self, yaml: &str) -> Service {
        let file = self.folder().join("restante.yaml");
        fs::write(&file, yaml).unwrap();
        let mut command = restante();
        command.args(["serve", "--config"]).arg(&file);
        Service::start(&mut command, yaml.matches("- { address:").count())
    }

    /// The same, with the command changed before it is run.
    pub fn serve_by(&self, plan: &Plan, change: impl FnOnce(&mut Command)) -> Service {
        let listeners = plan.listeners.matches("address:").count();
        self.serve_file("restante.yaml", &plan.yaml(), listeners, change)
    }

    /// The same from a file of another name, since several nodes may have one folder, and one mail root.
    /// `listeners`: how many it has.
    pub fn serve_file(&self, name: &str, yaml: &str, listeners: usize, change: impl FnOnce(&mut Command)) -> Service {
        let file = self.folder().join(name);
        fs::write(&file, yaml).unwrap();
        let mut command = restante();
        command.args(["serve", "--config"]).arg(&file);
        change(&mut command);
        Service::start(&mut command, listeners)
    }
}

/// The program under test.
pub fn restante() -> Command {
    Command::new(env!("CARGO_BIN_EXE_restante"))
}

impl Service {
    fn start(command: &mut Command, listeners: usize) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (log, lines) = (Arc::default(), BufReader::new(child.stderr.take().unwrap()).lines());
        let written: Arc<Mutex<Vec<String>>> = Arc::clone(&log);
        let is_read = Arc::new((Mutex::new(true), Condvar::new()));
        let may_read = Arc::clone(&is_read);
        let reader = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                written.lock().unwrap().push(line);
                let (is_read, changed) = &*may_read;
                drop(changed.wait_while(is_read.lock().unwrap(), |is_read| !*is_read).unwrap());
            }
        });
        let mut service = Self { child, log, is_read, reader: Some(reader), listeners: Vec::new() };
        wait_until("Restante listens", || {
            let ended = service.child.try_wait().unwrap();
            assert!(ended.is_none(), "Restante ended: {ended:?}\n{}", service.log().join("\n"));
            service.listeners = service.log().iter().filter_map(|line| listening(line)).collect();
            service.listeners.len() == listeners
        });
        service
    }

    /// The proportional set size of its process, in kB.
    pub fn memory(&self) -> u32 {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid())).unwrap();
        let line = rollup.lines().find(|line| line.starts_with("Pss:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// User and system time of its process, in seconds.
    pub fn cpu_seconds(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        let ticks: u32 = fields[11].parse::<u32>().unwrap() + fields[12].parse::<u32>().unwrap();
        f64::from(ticks) / 100.0
    }

    /// The first port with STLS.
    pub fn pop3(&self) -> SocketAddr {
        self.port("starttls")
    }

    /// The first port with TLS from the beginning.
    pub fn pop3s(&self) -> SocketAddr {
        self.port("implicit")
    }

    /// The first port of a kind.
    pub fn port(&self, tls: &str) -> SocketAddr {
        self.listeners.iter().find(|(_, kind)| kind == tls).expect("no such listener").0
    }

    /// A client in clear that has read the greeting.
    pub fn client(&self) -> Conversation {
        let mut client = Conversation::plain(self.pop3());
        client.expect("+OK");
        client
    }

    /// Somebody, logged in, in clear.
    pub fn session(&self, name: &str, password: &str) -> Conversation {
        let mut client = self.client();
        client.login(name, password);
        client
    }

    /// Process id, to look at it from outside.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops reading what it logs, or goes on with that.
    pub fn read_log(&self, is_read: bool) {
        *self.is_read.0.lock().unwrap() = is_read;
        self.is_read.1.notify_all();
    }

    /// Every line logged so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Waits for a line that holds all these words; gives it.
    pub fn wait_for_log(&self, words: &[&str]) -> String {
        self.wait_for_logs(words, 1).pop().unwrap()
    }

    /// Waits for so many lines that each hold all these words.
    pub fn wait_for_logs(&self, words: &[&str], count: usize) -> Vec<String> {
        let mut found = Vec::new();
        wait_until(&format!("{count} lines are logged with {words:?}"), || {
            found = self.log().into_iter().filter(|line| words.iter().all(|word| line.contains(word))).collect();
            found.len() >= count
        });
        found
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// SIGTERM, and how it ended.
    pub fn terminate(mut self) -> (ExitStatus, Vec<String>) {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// Waits for the end.
    pub fn ended(&mut self) -> (ExitStatus, Vec<String>) {
        let mut status = None;
        wait_until("Restante ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        (status.unwrap(), self.log())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ended_before = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- log of Restante\n{}\n---", self.log().join("\n"));
        }
    }
}

/// `… event=listening address="127.0.0.1:40001" tls="implicit"`, or
/// `…"message":"listening","address":"127.0.0.1:40001","tls":"implicit"}`
fn listening(line: &str) -> Option<(SocketAddr, String)> {
    let plain = line.replace("\",\"", " ").replace("\":\"", "=").replace(['"', '}'], "");
    let (_, rest) = plain.split_once("listening address=")?;
    let (address, tls) = rest.split_once(" tls=")?;
    Some((address.parse().ok()?, tls.to_owned()))
}
