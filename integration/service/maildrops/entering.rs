//! What is missing is empty where that is true, and an error where something fell away.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use rustix::process::geteuid;

use crate::support::conversation::Conversation;
use crate::support::maildir;
use crate::support::mount::{Mount, Shown};
use crate::support::service::restante;
use crate::support::stage::{PASSWORD, Stage};

const ONE: &[(&str, &[u8])] = &[("new/1.a", b"Subject: a\n\na\n")];

fn refused(client: &mut Conversation, name: &str, password: &str, answer: &str) {
    client.ask(&format!("USER {name}"), "+OK");
    client.ask(&format!("PASS {password}"), answer);
}

/// Somebody whose Maildir was never made has no mail.
#[test]
fn a_missing_maildir_is_an_empty_maildrop() {
    let stage = Stage::set("", ONE);
    let mut client = stage.client();
    client.login("alamb", "seven green lamps");
    client.ask("STAT", "+OK 0 0");
    client.ask("QUIT", "+OK");
    assert!(!stage.site.maildir("alamb").exists(), "nothing is made");
}

/// An empty answer would make every client forget its unique-ids and fetch everything again.
#[test]
fn an_unmounted_mail_root_is_no_empty_maildrop() {
    let stage = Stage::set("", ONE);
    let mut before = stage.session();
    before.ask("DELE 1", "+OK");
    let away = stage.site.folder().join("away");
    fs::rename(stage.site.root(), &away).unwrap();
    fs::create_dir(stage.site.root()).unwrap();
    let mut client = stage.client();
    refused(&mut client, "ajones", PASSWORD, "-ERR [SYS/TEMP]");
    refused(&mut client, "alamb", "seven green lamps", "-ERR [SYS/TEMP]");
    for person in ["ajones", "alamb"] {
        let person = format!("person=\"{person}\"");
        stage.service.wait_for_log(&[
            "ERROR",
            "maildrop not opened",
            &person,
            "is not the directory seen at the start",
        ]);
    }
    // A session from before neither sends what is not there nor says that it deleted it.
    before.ask("RETR 1", "-ERR there is no message 1");
    before.ask("RSET", "+OK");
    before.ask("RETR 1", super::NOT_NOW);
    before.ask("DELE 1", "+OK");
    before.ask("QUIT", "-ERR");
    fs::remove_dir(stage.site.root()).unwrap();
    fs::rename(away, stage.site.root()).unwrap();
    stage.session().ask("STAT", "+OK 1 17");
}

#[test]
fn without_the_marker_nobody_is_told_that_their_mail_is_gone() {
    let stage = Stage::set_by(ONE, |plan, site| {
        plan.mailboxes.push_str("  marker: .mounted\n");
        fs::write(site.root().join(".mounted"), "").unwrap();
    });
    stage.session().ask("STAT", "+OK 1 17");
    fs::remove_file(stage.site.root().join(".mounted")).unwrap();
    let mut client = stage.client();
    refused(&mut client, "ajones", PASSWORD, "-ERR [SYS/TEMP]");
    refused(&mut client, "alamb", "seven green lamps", "-ERR [SYS/TEMP]");
    stage.service.wait_for_logs(&["ERROR", "maildrop not opened", "marker"], 2);
    fs::write(stage.site.root().join(".mounted"), "").unwrap();
    stage.session().ask("STAT", "+OK 1 17");
    // Without it the service does not even begin.
    fs::remove_file(stage.site.root().join(".mounted")).unwrap();
    let mut again = restante();
    let ended = again.args(["serve", "--config"]).arg(stage.site.folder().join("restante.yaml")).output().unwrap();
    assert!(!ended.status.success());
    assert!(String::from_utf8_lossy(&ended.stderr).contains(".mounted"), "{ended:?}");
}

#[test]
fn a_maildir_that_leads_out_of_the_root_is_never_opened() {
    let stage = Stage::set("", &[]);
    let outside = stage.site.folder().join("outside");
    maildir::make(&outside, ONE);
    fs::remove_dir_all(stage.maildir()).unwrap();
    symlink(&outside, stage.maildir()).unwrap();
    let mut client = stage.client();
    refused(&mut client, "ajones", PASSWORD, "-ERR [SYS/PERM]");
    stage.service.wait_for_log(&["ERROR", "maildrop not opened", "person=\"ajones\"", "leads out of the mail root"]);
    // One whose `new` alone leads out is no better.
    fs::remove_file(stage.maildir()).unwrap();
    maildir::make(&stage.maildir(), &[]);
    fs::remove_dir(stage.maildir().join("new")).unwrap();
    symlink(outside.join("new"), stage.maildir().join("new")).unwrap();
    refused(&mut client, "ajones", PASSWORD, "-ERR [SYS/PERM]");
    assert_eq!(maildir::names(&outside), ["new/1.a"]);
}

#[test]
fn a_maildir_that_cannot_be_entered_is_no_empty_maildrop() {
    let stage = Stage::set("", &[]);
    fs::remove_dir_all(stage.maildir()).unwrap();
    // A file in its place.
    fs::write(stage.maildir(), "").unwrap();
    let mut client = stage.client();
    refused(&mut client, "ajones", PASSWORD, "-ERR [SYS/TEMP]");
    stage.service.wait_for_log(&["ERROR", "maildrop not opened", "person=\"ajones\"", "Not a directory"]);
    // A link that leads to nothing.
    fs::remove_file(stage.maildir()).unwrap();
    symlink("gone", stage.maildir()).unwrap();
    refused(&mut client, "ajones", PASSWORD, "-ERR [SYS/TEMP]");
    stage.service.wait_for_log(&["ERROR", "maildrop not opened", "a link leads to nothing"]);
}

/// Of one person, whose disk is not there any more: the mail root is, and the directory on which it was mounted.
#[test]
fn an_unmounted_maildir_is_no_empty_maildrop() {
    let stage = Stage::set("", &[]);
    let disk = Mount::memory(&stage.site.root().join("ajones"), 1 << 20);
    maildir::make(&stage.maildir(), ONE);
    stage.session().ask("STAT", "+OK 1 17");
    drop(disk);
    fs::remove_dir_all(stage.maildir()).unwrap();
    let mut client = stage.client();
    refused(&mut client, "ajones", PASSWORD, "-ERR [SYS/TEMP]");
    stage.service.wait_for_log(&[
        "ERROR",
        "maildrop not opened",
        "nothing is mounted at ",
        "mail/ajones, where something was",
    ]);
}

/// Nothing is remembered over a restart; but the disk's own marker is missing.
#[test]
fn an_unmounted_disk_below_the_root_is_missed_after_a_restart() {
    let stage = Stage::set_by(&[], |plan, site| {
        fs::remove_dir_all(site.maildir("ajones")).unwrap();
        plan.mailboxes.push_str("  marker: \"{short_name}/.mounted\"\n");
        fs::create_dir_all(site.root().join("alamb")).unwrap();
        fs::write(site.root().join("alamb/.mounted"), "").unwrap();
    });
    let disk = Mount::memory(&stage.site.root().join("ajones"), 1 << 20);
    maildir::make(&stage.maildir(), ONE);
    fs::write(stage.site.root().join("ajones/.mounted"), "").unwrap();
    stage.session().ask("STAT", "+OK 1 17");
    drop(disk);
    let again = stage.site.serve(&stage.plan);
    for (service, listener) in [(&stage.service, stage.service.pop3()), (&again, again.pop3())] {
        let mut client = Conversation::plain(listener);
        client.expect("+OK");
        refused(&mut client, "ajones", PASSWORD, "-ERR [SYS/TEMP]");
        service.wait_for_log(&["ERROR", "maildrop not opened", "person=\"ajones\"", "ajones/.mounted is not there"]);
        client.login("alamb", "seven green lamps");
        client.ask("STAT", "+OK 0 0");
    }
}

/// Whatever a file system answers but that there is no such file, nothing is known of the mail.
#[test]
fn a_file_system_that_fell_down_is_no_empty_maildrop() {
    let stage = Stage::set("", &[]);
    let behind = stage.site.folder().join("behind");
    maildir::make(&behind.join("Maildir"), ONE);
    fs::remove_dir_all(stage.maildir()).unwrap();
    let mut shown = Shown::new(&behind, &stage.site.root().join("ajones"));
    shown.fall_down();
    let mut client = stage.client();
    refused(&mut client, "ajones", PASSWORD, "-ERR [SYS/TEMP]");
    stage.service.wait_for_log(&["ERROR", "maildrop not opened", "person=\"ajones\"", "not connected"]);
}

/// It keeps its place and its unique-id, and costs nobody the rest.
#[test]
fn one_message_that_may_not_be_read_is_refused_alone() {
    const THREE: &[(&str, &[u8])] = &[("new/1.a", b"a\n"), ("cur/2.b:2,S", b"b\nb\n"), ("cur/3.c:2,", b"c\n")];
    for headers in ["", "  eight_bit_headers: wrapped\n"] {
        let stage = Stage::set_by(THREE, |plan, site| {
            plan.mailboxes.push_str(headers);
            if geteuid().is_root() {
                plan.further.push_str("user: nobody\n");
                fs::set_permissions(site.folder(), Permissions::from_mode(0o755)).unwrap();
            }
            fs::set_permissions(site.maildir("ajones").join("cur/2.b:2,S"), Permissions::from_mode(0o000)).unwrap();
        });
        let mut client = stage.session();
        // Four are the octets of its file.
        client.ask("STAT", "+OK 3 10");
        client.ask("UIDL 2", "+OK 2 2.b");
        client.ask("RETR 2", super::NOT_NOW);
        client.ask("TOP 2 0", super::NOT_NOW);
        for (number, body) in [(1, b"a\r\n"), (3, b"c\r\n")] {
            client.ask(&format!("RETR {number}"), "+OK 3 octets");
            assert_eq!(client.message(), body);
        }
        client.ask("QUIT", "+OK");
        stage.service.wait_for_log(&["ERROR", "cannot be read", "2.b", "denied"]);
        stage.service.wait_for_log(&["WARN", "message not sent", "message_number=2", "denied"]);
        fs::set_permissions(stage.maildir().join("cur/2.b:2,S"), Permissions::from_mode(0o644)).unwrap();
        let mut client = stage.session();
        client.ask("RETR 2", "+OK");
        assert_eq!(client.message(), b"b\r\nb\r\n");
        client.ask("QUIT", "+OK");
        client.ended();
        stage.session().ask("STAT", "+OK 3 12");
    }
}

#[test]
fn a_maildir_that_may_not_be_entered_is_no_empty_maildrop() {
    for closed in ["", "new", "cur"] {
        let stage = Stage::set_by(ONE, |plan, site| {
            // Nothing is closed to root.
            if geteuid().is_root() {
                plan.further.push_str("user: nobody\n");
                fs::set_permissions(site.folder(), Permissions::from_mode(0o755)).unwrap();
            }
            fs::set_permissions(site.maildir("ajones").join(closed), Permissions::from_mode(0o000)).unwrap();
        });
        let mut client = stage.client();
        refused(&mut client, "ajones", PASSWORD, "-ERR [SYS/TEMP]");
        stage.service.wait_for_log(&["ERROR", "maildrop not opened", "person=\"ajones\"", "denied"]);
        // So that the folder can be removed.
        fs::set_permissions(stage.maildir().join(closed), Permissions::from_mode(0o755)).unwrap();
    }
}
