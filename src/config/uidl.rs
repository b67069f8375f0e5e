//! `uidl`: unique-ids of another server, and how they are imported.

use std::path::PathBuf;
use std::time::Duration;

use super::mailboxes;
use super::paths::Base;
use super::section::Section;
use super::tree::Node;
use super::values;
use crate::maildir::{ImportMode, ListKind, OverLong, PathTemplate, UidlFormat, UniqueIdSettings};

/// The upper bound of `follow_wait`.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const KINDS: [(&str, ListKind); 5] = [
    ("import_file", ListKind::ImportFile),
    ("dovecot_saved", ListKind::DovecotSaved),
    ("dovecot", ListKind::Dovecot),
    ("courier", ListKind::Courier),
    ("base_name", ListKind::BaseName),
];

/// The settings of unique-ids.
pub(super) fn read(root: &Section<'_>, base: &Base) -> UniqueIdSettings {
    let section = root.section("uidl");
    let default = UniqueIdSettings::default();
    let modes = [
        ("off", ImportMode::Off),
        ("read", ImportMode::Read),
        ("follow", ImportMode::Follow),
        ("done", ImportMode::Done),
    ];
    UniqueIdSettings {
        import: section.word("import", default.import, &modes),
        precedence: precedence(&section, default.precedence),
        dovecot_format: section.parsed("dovecot_format", UidlFormat::parse).unwrap_or(default.dovecot_format),
        over_long: section.word(
            "over_long",
            default.over_long,
            &[("keep", OverLong::Keep), ("replace", OverLong::Replace)],
        ),
        follow_wait: section.duration("follow_wait", default.follow_wait, Duration::ZERO..=DAY),
        lists_root: lists_root(&section.section("lists"), base),
        list_markers: mailboxes::markers(&section.section("lists")),
    }
}

fn precedence(section: &Section<'_>, default: Vec<ListKind>) -> Vec<ListKind> {
    let Some(items) = section.word_list("precedence", &KINDS) else { return default };
    if items.is_empty() {
        let what = "the list is empty; expected import: off, or lists such as [dovecot, courier]";
        section.fault("precedence", section.place_of("precedence"), what);
    }
    let kind = |item: &Node| section.parsed_of("precedence", item, |text| values::word(text, &KINDS));
    items.iter().filter_map(kind).collect()
}

fn lists_root(lists: &Section<'_>, base: &Base) -> Option<PathBuf> {
    if ["root", "path", "marker"].iter().any(|key| lists.get(key).is_some()) {
        lists.require("root", "the directory of the lists, such as /var/lib/dovecot/control");
        lists.require("path", "each person's path below it, such as \"{short_name}\"");
    }
    lists.parsed("root", |path| base.resolve(path))
}

/// The template of a maildrop's path, with the path of another server's lists if they have their own root.
pub(super) fn with_lists(root: &Section<'_>, template: PathTemplate, settings: &UniqueIdSettings) -> PathTemplate {
    let lists = root.section("uidl").section("lists");
    let path = lists.parsed("path", |text| PathTemplate::parse(text).map_err(|fault| fault.what));
    match (path, &settings.lists_root) {
        (Some(path), Some(root)) => template.with_lists(path.with_markers(&settings.list_markers), root.clone()),
        _ => template,
    }
}
