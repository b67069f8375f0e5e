//! Postfix's own delivery agent, virtual(8), in the middle of sessions.

use std::collections::BTreeSet;

use crate::support::conversation::Conversation;
use crate::support::maildir;
use crate::support::postfix::Postfix;
use crate::support::stage::Stage;

fn neighbours() -> (Postfix, Stage) {
    let stage = Stage::set_by(&[("new/1700000001.M1P1.mx", b"Subject: one\n\n1\n")], |plan, site| {
        plan.further.push_str("user: mail\n");
        crate::support::dovecot::hand_over(site);
    });
    (Postfix::serve(&stage.site), stage)
}

/// A whole message, of as many octets as LIST says.
fn retrieve(client: &mut Conversation, number: usize) -> String {
    let listed = client.ask(&format!("LIST {number}"), "+OK");
    client.ask(&format!("RETR {number}"), "+OK");
    let message = client.message();
    assert_eq!(listed, format!("+OK {number} {}", message.len()));
    String::from_utf8(message).unwrap()
}

fn unique_ids(client: &mut Conversation) -> Vec<String> {
    client.ask("UIDL", "+OK");
    let lines = String::from_utf8(client.multiline()).unwrap();
    lines.lines().filter_map(|line| line.split_once(' ')).map(|(_, id)| id.to_owned()).collect()
}

#[test]
fn what_virtual_delivers_meanwhile_is_for_the_next_session() {
    let (postfix, stage) = neighbours();
    let mut client = stage.session();
    for (text, delivered) in [("by Postfix", 1), ("once more", 2)] {
        postfix.send("ajones", text);
        postfix.wait_for(delivered);
    }
    client.ask("STAT", "+OK 1 ");
    client.ask("DELE 1", "+OK");
    client.ask("QUIT", "+OK bye");
    let names = maildir::names(&stage.maildir());
    assert!(names.len() == 2 && names.iter().all(|name| name.starts_with("new/") && name.contains(".V")), "{names:?}");
    let mut client = stage.session();
    client.ask("STAT", "+OK 2 ");
    for (number, text) in [(1, "by Postfix"), (2, "once more")] {
        let message = retrieve(&mut client, number);
        assert!(message.contains("Delivered-To: ajones@renovations.example\r\n"), "{message}");
        assert!(message.ends_with(&format!("\r\n\r\n{text}\r\n")), "{message}");
    }
    let mut ids = unique_ids(&mut client);
    ids.sort_unstable();
    assert!(ids.iter().zip(&names).all(|(id, name)| name.strip_prefix("new/") == Some(id)), "{ids:?} {names:?}");
    assert_eq!(maildir::names(&stage.maildir()), names, "nothing is renamed");
}

/// Sessions that fetch and delete everything, one after the other, while it comes.
#[test]
fn each_message_of_a_burst_is_fetched_once() {
    const MESSAGES: usize = 40;
    let (postfix, stage) = neighbours();
    let mut texts = Vec::new();
    let mut ids = BTreeSet::new();
    for number in 0..MESSAGES {
        postfix.send("ajones", &format!("number {number}"));
        fetch_all(&stage, &mut texts, &mut ids);
    }
    postfix.wait_for(MESSAGES);
    fetch_all(&stage, &mut texts, &mut ids);
    let different: BTreeSet<&str> = texts.iter().map(String::as_str).collect();
    let sent = (0..MESSAGES).map(|number| format!("number {number}")).chain(["1".to_owned()]).collect::<Vec<_>>();
    assert_eq!(different, sent.iter().map(String::as_str).collect());
    assert_eq!((texts.len(), ids.len()), (sent.len(), sent.len()), "none came twice");
    assert_eq!(maildir::names(&stage.maildir()), [] as [&str; 0]);
}

fn fetch_all(stage: &Stage, texts: &mut Vec<String>, ids: &mut BTreeSet<String>) {
    let mut client = stage.session();
    let here = unique_ids(&mut client);
    for number in 1..=here.len() {
        let message = retrieve(&mut client, number);
        texts.push(message.trim_end().rsplit("\r\n").next().unwrap().to_owned());
        client.ask(&format!("DELE {number}"), "+OK");
    }
    ids.extend(here);
    client.ask("QUIT", "+OK bye");
}
