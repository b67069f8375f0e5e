//! Lists of other servers are read as far as the messages there explain their size.

use super::pinning::{listed, records};
use super::{Mail, fetched, unique_ids};

/// A list of minimal lines would take many times its own size in memory.
#[test]
fn a_list_far_larger_than_its_messages_explain_is_not_read() {
    let record = |number: usize| format!("{number} :{number}.a\n");
    for (dead, is_read) in [(150_000, true), (250_000, false)] {
        let mail = listed(1);
        mail.uidlist(&(1..dead).map(record).collect::<String>());
        let mut maildrop = mail.enter();
        let pinned = maildrop.pin(&[0]).map_err(|fault| fault.to_string());
        assert_eq!(pinned.is_ok(), is_read, "{pinned:?}");
        assert!(pinned.is_ok_and(|()| unique_ids(&maildrop) == ["000000016553f100"]) == is_read);
        assert_eq!(fetched(&mut maildrop, 0), "x", "mail can be read all the same");
    }
}

#[test]
fn a_list_of_very_many_messages_is_read_where_they_are_there() {
    let mail = Mail::importing(|_| {});
    let names: Vec<String> = (1..=4_000).map(|number| format!("{number}.a,W=1")).collect();
    for name in &names {
        mail.deliver(format!("cur/{name}:2,S"), "x");
    }
    // 64 lines for each of them, and more.
    let dead: Vec<String> = (5_000..300_000).map(|number| format!("{number} :{number}.b\n")).collect();
    mail.uidlist(&(records(&names) + &dead.concat()));
    assert_eq!(mail.told().first().map(String::as_str), Some("000000016553f100"));
}
