//! A real slapd: Debian's, in a folder and on ports of its own.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use restante::demo::authority::{Authority, SERVER_NAMES};
use restante::demo::{ldif, people};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use tempfile::TempDir;

use super::ports::Port;
use super::wait_until;

const SCHEMAS: [&str; 4] = ["core", "cosine", "nis", "inetorgperson"];
const ADMIN_PASSWORD: &str = "admin of the tests";

/// How a slapd is set up, where that matters to a test.
#[derive(Default)]
pub struct Options {
    /// Seconds after which idle connections are closed; 0 for never.
    pub idle_timeout: u32,
    /// The most entries a search gives; 0 for no limit.
    pub size_limit: u32,
    /// Whether anybody may search, even without a bind; else only the service's entry may.
    pub anybody_reads: bool,
    /// Attributes that nobody may read, separated by commas.
    pub hidden: String,
    /// Further lines of `slapd.conf(5)` that hold for the whole server.
    pub global: String,
    /// Further lines of `slapd.conf(5)`, for the database.
    pub further: String,
}

/// A running slapd with one database. It ends, and its folder with it, when dropped.
pub struct Slapd {
    folder: TempDir,
    suffix: String,
    plain: Port,
    tls: Port,
    child: Option<Child>,
}

impl Slapd {
    /// Starts one with entries, whose first is the database's suffix, and waits until it answers.
    pub fn start(entries: &str) -> Self {
        Self::start_with(entries, &Options::default())
    }

    /// The same, set up differently.
    pub fn start_with(entries: &str, options: &Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let suffix = ldif::parse(entries).unwrap()[0].dn.to_string();
        let (plain, tls) = (Port::take(), Port::take());
        let mut slapd = Self { folder, suffix, plain, tls, child: None };
        slapd.write_certificates();
        fs::create_dir(slapd.path("database")).unwrap();
        fs::write(slapd.path("slapd.conf"), slapd.configuration(options)).unwrap();
        slapd.load(entries);
        slapd.restart();
        slapd
    }

    /// `ldap://` with address and port.
    pub fn url(&self) -> String {
        format!("ldap://{}", self.plain.address())
    }

    /// `ldaps://` with a name that stands in the certificate, and the port.
    pub fn tls_url(&self) -> String {
        format!("ldaps://localhost:{}", self.tls.number())
    }

    /// `ldapi://` with the socket's path, percent-encoded.
    pub fn socket_url(&self) -> String {
        format!("ldapi://{}", self.path("ldapi").display().to_string().replace('/', "%2F"))
    }

    /// The certificate that clients must trust, PEM.
    pub fn authority(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// Starts it, if it does not run, on the ports it had before.
    pub fn restart(&mut self) {
        if self.child.is_some() {
            return;
        }
        let log = File::options().create(true).append(true).open(self.path("log")).unwrap();
        let urls = format!("{} ldaps://127.0.0.1:{} {}", self.url(), self.tls.number(), self.socket_url());
        let mut command = program("slapd");
        command.arg("-d0").arg("-f").arg(self.path("slapd.conf")).arg("-h").arg(urls);
        self.child = Some(run(command.stdout(Stdio::null()).stderr(log)));
        wait_until("slapd answers", || {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().unwrap());
            assert!(ended.is_none(), "slapd ended: {}", self.log());
            TcpStream::connect(self.plain.address()).is_ok() && TcpStream::connect(self.tls.address()).is_ok()
        });
    }

    /// Ends it in good order; its connections are closed, its ports refuse.
    pub fn stop(&mut self) {
        self.end(Signal::TERM);
    }

    /// Ends it at once, as a lost machine does.
    pub fn kill(&mut self) {
        self.end(Signal::KILL);
    }

    /// Lets it hang: connections are accepted by the kernel, nothing is answered. Returns when its last thread stands.
    pub fn freeze(&self) {
        let pid = self.signal(Signal::STOP);
        let (_, status) = waitpid(Some(pid), WaitOptions::UNTRACED).unwrap().unwrap();
        assert!(status.stopped(), "slapd ended instead of stopping: {}", self.log());
    }

    /// Lets it go on after [`Self::freeze`].
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Makes changes by `ldapmodify`, as the database's administrator; the text is LDIF with change records.
    pub fn modify(&self, changes: &str) {
        let admin = format!("cn=admin,{}", self.suffix);
        let mut command = program("ldapmodify");
        command.args(["-x", "-H", &self.url(), "-D", &admin, "-w", ADMIN_PASSWORD]);
        succeed(&mut command, changes);
    }

    /// The same, and what slapd keeps about an entry itself may be changed too.
    pub fn modify_anything(&self, changes: &str) {
        let admin = format!("cn=admin,{}", self.suffix);
        let mut command = program("ldapmodify");
        command.args(["-x", "-e", "relax", "-H", &self.url(), "-D", &admin, "-w", ADMIN_PASSWORD]);
        succeed(&mut command, changes);
    }

    /// What it wrote to its standard error.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn end(&mut self, signal: Signal) {
        let Some(mut child) = self.child.take() else { return };
        if child.try_wait().unwrap().is_some() {
            return;
        }
        for signal in [signal, Signal::CONT] {
            kill_process(Pid::from_child(&child), signal).unwrap();
        }
        child.wait().unwrap();
    }

    fn signal(&self, signal: Signal) -> Pid {
        let pid = Pid::from_child(self.child.as_ref().expect("slapd does not run"));
        kill_process(pid, signal).unwrap();
        pid
    }

    fn write_certificates(&self) {
        let authority = Authority::new().unwrap();
        fs::write(self.authority(), authority.pem()).unwrap();
        authority.certify(&SERVER_NAMES).unwrap().write(self.folder.path(), "server").unwrap();
    }

    fn load(&self, entries: &str) {
        let mut command = program("slapadd");
        succeed(command.arg("-q").arg("-f").arg(self.path("slapd.conf")), entries);
    }

    fn configuration(&self, options: &Options) -> String {
        let folder = self.folder.path().display();
        let mut text = String::new();
        for schema in SCHEMAS {
            writeln!(text, "include /etc/ldap/schema/{schema}.schema").unwrap();
        }
        let size_limit = if options.size_limit == 0 { "unlimited".to_owned() } else { options.size_limit.to_string() };
        let others = if options.anybody_reads { "read" } else { "none" };
        let (suffix, service) = (&self.suffix, people::SERVICE);
        let (global, further) = (&options.global, &options.further);
        let idle_timeout = options.idle_timeout;
        let hidden = match options.hidden.as_str() {
            "" => String::new(),
            attributes => format!("access to attrs={attributes} by * none"),
        };
        write!(
            text,
            r#"pidfile {folder}/pid
modulepath /usr/lib/ldap
moduleload back_mdb
idletimeout {idle_timeout}
sizelimit {size_limit}
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
{global}
database mdb
suffix "{suffix}"
rootdn "cn=admin,{suffix}"
rootpw "{ADMIN_PASSWORD}"
directory {folder}/database
maxsize 268435456
dbnosync
index objectClass,uid,mail,cn eq
access to attrs=userPassword by anonymous auth by * none
{hidden}
access to * by dn.exact="{service}" read by * {others}
{further}
"#
        )
        .unwrap();
        text
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A program of the directory's packages; the administrators' folders are searched too.
pub fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin:/sbin:/usr/bin")).env("LDAPNOINIT", "1");
    command
}

/// Starts a program, and says which package is missing if it is not there.
pub fn run(command: &mut Command) -> Child {
    let name = Path::new(command.get_program()).display().to_string();
    command.spawn().unwrap_or_else(|fault| {
        panic!("{name} cannot be started ({fault}). The packages these tests need stand in integration/packages")
    })
}

/// Runs a program to its end.
pub fn output(command: &mut Command, input: &str) -> Output {
    let mut child = run(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()));
    // One that ends before it has read everything tells why on its standard error.
    let _ended_early = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn succeed(command: &mut Command, input: &str) {
    let output = output(command, input);
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
