//! The configuration file: YAML turned into the settings of every module.
//!
//! No module depends on this one: each has plain settings of its own, and can be built without a file. All mistakes in a file
//! are reported at once, with line and column.
//!
//! | file | rule |
//! |---|---|
//! | `file`, `tree` | from YAML to a tree of values with their positions |
//! | `section`, `values`, `networks` | reading one value; a mistake is recorded, and reading continues |
//! | `unknown`, `faults` | unknown keys; all mistakes of a file, ordered by position |
//! | `value_kind`, `reference` | the table of all keys, for the schema and the manual page |
//! | `paths`, `outline` | files that the configuration names; what is read before everything else |
//! | `keys` | the effective configuration key by key, to compare two |
//! | `effective`, `yaml` | the effective configuration: what differs from the defaults, or everything |
//! | all others | one part of the file each; the first line of each file names its keys |
//!
//! **A new key** is asked for in the file of its section, by a method of `section` that knows the kind of its value; it also
//! needs a line in `config/restante.yaml`, which `tests` compares with the keys that are asked for. Then
//! `config/restante.schema.json` is written again by `restante generate schema`.

mod admin;
mod client_certificates;
mod client_settings;
mod clients;
mod confinement;
mod directories;
mod effective;
mod faults;
mod file;
mod keys;
mod listeners;
mod mailboxes;
mod mta;
mod networks;
mod outline;
mod paths;
mod people;
mod proxy_protocol;
mod reference;
mod relay;
mod schema;
mod scram;
mod section;
mod tokens;
mod tree;
mod uidl;
mod unknown;
mod value_kind;
mod values;
mod yaml;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use faults::Faults;
pub use outline::{Outline, admin_settings, outline};
use paths::Base;
pub use reference::{KnownKey, introduction, known_keys};
use section::{Findings, Section};
use tree::Node;
pub use value_kind::ValueKind;

use crate::admin as admin_socket;
use crate::admin::ConfigurationKeys;
use crate::client_settings as mail_programs;
use crate::confinement as landlock_rules;
use crate::connection;
use crate::directory;
use crate::identity;
use crate::logging;
use crate::maildir;
use crate::mta::MtaSettings;
use crate::secret::Password;
use crate::server;

/// The configuration that is read if no other is named.
pub const DEFAULT_FILE: &str = "/etc/restante/restante.yaml";

/// The environment variable that names another one.
pub const FILE_VARIABLE: &str = "RESTANTE_CONFIG";

/// All settings of a running service.
#[derive(Clone)]
pub struct Configuration {
    /// Listeners, certificates, limits of the whole.
    pub server: server::Settings,
    /// How one client is treated.
    pub connection: connection::Settings,
    /// Login names, and caches of people.
    pub identity: identity::Settings,
    /// The directories; each has a unique name.
    pub directories: Vec<directory::Settings>,
    /// The CA files of the directories, each with its directory's name.
    pub directory_authorities: Vec<(String, PathBuf)>,
    /// Maildirs.
    pub maildir: maildir::Settings,
    /// What the running service may reach.
    pub confinement: landlock_rules::Settings,
    /// The log.
    pub logging: logging::Settings,
    /// The admin socket, if one is configured.
    pub admin: Option<admin_socket::Settings>,
    /// What mail programs are told beyond POP3.
    pub client_settings: mail_programs::Settings,
    /// Where the admin HTTP listener is, if one is configured.
    pub admin_http: Option<admin_socket::HttpAddress>,
    /// What mail transfer agents may ask.
    pub mta: MtaSettings,
    /// The values that differ from the defaults, key by key, to report which a reload changes.
    pub keys: ConfigurationKeys,
}

/// Reads a configuration file, and the certificates and passwords that it names.
///
/// Relative paths in it are relative to the file's folder.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(file: &Path) -> Result<Configuration, Faults> {
    let tree = file::read(file).map_err(|fault| Faults::new(file, vec![fault]))?;
    let findings = Findings::default();
    let configuration = read(&tree, &Base::of(file), &findings);
    let faults = findings.into_faults();
    match configuration {
        Some(mut configuration) if faults.is_empty() => {
            configuration.confinement.files.extend(std::path::absolute(file));
            Ok(configuration)
        }
        _ => Err(Faults::new(file, faults)),
    }
}

/// The password in the first line of a file.
///
/// # Errors
/// A sentence: what is wrong, and what is expected.
pub fn password_in(file: &Path) -> Result<Password, String> {
    let file = std::path::absolute(file).map_err(|fault| format!("{}: {fault}", file.display()))?;
    Base::of(&file).password(&file.display().to_string())
}

/// The configuration that [`load`] would return, as a file of its own: the values that differ from the defaults, or
/// `all`. Its paths are absolute, so that it means the same in any folder. Secrets stay in the files that it names.
///
/// # Errors
/// Everything that is wrong with the file.
pub fn effective(file: &Path, all: bool) -> Result<String, Faults> {
    load(file)?;
    Ok(yaml::write(&effective_value(file, all)?))
}

/// The values of a file that differ from the defaults, key by key. The files that it names are not read, and nothing but
/// its form is checked.
///
/// # Errors
/// The file cannot be read, or is no YAML.
pub fn keys(file: &Path) -> Result<ConfigurationKeys, Faults> {
    Ok(keys::flat(&effective_value(file, false)?).into_iter().collect())
}

fn effective_value(file: &Path, all: bool) -> Result<yaml::Value, Faults> {
    let read = |tree: Result<Node, faults::ConfigFault>| tree.map_err(|fault| Faults::new(file, vec![fault]));
    let tree = read(file::read(file))?;
    let reference = read(file::parse(effective::REFERENCE.as_bytes()))?;
    let (base, relays) = (Base::of(file), effective::lists_hosts(&tree));
    Ok(effective::Effective { all, base: &base, relays }.of(&tree, &reference))
}

/// A duration as written in the file: `30m`, `14d`; ten years at most.
///
/// # Errors
/// A sentence: what is wrong, and what is expected.
pub fn duration(written: &str) -> Result<Duration, String> {
    values::duration(written, &(Duration::from_secs(1)..=Duration::from_secs(10 * 365 * 24 * 60 * 60)))
}

/// Reads a tree; none only if a mistake was recorded.
fn read(tree: &Node, base: &Base, findings: &Findings) -> Option<Configuration> {
    let root = Section::root(tree, findings);
    tree.pairs()?;
    let server = listeners::read(&root, base);
    let logging = clients::logging(&root);
    let client_settings = client_settings::read(&root);
    let (admin, admin_http) = (admin::read(&root, base), admin::http(&root, base));
    let mta = mta::read(&root, base);
    let retention = mailboxes::retention(&root.section("expire"));
    let maildir = people::maildir(&root, base, &retention);
    let confinement = confinement::read(&root, tree, base, &maildir);
    let connection = clients::connection(&root, &retention);
    let by_person = retention.by_person.clone();
    let relay = relay::read(&root, base, &connection.hostname);
    let identity = people::identity(&root, base, &maildir, retention, relay);
    let of_path = identity.iter().flat_map(identity::Settings::attributes).map(str::to_owned);
    let further: Vec<String> = of_path.chain(by_person.map(|by_person| by_person.attribute)).collect();
    let directories = directories::read(&root, base, &further);
    let directory_authorities = directories::authorities(&root, base);
    scram::want_attribute(&root, directories.as_deref());
    unknown::find(tree, findings);
    let reference = file::parse(effective::REFERENCE.as_bytes()).ok()?;
    let effective = effective::Effective { all: false, base, relays: effective::lists_hosts(tree) };
    let keys = keys::flat(&effective.of(tree, &reference)).into_iter().collect();
    Some(Configuration {
        server,
        connection,
        identity: identity?,
        directories: directories?,
        directory_authorities,
        maildir,
        confinement,
        logging,
        admin,
        client_settings,
        admin_http,
        mta,
        keys,
    })
}

#[cfg(test)]
mod tests;
