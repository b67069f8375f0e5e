//! mpop, by GNU SASL's SCRAM-SHA-256. It has no -PLUS: see `channel`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::{ALAN, World};
use crate::support::maildir;
use crate::support::process::output;

/// Whether mpop fetched the message, and what it wrote.
fn fetch(world: &World, name: &str, password: &str, starttls: &str) -> (bool, String) {
    let home = world.site.folder().join("home");
    for part in ["new", "cur", "tmp"] {
        fs::create_dir_all(home.join("kept").join(part)).unwrap();
    }
    let port = if starttls == "on" { world.service.pop3() } else { world.service.pop3s() }.port();
    let (file, authority) = (home.join("mpoprc"), world.site.authority());
    let text = format!(
        "account default\nhost localhost\nport {port}\nuser \"{name}\"\npassword \"{password}\"\nauth scram-sha-256\n\
         tls on\ntls_starttls {starttls}\ntls_trust_file {}\nkeep on\ndelivery maildir {}\nuidls_file {}\n",
        authority.display(),
        home.join("kept").display(),
        home.join("uidls").display()
    );
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let mut mpop = Command::new("mpop");
    mpop.env("HOME", &home).arg("--debug").arg("--file").arg(&file);
    let ended = output(&mut mpop, "");
    let told = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    let kept = maildir::names(&home.join("kept"));
    fs::remove_dir_all(&home).unwrap();
    (ended.status.success() && kept.len() == 1, told)
}

#[test]
fn fetches_by_scram() {
    let world = World::new();
    for starttls in ["on", "off"] {
        let (fetched, told) = fetch(&world, ALAN.0, ALAN.1, starttls);
        assert!(fetched, "{told}");
        assert!(told.contains("--> AUTH SCRAM-SHA-256"), "{told}");
    }
    world.service.wait_for_logs(&[" event=login person=\"ajones\"", "mechanism=SCRAM-SHA-256 proof=\"scram\""], 2);
    let (fetched, told) = fetch(&world, "Alan Jones", ALAN.1, "off");
    assert!(fetched, "{told}");
}

#[test]
fn is_refused_with_a_wrong_password() {
    let world = World::new();
    let (fetched, told) = fetch(&world, ALAN.0, "wrong", "off");
    assert!(!fetched && told.contains("[AUTH] name or password is wrong"), "{told}");
}
