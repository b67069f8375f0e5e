//! The errors of `uidl`.

use std::path::Path;

use restante::maildir::{ImportMode, ListKind, OverLong, UidlFormat};

use super::{REST, faults, folder, good};

#[test]
fn each_mistake_is_reported_with_its_position_and_what_is_expected() {
    let folder = folder();
    for (line, fault) in [
        ("uidl: { import: on }", "uidl.import: \"on\" is unknown; expected off or read or follow or done"),
        ("uidl: { import: false }", "uidl.import: must be "),
        ("uidl: { precedence: dovecot }", "uidl.precedence: must be "),
        ("uidl: { precedence: [] }", "uidl.precedence: the list is empty"),
        ("uidl: { precedence: [qmail] }", "uidl.precedence: \"qmail\" is unknown"),
        ("uidl: { dovecot_format: \"%08Xm\" }", "uidl.dovecot_format: \"%08Xm\" is no part of a format of unique-ids"),
        ("uidl: { over_long: cut }", "uidl.over_long: \"cut\" is unknown"),
        ("uidl: { follow_wait: 2d }", "uidl.follow_wait: \"2d\" is above the maximum; expected 0s to 1d"),
        ("uidl: { lists: { path: \"{short_name}\" } }", "uidl.lists.root is missing"),
        ("uidl: { lists: { root: /var } }", "uidl.lists.path is missing"),
        ("uidl: { lists: { root: /var, path: \"x\" } }", "uidl.lists.path: the template has no field"),
    ] {
        let told = faults(folder.path(), format!("{line}{REST}").as_bytes());
        assert_eq!(told.len(), 1, "{line}: {told:?}");
        assert!(told[0].starts_with("1:") && told[0].contains(fault), "{line}: {told:?}");
    }
}

#[test]
fn a_move_is_configured() {
    let lines = "uidl:\n  import: follow\n  precedence: [courier, base_name]\n  dovecot_format: \"%v.%u\"\n  over_long: replace\n  follow_wait: 1m\n  lists: { root: /var/control, path: \"{attr:homeDirectory}\" }\n";
    let configuration = good(&format!("{lines}{REST}"));
    let told = configuration.maildir.unique_ids;
    assert_eq!((told.import, told.over_long), (ImportMode::Follow, OverLong::Replace));
    assert_eq!(told.precedence, [ListKind::Courier, ListKind::BaseName]);
    assert_eq!(told.dovecot_format, UidlFormat::parse("%{uidvalidity}.%{uid}").unwrap());
    assert_eq!((told.follow_wait.as_secs(), told.lists_root.as_deref()), (60, Some(Path::new("/var/control"))));
    let attributes: Vec<&str> = configuration.identity.template.attributes().collect();
    assert_eq!(attributes, ["homeDirectory"], "it is asked for in the directory");
}
