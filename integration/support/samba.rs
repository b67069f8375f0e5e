//! A real Active Directory domain controller: Debian's Samba, in a folder and on a loopback address of its own.
//!
//! Samba's LDAP ports are fixed (389 and 636), so each server has an address of its own below 127.88.0.0/16. It needs root
//! for those ports, and nothing on the machine that listens on them at all addresses.

mod people;
mod template;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;

use restante::demo::authority::{Authority, SERVER_NAMES};
use restante::demo::ldif;
use rustix::process::Signal;
use tempfile::TempDir;

use people::Person;

use super::directory::{Administrator, LOCKED_AFTER, RealDirectory};
use super::ports::Port;
use super::process::{Daemon, program, succeed};

/// The domain's naming context: the entries a server is started with must lie in it.
pub const SUFFIX: &str = "dc=renovations,dc=example";
/// The domain before a `\` in names of the old form.
pub const DOMAIN: &str = "RENOVATIONS";
const REALM: &str = "RENOVATIONS.EXAMPLE";
const ADMIN_PASSWORD: &str = "Admin of the tests 1";

/// A running domain controller that speaks LDAP and nothing else. It ends, and its folder with it, when dropped.
pub struct Samba {
    daemon: Daemon,
    folder: TempDir,
    people: Vec<Person>,
    address: Ipv4Addr,
    /// While it is taken, no other test has its number, and so none has the address.
    _number: Port,
}

impl Samba {
    /// Starts one with entries, as far as Active Directory can hold them, and waits until it answers. The first start
    /// sets up a domain, which later ones copy.
    pub fn start(entries: &str) -> Self {
        assert!(rustix::process::geteuid().is_root(), "Samba listens on the ports 389 and 636: these tests need root");
        let entries = ldif::parse(entries).unwrap();
        assert_eq!(entries[0].dn.as_str(), SUFFIX);
        let folder = tempfile::tempdir().unwrap();
        let daemon = Daemon::new("samba", folder.path().join("output"));
        let number = Port::take();
        let [high, low] = number.number().to_be_bytes();
        let address = Ipv4Addr::new(127, 88, high, low);
        let mut samba = Self { daemon, folder, people: people::of(&entries), address, _number: number };
        template::copy(samba.folder.path());
        samba.write_certificates();
        fs::write(samba.path("smb.conf"), samba.configuration()).unwrap();
        samba.restart();
        samba.modify(&(rules() + &people::records(&entries)));
        samba
    }

    /// Starts it, if it does not run, on the address it had before.
    pub fn restart(&mut self) {
        let mut command = program("samba");
        command.args(["--foreground", "--model=single", "-s"]).arg(self.path("smb.conf"));
        self.daemon.start(&mut command, &[389, 636].map(|port| SocketAddr::new(self.address.into(), port)));
    }

    /// Ends it in good order; its connections are closed, its ports refuse.
    pub fn stop(&mut self) {
        self.daemon.end(Signal::TERM);
    }

    /// Ends it at once, as a lost machine does.
    pub fn kill(&mut self) {
        self.daemon.end(Signal::KILL);
    }

    /// Lets it hang: connections are accepted by the kernel, nothing is answered.
    pub fn freeze(&self) {
        self.daemon.freeze();
    }

    /// Lets it go on after [`Self::freeze`].
    pub fn thaw(&self) {
        self.daemon.thaw();
    }

    /// Lets an account end, while its password goes on.
    pub fn expire_account(&self, short_name: &str) {
        self.replace(short_name, "accountExpires", "1");
    }

    /// Lets an account log in at no hour of the week.
    pub fn never_at_this_hour(&self, short_name: &str) {
        self.replace_octets(short_name, "logonHours", &[0; 21]);
    }

    /// Lets an account log in at a machine that is none of ours.
    pub fn only_elsewhere(&self, short_name: &str) {
        self.replace(short_name, "userWorkstations", "elsewhere");
    }

    /// What it wrote to its standard error and to its log.
    pub fn log(&self) -> String {
        self.daemon.log()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn replace_octets(&self, short_name: &str, attribute: &str, value: &[u8]) {
        self.modify(&super::directory::replacement(&self.dn(short_name), attribute, value));
    }

    fn write_certificates(&self) {
        let authority = Authority::new().unwrap();
        fs::write(self.authority(), authority.pem()).unwrap();
        let address = self.address.to_string();
        let names = [&SERVER_NAMES[..], &[&address]].concat();
        authority.certify(&names).unwrap().write(self.folder.path(), "server").unwrap();
    }

    fn configuration(&self) -> String {
        let folder = self.folder.path().display();
        format!(
            "[global]
netbios name = DC
realm = {REALM}
workgroup = {DOMAIN}
server role = active directory domain controller
server services = ldap
interfaces = {}/8
bind interfaces only = yes
disable netbios = yes
private dir = {folder}/private
state directory = {folder}/state
cache directory = {folder}/cache
lock directory = {folder}/lock
pid directory = {folder}/run
ncalrpc dir = {folder}/ncalrpc
winbindd socket directory = {folder}/winbindd
ntp signd socket directory = {folder}/ntp
binddns dir = {folder}/bind-dns
log file = {folder}/output
tls keyfile = {folder}/server.key
tls certfile = {folder}/server.pem
tls cafile = {folder}/ca.pem
ldap server require strong auth = no
",
            self.address
        )
    }
}

/// Five wrong passwords lock an account for half an hour, a password lasts a hundred days, and may be anything.
fn rules() -> String {
    let rules = [
        ("minPwdLength", "0"),
        ("pwdProperties", "0"),
        ("pwdHistoryLength", "0"),
        ("minPwdAge", "0"),
        ("maxPwdAge", "-86400000000000"),
        ("lockoutThreshold", &LOCKED_AFTER.to_string()),
        ("lockoutDuration", "-18000000000"),
        ("lockOutObservationWindow", "-18000000000"),
    ];
    let lines = rules.map(|(name, value)| format!("replace: {name}\n{name}: {value}\n"));
    format!("dn: {SUFFIX}\nchangetype: modify\n{}\n", lines.join("-\n"))
}

impl RealDirectory for Samba {
    fn url(&self) -> String {
        format!("ldap://{}:389", self.address)
    }

    fn tls_url(&self) -> String {
        format!("ldaps://{}:636", self.address)
    }

    fn authority(&self) -> PathBuf {
        self.path("ca.pem")
    }

    fn dn(&self, short_name: &str) -> String {
        let person = self.people.iter().find(|person| person.short_name == short_name);
        person.unwrap_or_else(|| panic!("nobody is called {short_name}")).dn.clone()
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
        let dn = format!("cn=Administrator,cn=Users,{SUFFIX}");
        Administrator { url: self.url(), dn, password: ADMIN_PASSWORD.to_owned() }
    }

    fn set_password(&self, short_name: &str, password: &str) {
        self.replace_octets(short_name, "unicodePwd", &people::quoted(password));
    }

    fn disable(&self, short_name: &str) {
        self.replace(short_name, "userAccountControl", people::DISABLED);
    }

    fn must_change(&self, short_name: &str) {
        self.replace(short_name, "pwdLastSet", "0");
    }

    /// When a password was set is for the server alone to write, so this goes past it, into its database.
    fn expire_password(&self, short_name: &str) {
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-c", include_str!("samba/age_password.py")]);
        command.arg(self.path("smb.conf")).arg(self.path("private/sam.ldb")).arg(self.dn(short_name));
        succeed(&mut command, "");
    }
}
