//! Mail that a real Dovecot compressed or encrypted on disk: its own POP3 and ours tell and send the same octets, and what
//! is not read here is refused and stays.

use std::fs;

use super::Neighbours;
use crate::support::conversation::Conversation;
use crate::support::maildir;
use crate::support::process::{program, succeed};

fn letters() -> [Vec<u8>; 3] {
    let lines: Vec<String> =
        (0..20_000).map(|number| format!("line {number}, {}\r\n", number * 7919 % 10007)).collect();
    [
        b"Subject: one\r\n\r\n.dot\r\nend\r\n".to_vec(),
        "Subject: Grüße\r\n\r\ntwo\r\n".into(),
        format!("Subject: three\r\n\r\n{}", lines.concat()).into(),
    ]
}

/// All messages of a session, as they are told and sent.
fn fetched(client: &mut Conversation) -> Vec<(String, Vec<u8>)> {
    client.ask("LIST", "+OK");
    let lines = String::from_utf8(client.multiline()).unwrap();
    let told: Vec<String> = lines.lines().filter_map(|line| Some(line.split_once(' ')?.1.to_owned())).collect();
    let fetch = |(number, told): (usize, String)| {
        client.ask(&format!("RETR {number}"), "+OK");
        (told, client.message())
    };
    (1..).zip(told).map(fetch).collect()
}

/// Has Dovecot save the letters.
fn saved(further: &str) -> Neighbours {
    let both = Neighbours::beside("", &[], further);
    let mut imap = both.dovecot.imap_session("ajones");
    for letter in letters() {
        imap.append(&letter);
    }
    both
}

#[test]
fn what_dovecot_compresses_is_sent_as_dovecot_sends_it() {
    for (way, mark) in [("gz", &b"\x1f\x8b"[..]), ("zstd", b"\x28\xb5\x2f\xfd")] {
        let both = saved(&format!("mail_plugins = zlib\nplugin {{\n  zlib_save = {way}\n}}\n"));
        for with_sizes in [true, false] {
            for name in maildir::names(&both.stage.maildir()) {
                let file = both.stage.maildir().join(&name);
                assert!(fs::read(&file).unwrap().starts_with(mark), "{name}");
                assert_eq!(name.contains(",S="), with_sizes, "{name}");
            }
            let (ours, theirs) = (fetched(&mut both.stage.session()), fetched(&mut both.dovecot.session("ajones")));
            assert_eq!(ours.iter().map(|(_, sent)| sent).collect::<Vec<_>>(), letters().iter().collect::<Vec<_>>());
            assert!(ours == theirs, "{way}");
            // As old mail lies there that was compressed by hand.
            for name in maildir::names(&both.stage.maildir()) {
                let bare = format!("{}:2,Z", name.split(',').next().unwrap()).replace("new/", "cur/");
                fs::rename(both.stage.maildir().join(&name), both.stage.maildir().join(bare)).unwrap();
            }
        }
        let log = both.stage.service.log();
        assert!(log.iter().all(|line| !line.contains("ERROR") && !line.contains("octets listed")), "{log:?}");
    }
}

#[test]
fn what_dovecot_compresses_or_encrypts_otherwise_is_refused_and_stays() {
    let keys = tempfile::tempdir().unwrap();
    let (private, public) = (keys.path().join("private.pem"), keys.path().join("public.pem"));
    let make = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out"];
    succeed(program("openssl").args(make).arg(&private), "");
    succeed(program("openssl").args(["pkey", "-pubout", "-in"]).arg(&private).arg("-out").arg(&public), "");
    let encrypted = format!(
        "mail_plugins = mail_crypt\nplugin {{\n  mail_crypt_global_private_key = <{}\n  mail_crypt_global_public_key = <{}\n  \
         mail_crypt_save_version = 2\n}}\n",
        private.display(),
        public.display()
    );
    let compressed = |way: &str| format!("mail_plugins = zlib\nplugin {{\n  zlib_save = {way}\n}}\n");
    for (further, word) in
        [(compressed("bz2"), "compressed"), (compressed("lz4"), "compressed"), (encrypted, "encrypted")]
    {
        let both = saved(&further);
        let mut client = both.stage.session();
        client.ask("STAT", "+OK 3 ");
        for number in 1..=3 {
            let told = client.ask(&format!("RETR {number}"), "-ERR [SYS/PERM] ");
            assert!(told.contains(word), "{told}");
            client.ask(&format!("DELE {number}"), "+OK");
        }
        client.ask("QUIT", "-ERR");
        client.ended();
        let theirs = fetched(&mut both.dovecot.session("ajones"));
        assert_eq!(theirs.iter().map(|(_, sent)| sent).collect::<Vec<_>>(), letters().iter().collect::<Vec<_>>());
    }
}
