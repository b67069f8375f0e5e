//! A real slapd: Debian's, in a folder and on ports of its own.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use restante::demo::ldif::{self, LdifRecord};
use restante::demo::people;

use super::directory::{Administrator, RealDirectory, ServerProcess, dn_of, replacement};
use super::overlays::{self, Overlay};
use super::process::{output, program, succeed};
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
    /// Overlays of its database, in any order. The entries are then added while it runs, so that the overlays see them.
    pub overlays: &'static [Overlay],
    /// Further lines of `slapd.conf(5)` that hold for the whole server.
    pub global: String,
    /// Further lines of `slapd.conf(5)`, for the database.
    pub further: String,
}

/// A running slapd with one database.
pub struct Slapd {
    process: ServerProcess,
    entries: Vec<LdifRecord>,
    has_policy: bool,
}

impl Slapd {
    /// Starts one with entries, whose first is the database's suffix, and waits until it answers.
    pub fn start(entries: &str) -> Self {
        Self::start_with(entries, &Options::default())
    }

    /// The same, set up differently.
    pub fn start_with(entries: &str, options: &Options) -> Self {
        let process = ServerProcess::on_ports("slapd", tempfile::tempdir().unwrap(), "log");
        let has_policy = options.overlays.contains(&Overlay::PasswordPolicy);
        let mut slapd = Self { process, entries: ldif::parse(entries).unwrap(), has_policy };
        slapd.process.certify(&[]);
        fs::create_dir(slapd.process.path("database")).unwrap();
        fs::write(slapd.process.path("slapd.conf"), slapd.configuration(options)).unwrap();
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

    /// A replica of another one, kept equal to it by syncrepl (RFC 4533), which has the overlay [`Overlay::Sync`]. It begins
    /// empty, and takes every entry from there.
    pub fn replica(provider: &Self, entries: &str) -> Self {
        let Administrator { url, dn, password } = provider.administrator();
        let suffix = provider.suffix();
        let further = format!(
            "syncrepl rid=001 provider={url} type=refreshAndPersist retry=\"1 +\" searchbase=\"{suffix}\" \
             bindmethod=simple binddn=\"{dn}\" credentials=\"{password}\" schemachecking=off\nupdateref {url}\n"
        );
        let process = ServerProcess::on_ports("slapd", tempfile::tempdir().unwrap(), "log");
        let mut slapd = Self { process, entries: ldif::parse(entries).unwrap(), has_policy: false };
        slapd.process.certify(&[]);
        fs::create_dir(slapd.process.path("database")).unwrap();
        let options = Options { further, ..Options::default() };
        fs::write(slapd.process.path("slapd.conf"), slapd.configuration(&options)).unwrap();
        slapd.restart();
        let last = slapd.entries.last().unwrap().dn.to_string();
        wait_until("the replica has every entry", || slapd.has(&last));
        slapd
    }

    fn has(&self, dn: &str) -> bool {
        let Administrator { url, dn: administrator, password } = self.administrator();
        let mut command = program("ldapsearch");
        command.args(["-x", "-H", &url, "-D", &administrator, "-w", &password, "-s", "base", "-b", dn, "1.1"]);
        output(&mut command, "").status.success()
    }

    /// `ldapi://` with the socket's path, percent-encoded.
    pub fn socket_url(&self) -> String {
        format!("ldapi://{}", self.process.path("ldapi").display().to_string().replace('/', "%2F"))
    }

    /// The same as [`RealDirectory::modify`], and what slapd keeps about an entry itself may be changed too.
    pub fn modify_anything(&self, changes: &str) {
        self.administrator().modify_relaxed(changes);
    }

    /// Shows another certificate from now on: the chain and its key, PEM.
    pub fn show(&mut self, chain: &str, key: &str) {
        self.stop();
        fs::write(self.process.path("server.pem"), chain).unwrap();
        fs::write(self.process.path("server.key"), key).unwrap();
        self.restart();
    }

    fn suffix(&self) -> &str {
        self.entries[0].dn.as_str()
    }

    fn replace_relaxed(&self, short_name: &str, attribute: &str, value: &str) {
        self.administrator().modify_relaxed(&replacement(&self.dn(short_name), attribute, value.as_bytes()));
    }

    fn load(&self, entries: &str) {
        let mut command = program("slapadd");
        succeed(command.arg("-q").arg("-f").arg(self.process.path("slapd.conf")), entries);
    }

    fn configuration(&self, options: &Options) -> String {
        let folder = self.process.folder().display();
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
    fn process(&self) -> &ServerProcess {
        &self.process
    }

    fn process_mut(&mut self) -> &mut ServerProcess {
        &mut self.process
    }

    fn command(&self) -> Command {
        let tls = self.process.addresses()[1];
        let urls = format!("{} ldaps://{tls} {}", self.url(), self.socket_url());
        let mut command = program("slapd");
        command.arg("-d0").arg("-f").arg(self.process.path("slapd.conf")).arg("-h").arg(urls);
        command
    }

    fn dn(&self, short_name: &str) -> String {
        dn_of(&self.entries, short_name)
    }

    fn administrator(&self) -> Administrator {
        Administrator {
            url: self.url(),
            dn: format!("cn=admin,{}", self.suffix()),
            password: ADMIN_PASSWORD.to_owned(),
        }
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
