//! What all nodes agree about: lists, unique-ids, the one session of a maildrop, kept deletions. And how a node leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rustix::process::Signal;

use super::farm::Farm;
use super::{Account, Got, PASSWORD, PEOPLE, Talk, maildir, wait_until};
use crate::support::conversation::Conversation;
use crate::support::process::succeed;
use crate::support::service::restante;

/// What `HAProxy` says of a client, version 1.
const HEADER: &str = "PROXY TCP4 127.0.0.9 127.0.0.1 40000 110\r\n";

/// As large as no buffers between two programs are.
const LARGE: usize = 24 << 20;

/// Retrieves everything by a node of its own, until it is what lies on disk. Where attributes are cached, the node may see
/// the last changes a second late.
pub(super) fn wait_until_all_read(
    farm: &Farm,
    node: usize,
    (name, password): (&str, &str),
    account: &Account,
    there: &BTreeMap<usize, usize>,
) {
    let there: BTreeSet<usize> = there.keys().copied().collect();
    wait_until("the node gives every message", || {
        let mut talk = begin(farm, node, (name, password)).0.expect("nobody else has the maildrop");
        let mut read = BTreeSet::new();
        for (at, unique_id) in (1..).zip(talk.unique_ids().unwrap()) {
            if let Got::Message(number) = talk.retrieve(at).unwrap() {
                account.saw(number, &unique_id);
                assert!(read.insert(number), "message {number} is listed twice");
            }
        }
        assert!(talk.ask("QUIT").unwrap().starts_with("+OK"));
        read == there
    });
}

/// Logs in at a node, past `HAProxy`; gives the reply to the password, too.
fn begin(farm: &Farm, node: usize, (name, password): (&str, &str)) -> (Option<Talk>, String) {
    let mut talk = Talk::behind(HEADER, farm.listener(node)).unwrap();
    talk.ask(&format!("USER {name}")).unwrap();
    let reply = talk.ask(&format!("PASS {password}")).unwrap();
    (reply.starts_with("+OK").then_some(talk), reply)
}

/// The unique-ids that a node lists. None for a temporary error: for as long as names are cached, a message that came back
/// under a name that was gone may be listed and yet not be found, and the list is whole or there is none.
fn unique_ids(farm: &Farm, node: usize) -> Option<Vec<String>> {
    let (talk, reply) = begin(farm, node, PEOPLE[0]);
    assert!(talk.is_some() || reply.starts_with("-ERR [SYS/TEMP]"), "node {node} says: {reply}");
    let mut talk = talk?;
    let unique_ids = talk.unique_ids().unwrap();
    assert!(talk.ask("QUIT").unwrap().starts_with("+OK"));
    Some(unique_ids)
}

fn three_messages(site: &crate::support::service::Site) {
    let messages: [(&str, &[u8]); 3] = [
        ("cur/1.a:2,S", b"Subject: soak 1\n\none\n"),
        ("cur/2.b:2,", b"Subject: soak 2\n\ntwo\n"),
        ("new/3.c", b"Subject: soak 3\n\nthree\n"),
    ];
    maildir::make(&site.maildir("ajones"), &messages);
    fs::write(site.maildir("ajones").join("dovecot-uidlist"), "3 V1 N9\n1 :1.a\n2 :2.b\n").unwrap();
}

#[test]
fn a_maildrop_in_use_on_one_node_is_in_use_on_all_nodes() {
    let farm = Farm::start(three_messages);
    for holder in 0..3 {
        let mut holding = begin(&farm, holder, PEOPLE[0]).0.unwrap();
        for other in (0..3).filter(|other| *other != holder) {
            let (_, reply) = begin(&farm, other, PEOPLE[0]);
            assert!(reply.starts_with("-ERR [IN-USE]"), "{holder} has it, {other} says: {reply}");
        }
        if holder == 0 {
            // The lock ends with the process.
            farm.kill_node(holder);
            farm.start_node(holder);
        } else {
            assert!(holding.ask("QUIT").unwrap().starts_with("+OK"));
        }
    }
}

#[test]
fn pinned_unique_ids_and_kept_deletions_are_those_of_all_nodes() {
    let farm = Farm::start(three_messages);
    let first = unique_ids(&farm, 0).unwrap();
    assert_eq!(first, ["0000000100000001", "0000000200000001", "3.c"]);
    // The old server's list is gone; what clients have seen stays.
    fs::remove_file(farm.site.maildir("ajones").join("dovecot-uidlist")).unwrap();
    for node in 0..3 {
        assert_eq!(unique_ids(&farm, node).as_ref(), Some(&first), "node {node}");
    }
    for (deleting, restoring) in [(0, 1), (1, 2), (2, 0)] {
        let mut talk = begin(&farm, deleting, PEOPLE[0]).0.unwrap();
        assert!(talk.ask("DELE 1").unwrap().starts_with("+OK"));
        assert!(talk.ask("QUIT").unwrap().starts_with("+OK"));
        for node in 0..3 {
            wait_until("the deletion is seen", || unique_ids(&farm, node).is_some_and(|ids| ids == first[1..]));
        }
        // Where names are cached, what another node has just kept is found a second later.
        wait_until("the message is restored", || {
            let mut undelete = restante();
            undelete.args(["undelete", "--same-id", "--config"]).arg(farm.file(restoring)).arg("ajones");
            succeed(&mut undelete, "");
            unique_ids(&farm, 0).as_ref() == Some(&first)
        });
        for node in 0..3 {
            wait_until("the message is back under its unique-id", || unique_ids(&farm, node).as_ref() == Some(&first));
        }
    }
}

#[test]
fn a_node_that_is_stopped_gets_no_new_clients_and_finishes_what_it_sends() {
    let line = [&[b'x'; 71][..], b"\n"].concat();
    let large = [b"Subject: large\n\n".to_vec(), line.repeat(LARGE / line.len())].concat();
    let farm = Farm::start(|site| {
        three_messages(site);
        maildir::make(&site.maildir("alamb"), &[("cur/1.large:2,S", &large)]);
    });
    let mut client = Conversation::plain(farm.listener(0));
    client.send_octets(HEADER.as_bytes());
    client.expect("+OK");
    client.login(PEOPLE[1].0, PEOPLE[1].1);
    client.ask("RETR 1", "+OK");
    let mut leaving = farm.take_node(0);
    leaving.signal(Signal::TERM);
    farm.wait_for_node(0, "DOWN");
    for _ in 0..4 {
        let mut other = Conversation::plain(farm.frontend());
        other.expect("+OK");
        other.login("ajones", PASSWORD);
        other.ask("QUIT", "+OK");
    }
    // Each line is sent with CRLF, the two of the header included.
    assert_eq!(client.message().len(), large.len() + 2 + LARGE / line.len());
    let (status, log) = leaving.ended();
    assert!(status.success(), "{status}");
    assert!(!log.iter().any(|line| line.contains("ajones")), "a node that leaves got a new client");
    farm.start_node(0);
}
