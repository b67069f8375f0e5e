//! A Maildir that is not there, or not whole: empty only where nothing says that a disk is not mounted.

use std::fs;
use std::path::Path;

use restante::maildir::{
    EnterFault, FieldValue, ImportMode, MaildirCondition, MaildropPath, Missing, PathTemplate, Settings, Store,
    StoreFault,
};

use super::{Mail, path, unique_ids};

fn marker(text: &str) -> PathTemplate {
    PathTemplate::parse_marker(text).unwrap()
}

fn path_by(template: &PathTemplate, name: &str) -> MaildropPath {
    template.path(Path::new("/"), |_| FieldValue::One(name.to_owned())).unwrap()
}

/// Why a maildrop is not entered; none if it is.
fn refusal(store: &Store, path: &MaildropPath) -> Option<String> {
    match store.enter(path) {
        Ok(_) => None,
        Err(EnterFault::Unavailable(why) | EnterFault::Forbidden(why)) => Some(why),
    }
}

fn store(mail: &Mail, change: impl FnOnce(&mut Settings)) -> Store {
    let mut settings = Settings::new(mail.root());
    change(&mut settings);
    Store::new(settings).unwrap()
}

#[test]
fn a_part_that_is_missing_beside_mail_or_our_files_fell_away() {
    for (missing, other) in [("cur", "new"), ("new", "cur")] {
        let mail = Mail::new();
        fs::remove_dir(mail.at(missing)).unwrap();
        assert_eq!(refusal(&mail.restarted(), &path("ajones")), None, "a Maildir that is being made");
        mail.deliver(format!("{other}/1.a"), "x");
        for store in [mail.restarted(), mail.store.clone()] {
            let why = refusal(&store, &path("ajones")).unwrap();
            assert!(why.contains(&format!("{missing} is missing, and {other} holds mail")), "{why}");
            assert!(store.index(&path("ajones"), &mut |_| {}).is_err());
            assert!(store.plan(&path("ajones")).is_err());
            assert!(matches!(store.inspect(&path("ajones")), MaildirCondition::Unusable(..)));
        }
        mail.remove(&format!("{other}/1.a"));
        for ours in ["restante-index", "restante-pins", "restante-deleted"] {
            mail.deliver(ours, "");
            let why = refusal(&mail.restarted(), &path("ajones")).unwrap();
            assert!(why.contains(&format!("{missing} is missing, and {ours} is there")), "{why}");
            mail.remove(ours);
        }
        // A lock is made where there is no mail as well.
        mail.deliver("restante.lock", "");
        assert_eq!(refusal(&mail.restarted(), &path("ajones")), None);
    }
}

/// What was listed and lies on a disk that is not mounted any more is neither gone nor deleted.
#[test]
fn a_part_that_falls_away_during_a_session_deletes_nothing() {
    let mail = Mail::new();
    mail.deliver("cur/1.a:2,S", "x");
    mail.deliver("new/2.b", "x");
    let mut maildrop = mail.enter();
    fs::rename(mail.at("cur"), mail.at("away")).unwrap();
    let committed = maildrop.commit(&[0, 1]);
    assert_eq!((committed.removed, committed.already_gone, committed.failed.len()), (1, 0, 1), "{committed:?}");
    fs::rename(mail.at("away"), mail.at("cur")).unwrap();
    assert_eq!(mail.unique_ids(), ["1.a"]);
}

#[test]
fn where_every_maildir_is_made_before_its_first_login_a_missing_one_is_refused() {
    let mail = Mail::new();
    let store = store(&mail, |settings| settings.missing = Missing::Refuse);
    assert_eq!(refusal(&store, &path("ajones")), None);
    assert!(refusal(&store, &path("nobody")).unwrap().contains("mailboxes.missing refuses that"));
    fs::create_dir_all(mail.root().join("half/Maildir/new")).unwrap();
    assert!(refusal(&store, &path("half")).unwrap().contains("cur is missing"));
    assert!(matches!(store.inspect(&path("nobody")), MaildirCondition::Unusable(None, _)));
}

/// Each disk below the root has a marker of its own.
#[test]
fn a_marker_may_be_of_each_person() {
    let mail = Mail::new();
    let markers = [marker(".mounted"), marker("{short_name}/.mounted")];
    let template = PathTemplate::parse("{short_name}/Maildir").unwrap().with_markers(&markers);
    let store = store(&mail, |settings| settings.markers = markers.to_vec());
    let ajones = path_by(&template, "ajones");
    let why = refusal(&store, &ajones).unwrap();
    assert!(why.contains("the marker ") && why.contains("ajones/.mounted is not there"), "{why}");
    fs::write(mail.root().join("ajones/.mounted"), "").unwrap();
    assert_eq!(refusal(&store, &ajones), None);
    assert!(refusal(&store, &path_by(&template, "nobody")).is_some());
    fs::remove_file(mail.root().join(".mounted")).unwrap();
    assert!(refusal(&store, &ajones).unwrap().contains("root/.mounted is not there"));
    let mut settings = Settings::new(mail.root());
    settings.markers = vec![marker("{short_name}/.mounted"), marker(".mounted")];
    assert!(
        matches!(Store::new(settings), Err(StoreFault::Marker(..))),
        "that of everybody is looked for at the start"
    );
}

/// After a restart nothing is remembered; but the table of file systems says what should be there.
#[test]
fn a_file_system_that_should_be_mounted_is_missed_after_a_restart() {
    let mail = Mail::new();
    fs::create_dir(mail.root().join("disk2")).unwrap();
    std::os::unix::fs::symlink("disk2/bob", mail.root().join("bob")).unwrap();
    fs::create_dir(mail.root().join("disk2/bob")).unwrap();
    let table = mail.disk.path().join("fstab");
    let declare =
        |point: &Path| fs::write(&table, format!("/dev/sdb1 {} ext4 defaults 0 2\n", point.display())).unwrap();
    declare(&mail.root().join("disk2"));
    let store = store(&mail, |settings| settings.mount_table.clone_from(&table));
    assert_eq!(refusal(&store, &path("ajones")), None);
    assert_eq!(refusal(&store, &path("nobody")), None, "a place where nothing should be mounted");
    for person in ["disk2/carl", "bob"] {
        let template = PathTemplate::parse("{attr:box}/Maildir").unwrap();
        let why = refusal(&store, &path_by(&template, person)).unwrap();
        assert!(why.contains("nothing is mounted at ") && why.contains("disk2"), "{why}");
    }
    // The root itself, or what is above it.
    for point in [mail.root(), mail.disk.path().to_owned()] {
        declare(&point);
        assert_eq!(refusal(&store, &path("ajones")), None, "what is there is there");
        assert!(refusal(&store, &path("nobody")).is_some());
    }
}

/// "No list" would have own strings pinned, which nothing repairs.
#[test]
fn a_root_of_lists_that_is_not_mounted_is_not_without_lists() {
    let mail = Mail::new();
    mail.deliver("new/1.a", "x");
    let (lists, table) = (mail.disk.path().join("lists"), mail.disk.path().join("fstab"));
    let mut settings = Settings::new(mail.root());
    settings.unique_ids.import = ImportMode::Read;
    settings.unique_ids.lists_root = Some(lists.clone());
    settings.mount_table.clone_from(&table);
    assert!(matches!(Store::new(settings.clone()), Err(StoreFault::Lists(..))), "it must be there at the start");
    fs::create_dir_all(lists.join("ajones")).unwrap();
    settings.unique_ids.list_markers = vec![marker(".lists")];
    assert!(matches!(Store::new(settings.clone()), Err(StoreFault::Marker(..))));
    fs::write(lists.join(".lists"), "").unwrap();
    let template = PathTemplate::parse("{short_name}/Maildir").unwrap();
    let template = template.with_lists(PathTemplate::parse("{short_name}").unwrap(), lists.clone());
    let (store, ajones) = (Store::new(settings).unwrap(), path_by(&template, "ajones"));
    assert_eq!(refusal(&store, &ajones), None);
    fs::remove_file(lists.join(".lists")).unwrap();
    assert!(refusal(&store, &ajones).unwrap().contains("lists/.lists is not there"));
    fs::write(lists.join(".lists"), "").unwrap();
    fs::write(&table, format!("nas:/lists {} nfs defaults\n", lists.display())).unwrap();
    assert!(refusal(&store, &ajones).unwrap().contains("nothing is mounted at "));
    assert!(store.plan(&ajones).is_err());
    fs::write(lists.join("ajones/dovecot-uidlist"), "3 V1 N9\n7 :1.a\n").unwrap();
    assert_eq!(unique_ids(&store.enter(&ajones).unwrap()), ["0000000700000001"], "a list that is there counts");
    fs::remove_file(lists.join("ajones/dovecot-uidlist")).unwrap();
    fs::remove_file(&table).unwrap();
    fs::rename(&lists, mail.disk.path().join("away")).unwrap();
    fs::create_dir(&lists).unwrap();
    fs::write(lists.join(".lists"), "").unwrap();
    let why = refusal(&store, &ajones).unwrap();
    assert!(why.contains("the root of lists") && why.contains("is not the directory seen at the start"), "{why}");
}
