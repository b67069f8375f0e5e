//! A real 389 Directory Server: Debian's, in a folder and on ports of its own. It needs no root.

use std::fs;
use std::process::Command;

use restante::demo::ldif::{self, LdifRecord};
use restante::demo::people;

use super::directory::{Administrator, LOCKED_AFTER, RealDirectory, ServerProcess, dn_of, replacement};
use super::process::{output, program, succeed};

/// The configuration that Debian's `dscreate` fills in, too.
const TEMPLATE: &str = "/usr/share/dirsrv/data/template-dse.ldif";
const DATABASE: &str = "/usr/share/dirsrv/data/template-suffix-db.ldif";
const FOLDERS: [&str; 9] = ["schema", "lock", "tmp", "ldif", "bak", "run", "inst", "log", "db"];
/// Plug-ins that Debian leaves off. The second and the third together let others follow the directory (RFC 4533).
const PLUGINS: [&str; 3] = ["MemberOf Plugin", "Retro Changelog Plugin", "Content Synchronization"];
const ADMIN_PASSWORD: &str = "admin of the tests";

/// A running `ns-slapd` with one database and its password policy on: five wrong passwords lock an account for an hour,
/// a password lasts a hundred days, and one that the administrator has set must be changed.
pub struct Ds389 {
    process: ServerProcess,
    entries: Vec<LdifRecord>,
}

impl Ds389 {
    /// Starts one with entries, whose first is the database's suffix, and waits until it answers. Only the service's
    /// entry may search.
    pub fn start(entries: &str) -> Self {
        Self::begin(entries, false)
    }

    /// The same with the plug-in that gives every entry an entryUUID (RFC 4530).
    pub fn start_with_entry_uuids(entries: &str) -> Self {
        Self::begin(entries, true)
    }

    fn begin(entries: &str, has_entry_uuids: bool) -> Self {
        let folder = tempfile::Builder::new().prefix("slapd-restante-").tempdir().unwrap();
        let process = ServerProcess::on_ports("ns-slapd", folder, "output");
        let mut server = Self { process, entries: ldif::parse(entries).unwrap() };
        for name in FOLDERS {
            fs::create_dir(server.process.path(name)).unwrap();
        }
        fs::write(server.process.path("certmap.conf"), "certmap default default\n").unwrap();
        fs::write(server.process.path("schema/99user.ldif"), "dn: cn=schema\nobjectclass: subschema\ncn: schema\n")
            .unwrap();
        server.store_certificates();
        fs::write(server.process.path("dse.ldif"), server.configuration()).unwrap();
        server.restart();
        if has_entry_uuids {
            // The first start adds the plug-in to the configuration, the second one loads it.
            server.stop();
            server.restart();
        }
        server.administrator().add(entries);
        server.modify(&server.rules());
        server
    }

    /// Whether a person's entry has an attribute, operational ones included.
    pub fn has_attribute(&self, short_name: &str, attribute: &str) -> bool {
        let Administrator { url, dn, password } = self.administrator();
        let mut command = program("ldapsearch");
        command.args(["-x", "-LLL", "-H", &url, "-D", &dn, "-w", &password, "-s", "base"]);
        let found = output(command.args(["-b", &dn_of(&self.entries, short_name), "(objectClass=*)", attribute]), "");
        String::from_utf8_lossy(&found.stdout).to_lowercase().contains(&format!("\n{}: ", attribute.to_lowercase()))
    }

    fn suffix(&self) -> &str {
        self.entries[0].dn.as_str()
    }

    /// It wants certificate and key in a database of NSS, where both come from a PKCS #12 file.
    fn store_certificates(&self) {
        let (chain, key) = self.process.certify(&[]);
        let (bundle, folder) = (self.process.path("server.p12"), self.process.folder());
        let mut bundling = program("openssl");
        bundling.args(["pkcs12", "-export", "-name", "Server-Cert", "-passout", "pass:", "-certfile"]);
        bundling.arg(self.authority()).arg("-in").arg(&chain).arg("-inkey").arg(&key).arg("-out").arg(&bundle);
        succeed(&mut bundling, "");
        succeed(program("certutil").args(["-N", "--empty-password", "-d"]).arg(folder), "");
        succeed(program("pk12util").arg("-i").arg(&bundle).arg("-d").arg(folder).args(["-W", ""]), "");
    }

    fn configuration(&self) -> String {
        let template = fs::read_to_string(TEMPLATE).unwrap() + &fs::read_to_string(DATABASE).unwrap();
        let folder = self.process.folder().display().to_string();
        let [plain, _] = self.process.addresses();
        let under = |name: &str| format!("{folder}/{name}");
        let user = String::from_utf8(output(program("id").arg("-un"), "").stdout).unwrap();
        let filled = [
            ("schema_dir", under("schema")),
            ("lock_dir", under("lock")),
            ("tmp_dir", under("tmp")),
            ("cert_dir", folder.clone()),
            ("ldif_dir", under("ldif")),
            ("bak_dir", under("bak")),
            ("run_dir", under("run")),
            ("inst_dir", under("inst")),
            ("log_dir", under("log")),
            ("config_dir", folder.clone()),
            ("db_dir", under("db")),
            ("db_home_dir", under("db")),
            ("db_lib", "bdb".to_owned()),
            ("fqdn", "localhost".to_owned()),
            ("ds_port", plain.port().to_string()),
            ("ds_user", user.trim().to_owned()),
            ("ds_suffix", self.suffix().to_owned()),
            ("ds_bename", "people".to_owned()),
            ("rootdn", self.administrator().dn),
            ("ds_passwd", format!("{{CLEAR}}{ADMIN_PASSWORD}")),
            ("ldapi_enabled", "off".to_owned()),
            ("ldapi", under("ldapi")),
            ("ldapi_autobind", "off".to_owned()),
        ];
        let text = filled.iter().fold(template, |text, (key, value)| text.replace(&format!("%{key}%"), value));
        let text = text.replace(&under("log/errors"), &under("output"));
        text.split("\n\n").map(|entry| self.adapted(entry)).collect::<Vec<_>>().join("\n\n")
    }

    /// One entry of the configuration, as these tests want it.
    fn adapted(&self, entry: &str) -> String {
        let lines = |lines: &[String]| format!("{}\n{}", entry.trim_end(), lines.join("\n"));
        let is = |dn: &str| entry.trim_start().starts_with(&format!("dn: {dn}\n"));
        if PLUGINS.iter().any(|name| is(&format!("cn={name},cn=plugins,cn=config"))) {
            return entry.replace("nsslapd-pluginenabled: off", "nsslapd-pluginenabled: on");
        }
        if is("cn=Internationalization Plugin,cn=plugins,cn=config") {
            return entry.replace("nsslapd-pluginenabled: on", "nsslapd-pluginenabled: off");
        }
        if is("cn=config,cn=ldbm database,cn=plugins,cn=config") {
            return lines(&["nsslapd-cache-autosize: 0".to_owned(), "nsslapd-dbcachesize: 1000000".to_owned()]);
        }
        if is("cn=config") {
            return lines(&[
                "nsslapd-listenhost: 127.0.0.1".to_owned(),
                "nsslapd-securelistenhost: 127.0.0.1".to_owned(),
                format!("nsslapd-securePort: {}", self.process.addresses()[1].port()),
                "nsslapd-security: on".to_owned(),
            ]);
        }
        entry.to_owned()
    }

    /// Who may read, and the password policy. That comes last: else everybody who was added must change the password.
    fn rules(&self) -> String {
        format!(
            r#"dn: {}
changetype: modify
add: aci
aci: (targetattr != "userPassword")(version 3.0; acl "service"; allow (read, search, compare) userdn = "ldap:///{}";)

dn: cn=config
changetype: modify
replace: passwordLockout
passwordLockout: on
-
replace: passwordMaxFailure
passwordMaxFailure: {LOCKED_AFTER}
-
replace: passwordExp
passwordExp: on
-
replace: passwordMustChange
passwordMustChange: on
-
replace: passwordTrackUpdateTime
passwordTrackUpdateTime: on
"#,
            self.suffix(),
            people::SERVICE
        )
    }
}

impl RealDirectory for Ds389 {
    fn process(&self) -> &ServerProcess {
        &self.process
    }

    fn process_mut(&mut self) -> &mut ServerProcess {
        &mut self.process
    }

    fn command(&self) -> Command {
        let mut command = program("ns-slapd");
        command.arg("-D").arg(self.process.folder()).arg("-i").arg(self.process.path("run/pid")).args(["-d", "0"]);
        command
    }

    fn dn(&self, short_name: &str) -> String {
        dn_of(&self.entries, short_name)
    }

    fn administrator(&self) -> Administrator {
        let dn = format!("cn=admin,{}", self.suffix());
        Administrator { url: self.url(), dn, password: ADMIN_PASSWORD.to_owned() }
    }

    /// A password that the administrator has set must be changed, so the policy looks away meanwhile.
    fn set_password(&self, short_name: &str, password: &str) {
        self.modify(&replacement("cn=config", "passwordMustChange", b"off"));
        self.replace(short_name, "userPassword", password);
        self.modify(&replacement("cn=config", "passwordMustChange", b"on"));
    }

    fn disable(&self, short_name: &str) {
        self.replace(short_name, "nsAccountLock", "true");
    }

    /// The administrator sets the password that the LDIF gave.
    fn must_change(&self, short_name: &str) {
        let entry = self.entries.iter().find(|entry| entry.texts("uid").any(|uid| uid == short_name)).unwrap();
        self.replace(short_name, "userPassword", entry.texts("userPassword").next().unwrap());
    }

    fn expire_password(&self, short_name: &str) {
        self.replace(short_name, "passwordExpirationTime", "20200101000000Z");
    }
}

impl Drop for Ds389 {
    /// Its counters stand in a semaphore of the machine, which is called like its folder.
    fn drop(&mut self) {
        self.kill();
        let name = self.process.folder().file_name().unwrap().to_string_lossy().into_owned();
        let _never_started = fs::remove_file(format!("/dev/shm/sem.{name}.stats"));
    }
}
