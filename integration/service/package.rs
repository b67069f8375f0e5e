//! The Debian package through its life, on a Debian of its own that systemd has booted. A test takes minutes: it builds
//! cargo-deb and lays out a Debian, unless both are there from an earlier run (`target/tools`, `target/debian-root`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::support::machine::DebianMachine;
use crate::support::process::{output, program, succeed};
use crate::support::service::Site;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The package of the program under test, which is built once.
fn package() -> &'static Path {
    static PACKAGE: OnceLock<PathBuf> = OnceLock::new();
    PACKAGE.get_or_init(|| {
        let mut build = Command::new(root().join("config/debian/build"));
        let output = output(build.args(["--with", env!("CARGO_BIN_EXE_restante")]), "");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        root().join(String::from_utf8(output.stdout).unwrap().trim())
    })
}

/// The next version, with another example configuration.
fn next_version(package: &Path, folder: &Path) -> PathBuf {
    let (unpacked, next) = (folder.join("unpacked"), folder.join("next.deb"));
    succeed(program("dpkg-deb").arg("-R").arg(package).arg(&unpacked), "");
    let control = unpacked.join("DEBIAN/control");
    let changed = fs::read_to_string(&control).unwrap().replace("Version: 0.1.0-1", "Version: 0.1.0-2");
    fs::write(&control, changed).unwrap();
    let example = unpacked.join("etc/restante/restante.yaml");
    let changed = fs::read_to_string(&example).unwrap() + "language: en\n";
    fs::write(&example, changed).unwrap();
    succeed(program("dpkg-deb").args(["--root-owner-group", "-Z", "gzip", "-b"]).arg(&unpacked).arg(&next), "");
    next
}

/// What a package needs to be tried: itself, its next version, and a certificate.
fn shelf(package: &Path) -> TempDir {
    let (shelf, site) = (tempfile::tempdir().unwrap(), Site::new());
    fs::copy(package, shelf.path().join("first.deb")).unwrap();
    next_version(package, shelf.path());
    for (from, to) in [("tls/server.pem", "fullchain.pem"), ("tls/server.key", "privkey.pem")] {
        fs::copy(site.folder().join(from), shelf.path().join(to)).unwrap();
    }
    shelf
}

/// Makes the packaged example one that serves. Its directory is nowhere, which is an outage, not a mistake.
const MEND: &str = "cd /etc/restante && cp /shelf/fullchain.pem /shelf/privkey.pem . && echo secret > ldap.password && \
                    chown restante:restante privkey.pem ldap.password && chmod 0400 privkey.pem ldap.password && \
                    sed -i 's/pop.example.org/mail.renovations.example/; s/ldaps:..ldap.example.org/ldap:\\/\\/127.0.0.1:1/' restante.yaml";

#[test]
#[ignore = "takes minutes: it builds cargo-deb and lays out a Debian"]
fn debians_package_lives_through_installation_upgrade_and_removal() {
    let shelf = shelf(package());
    let machine = DebianMachine::minimal(shelf.path());

    // Installation starts nothing, since nothing is configured.
    machine.succeeds("dpkg -i /shelf/first.deb");
    assert_eq!(machine.status("systemctl is-active --quiet restante"), 3);
    assert_eq!(
        machine.succeeds("stat -c '%U:%G %a' /etc/restante /etc/restante/restante.yaml /srv/mail"),
        concat!("root:restante 750\n", "root:restante 640\n", "restante:restante 700\n")
    );
    for file in [
        "/usr/share/man/man5/restante.yaml.5.gz",
        "/usr/share/man/man1/restante-check.1.gz",
        "/usr/share/bash-completion/completions/restante",
        "/usr/share/restante/restante.schema.json",
    ] {
        machine.succeeds(&format!("test -s {file}"));
    }

    // The example names files that are not there: the service says so once, and is not started again and again.
    assert_eq!(machine.status("restante check --config /etc/restante/restante.yaml"), 78);
    let _refused = machine.status("systemctl start restante");
    machine.waits_for("systemctl is-failed --quiet restante");
    assert_eq!(machine.succeeds("systemctl show -P ExecMainStatus restante"), "78\n");
    machine.succeeds("dpkg --audit && dpkg --configure -a");

    machine.succeeds(MEND);
    machine.succeeds("systemctl reset-failed restante; systemctl enable --quiet --now restante");
    greets(&machine);
    let first = machine.succeeds("systemctl show -P MainPID restante");

    // An upgrade restarts the service, and leaves the edited configuration alone.
    machine.succeeds("dpkg --force-confdef --force-confold -i /shelf/next.deb");
    greets(&machine);
    assert_ne!(machine.succeeds("systemctl show -P MainPID restante"), first);
    machine.succeeds("grep -q mail.renovations.example /etc/restante/restante.yaml");
    machine.succeeds("grep -q 'language: en' /etc/restante/restante.yaml.dpkg-dist");

    // Removal ends the service; configuration and mail stay. Purging takes the configuration; user and mail stay.
    machine.succeeds("install -d -o restante -g restante /srv/mail/ajones && touch /srv/mail/ajones/mail");
    machine.succeeds("dpkg -r restante");
    assert_ne!(machine.status("systemctl is-active --quiet restante"), 0);
    machine.succeeds("test -s /etc/restante/restante.yaml && ! test -e /usr/bin/restante");
    machine.succeeds("dpkg -i /shelf/next.deb && systemctl start restante");
    greets(&machine);
    machine.succeeds("dpkg -P restante");
    machine
        .succeeds("! test -e /etc/restante/restante.yaml && test -e /srv/mail/ajones/mail && getent passwd restante");
}

/// Waits for the greeting on port 110.
fn greets(machine: &DebianMachine) {
    machine.waits_for("exec 3<> /dev/tcp/127.0.0.1/110 && read -r line <&3 && [ \"${line:0:3}\" = +OK ]");
}

#[test]
fn the_image_is_made_of_files_that_exist() {
    let recipe = fs::read_to_string(root().join("config/Containerfile")).unwrap();
    let copies =
        recipe.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|rest| !rest.starts_with("--from"));
    let mut sources = copies.flat_map(|rest| rest.rsplit_once(' ').unwrap().0.split(' ')).peekable();
    assert!(sources.peek().is_some());
    assert!(sources.all(|source| root().join(source).exists()));
}

#[test]
#[ignore = "takes minutes: it builds cargo-deb"]
fn lintian_finds_nothing_in_the_package() {
    let output = output(program("lintian").args(["--fail-on", "error,warning", "--allow-root"]).arg(package()), "");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && told.is_empty(), "{told}{}", String::from_utf8_lossy(&output.stderr));
}
