//! From Dovecot, under each of the formats that its sites use.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use super::{Moved, as_sent, assert_one_size, command, live, plan, unique_ids};
use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::process::output;
use crate::support::service::{Site, restante};
use crate::support::{maildir, stage};

/// The default, and what sites have that came to Dovecot from other servers.
const FORMATS: [&str; 6] = ["%08Xu%08Xv", "%08Xv%08Xu", "%v.%u", "%u", "%f", "%Mf"];

#[test]
fn every_string_and_the_order_stay_under_every_format() {
    for format in FORMATS {
        let site = Site::new();
        let maildir = site.maildir("ajones");
        let dovecot = Dovecot::serve(&site, &format!("pop3_uidl_format = {format}\n"));
        let before = live(&maildir, || dovecot.session("ajones"));
        let uidl = format!("import: read, dovecot_format: \"{format}\"");
        // While it still runs: what a client would see differently, and why.
        let port = dovecot.pop3s().port();
        let (with, ca) = (format!("localhost:{port}"), site.authority());
        let words = ["compare", "--with", &with, "--ca", ca.to_str().unwrap(), "--json", "ajones"];
        let (status, told, complained) = command(&site, &uidl, &words, &format!("{PASSWORD}\n"));
        assert_eq!((status, complained.as_str()), (1, ""), "{format}: {told}");
        assert_one_size(&serde_json::from_str(&told).unwrap());
        dovecot.stop();
        assert!(!maildir.join("restante-pins").exists(), "compare pins nothing");
        let (status, told, _) = command(&site, &uidl, &["plan", "ajones"], "");
        assert_eq!(status, 0, "{told}");
        assert!(told.contains(&before[0].unique_id), "a sample to compare: {told}");
        assert!(!maildir.join("restante-pins").exists(), "plan pins nothing");
        let list = fs::read(maildir.join("dovecot-uidlist")).unwrap();
        let moved = Moved::serve(&site, &uidl);
        assert_eq!(moved.seen(), as_sent(&before), "{format}");
        drop(moved);
        // Then the list is not needed any more.
        assert_eq!(fs::read(maildir.join("dovecot-uidlist")).unwrap(), list, "never written");
        fs::remove_file(maildir.join("dovecot-uidlist")).unwrap();
        let done = Moved::serve(&site, "import: done");
        assert_eq!(done.seen(), as_sent(&before), "{format}");
    }
}

#[test]
fn saved_strings_need_no_format() {
    let site = Site::new();
    let dovecot = Dovecot::serve(&site, "pop3_uidl_format = %v.%u\npop3_save_uidl = yes\n");
    let before = live(&site.maildir("ajones"), || dovecot.session("ajones"));
    dovecot.stop();
    assert_eq!(Moved::serve(&site, "import: read").seen(), as_sent(&before));
}

#[test]
fn a_wrong_format_is_reported_with_its_cause_before_the_migration() {
    let site = Site::new();
    let dovecot = Dovecot::serve(&site, "pop3_uidl_format = %v.%u\n");
    let before = live(&site.maildir("ajones"), || dovecot.session("ajones"));
    let with = format!("localhost:{}", dovecot.pop3().port());
    let ca = site.authority();
    let words = ["compare", "--with", &with, "--tls", "starttls", "--ca", ca.to_str().unwrap(), "--json", "ajones"];
    let (status, told, _) = command(&site, "", &words, &format!("{PASSWORD}\n"));
    assert_eq!(status, 1);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let differences = told["differences"].as_array().unwrap();
    assert!(!told["clean"].as_bool().unwrap());
    let there: Vec<&str> = differences.iter().filter_map(|one| one["there"].as_str()).collect();
    assert!(unique_ids(&before).iter().all(|unique_id| there.contains(unique_id)), "{told}");
    assert!(differences.iter().any(|one| one["cause"].as_str().unwrap().contains("dovecot_format")), "{told}");
}

#[test]
fn compare_sends_nothing_to_the_wrong_server() {
    let site = Site::new();
    let dovecot = Dovecot::serve(&site, "");
    let with = format!("localhost:{}", dovecot.pop3s().port());
    let (status, _, complained) = command(&site, "", &["compare", "--with", &with, "ajones"], &format!("{PASSWORD}\n"));
    assert_eq!(status, 1);
    assert!(complained.contains("TLS: invalid peer certificate"), "{complained}");
    let words = ["compare", "--with", &with, "--insecure", "ajones"];
    let (status, told, complained) = command(&site, "", &words, &format!("{PASSWORD}\n"));
    assert_eq!((status, told.as_str()), (0, "0 messages there, 0 here\nno difference\n"), "{complained}");
    let (status, _, complained) = command(&site, "", &words, "wrong\n");
    assert_eq!(status, 1);
    assert!(complained.contains("PASS: unexpected reply \"-ERR"), "{complained}");
}

/// Pins bind for ever, so they come from what clients were told, and never from a look at the mail.
#[test]
fn no_command_pins_anything() {
    let site = Site::new();
    let maildir = site.maildir("ajones");
    let dovecot = Dovecot::serve(&site, "");
    live(&maildir, || dovecot.session("ajones"));
    let (with, ca) = (format!("localhost:{}", dovecot.pop3s().port()), site.authority());
    let ca = ca.to_str().unwrap();
    let commands: [&[&str]; 9] = [
        &["index", "--all"],
        &["index", "ajones"],
        &["uidl", "plan", "--all"],
        &["uidl", "compare", "--with", &with, "--ca", ca, "ajones"],
        &["audit"],
        &["check"],
        &["resolve", "ajones"],
        &["undelete", "--list", "ajones"],
        &["uidl", "plan", "ajones"],
    ];
    let directory = stage::directory();
    let file = site.folder().join("command.yaml");
    fs::write(&file, plan(&directory.url(), "import: read").yaml()).unwrap();
    let run_all = || {
        for words in commands {
            let ended = output(restante().args(words).arg("--config").arg(&file), &format!("{PASSWORD}\n"));
            // Some find something wrong, but all must run.
            assert!(matches!(ended.status.code(), Some(0 | 1)), "{words:?}: {ended:?}");
        }
    };
    run_all();
    assert!(!maildir.join("restante-pins").exists());
    let moved = Moved::serve(&site, "import: read");
    assert_eq!(moved.seen().len(), 7);
    let state = || {
        let about = fs::metadata(maildir.join("restante-pins")).unwrap();
        (fs::read(maildir.join("restante-pins")).unwrap(), about.modified().unwrap(), about.ino())
    };
    let before = state();
    maildir::deliver(&maildir, "new/1800000000.M1P1.mx1", b"Subject: new\n\nx\n");
    run_all();
    assert_eq!(state(), before);
    assert!(!maildir.join("restante-pins.previous").exists());
}
