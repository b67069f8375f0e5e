//! `restante uidl plan`: what an administrator sees before a move.

use std::fs;

use super::command;
use crate::support::maildir;
use crate::support::service::Site;

/// The plan of all people, by name.
fn plan(site: &Site, uidl: &str) -> (i32, serde_json::Value) {
    let (status, told, complained) = command(site, uidl, &["plan", "--all", "--json"], "");
    assert_eq!(complained, "");
    (status, serde_json::from_str(&told).unwrap())
}

fn of<'v>(told: &'v serde_json::Value, person: &str) -> &'v serde_json::Value {
    told["maildrops"].as_array().unwrap().iter().find(|one| one["person"] == person).unwrap()
}

#[test]
fn everybody_is_planned_and_each_fault_reported() {
    let site = Site::new();
    let (good, bad) = (site.maildir("ajones"), site.maildir("mbrown"));
    maildir::make(&good, &[("cur/1.a:2,S", b"x\n"), ("new/2.b", b"x\n")]);
    fs::write(good.join("dovecot-uidlist"), "3 V1700000000 N9\n5 :1.a\n6 :0.gone\n").unwrap();
    let (status, told) = plan(&site, "");
    assert_eq!((status, &told["clean"]), (0, &true.into()), "unlisted and dead are normal: {told}");
    let of_good = of(&told, "ajones");
    for (key, value) in [("messages", 2), ("listed", 1), ("unlisted", 1), ("dead", 1), ("pinned", 0), ("over_long", 0)]
    {
        assert_eq!(of_good[key], value, "{key}: {told}");
    }
    assert_eq!(of_good["lists"][0], "dovecot-uidlist");
    assert_eq!(of_good["samples"][0]["unique_id"], "000000056553f100");
    let long = format!("cur/3.{}:2,S", "c".repeat(80));
    maildir::make(&bad, &[("cur/1.a:2,S", b"x\n"), ("cur/2.b:2,S", b"x\n"), (&long, b"x\n"), ("cur/4.d:2,S", b"x\n")]);
    let list =
        format!("3 V1700000000 N9\nx\n4 Psame :1.a\n5 Psame :2.b\n6 P :3.{}\n7 Pt\u{fc}r :4.d\n", "c".repeat(80));
    fs::write(bad.join("dovecot-uidlist"), list).unwrap();
    let (status, told) = plan(&site, "");
    let of_bad = of(&told, "mbrown");
    assert_eq!((status, &told["clean"], &of_bad["clean"]), (1, &false.into(), &false.into()));
    assert_eq!(
        (&of_bad["duplicate"][0], &of_bad["invalid"][0], &of_bad["over_long"]),
        (&"2.b".into(), &"4.d".into(), &1.into())
    );
    assert!(of_bad["faults"][0].as_str().unwrap().starts_with("dovecot-uidlist, line 2: cannot be read"), "{told}");
    let (status, told) = plan(&site, "precedence: [import_file]");
    assert_eq!(status, 1, "no list that counts");
    assert!(of(&told, "ajones")["faults"][0].as_str().unwrap().starts_with("no list was found"), "{told}");
    for maildir in [good, bad] {
        let names = fs::read_dir(maildir).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(names.filter(|name| name.to_string_lossy().starts_with("restante")).count() == 0, "nothing is written");
    }
}

#[test]
fn two_lists_of_which_either_may_be_right_are_reported() {
    let site = Site::new();
    let maildir = site.maildir("ajones");
    maildir::make(&maildir, &[("cur/1.a:2,S", b"x\n")]);
    fs::write(maildir.join("dovecot-uidlist"), "3 V1700000000 N9\n5 :1.a\n").unwrap();
    fs::write(maildir.join("courierpop3dsizelist"), "/3 15 16\n1.a:2,S 3 12:16:0\n").unwrap();
    let (status, told, _) = command(&site, "", &["plan", "ajones"], "");
    assert_eq!(status, 1);
    assert!(told.contains("WRONG   ajones: both Dovecot's and Courier's lists were found"), "{told}");
    let (status, told, _) = command(&site, "precedence: [courier]", &["plan", "ajones"], "");
    assert_eq!(status, 0, "{told}");
    assert!(told.contains("sample  ajones: 1.a would get UID12-16"), "{told}");
    fs::write(maildir.join("dovecot-uidlist"), "3 V1700000000 N9\n5 PUID12-16 :1.a\n").unwrap();
    assert_eq!(command(&site, "", &["plan", "ajones"], "").0, 0, "a list with saved strings is the newer one");
}

#[test]
fn lists_may_have_a_root_of_their_own() {
    let site = Site::new();
    maildir::make(&site.maildir("ajones"), &[("cur/1.a:2,S", b"x\n")]);
    let control = site.folder().join("control");
    fs::create_dir_all(control.join("ajones")).unwrap();
    fs::write(control.join("ajones/dovecot-uidlist"), "3 V1700000000 N9\n5 :1.a\n").unwrap();
    let uidl = "lists: { root: control, path: \"{short_name}\" }";
    let (status, told, complained) = command(&site, uidl, &["plan", "ajones"], "");
    assert_eq!(status, 0, "{told}{complained}");
    assert!(told.contains("1.a would get 000000056553f100"), "{told}");
    let moved = super::Moved::serve(&site, &format!("import: read, {uidl}"));
    assert_eq!(super::unique_ids(&moved.seen()), ["000000056553f100"]);
    std::os::unix::fs::symlink("/etc", control.join("mbrown")).unwrap();
    maildir::make(&site.maildir("mbrown"), &[("cur/1.a:2,S", b"x\n")]);
    let (status, told, _) = command(&site, uidl, &["plan", "mbrown"], "");
    assert_eq!(status, 1, "nothing outside is opened: {told}");
    assert!(told.contains("mbrown: no preview possible") && !told.contains("sample"), "{told}");
}

#[test]
fn an_unknown_name_is_an_error() {
    let site = Site::new();
    maildir::make(&site.maildir("ajones"), &[("cur/1.a:2,S", b"x\n")]);
    fs::write(site.maildir("ajones").join("dovecot-uidlist"), "3 V1700000000 N9\n5 :1.a\n").unwrap();
    let (status, told, _) = command(&site, "", &["plan", "nobody", "ajones"], "");
    assert_eq!(status, 1);
    assert!(told.contains("WRONG   nobody: no such login name"), "{told}");
    assert!(told.contains("ajones: messages 1, listed 1 (dovecot-uidlist)"), "the others are planned: {told}");
    assert!(told.ends_with("something is wrong in 1 of 2 maildrops\n"), "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    assert_eq!(command(&site, "", &["plan"], "").0, 2, "wrong usage");
}
