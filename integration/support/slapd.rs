//! A real slapd: Debian's, in a folder and on ports of its own.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use restante::demo::authority::{Authority, SERVER_NAMES};
use restante::demo::ldif::{self, LdifRecord};
use restante::demo::people;
use rustix::process::Signal;
use tempfile::TempDir;

use super::directory::{Administrator, RealDirectory, dn_of, replacement};
use super::overlays::{self, Overlay};
use super::ports::Port;
use super::process::{Daemon, succeed};
#[allow(unused_imports, reason = "not every test file runs programs of its own")]
pub use super::process::{output, program};

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
    /// Overlays of its database, in any order. The entries are then added while it runs, so that the overlays see them.
    pub overlays: &'static [Overlay],
    /// Further lines of `slapd.conf(5)` that hold for the whole server.
    pub global: String,
    /// Further lines of `slapd.conf(5)`, for the database.
    pub further: String,
}

/// A running slapd with one database. It ends, and its folder with it, when dropped.
pub struct Slapd {
    daemon: Daemon,
    folder: TempDir,
    entries: Vec<LdifRecord>,
    has_policy: bool,
    plain: Port,
    tls: Port,
}

impl Slapd {
    /// Starts one with entries, whose first is the database's suffix, and waits until it answers.
    pub fn start(entries: &str) -> Self {
        Self::start_with(entries, &Options::default())
    }

    /// The same, set up differently.
    pub fn start_with(entries: &str, options: &Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let daemon = Daemon::new("slapd", folder.path().join("log"));
        let (plain, tls) = (Port::take(), Port::take());
        let has_policy = options.overlays.contains(&Overlay::PasswordPolicy);
        let mut slapd = Self { daemon, folder, entries: ldif::parse(entries).unwrap(), has_policy, plain, tls };
        slapd.write_certificates();
        fs::create_dir(slapd.path("database")).unwrap();
        fs::write(slapd.path("slapd.conf"), slapd.configuration(options)).unwrap();
        if options.overlays.is_empty() {
            slapd.load(entries);
            slapd.restart();
        } else {
            slapd.restart();
            let (first, others) = entries.split_once("\n\n").unwrap();
            let policy = if slapd.has_policy { overlays::policy(slapd.suffix()) } else { String::new() };
            slapd.administrator().add(&format!("{first}\n\n{policy}\n{others}"));
        }
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
        let urls = format!("{} ldaps://127.0.0.1:{} {}", self.url(), self.tls.number(), self.socket_url());
        let mut command = program("slapd");
        command.arg("-d0").arg("-f").arg(self.path("slapd.conf")).arg("-h").arg(urls);
        self.daemon.start(&mut command, &[self.plain.address(), self.tls.address()]);
    }

    /// Ends it in good order; its connections are closed, its ports refuse.
    pub fn stop(&mut self) {
        self.daemon.end(Signal::TERM);
    }

    /// Ends it at once, as a lost machine does.
    pub fn kill(&mut self) {
        self.daemon.end(Signal::KILL);
    }

    /// Lets it hang: connections are accepted by the kernel, nothing is answered. Returns when its last thread stands.
    pub fn freeze(&self) {
        self.daemon.freeze();
    }

    /// Lets it go on after [`Self::freeze`].
    pub fn thaw(&self) {
        self.daemon.thaw();
    }

    /// Makes changes by `ldapmodify`, as the database's administrator; the text is LDIF with change records.
    pub fn modify(&self, changes: &str) {
        self.administrator().modify(changes);
    }

    /// The same, and what slapd keeps about an entry itself may be changed too.
    pub fn modify_anything(&self, changes: &str) {
        self.administrator().modify_relaxed(changes);
    }

    /// Shows another certificate from now on: the chain and its key, PEM.
    pub fn show(&mut self, chain: &str, key: &str) {
        self.stop();
        fs::write(self.path("server.pem"), chain).unwrap();
        fs::write(self.path("server.key"), key).unwrap();
        self.restart();
    }

    /// What it wrote to its standard error.
    pub fn log(&self) -> String {
        self.daemon.log()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn suffix(&self) -> &str {
        self.entries[0].dn.as_str()
    }

    fn administrator(&self) -> Administrator {
        Administrator {
            url: self.url(),
            dn: format!("cn=admin,{}", self.suffix()),
            password: ADMIN_PASSWORD.to_owned(),
        }
    }

    fn replace_relaxed(&self, short_name: &str, attribute: &str, value: &str) {
        self.administrator().modify_relaxed(&replacement(&self.dn(short_name), attribute, value.as_bytes()));
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
        let (modules, overlays) = overlays::configuration(options.overlays, self.suffix());
        for schema in SCHEMAS {
            writeln!(text, "include /etc/ldap/schema/{schema}.schema").unwrap();
        }
        let size_limit = if options.size_limit == 0 { "unlimited".to_owned() } else { options.size_limit.to_string() };
        let others = if options.anybody_reads { "read" } else { "none" };
        let (suffix, service) = (self.suffix(), people::SERVICE);
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
{modules}idletimeout {idle_timeout}
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
{overlays}{further}
"#
        )
        .unwrap();
        text
    }
}

impl RealDirectory for Slapd {
    fn url(&self) -> String {
        self.url()
    }

    fn tls_url(&self) -> String {
        self.tls_url()
    }

    fn authority(&self) -> PathBuf {
        self.authority()
    }

    fn dn(&self, short_name: &str) -> String {
        dn_of(&self.entries, short_name)
    }

    fn restart(&mut self) {
        self.restart();
    }

    fn stop(&mut self) {
        self.stop();
    }

    fn kill(&mut self) {
        self.kill();
    }

    fn freeze(&self) {
        self.freeze();
    }

    fn thaw(&self) {
        self.thaw();
    }

    fn administrator(&self) -> Administrator {
        self.administrator()
    }

    fn set_password(&self, short_name: &str, password: &str) {
        self.replace(short_name, "userPassword", password);
        if self.has_policy {
            self.replace(short_name, "pwdReset", "FALSE");
        }
    }

    fn disable(&self, short_name: &str) {
        self.replace_relaxed(short_name, "pwdAccountLockedTime", overlays::FOR_EVER);
    }

    fn must_change(&self, short_name: &str) {
        self.replace_relaxed(short_name, "pwdReset", "TRUE");
    }

    fn expire_password(&self, short_name: &str) {
        self.replace_relaxed(short_name, "pwdChangedTime", "20200101000000Z");
    }
}
