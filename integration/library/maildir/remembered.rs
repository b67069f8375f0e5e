//! A file system of another machine, of which the kernel remembers names and attributes for a minute, as NFS does.

use std::fs;

use restante::maildir::{ImportMode, Maildrop, Settings, Store};

use super::{Mail, fetched, path, unique_ids};
use crate::support::mount::Remembered;

/// A mail root on another machine, and what this one sees of it.
pub(super) struct Elsewhere {
    pub(super) mail: Mail,
    here: Store,
    settings: Settings,
    _shown: Remembered,
    _at: tempfile::TempDir,
}

impl Elsewhere {
    pub(super) fn with(messages: &[&str], change: impl Fn(&mut Settings)) -> Self {
        let mail = Mail::with(&change);
        for name in messages {
            mail.deliver(name, "x\n");
        }
        let at = tempfile::tempdir().unwrap();
        let shown = Remembered::new(&mail.root(), at.path());
        let mut settings = Settings::new(at.path().to_owned());
        change(&mut settings);
        let here = Store::new(settings.clone()).unwrap();
        Self { mail, here, settings, _shown: shown, _at: at }
    }

    pub(super) fn enter(&self) -> Maildrop {
        self.here.enter(&path("ajones")).unwrap()
    }

    /// Another process on this machine, which remembers nothing itself.
    pub(super) fn enter_anew(&self) -> Maildrop {
        Store::new(self.settings.clone()).unwrap().enter(&path("ajones")).unwrap()
    }

    /// The next reading of `cur` misses a message, which is renamed while it is read.
    fn hide_once(&self, from: &str, to: &str) {
        fs::write(self.mail.root().join("hide-once"), format!("cur\n{from}\n{to}\n")).unwrap();
    }
}

impl Elsewhere {
    /// Just before a name in `cur` is removed or renamed, another file gets it, and the one that had it a new name.
    pub(super) fn swap_once(&self, name: &str, other: &str, new: &str) {
        fs::write(self.mail.root().join("swap-once"), format!("cur\n{name}\n{other}\n{new}\n")).unwrap();
    }

    /// Whether that has not happened yet.
    pub(super) fn is_swap_due(&self) -> bool {
        self.mail.root().join("swap-once").exists()
    }
}

const THREE: [&str; 3] = ["cur/1.a,W=3:2,", "cur/2.b,W=3:2,", "cur/3.c:2,"];

/// The attributes that this machine remembers would say that the directory never changed.
#[test]
fn names_hold_still_by_what_the_server_says() {
    let elsewhere = Elsewhere::with(&THREE, |_| {});
    // This machine remembers the directory from now on.
    assert_eq!(unique_ids(&elsewhere.enter()).len(), 3);
    for (from, to) in [("2.b,W=3:2,", "2.b,W=3:2,S"), ("2.b,W=3:2,S", "2.b,W=3:2,")] {
        elsewhere.hide_once(from, to);
        let mut maildrop = elsewhere.enter_anew();
        assert_eq!(unique_ids(&maildrop), ["1.a,W=3", "2.b,W=3", "3.c"]);
        assert_eq!(fetched(&mut maildrop, 1), "x\n");
    }
}

#[test]
fn a_message_known_before_is_looked_for_a_second_time() {
    let elsewhere = Elsewhere::with(&THREE, |_| {});
    assert_eq!(unique_ids(&elsewhere.enter()).len(), 3);
    for (from, to) in [("3.c:2,", "3.c:2,S"), ("3.c:2,S", "3.c:2,")] {
        elsewhere.hide_once(from, to);
        assert_eq!(unique_ids(&elsewhere.enter()), ["1.a,W=3", "2.b,W=3", "3.c"]);
    }
    elsewhere.mail.remove("cur/2.b,W=3:2,");
    assert_eq!(unique_ids(&elsewhere.enter()), ["1.a,W=3", "3.c"], "gone is gone");
}

/// The name that this machine remembers leads to the file that another node has replaced.
#[test]
fn pins_are_written_to_the_file_that_has_the_name_now() {
    let elsewhere = Elsewhere::with(&THREE, |settings| settings.unique_ids.import = ImportMode::Read);
    let mail = &elsewhere.mail;
    mail.uidlist("5 :1.a,W=3\n6 :2.b,W=3\n7 :3.c\n");
    let mut here = elsewhere.enter();
    let told = unique_ids(&here);
    here.pin(&[0]).unwrap();
    // Damage has the other node write the file anew.
    let pins = fs::read(mail.at("restante-pins")).unwrap();
    fs::write(mail.at("restante-pins"), [&pins[..], b"nonsense\n"].concat()).unwrap();
    mail.enter().pin(&[1]).unwrap();
    assert!(mail.at("restante-pins.previous").exists());
    here.pin(&[2]).unwrap();
    let pins = fs::read_to_string(mail.at("restante-pins")).unwrap();
    for unique_id in &told {
        assert!(pins.contains(unique_id.as_str()), "{unique_id} is lost:\n{pins}");
    }
}

/// What another node has appended is neither overwritten nor cut off.
#[test]
fn pins_of_another_node_stay() {
    let elsewhere = Elsewhere::with(&THREE, |settings| settings.unique_ids.import = ImportMode::Read);
    let mail = &elsewhere.mail;
    mail.uidlist("5 :1.a,W=3\n6 :2.b,W=3\n7 :3.c\n");
    let mut here = elsewhere.enter();
    here.pin(&[0]).unwrap();
    mail.enter().pin(&[1]).unwrap();
    here.pin(&[2]).unwrap();
    let lines = fs::read_to_string(mail.at("restante-pins")).unwrap();
    assert_eq!(lines.lines().count(), 4, "{lines}");
}

/// A file that was put in the place of the listed one is another message.
#[test]
fn what_another_node_put_in_the_place_of_a_message_is_not_removed() {
    let elsewhere = Elsewhere::with(&THREE, |_| {});
    let mail = &elsewhere.mail;
    let mut here = elsewhere.enter();
    mail.deliver("tmp/other", "another\n");
    mail.rename("tmp/other", "cur/1.a,W=3:2,");
    let committed = here.commit(&[0, 1]);
    assert_eq!((committed.removed, committed.failed.len()), (1, 1), "{committed:?}");
    assert_eq!(fs::read_to_string(mail.at("cur/1.a,W=3:2,")).unwrap(), "another\n");
}
