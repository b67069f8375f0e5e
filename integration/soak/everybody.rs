//! Deliveries, an IMAP client that saves compressed mail, one that flags, mbsync, a program that touches files, and ten POP3
//! clients that delete, all in one Maildir.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::account::{Account, listed, on_disk, retrieve};
use super::mail::text;
use super::restless::touch;
use super::{Dice, setting};
use crate::support::dovecot::{Dovecot, hand_over};
use crate::support::mbsync::Mbsync;
use crate::support::stage::Stage;

/// Messages at most that lie in the Maildir at once.
const MOST: usize = 300;

const CLIENTS: u64 = 10;

/// What Dovecot saves, it compresses.
const COMPRESSES: &str = "mail_plugins = zlib\nplugin {\n  zlib_save = gz\n}\n";

struct World {
    stage: Stage,
    dovecot: Dovecot,
    mbsync: Mbsync,
    account: Account,
    over: AtomicBool,
}

impl World {
    fn new() -> Self {
        let stage = Stage::set_by(&[], |plan, site| {
            if rustix::process::geteuid().is_root() {
                plan.further.push_str("user: mail\n");
            }
            plan.further.push_str("limits: { connections_per_address: 1000 }\n");
            hand_over(site);
        });
        let dovecot = Dovecot::serve(&stage.site, COMPRESSES);
        let mbsync = Mbsync::between(&stage.maildir(), stage.site.folder());
        Self { stage, dovecot, mbsync, account: Account::default(), over: AtomicBool::new(false) }
    }

    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    fn deliver(&self) {
        let maildir = self.stage.maildir();
        while self.goes_on() {
            if self.account.left() < MOST {
                self.account.deliver(&maildir);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Saves messages by IMAP, as a client does with what was sent, or moved here.
    fn save(&self) {
        while self.goes_on() {
            let mut imap = self.dovecot.imap_session("ajones");
            for _ in 0..30 {
                if self.account.left() < MOST {
                    imap.append(&text(self.account.number()));
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Gives files another time of change.
    fn touch(&self) {
        let mut dice = Dice::new(200);
        while self.goes_on() {
            let files: Vec<PathBuf> = parts(&self.stage.maildir()).iter().flat_map(|part| files(part)).collect();
            for _ in 0..20.min(files.len()) {
                touch(&files[dice.below(files.len())], &mut dice);
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Opens the inbox, which moves what is new, and changes flags, each of which renames a file.
    fn flag(&self) {
        let mut dice = Dice::new(100);
        while self.goes_on() {
            let mut imap = self.dovecot.imap_session("ajones");
            imap.command("SELECT INBOX");
            for _ in 0..30 {
                let (from, to) = (1 + dice.below(MOST), 1 + dice.below(MOST));
                let (sign, flag) =
                    (["+", "-"][dice.below(2)], ["\\Seen", "\\Flagged", "\\Answered", "Junk"][dice.below(4)]);
                // Messages may have gone meanwhile, which is no fault.
                imap.attempt(&format!("STORE {from}:{to} {sign}FLAGS ({flag})"));
                imap.attempt("NOOP");
            }
        }
    }

    /// Others rename while it looks, of which it may complain.
    fn synchronise(&self) {
        while self.goes_on() {
            self.mbsync.try_run();
        }
    }

    /// Sessions one after the other: each retrieves some messages and deletes some of them; some are cut off.
    fn fetch(&self, client_number: u64) {
        let mut dice = Dice::new(client_number);
        while self.goes_on() {
            let mut client = self.stage.session();
            let seen = listed(&mut client);
            let mut marked = BTreeSet::new();
            for _ in 0..dice.below(20).min(seen.len()) {
                let message = &seen[dice.below(seen.len())];
                let Some(number) = retrieve(&mut client, message.at) else { continue };
                self.account.saw(number, &message.unique_id);
                if dice.one_in(8) {
                    client.ask(&format!("DELE {}", message.at), "+OK");
                    marked.insert(number);
                }
            }
            if dice.one_in(10) {
                // Cut off: nothing is deleted.
                continue;
            }
            client.send("QUIT");
            let reply = client.line();
            self.account.quit(&marked, Some(&reply));
        }
    }
}

#[test]
fn every_message_is_accounted_for_after_a_soak() {
    let world = &World::new();
    let end = Instant::now() + Duration::from_secs(setting("SOAK_SECONDS", 20));
    let failed = std::thread::scope(|scope| {
        let others: [fn(&World); 5] = [World::deliver, World::save, World::flag, World::synchronise, World::touch];
        let mut actors: Vec<_> = others.into_iter().map(|act| scope.spawn(move || act(world))).collect();
        for number in 0..CLIENTS {
            actors.push(scope.spawn(move || world.fetch(number)));
        }
        while Instant::now() < end && !actors.iter().any(std::thread::ScopedJoinHandle::is_finished) {
            std::thread::sleep(Duration::from_millis(100));
        }
        world.over.store(true, Ordering::Relaxed);
        actors.into_iter().map(std::thread::ScopedJoinHandle::join).filter(Result::is_err).count()
    });
    assert_eq!(failed, 0, "see above");
    let maildir = world.stage.maildir();
    world.account.settle(&on_disk(&parts(&maildir)));
    // What is left is seen by one more session, under the unique-ids that were seen before. What was touched since it was
    // counted may be refused to a session that did not know it yet.
    let mut client = world.stage.session();
    for message in listed(&mut client) {
        retrieve(&mut client, message.at);
    }
    client.ask("QUIT", "+OK");
    let mut client = world.stage.session();
    let seen = listed(&mut client);
    let kept = on_disk(&parts(&maildir));
    assert_eq!(seen.len(), kept.len());
    for message in seen {
        let number = retrieve(&mut client, message.at).unwrap();
        world.account.saw(number, &message.unique_id);
        assert!(kept.contains_key(&number));
    }
}

fn parts(maildir: &Path) -> [PathBuf; 2] {
    ["new", "cur"].map(|part| maildir.join(part))
}

fn files(directory: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}
