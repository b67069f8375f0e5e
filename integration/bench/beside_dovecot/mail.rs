//! The people of the comparison and their mail.

use std::fmt::Write as _;
use std::path::Path;

use crate::support::maildir;

/// The password of everybody here.
pub const PASSWORD: &str = "quartz-lantern-58";

/// Somebody, and how many messages of how many octets they have.
pub struct Owner {
    pub name: &'static str,
    pub messages: usize,
    pub octets: fn(usize) -> usize,
}

/// Everybody, each for another piece of work.
pub const OWNERS: [Owner; 6] = [
    Owner { name: "few", messages: 10, octets: small },
    Owner { name: "thousand", messages: 1_000, octets: |index| 2_000 + index * 7_919 % 7_800 },
    Owner { name: "host", messages: 100_000, octets: |_| 300 },
    Owner { name: "mixed", messages: 10, octets: |index| 2_000 + index * index * 700 },
    Owner { name: "huge", messages: 2, octets: |_| 25_000_000 },
    Owner { name: "newcomer", messages: 0, octets: small },
];

fn small(_: usize) -> usize {
    2_000
}

/// Their entries, to stand behind the sample people.
pub fn ldif(base: &str) -> String {
    let mut text = String::new();
    for Owner { name, .. } in OWNERS {
        writeln!(
            text,
            "\ndn: uid={name},{base}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\n\
             mail: {name}@renovations.example\nuserPassword: {PASSWORD}"
        )
        .unwrap();
    }
    text
}

/// A message of about so many octets, with LF line ends as delivery agents write them.
pub fn message(subject: &str, octets: usize) -> Vec<u8> {
    let mut text = format!(
        "From: Alan Jones <ajones@renovations.example>\nTo: somebody@renovations.example\nSubject: {subject}\n\
         Date: Wed, 25 Nov 2026 09:00:00 +0000\nMessage-ID: <{subject}@renovations.example>\n\n"
    );
    let mut line = 0_usize;
    while text.len() < octets {
        writeln!(text, "{line:06} The quick brown fox jumps over the lazy dog, again and again and again.").unwrap();
        line += 1;
    }
    text.into_bytes()
}

/// Fills a Maildir as a delivery agent that tells no sizes in the names does; the messages have been seen.
pub fn fill(maildir: &Path, owner: &Owner) {
    maildir::make(maildir, &[]);
    for index in 0..owner.messages {
        let name = format!("cur/{}.M{index}P7.mx1:2,S", 1_700_000_000 + index);
        maildir::deliver(maildir, &name, &message(&format!("{}-{index}", owner.name), (owner.octets)(index)));
    }
}
