//! `restante undelete`, for what a mail program deleted.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use super::command;
use crate::support::maildir;
use crate::support::stage::Stage;

const THREE: &[(&str, &[u8])] = &[
    ("cur/1.a:2,S", b"Subject: first\n\na\n"),
    ("new/2.b", b"Subject: second\x1b[2J\n\nb\n"),
    ("new/3.c", b"Subject: third\n\nc\n"),
];

fn stage(deletion: &str) -> Stage {
    Stage::set_by(THREE, |plan, _| writeln!(plan.mailboxes, "  deletion: {deletion}").unwrap())
}

fn delete_two(stage: &Stage) {
    let mut client = stage.session();
    client.ask("DELE 1", "+OK");
    client.ask("DELE 2", "+OK");
    client.ask("QUIT", "+OK bye");
}

fn unique_ids(stage: &Stage) -> Vec<String> {
    let mut client = stage.session();
    client.ask("UIDL", "+OK");
    let lines = String::from_utf8(client.multiline()).unwrap();
    let ids = lines.lines().filter_map(|line| Some(line.split_once(' ')?.1.to_owned())).collect();
    client.ask("QUIT", "+OK bye");
    ids
}

#[test]
fn what_was_deleted_comes_back() {
    for deletion in ["{ keep_for: 14d }", "{ move_to: Trash }", "{ move_to: Trash, keep_for: 14d }"] {
        let stage = stage(deletion);
        delete_two(&stage);
        assert_eq!(unique_ids(&stage), ["3.c"]);
        let listed = command(&stage.site, &["undelete", "--list", "Alan Jones"], "");
        assert_eq!(listed.status, 0, "{}", listed.complained);
        for words in ["first", "second", "1.a:2,S", "2.b", "s ago"] {
            assert!(listed.told.contains(words), "{words} in {}", listed.told);
        }
        assert!(!listed.told.contains('\u{1b}'), "what stands in a header steers no terminal");
        assert_eq!(listed.told.contains(".Trash"), deletion.contains("Trash"));
        assert_eq!(unique_ids(&stage), ["3.c"], "a list changes nothing");
        let back = command(&stage.site, &["undelete", "ajones"], "");
        assert_eq!((back.status, back.told.trim()), (0, "restored 2 of 2 messages of ajones"), "{}", back.complained);
        let ids = unique_ids(&stage);
        assert_eq!(ids.len(), 3);
        assert!(!ids.iter().any(|id| id == "1.a" || id == "2.b"), "{ids:?}");
        let again = command(&stage.site, &["undelete", "ajones"], "");
        assert_eq!((again.status, again.told.trim()), (0, "ajones has no deleted messages that can be restored"));
    }
}

#[test]
fn one_of_several_comes_back_as_it_was() {
    let stage = stage("{ keep_for: 14d }");
    delete_two(&stage);
    let back = command(&stage.site, &["undelete", "--same-id", "ajones", "1.a:2,S", "9.z"], "");
    assert_eq!((back.status, back.told.trim()), (1, "restored 1 of 2 messages of ajones"));
    assert!(back.complained.contains("9.z is not a deleted message; --list shows their names"), "{}", back.complained);
    assert_eq!(maildir::names(&stage.maildir()), ["cur/1.a:2,S", "new/3.c"]);
    assert_eq!(unique_ids(&stage), ["1.a", "3.c"]);
}

#[test]
fn only_what_was_deleted_of_late_comes_back() {
    let stage = stage("{ keep_for: 14d }");
    delete_two(&stage);
    let batches = stage.maildir().join("restante-deleted");
    let batch = fs::read_dir(&batches).unwrap().next().unwrap().unwrap();
    let seconds: u64 = batch.file_name().to_str().unwrap().split('.').next().unwrap().parse().unwrap();
    fs::rename(batch.path(), batches.join(format!("{}.0", seconds - 7_200))).unwrap();
    let mut client = stage.session();
    client.ask("DELE 1", "+OK");
    client.ask("QUIT", "+OK");
    let back = command(&stage.site, &["undelete", "--since", "1h", "--same-id", "ajones"], "");
    assert_eq!(back.told.trim(), "restored 1 of 1 messages of ajones");
    assert_eq!(unique_ids(&stage), ["3.c"]);
    // The end of any session cleans up what is too old.
    let batch = fs::read_dir(&batches).unwrap().next().unwrap().unwrap();
    fs::rename(batch.path(), batches.join(format!("{}.0", seconds - 15 * 86_400))).unwrap();
    stage.session().ask("QUIT", "+OK bye");
    assert_eq!(fs::read_dir(&batches).unwrap().count(), 0);
}

#[test]
fn an_unknown_name_and_a_wrong_time_are_reported() {
    let stage = stage("remove");
    let unknown = command(&stage.site, &["undelete", "nobody"], "");
    assert_eq!(unknown.status, 1);
    assert!(unknown.complained.contains("no such login name"), "{}", unknown.complained);
    let named = command(&stage.site, &["undelete", "ajones", "9.z"], "");
    assert_eq!((named.status, named.told.trim()), (1, "restored 0 of 1 messages of ajones"));
    let wrong = command(&stage.site, &["undelete", "--since", "soon", "ajones"], "");
    assert_eq!(wrong.status, 2);
    let nothing = command(&stage.site, &["undelete", "ajones"], "");
    assert_eq!((nothing.status, nothing.told.trim()), (0, "ajones has no deleted messages that can be restored"));
    assert!(nothing.complained.contains("mailboxes.deletion is `remove`"), "{}", nothing.complained);
}

#[test]
fn scripts_read_what_was_and_was_not_done() {
    let stage = stage("{ keep_for: 14d }");
    delete_two(&stage);
    let json = |words: &[&str]| {
        let ended = command(&stage.site, &[&["undelete", "--json"], words].concat(), "");
        (ended.status, serde_json::from_str::<Value>(&ended.told).unwrap())
    };
    let (status, listed) = json(&["--list", "ajones"]);
    assert_eq!(status, 0);
    let names: Vec<&str> =
        listed["deleted"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 2, "{listed:#}");
    assert!(names.contains(&"1.a:2,S") && names.contains(&"2.b"), "{listed:#}");
    let (status, done) = json(&["ajones", "1.a:2,S", "9.z"]);
    assert_eq!((status, &done["clean"], &done["restored"][0]), (1, &false.into(), &"1.a:2,S".into()));
    assert_eq!(done["not_restored"][0]["name"], "9.z");
}

/// Its name says that it arrived long ago, and it was retrieved long ago; but it is wanted now.
#[test]
fn aged_mail_that_comes_back_under_its_unique_id_stays() {
    let stage = Stage::set_by(&[], |plan, _| {
        plan.mailboxes.push_str("  deletion: { keep_for: 14d }\n");
        plan.further.push_str("expire: { after: 30d, also_unretrieved: true }\n");
    });
    let old = super::expire::deliver_old(&stage.site, "ajones", 40);
    stage.session().ask("QUIT", "+OK bye");
    assert_eq!(maildir::names(&stage.maildir()), [] as [&str; 0]);
    let back = command(&stage.site, &["undelete", "--same-id", "ajones"], "");
    assert!(back.told.contains("restored 1 of 1"), "{}{}", back.told, back.complained);
    stage.session().ask("QUIT", "+OK bye");
    assert_eq!(maildir::names(&stage.maildir()), [old]);
}

/// The settings changed between deletion and clean-up: what was said at the deletion holds.
#[test]
fn each_deletion_keeps_its_own_term() {
    for (before, after, stays) in [
        ("{ move_to: Archive }", "{ move_to: Trash, keep_for: 1h }", true),
        ("{ move_to: Trash, keep_for: 1h }", "{ move_to: Archive }", false),
        ("{ keep_for: 1h }", "remove", false),
        ("{ keep_for: 60d }", "{ keep_for: 1h }", true),
        ("{ keep_for: 1h }", "{ move_to: Trash }", false),
    ] {
        let mut stage = stage(before);
        delete_two(&stage);
        let deleted = stage.maildir().join("restante-deleted");
        for batch in fs::read_dir(&deleted).unwrap().map(Result::unwrap) {
            let name = batch.file_name().into_string().unwrap();
            let (seconds, rest) = name.split_once('.').unwrap();
            let older = seconds.parse::<u64>().unwrap() - 40 * 24 * 60 * 60;
            fs::rename(batch.path(), deleted.join(format!("{older}.{rest}"))).unwrap();
        }
        stage.plan.mailboxes = stage.plan.mailboxes.replace(before, after);
        let again = stage.site.serve(&stage.plan);
        let ended = command(&stage.site, &["expire", "--all"], "");
        let count = if stays { 0 } else { 2 };
        assert!(ended.told.contains(&count.to_string()), "{before} {after}: {}{}", ended.told, ended.complained);
        let kept: usize = walk(&stage.maildir()).iter().filter(|text| text.starts_with("Subject: ")).count();
        assert_eq!(kept, 3 - count, "{before}, then {after}");
        drop(again);
    }
}

/// What every file below says.
fn walk(directory: &std::path::Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        if path.is_dir() { walk(&path) } else { vec![String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()] }
    };
    entries.flat_map(read).collect()
}
