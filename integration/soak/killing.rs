//! A node that is killed at any moment of its work, with room on its disk and without.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Signal, geteuid};

use super::account::{Account, listed, on_disk, retrieve};
use super::talk::{Got, Talk};
use super::{Dice, setting};
use crate::support::conversation::Conversation;
use crate::support::maildir;
use crate::support::process::{program, succeed};
use crate::support::service::{Plan, Service, Site};
use crate::support::stage::{PASSWORD, directory};

/// What becomes of deleted mail, and what else is done at the end of a session.
const WAYS: [&str; 4] = [
    "",
    "  deletion: { keep_for: 14d }\n",
    "  deletion: { move_to: Trash }\n  mark_seen: retrieved\n",
    "  sessions_per_maildrop: one\n  offer: unread\n",
];

/// A directory, mail, and an account of it, for one node after the other.
struct World {
    directory: restante::demo::directory::EmbeddedDirectory,
    site: Site,
    account: Account,
}

/// Files for which a small disk has room.
const FILES: usize = 1000;

/// A small file system of its own below a site's mail root; unmounted when dropped.
struct Disk(PathBuf);

impl World {
    fn on(site: Site) -> Self {
        maildir::make(&site.maildir("ajones"), &[]);
        Self { directory: directory(), site, account: Account::default() }
    }

    fn serve(&self, way: &str) -> Service {
        let mut plan = Plan::at(&self.directory.url()).and("refusal_step: 0s");
        plan.mailboxes.push_str(way);
        self.site.serve(&plan)
    }

    /// Kills a node at a moment that nobody can foresee, with several clients at work.
    fn kill_one(&self, way: &str, dice: &mut Dice) {
        let mut service = self.serve(way);
        let moment = Duration::from_micros(u64::try_from(dice.below(120_000)).unwrap());
        std::thread::scope(|scope| {
            let address = service.pop3();
            for salt in 0..3 {
                scope.spawn(move || self.fetch(address, salt));
            }
            std::thread::sleep(moment);
            service.signal(Signal::KILL);
        });
        service.ended();
    }

    /// Retrieves and deletes until the node is gone.
    fn fetch(&self, node: std::net::SocketAddr, salt: u64) {
        let mut dice = Dice::new(salt);
        while let Some(session) = Talk::begin(node) {
            self.one_session(session, &mut dice);
        }
    }

    fn one_session(&self, mut session: Talk, dice: &mut Dice) -> Option<()> {
        let count: usize = session.ask("STAT")?.split(' ').nth(1)?.parse().ok()?;
        let mut marked = BTreeSet::new();
        for _ in 0..3.min(count) {
            let at = 1 + dice.below(count);
            if let Got::Message(number) = session.retrieve(at)?
                && session.ask(&format!("DELE {at}")).is_some_and(|reply| reply.starts_with("+OK"))
            {
                marked.insert(number);
            }
        }
        let reply = session.ask("QUIT");
        self.account.quit(&marked, reply.as_deref());
        Some(())
    }

    /// Every message lies in the inbox, or was deleted; and what is kept or moved lies there once.
    fn settle(&self, way: &str) {
        let maildrop = self.site.maildir("ajones");
        self.account.settle(&on_disk(&["new", "cur"].map(|part| maildrop.join(part))));
        let mut places = ["new", "cur", ".Trash/new", ".Trash/cur"].map(|part| maildrop.join(part)).to_vec();
        places.extend(
            fs::read_dir(maildrop.join("restante-deleted")).into_iter().flatten().map(|batch| batch.unwrap().path()),
        );
        let everywhere = on_disk(&places);
        assert!(everywhere.values().all(|times| *times == 1), "in two places at once: {everywhere:?}");
        if way.contains("deletion:") {
            self.account.settle_kept(&everywhere);
        }
        // The next node finds nothing damaged, and every unique-id as it was.
        let service = self.serve("");
        let mut client = Conversation::plain(service.pop3());
        client.expect("+OK");
        client.login("ajones", PASSWORD);
        for message in listed(&mut client) {
            let number = retrieve(&mut client, message.at).unwrap();
            self.account.saw(number, &message.unique_id);
        }
        client.ask("QUIT", "+OK");
        assert!(!service.log().iter().any(|line| line.contains("damaged")), "{:#?}", service.log());
    }
}

#[test]
fn a_node_killed_at_any_moment_leaves_every_message_in_its_place() {
    let rounds = setting("KILL_ROUNDS", 12);
    let mut dice = Dice::new(1);
    for way in WAYS {
        let world = World::on(Site::new());
        for _ in 0..rounds.div_ceil(4) {
            deliver(&world, 60);
            world.kill_one(way, &mut dice);
            world.settle(way);
        }
    }
}

/// Where nothing more can be written, mail is served all the same; what cannot be kept stays where it is.
#[test]
fn nor_is_anything_lost_on_a_full_disk() {
    if !geteuid().is_root() {
        return eprintln!("left out: only root may mount a disk that is full");
    }
    let rounds = setting("KILL_ROUNDS", 12);
    let mut dice = Dice::new(2);
    for way in WAYS {
        let site = Site::new();
        let disk = Disk::mount(&site.root());
        let world = World::on(site);
        for _ in 0..rounds.div_ceil(4) {
            deliver(&world, 10);
            disk.fill();
            world.kill_one(way, &mut dice);
            world.settle(way);
            disk.make_room();
        }
        drop(world);
        drop(disk);
    }
}

fn deliver(world: &World, count: usize) {
    for _ in 0..count {
        world.account.deliver(&world.site.maildir("ajones"));
    }
}

impl Disk {
    fn mount(path: &Path) -> Self {
        let size = format!("size=4m,nr_inodes={FILES}");
        succeed(program("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(path), "");
        Self(path.to_owned())
    }

    /// Leaves no room for a single octet more, nor for a file.
    fn fill(&self) {
        let full = self.0.join("full");
        fs::create_dir(&full).unwrap();
        let mut file = fs::File::create(full.join("octets")).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        let made = (0..2 * FILES).take_while(|number| fs::File::create(full.join(number.to_string())).is_ok());
        assert!(made.count() < FILES, "there is always room for one more");
    }

    fn make_room(&self) {
        fs::remove_dir_all(self.0.join("full")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = program("umount").arg("-l").arg(&self.0).status();
        assert!(std::thread::panicking() || unmounted.unwrap().success());
    }
}
