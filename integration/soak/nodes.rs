//! Three nodes over one mail root: no node needs another, and each of them, and of the replicas of the directory, may be lost.

mod agreement;
mod farm;

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use self::farm::Farm;
use super::Dice;
use super::account::{Account, on_disk};
use super::talk::{Got, Talk};
use super::tally::Tally;
use crate::support::directory::RealDirectory as _;
use crate::support::stage::PASSWORD;
use crate::support::{maildir, wait_until};

/// People of the sample directory, and their passwords.
const PEOPLE: [(&str, &str); 2] = [("ajones", PASSWORD), ("alamb", "seven green lamps")];

/// Messages at most that lie in a Maildir at once.
const MOST: usize = 40;

const CLIENTS: usize = 6;

/// So many sessions end well before and during each loss.
const SESSIONS: usize = 15;

struct Load {
    farm: Farm,
    accounts: [Account; 2],
    tally: Tally,
    over: AtomicBool,
    /// How many sessions have ended with `+OK`.
    ended: AtomicUsize,
}

impl Load {
    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    fn deliver(&self) {
        while self.goes_on() {
            for ((name, _), account) in PEOPLE.iter().zip(&self.accounts) {
                if account.left() < MOST {
                    account.deliver(&self.farm.site.maildir(name));
                }
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn fetch(&self, client: usize) {
        let mut dice = Dice::new(client as u64);
        while self.goes_on() {
            let done = self.session(client % PEOPLE.len(), &mut dice);
            self.tally.count(if done.is_some() { "sessions" } else { "sessions cut off by a loss" });
        }
    }

    /// None if the connection was cut off: then nothing was deleted, unless QUIT had been sent.
    fn session(&self, person: usize, dice: &mut Dice) -> Option<()> {
        let ((name, password), account) = (PEOPLE[person], &self.accounts[person]);
        let mut talk = Talk::greeted(self.farm.frontend())?;
        assert!(talk.ask(&format!("USER {name}"))?.starts_with("+OK"));
        let reply = talk.ask(&format!("PASS {password}"))?;
        if !reply.starts_with("+OK") {
            let code = ["[IN-USE]", "[SYS/TEMP]"].into_iter().find(|code| reply.starts_with(&format!("-ERR {code}")));
            self.tally.count(code.unwrap_or_else(|| panic!("a loss is told as something else: {reply}")));
            return Some(());
        }
        let (unique_ids, mut marked) = (talk.unique_ids()?, BTreeSet::new());
        for _ in 0..dice.below(12).min(unique_ids.len()) {
            let at = dice.below(unique_ids.len());
            // What another node has deleted may be listed for a second where attributes are cached.
            let Got::Message(number) = talk.retrieve(at + 1)? else { continue };
            account.saw(number, &unique_ids[at]);
            if dice.one_in(3) {
                assert!(talk.ask(&format!("DELE {}", at + 1))?.starts_with("+OK"));
                marked.insert(number);
            }
        }
        if dice.one_in(10) {
            // Cut off: nothing is deleted.
            return Some(());
        }
        let reply = talk.ask("QUIT");
        account.quit(&marked, reply.as_deref());
        if reply?.starts_with("+OK") {
            self.ended.fetch_add(1, Ordering::Relaxed);
        }
        Some(())
    }

    /// Returns when so many more sessions have ended well.
    fn wait_for_sessions(&self) {
        let until = self.ended.load(Ordering::Relaxed) + SESSIONS;
        wait_until("sessions end well", || self.ended.load(Ordering::Relaxed) >= until);
    }

    /// Kills each node and each directory server in turn, and starts it again.
    fn lose_each(&self) {
        for turn in 0..3 {
            self.wait_for_sessions();
            self.farm.kill_node(turn);
            self.farm.wait_for_node(turn, "DOWN");
            self.wait_for_sessions();
            self.farm.start_node(turn);
            let Some(directory) = self.farm.directories.get(turn) else { continue };
            self.wait_for_sessions();
            directory.lock().unwrap().kill();
            self.wait_for_sessions();
            directory.lock().unwrap().restart();
        }
        self.wait_for_sessions();
    }

    fn settle(&self) {
        for ((name, password), account) in PEOPLE.iter().zip(&self.accounts) {
            let maildrop = self.farm.site.maildir(name);
            let mut places = ["new", "cur"].map(|part| maildrop.join(part)).to_vec();
            let there = on_disk(&places);
            account.settle(&there);
            let kept = fs::read_dir(maildrop.join("restante-deleted")).into_iter().flatten();
            places.extend(kept.map(|batch| batch.unwrap().path()));
            account.settle_kept(&on_disk(&places));
            for node in 0..3 {
                agreement::wait_until_all_read(&self.farm, node, (name, password), account, &there);
            }
        }
    }
}

#[test]
fn nodes_and_directories_are_killed_in_turn_and_every_message_is_accounted_for() {
    let farm = Farm::start(|site| {
        for (name, _) in PEOPLE {
            maildir::make(&site.maildir(name), &[]);
        }
        // Its existence makes every unique-id one that is pinned when a client first sees it.
        fs::write(site.maildir("ajones").join("dovecot-uidlist"), "3 V1 N9\n1 :1.a\n").unwrap();
    });
    let accounts = [Account::default(), Account::default()];
    let (tally, over, ended) = (Tally::default(), AtomicBool::new(false), AtomicUsize::new(0));
    let load = &Load { farm, accounts, tally, over, ended };
    std::thread::scope(|threads| {
        threads.spawn(|| load.deliver());
        for client in 0..CLIENTS {
            threads.spawn(move || load.fetch(client));
        }
        let losing = threads.spawn(|| load.lose_each()).join();
        load.over.store(true, Ordering::Relaxed);
        losing.unwrap();
    });
    load.settle();
    eprintln!("{}", load.tally);
}
