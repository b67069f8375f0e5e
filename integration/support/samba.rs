//! A real Active Directory domain controller: Debian's Samba, in a folder and on a loopback address of its own.
//!
//! Samba's LDAP ports are fixed (389 and 636), so each server has an address of its own below 127.88.0.0/16. It needs root
//! for those ports, and nothing on the machine that listens on them at all addresses.

mod people;
mod template;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use restante::demo::ldif;

use people::Person;

use super::directory::{Administrator, LOCKED_AFTER, RealDirectory, ServerProcess};
use super::ports::Port;
use super::process::{program, succeed};

/// The domain's naming context: the entries a server is started with must lie in it.
pub const SUFFIX: &str = "dc=renovations,dc=example";
/// The domain before a `\` in names of the old form.
pub const DOMAIN: &str = "RENOVATIONS";
const REALM: &str = "RENOVATIONS.EXAMPLE";
const ADMIN_PASSWORD: &str = "Admin of the tests 1";

/// A running domain controller that speaks LDAP and nothing else.
pub struct Samba {
    process: ServerProcess,
    people: Vec<Person>,
}

impl Samba {
    /// Starts one with entries, as far as Active Directory can hold them, and waits until it answers. The first start
    /// sets up a domain, which later ones copy.
    pub fn start(entries: &str) -> Self {
        assert!(rustix::process::geteuid().is_root(), "Samba listens on the ports 389 and 636: these tests need root");
        let entries = ldif::parse(entries).unwrap();
        assert_eq!(entries[0].dn.as_str(), SUFFIX);
        // While its number is taken, no other test has it, and so none has the address.
        let number = Port::take();
        let [high, low] = number.number().to_be_bytes();
        let address = Ipv4Addr::new(127, 88, high, low);
        let addresses = [389, 636].map(|port| SocketAddr::new(address.into(), port));
        let folder = tempfile::tempdir().unwrap();
        let process = ServerProcess::at("samba", folder, "output", vec![number], addresses, address.to_string());
        let mut samba = Self { process, people: people::of(&entries) };
        template::copy(samba.process.folder());
        samba.process.certify(&[&address.to_string()]);
        fs::write(samba.process.path("smb.conf"), samba.configuration()).unwrap();
        samba.restart();
        samba.modify(&(rules() + &people::records(&entries)));
        samba
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

    fn replace_octets(&self, short_name: &str, attribute: &str, value: &[u8]) {
        self.modify(&super::directory::replacement(&self.dn(short_name), attribute, value));
    }

    fn configuration(&self) -> String {
        let folder = self.process.folder().display();
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
            self.process.addresses()[0].ip()
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
    fn process(&self) -> &ServerProcess {
        &self.process
    }

    fn process_mut(&mut self) -> &mut ServerProcess {
        &mut self.process
    }

    fn command(&self) -> Command {
        let mut command = program("samba");
        command.args(["--foreground", "--model=single", "-s"]).arg(self.process.path("smb.conf"));
        command
    }

    fn dn(&self, short_name: &str) -> String {
        let person = self.people.iter().find(|person| person.short_name == short_name);
        person.unwrap_or_else(|| panic!("nobody is called {short_name}")).dn.clone()
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
        command.arg(self.process.path("smb.conf")).arg(self.process.path("private/sam.ldb")).arg(self.dn(short_name));
        succeed(&mut command, "");
    }
}
