//! As whom commands read files, when root runs them: as the service would. All of it needs root.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use restante::demo::directory::EmbeddedDirectory;
use restante::server::is_root;

use super::Ended;
use crate::support::login::give_mail;
use crate::support::process::{self, output};
use crate::support::service::{Plan, Site, restante};
use crate::support::stage;

/// The user and the group `nobody` and `nogroup` of Debian.
const NOBODY: u32 = 65_534;

struct World {
    site: Site,
    plan: Plan,
    units: PathBuf,
    _directory: EmbeddedDirectory,
}

impl World {
    /// A site whose folder everybody may enter; keys and passwords are for root alone.
    fn new() -> Self {
        let (directory, site) = (stage::directory(), Site::new());
        mode(site.folder(), 0o755);
        for secret in ["ldap.password", "tls/server.key"] {
            mode(&site.folder().join(secret), 0o600);
        }
        let units = site.folder().join("units");
        fs::create_dir(&units).unwrap();
        chown(site.root(), Some(NOBODY), Some(NOBODY)).unwrap();
        Self { site, plan: Plan::at(&directory.url()), units, _directory: directory }
    }

    fn open_secrets(&self) {
        for secret in ["ldap.password", "tls/server.key"] {
            mode(&self.site.folder().join(secret), 0o644);
        }
    }

    fn configuration(&self) -> PathBuf {
        self.site.folder().join("restante.yaml")
    }

    /// Runs a command, with the units of this world in place of the system's.
    fn run(&self, words: &[&str]) -> Ended {
        self.run_by(words, |_| {})
    }

    fn run_by(&self, words: &[&str], change: impl FnOnce(&mut Command)) -> Ended {
        fs::write(self.configuration(), self.plan.yaml()).unwrap();
        let (first, rest) = words.split_first().unwrap();
        let mut command = restante();
        command.env("SYSTEMD_UNIT_PATH", &self.units).arg(first).arg("--config").arg(self.configuration()).args(rest);
        change(&mut command);
        let output = output(&mut command, "");
        let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
        Ended { status: output.status.code().unwrap(), told: text(output.stdout), complained: text(output.stderr) }
    }

    /// A unit that serves the configuration.
    fn write_unit(&self, lines: &str) {
        let start =
            format!("[Service]\nExecStart=/usr/local/bin/restante serve --config {}\n", self.configuration().display());
        fs::write(self.units.join("restante.service"), start + lines).unwrap();
    }
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn denied(ended: &Ended) {
    assert_eq!(ended.status, 78, "{}", ended.complained);
    for file in ["server.key", "ldap.password"] {
        let line =
            ended.complained.lines().find(|line| line.contains(file)).unwrap_or_else(|| panic!("{}", ended.complained));
        assert!(line.contains("ermission denied"), "{line}");
    }
}

#[test]
fn check_acts_as_the_given_user() {
    if !is_root() {
        return;
    }
    let world = World::new();
    let as_root = world.run(&["check"]);
    assert_eq!(as_root.status, 0, "{}", as_root.complained);
    assert!(as_root.told.contains("note: checked as root") && as_root.told.contains("--as USER"), "{}", as_root.told);
    denied(&world.run(&["check", "--as", "nobody"]));
    world.open_secrets();
    let fine = world.run(&["check", "--as", "nobody"]);
    assert_eq!(fine.status, 0, "{}", fine.complained);
    assert!(fine.told.contains("note: checked as nobody (--as)"), "{}", fine.told);
    // The mail counts as well.
    mode(&world.site.root(), 0o700);
    chown(world.site.root(), Some(0), Some(0)).unwrap();
    let closed = world.run(&["check", "--as", "nobody"]);
    assert!(closed.status == 1 && closed.complained.contains("mailboxes.root: "), "{}", closed.complained);

    let unknown = world.run(&["check", "--as", "nobodyhere"]);
    assert_eq!(
        (unknown.status, unknown.complained.as_str()),
        (1, "restante: --as: /etc/passwd has no user \"nobodyhere\"\n")
    );
    let other = world.run_by(&["check", "--as", "root"], |command| {
        command.uid(NOBODY).gid(NOBODY);
    });
    assert!(
        other.status == 1 && other.complained.contains("only root can access files as root"),
        "{}",
        other.complained
    );
}

/// Without `--as`, the unit that serves this configuration says who the service is.
#[test]
fn commands_of_root_look_as_the_user_of_the_unit() {
    if !is_root() {
        return;
    }
    let world = World::new();
    world.write_unit("User=nobody\n");
    for command in ["check", "audit"] {
        denied(&world.run(&[command]));
    }
    world.open_secrets();
    let fine = world.run(&["check"]);
    assert_eq!(fine.status, 0, "{}", fine.complained);
    let unit = world.units.join("restante.service");
    assert!(fine.told.contains(&format!("note: checked as nobody (User= of {})", unit.display())), "{}", fine.told);
    // Another configuration is none of this unit's business.
    fs::write(&unit, "[Service]\nUser=nobody\nExecStart=restante serve --config /etc/other.yaml\n").unwrap();
    assert!(world.run(&["check"]).told.contains("note: checked as root"));
}

/// What such a command writes beside the mail must be the service's own.
#[test]
fn what_root_writes_beside_the_mail_belongs_to_the_service() {
    if !is_root() {
        return;
    }
    let world = World::new();
    world.open_secrets();
    give_mail(&world.site, "ajones");
    let maildir = world.site.maildir("ajones");
    for folder in
        [maildir.parent().unwrap(), &maildir, &maildir.join("cur"), &maildir.join("new"), &maildir.join("tmp")]
    {
        chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    world.write_unit("User=nobody\n");
    let ended = world.run(&["index", "--all"]);
    assert_eq!(ended.status, 0, "{}", ended.complained);
    assert_eq!(fs::metadata(maildir.join("restante-index")).unwrap().uid(), NOBODY);
}

/// With `user`, root reads the keys once; what is read again later must be readable for the user.
#[test]
fn files_that_are_read_again_must_be_readable_for_the_user() {
    if !is_root() {
        return;
    }
    let mut world = World::new();
    world.plan.further.push_str("user: nobody\n");
    world.plan.tls.push_str("  client_ca: people-ca.pem\n");
    let authorities = world.site.folder().join("people-ca.pem");
    fs::copy(world.site.authority(), &authorities).unwrap();
    mode(&authorities, 0o600);
    let ended = world.run(&["check"]);
    assert_eq!(ended.status, 1, "{}", ended.told);
    let told = "tls.client_ca: nobody may not read ";
    assert!(ended.complained.contains(told) && ended.complained.contains("; expected"), "{}", ended.complained);
    mode(&authorities, 0o644);
    let fine = world.run(&["check"]);
    assert_eq!(fine.status, 0, "{}", fine.complained);
    assert!(fine.told.contains("note: checked as nobody (`user` of the configuration)"), "{}", fine.told);
}

/// Outside the unit there are no credentials; the command that is told runs the same check with them.
#[test]
fn credentials_are_explained_with_a_command_that_works() {
    if !is_root() {
        return;
    }
    let mut world = World::new();
    for (file, credential) in [("ldap.password", "ldap.password"), ("tls/server.key", "privkey.pem")] {
        world.plan.directory = world.plan.directory.replace(file, &format!("$CREDENTIALS_DIRECTORY/{credential}"));
        world.plan.certificates =
            world.plan.certificates.replace(file, &format!("$CREDENTIALS_DIRECTORY/{credential}"));
    }
    let folder = world.site.folder().display().to_string();
    let bin = world.site.folder().join("bin");
    fs::create_dir(&bin).unwrap();
    process::script(&bin.join("systemd-run"), SYSTEMD_RUN);
    for unit in [true, false] {
        if unit {
            world.write_unit(&format!("User=nobody\nLoadCredential=privkey.pem:{folder}/tls/server.key\n"));
        } else {
            // Without a unit, the files are guessed to lie beside the configuration.
            fs::remove_file(world.units.join("restante.service")).unwrap();
            fs::copy(world.site.folder().join("tls/server.key"), world.site.folder().join("privkey.pem")).unwrap();
        }
        let outside = world.run(&["check"]);
        assert_eq!(outside.status, 78);
        let told = "$CREDENTIALS_DIRECTORY is set only inside the systemd service; expected";
        assert_eq!(outside.complained.matches(told).count(), 2, "{}", outside.complained);
        let line = outside.complained.lines().find(|line| line.trim_start().starts_with("systemd-run ")).unwrap();
        assert_eq!(line.contains(" -p User=nobody "), unit, "{line}");
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(line).env("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()));
        let inside = output(shell.env("SYSTEMD_UNIT_PATH", &world.units), "");
        assert!(inside.status.success(), "{line}\n{}", String::from_utf8_lossy(&inside.stderr));
    }
}

/// Stands in for systemd-run, which wants a systemd: loads the credentials, becomes the user, and runs the command.
const SYSTEMD_RUN: &str = r#"#!/bin/sh
set -e
CREDENTIALS_DIRECTORY=$(mktemp -d)
user=root
while :; do
    case $1 in
    --pipe | --wait | --quiet | --collect | --same-dir) shift ;;
    -p)
        case $2 in
        User=*) user=${2#User=} ;;
        LoadCredential=*:*) rest=${2#*=}; cp "${rest#*:}" "$CREDENTIALS_DIRECTORY/${rest%%:*}" ;;
        *) exit 64 ;;
        esac
        shift 2 ;;
    -*) exit 64 ;;
    *) break ;;
    esac
done
chown -R "$user" "$CREDENTIALS_DIRECTORY"
export CREDENTIALS_DIRECTORY
exec setpriv --reuid "$user" --regid nogroup --clear-groups "$@"
"#;

/// Whoever may write to the socket may give orders, and needs to read neither keys nor passwords.
#[test]
fn a_group_that_may_not_read_secrets_gives_orders() {
    if !is_root() {
        return;
    }
    let mut world = World::new();
    world.plan.further.push_str("admin: { socket: admin.sock, mode: \"0660\" }\n");
    let _service = world.site.serve(&world.plan);
    let file = world.configuration();
    mode(&file, 0o640);
    // Members of the socket's group, which is root's here; then others.
    for (group, status) in [(0, 0), (NOBODY, 1)] {
        let member = |command: &mut Command| {
            command.uid(NOBODY).gid(group);
        };
        let mut by_socket = restante();
        by_socket.args(["flush", "--socket"]).arg(world.site.folder().join("admin.sock")).arg("ajones");
        member(&mut by_socket);
        let ended = output(&mut by_socket, "");
        assert_eq!(ended.status.code(), Some(status), "{}", String::from_utf8_lossy(&ended.stderr));
        if group == 0 {
            let mut by_file = restante();
            member(by_file.args(["flush", "--config"]).arg(&file).arg("ajones"));
            let ended = output(&mut by_file, "");
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        }
    }
}

/// Nothing but the socket's path is read: what else is wrong with the file does not matter.
#[test]
fn an_order_needs_nothing_of_the_configuration_but_the_socket() {
    let mut world = World::new();
    world.plan.further.push_str("admin: { socket: admin.sock }\n");
    let _service = world.site.serve(&world.plan);
    world.plan.further.push_str("nonsense: 1\n");
    fs::remove_file(world.site.folder().join("ldap.password")).unwrap();
    let ended = world.run(&["flush"]);
    assert_eq!(ended.status, 0, "{}", ended.complained);
    world.plan.further = world.plan.further.replace("admin.sock", "other.sock");
    let ended = world.run(&["flush"]);
    assert!(ended.status == 1 && ended.complained.contains("is the service running?"), "{}", ended.complained);
    world.plan.further = world.plan.further.replace("socket: other.sock", "socket: [1]");
    assert_eq!(world.run(&["flush"]).status, 78);
}
