//! `maildirsize`, the Maildir++ quota of delivery agents, follows what sessions and commands take away or bring back.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use crate::support::maildir;
use crate::support::stage::Stage;

const MESSAGE: &[u8] = b"Subject: quota\n\nx\n";

/// The quota, and what lies there already.
fn with_quota(stage: &Stage, first: &str) {
    fs::write(stage.maildir().join("maildirsize"), first).unwrap();
}

/// What the lines behind the first add up to: octets and messages.
fn counted(maildir: &Path) -> (i64, i64) {
    let text = fs::read_to_string(maildir.join("maildirsize")).unwrap();
    let lines = text.lines().skip(1).map(|line| line.trim().split_once(' ').unwrap());
    let number = |text: &str| text.trim().parse::<i64>().unwrap();
    lines.fold((0, 0), |(octets, messages), (size, count)| (octets + number(size), messages + number(count)))
}

fn delete(stage: &Stage, numbers: &[usize]) {
    let mut client = stage.session();
    for number in numbers {
        client.ask(&format!("DELE {number}"), "+OK");
    }
    client.ask("QUIT", "+OK bye");
}

/// Delivers by the real agent; whether the quota let it.
fn deliver(maildir: &Path, quota: &str) -> bool {
    let mut agent = Command::new("deliverquota").arg(maildir).arg(quota).stdin(Stdio::piped()).spawn().unwrap();
    agent.stdin.take().unwrap().write_all(MESSAGE).unwrap();
    agent.wait().unwrap().success()
}

#[test]
fn a_delivery_agent_finds_room_where_mail_was_deleted() {
    let stage = Stage::set("", &[]);
    let maildir = stage.maildir();
    assert!((0..3).all(|_| deliver(&maildir, "3C")), "three messages fit");
    assert!(!deliver(&maildir, "3C"), "the fourth does not");
    delete(&stage, &[1, 2]);
    assert_eq!(counted(&maildir).1, 1);
    assert!(deliver(&maildir, "3C") && deliver(&maildir, "3C"));
    assert!(!deliver(&maildir, "3C"));
}

/// A name's `,S=` is what the agent counted; without one it is the file's size.
#[test]
fn one_line_for_all_deletions_of_a_session() {
    let messages = [("cur/1.a,S=1000:2,S", MESSAGE), ("new/2.b", MESSAGE), ("new/3.c,S=7,W=9", MESSAGE)];
    let stage = Stage::set("", &messages);
    with_quota(&stage, "1000000S\n1025 3\n");
    delete(&stage, &[1, 2]);
    let written = fs::read_to_string(stage.maildir().join("maildirsize")).unwrap();
    assert_eq!(written, format!("1000000S\n1025 3\n-{} -2\n", 1000 + MESSAGE.len()));
}

#[test]
fn what_is_kept_counts_against_no_quota_until_it_is_restored() {
    let stage = Stage::set_by(&[("cur/1.a,S=1000:2,S", MESSAGE), ("new/2.b", MESSAGE)], |plan, _| {
        plan.mailboxes.push_str("  deletion: { keep_for: 14d }\n");
    });
    with_quota(&stage, "1000000S\n1018 2\n");
    delete(&stage, &[1]);
    assert_eq!(counted(&stage.maildir()), (18, 1));
    stage.command(&["undelete", "ajones"]);
    assert_eq!(counted(&stage.maildir()), (1018, 2));
}

/// What is moved to a folder of the same Maildir is still mail that counts.
#[test]
fn what_is_moved_to_a_folder_counts_until_it_is_removed_there() {
    let stage = Stage::set_by(&[("cur/1.a,S=1000:2,S", MESSAGE), ("new/2.b", MESSAGE)], |plan, _| {
        plan.mailboxes.push_str("  deletion: { move_to: Trash, keep_for: 1h }\n");
    });
    with_quota(&stage, "1000000S\n1018 2\n");
    delete(&stage, &[1]);
    assert_eq!(counted(&stage.maildir()), (1018, 2));
    let deleted = stage.maildir().join("restante-deleted");
    let batch = fs::read_dir(&deleted).unwrap().next().unwrap().unwrap().file_name().into_string().unwrap();
    fs::rename(deleted.join(&batch), deleted.join("1000000000.0+3600@.Trash")).unwrap();
    stage.command(&["expire", "--all"]);
    assert_eq!(counted(&stage.maildir()), (18, 1), "{batch}");
}

/// Ageing takes mail away as well.
#[test]
fn aged_mail_counts_no_more() {
    let stage = Stage::set_by(&[("cur/1000000000.a,S=1000:2,S", MESSAGE), ("new/2.b", MESSAGE)], |plan, _| {
        plan.further.push_str("expire: { after: 30d, also_unretrieved: true }\n");
    });
    let old = fs::File::options().write(true).open(stage.maildir().join("cur/1000000000.a,S=1000:2,S")).unwrap();
    old.set_modified(UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
    with_quota(&stage, "1000000S\n1018 2\n");
    let told = stage.command(&["expire", "--all"]);
    assert_eq!(counted(&stage.maildir()), (18, 1), "{told}");
}

/// Without the file there is no such quota, and none is begun.
#[test]
fn no_quota_is_begun() {
    let stage = Stage::set("", &[("new/2.b", MESSAGE)]);
    delete(&stage, &[1]);
    assert!(!stage.maildir().join("maildirsize").exists());
}

/// A further name of somebody's file, or a link to one: nothing is written into it, and the deletion goes on.
#[test]
fn nothing_is_written_into_a_file_with_another_name() {
    for is_link in [true, false] {
        let stage = Stage::set("", &[("new/2.b", MESSAGE)]);
        let (other, here) = (stage.site.folder().join("other"), stage.maildir().join("maildirsize"));
        fs::write(&other, "kept\n").unwrap();
        if is_link {
            std::os::unix::fs::symlink(&other, &here).unwrap();
        } else {
            fs::hard_link(&other, &here).unwrap();
        }
        delete(&stage, &[1]);
        stage.service.wait_for_log(&["WARN", "maildirsize not updated"]);
        assert_eq!(fs::read_to_string(&other).unwrap(), "kept\n");
        assert_eq!(maildir::names(&stage.maildir()), [] as [&str; 0]);
    }
}
