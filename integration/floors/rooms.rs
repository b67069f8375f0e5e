//! The rooms inside a floor, and which of them may name which.

/// A room of a floor, which is a file or a folder; and the rooms of the same floor that it may name.
pub(super) type Room = (&'static str, &'static [&'static str]);

/// The floors that have inner walls, with their rooms from the lowest up. `mod.rs` wires them, and may name all.
pub(super) const ROOMS: &[(&str, &[Room])] = &[
    (
        "directory",
        &[
            ("fault", &[]),
            ("url", &[]),
            ("filter", &[]),
            ("health", &["fault"]),
            ("entries", &[]),
            ("settings", &["entries", "url"]),
            ("ldap", &["entries", "fault", "settings", "url"]),
            ("questions", &["entries", "fault", "ldap", "settings"]),
            ("background", &["entries", "fault", "ldap", "settings"]),
        ],
    ),
    (
        "identity",
        &[
            ("retention", &[]),
            ("settings", &["retention"]),
            ("mail_place", &["settings"]),
            ("person", &["mail_place", "retention", "settings"]),
            ("known_maildrops", &[]),
            ("verdict", &["mail_place", "person", "retention"]),
            ("question", &["person", "settings", "verdict"]),
            ("cache", &["person", "question", "settings", "verdict"]),
            ("throttle", &["person", "verdict"]),
            ("open_sessions", &["person", "verdict"]),
            (
                "login",
                &["cache", "mail_place", "open_sessions", "person", "question", "settings", "throttle", "verdict"],
            ),
            ("flush", &["cache", "login", "question", "throttle", "verdict"]),
        ],
    ),
    (
        "maildir",
        &[
            ("fault", &[]),
            ("mail_root", &["fault"]),
            ("files", &["fault", "mail_root"]),
            ("unique_ids", &["fault", "files", "mail_root"]),
            ("clock", &["fault"]),
            ("settings", &["files", "mail_root", "unique_ids"]),
            ("site", &["clock", "fault", "mail_root", "settings", "unique_ids"]),
            ("missing", &["fault", "files", "mail_root", "settings"]),
            ("snapshot", &["fault", "files", "mail_root", "missing", "settings", "site", "unique_ids"]),
            ("removal", &["fault", "files", "mail_root", "settings", "site", "snapshot", "unique_ids"]),
            (
                "maildrop",
                &["clock", "fault", "files", "mail_root", "removal", "settings", "site", "snapshot", "unique_ids"],
            ),
            (
                "store",
                &["clock", "fault", "mail_root", "maildrop", "removal", "settings", "site", "snapshot", "unique_ids"],
            ),
            ("choose", &["fault", "files", "mail_root", "store"]),
            ("survey", &["fault", "files", "mail_root", "missing", "settings", "snapshot", "store", "unique_ids"]),
        ],
    ),
    (
        "connection",
        &[
            ("settings", &[]),
            ("recent_addresses", &[]),
            ("report", &[]),
            ("wire", &["report", "settings"]),
            ("maildrop", &["report", "settings"]),
            ("service", &["maildrop", "recent_addresses", "report", "settings", "wire"]),
            ("driver", &["maildrop", "report", "service", "wire"]),
        ],
    ),
    (
        "mta",
        &[
            ("settings", &[]),
            ("account_name", &[]),
            ("listener", &["settings"]),
            ("sasl", &["account_name", "listener", "settings"]),
            ("socketmap", &["account_name", "listener", "settings"]),
        ],
    ),
];
