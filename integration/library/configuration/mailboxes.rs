//! What becomes of mail: sessions, deletion, marks, ageing.

use std::time::Duration;

use restante::connection::SessionsPerMaildrop;
use restante::identity::{RetentionAttribute, RetentionPolicy};
use restante::maildir::{Deletion, FolderName, MarkSeen, Missing, Offer, PathTemplate};
use restante::pop3::Expire;

use super::{REST, each_is_reported, good};

/// Lines at the beginning of a file, and what is wrong with them.
const FAULTS: &[(&str, &str)] = &[
    ("mailboxes: { sessions_per_maildrop: two }", "1:37: mailboxes.sessions_per_maildrop: \"two\" is unknown"),
    (
        "mailboxes: { takeover_after: 0s }",
        "1:30: mailboxes.takeover_after: \"0s\" is below the minimum; expected 1s to 1d",
    ),
    ("mailboxes: { deletion: keep }", "1:24: mailboxes.deletion: \"keep\" is unknown; expected"),
    ("mailboxes: { deletion: [a] }", "1:24: mailboxes.deletion: must be a mapping"),
    ("mailboxes: { deletion: { keep: 5m } }", "1:26: \"mailboxes.deletion.keep\" is an unknown key; did you mean"),
    (
        "mailboxes: { deletion: { keep_for: 5m } }",
        "1:36: mailboxes.deletion.keep_for: \"5m\" is below the minimum; expected",
    ),
    (
        "mailboxes: { deletion: { move_to: a/b } }",
        "1:35: mailboxes.deletion.move_to: \"a/b\" is no name of a Maildir++",
    ),
    ("mailboxes: { deletion: { move_to: .Trash } }", "1:35: mailboxes.deletion.move_to: \".Trash\" has a dot in front"),
    ("mailboxes: { mark_seen: all }", "1:25: mailboxes.mark_seen: \"all\" is unknown; expected"),
    ("mailboxes: { missing: no }", "1:23: mailboxes.missing: \"no\" is unknown; expected"),
    ("mailboxes: { marker: [] }", "1:22: mailboxes.marker: the list is empty; expected a file"),
    ("mailboxes: { marker: [.a, ../b] }", "1:27: mailboxes.marker: \"../b\" leads out of the mail root"),
    ("mailboxes: { marker: \"{name}/.mounted\" }", "1:22: mailboxes.marker: \"name\" is no field"),
    ("mailboxes: { offer: new }", "1:21: mailboxes.offer: \"new\" is unknown; expected all"),
    ("expire: { after: 12h }", "1:18: expire.after: \"12h\" is below the minimum; expected 1d to 3650d"),
    ("expire: { also_unretrieved: true }", "1:29: expire.also_unretrieved: has no effect without expire.after"),
    ("expire: { attribute: a b }", "1:22: expire.attribute: \"a b\" is not an attribute; expected a name such as"),
    ("expire: { attribute: [a, b] }", "1:22: expire.attribute: must be a string"),
    ("expire: { at_least: 14d }", "1:21: expire.at_least: has no effect without expire.attribute; expected that"),
    ("expire: { attribute: a, at_least: 12h }", "1:35: expire.at_least: \"12h\" is below the minimum; expected 1d to"),
    ("expire: { after: 6d, attribute: a }", "1:18: expire.after: is shorter than expire.at_least, which clients"),
    ("expire: { after: 30d, attribute: a, at_least: 31d }", "1:18: expire.after: is shorter than expire.at_least"),
    ("expire: 30d", "1:9: expire: must be a mapping of keys"),
];

#[test]
fn a_mistake_about_mailboxes_is_reported_with_its_position() {
    each_is_reported(FAULTS);
}

#[test]
fn markers_may_be_a_list_and_hold_fields() {
    let configuration = good(&format!(
        "mailboxes: {{ missing: refuse, marker: [.mounted, \"{{attr:disk}}/.mounted\"] }}\nuidl: {{ lists: {{ root: /l, \
         path: \"{{mail}}\", marker: \"{{attr:l}}/x\" }} }}{REST}"
    ));
    let marker = |text| PathTemplate::parse_marker(text).unwrap();
    assert_eq!(configuration.maildir.missing, Missing::Refuse);
    assert_eq!(configuration.maildir.markers, [marker(".mounted"), marker("{attr:disk}/.mounted")]);
    assert_eq!(configuration.maildir.unique_ids.list_markers, [marker("{attr:l}/x")]);
    let attributes: Vec<&str> = configuration.identity.template.attributes().collect();
    assert_eq!(attributes, ["disk", "l"], "they are asked for in the directory");
}

#[test]
fn settings_of_mail_reach_their_modules() {
    let configured = |mailboxes: &str| good(&format!("mailboxes: {{ {mailboxes} }}{REST}"));
    let deletion = |keys: &str| configured(&format!("deletion: {keys}")).maildir.deletion;
    let (week, trash) = (Duration::from_secs(7 * 86_400), FolderName::parse("Deleted Items").unwrap());
    assert_eq!(deletion("remove"), Deletion::Remove);
    assert_eq!(deletion("{ keep_for: 7d }"), Deletion::Keep(week));
    assert_eq!(deletion("{ move_to: Deleted Items }"), Deletion::Move(trash.clone(), None));
    assert_eq!(deletion("{ move_to: Deleted Items, keep_for: 7d }"), Deletion::Move(trash, Some(week)));
    let marks = configured("mark_seen: retrieved, offer: unread").maildir;
    assert_eq!((marks.mark_seen, marks.offer), (MarkSeen::Retrieved, Offer::Unread));
    let ageing = good(&format!("expire: {{ after: 7d, also_unretrieved: true }}{REST}"));
    assert_eq!(
        ageing.identity.retention,
        RetentionPolicy { after: Some(week), also_unretrieved: true, by_person: None }
    );
    assert_eq!((ageing.maildir.ageing, ageing.connection.expire), (true, Expire::Days(7)));
    let sessions = |keys: &str| configured(keys).connection.sessions;
    assert_eq!(sessions("sessions_per_maildrop: one, takeover_after: 5m"), SessionsPerMaildrop::One);
    let takeover = sessions("sessions_per_maildrop: one_with_takeover, takeover_after: 5m");
    assert_eq!(takeover, SessionsPerMaildrop::OneWithTakeover(Duration::from_secs(300)));
}

#[test]
fn the_ageing_of_each_persons_mail_is_read_from_their_entry() {
    let ageing = |keys: &str| good(&format!("expire: {{ {keys} }}{REST}"));
    let week = Duration::from_secs(7 * 86_400);
    for (keys, after, at_least, told) in [
        ("attribute: mailDays", None, week, 7),
        ("attribute: mailDays, after: 7d", Some(week), week, 7),
        ("attribute: mailDays, after: 28d, at_least: 36h", Some(4 * week), Duration::from_secs(36 * 3600), 1),
    ] {
        let configuration = ageing(keys);
        let by_person = Some(RetentionAttribute { attribute: "mailDays".to_owned(), at_least });
        assert_eq!(configuration.identity.retention, RetentionPolicy { after, also_unretrieved: false, by_person });
        assert_eq!(configuration.directories[0].further_attributes, ["mailDays"]);
        assert_eq!((configuration.maildir.ageing, configuration.connection.expire), (true, Expire::DaysByUser(told)));
    }
    assert!(ageing("attribute: mailDays, also_unretrieved: true").identity.retention.also_unretrieved);
    let off = good(&REST[1..]);
    assert_eq!((off.identity.retention, off.maildir.ageing), (RetentionPolicy::default(), false));
    assert_eq!(off.connection.expire, Expire::Never);
}
