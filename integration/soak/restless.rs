//! A Maildir that never holds still, and a service that is killed again and again: files of one base name, with the same
//! mail and with different mail; files whose times change; compressed mail; and a program that renames without pause.

use std::fs::{self, File};
use std::io::Read as _;
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use restante::demo::directory::EmbeddedDirectory;
use rustix::fs::{AtFlags, CWD, RenameFlags, linkat, renameat_with};
use rustix::process::Signal;

use super::ledger::{Ledger, Mark};
use super::mail::{self, Form};
use super::talk::{Got, Talk};
use super::tally::Tally;
use super::{Dice, setting};
use crate::support::maildir;
use crate::support::service::{Plan, Service, Site};
use crate::support::stage::directory;

/// Messages at most that lie in the Maildir at once.
const MOST: usize = 150;

const CLIENTS: u64 = 4;

/// So often everything stops, and the account is settled.
const ROUND: Duration = Duration::from_secs(10);

/// How the service is run from one kill to the next.
const WAYS: [&str; 4] = [
    "",
    "  deletion: { keep_for: 14d }\n",
    "  deletion: { move_to: Trash }\n  mark_seen: retrieved\n",
    "  mark_seen: retrieved\n",
];

pub(super) struct World {
    directory: EmbeddedDirectory,
    site: Site,
    service: Mutex<Option<Service>>,
    pub(super) address: RwLock<SocketAddr>,
    pub(super) ledger: Ledger,
    pub(super) tally: Tally,
    over: AtomicBool,
    /// How many sessions have got their listing.
    listings: AtomicUsize,
}

impl World {
    fn new() -> Self {
        let site = Site::new();
        maildir::make(&site.maildir("ajones"), &[]);
        let address = RwLock::new(SocketAddr::from(([127, 0, 0, 1], 0)));
        let world = Self {
            directory: directory(),
            site,
            service: Mutex::default(),
            address,
            ledger: Ledger::default(),
            tally: Tally::default(),
            over: AtomicBool::new(false),
            listings: AtomicUsize::new(0),
        };
        world.restart(&mut Dice::new(0));
        world
    }

    /// Kills the service, and starts the next one.
    pub(super) fn restart(&self, dice: &mut Dice) {
        let mut running = self.service.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut service) = running.take() {
            service.signal(Signal::KILL);
            let (_, log) = service.ended();
            let is_bad = |line: &&String| ["panicked", "damaged", "put aside"].iter().any(|word| line.contains(word));
            assert_eq!(log.iter().find(is_bad), None);
            self.tally.log(&log);
            self.tally.count("kills");
        }
        let mut plan = Plan::at(&self.directory.url()).and("refusal_step: 0s");
        plan.mailboxes.push_str(WAYS[dice.below(WAYS.len())]);
        let service = self.site.serve(&plan);
        *self.address.write().unwrap() = service.pop3();
        *running = Some(service);
    }

    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    fn kill(&self) {
        let mut dice = Dice::new(300);
        while self.goes_on() {
            // Paced by the sessions, so that some get far on a busy machine, too.
            let (until, deadline) = (self.listings.load(Ordering::Relaxed) + dice.below(12), Instant::now() + ROUND);
            while self.goes_on() && self.listings.load(Ordering::Relaxed) < until && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(dice.below(500) as u64));
            self.restart(&mut dice);
        }
    }
}

/// What other programs do.
impl World {
    fn deliver(&self) {
        let mut dice = Dice::new(200);
        while self.goes_on() {
            if self.ledger.there().len() < MOST {
                self.deliver_one(&mut dice);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn deliver_one(&self, dice: &mut Dice) {
        let (number, form) = (self.ledger.number(), Form::any(dice));
        let text = mail::text(number);
        let sizes = if dice.one_in(2) { mail::sizes(&text) } else { String::new() };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let base = format!("{}.M{}P1Q{number}.soak{sizes}", now.as_secs(), now.subsec_micros());
        let octets = form.pack(&text);
        assert!(self.ledger.deliver(number, &octets, || self.put(&octets, &any_place(dice, &base))));
        self.tally.count(form.word());
        if dice.one_in(5) {
            self.add_twin(dice, None, &base, &octets);
        }
    }

    /// Puts a file into the Maildir, never over another.
    fn put(&self, octets: &[u8], place: &str) -> bool {
        let maildir = self.site.maildir("ajones");
        let begun = maildir.join("tmp").join(place.replace('/', "-"));
        fs::write(&begun, octets).unwrap();
        let is_put = renameat_with(CWD, &begun, CWD, maildir.join(place), RenameFlags::NOREPLACE).is_ok();
        if !is_put {
            fs::remove_file(begun).unwrap();
        }
        is_put
    }

    /// Restores back-ups beside the mail, and delivers under names that are in use.
    fn make_twins(&self) {
        let mut dice = Dice::new(400);
        while self.goes_on() {
            if let Some((path, file, octets)) = self.any_file(&mut dice) {
                let base = base(path.file_name().unwrap().to_str().unwrap()).to_owned();
                self.add_twin(&mut dice, Some(file), &base, &octets);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Puts another file under a base name: a link to the file there (`file`), the same octets, or other mail.
    fn add_twin(&self, dice: &mut Dice, file: Option<File>, base: &str, octets: &[u8]) {
        let place = any_place(dice, base);
        self.ledger.work_on(octets, || match (dice.below(4), file) {
            (0, Some(file)) => {
                // By the open file: another one may have its name by now.
                let open = format!("/proc/self/fd/{}", file.as_raw_fd());
                let to = self.site.maildir("ajones").join(place);
                let is_linked = linkat(CWD, open, CWD, to, AtFlags::SYMLINK_FOLLOW).is_ok();
                self.tally.add("links", usize::from(is_linked));
                is_linked
            }
            (0 | 1, _) => {
                let is_copied = self.put(octets, &place);
                self.tally.add("copies", usize::from(is_copied));
                is_copied
            }
            _ => {
                let number = self.ledger.number();
                if let Some(text) = mail::like(number, &mail::unpacked(octets)) {
                    let octets = Form::any(dice).pack(&text);
                    let is_put = self.ledger.deliver(number, &octets, || self.put(&octets, &place));
                    self.tally.add("others of one name", usize::from(is_put));
                }
                false
            }
        });
    }

    /// `touch`, and a restore that sets the time of an earlier day.
    fn touch(&self) {
        let mut dice = Dice::new(500);
        while self.goes_on() {
            if let Some((path, ..)) = self.any_file(&mut dice) {
                self.tally.add("touched", usize::from(touch(&path, &mut dice)));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Flags and moves as an IMAP server does, without pause; also as one that writes `;2,`, and with the `,U=` of mbsync.
    fn rename(&self) {
        let mut dice = Dice::new(600);
        let maildir = self.site.maildir("ajones");
        while self.goes_on() {
            for path in self.paths() {
                let name = path.file_name().unwrap().to_str().unwrap();
                let to = maildir.join("cur").join(any_flags(&mut dice, base(name)));
                let is_renamed = renameat_with(CWD, &path, CWD, to, RenameFlags::NOREPLACE).is_ok();
                self.tally.add("renames", usize::from(is_renamed));
            }
            std::thread::yield_now();
        }
    }

    fn paths(&self) -> Vec<PathBuf> {
        let maildir = self.site.maildir("ajones");
        let files = ["new", "cur"].map(|part| fs::read_dir(maildir.join(part)).unwrap());
        files.into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    }

    fn any_file(&self, dice: &mut Dice) -> Option<(PathBuf, File, Vec<u8>)> {
        let mut paths = self.paths();
        let path = (!paths.is_empty()).then(|| paths.swap_remove(dice.below(paths.len())))?;
        let (mut file, mut octets) = (File::open(&path).ok()?, Vec::new());
        file.read_to_end(&mut octets).ok()?;
        Some((path, file, octets))
    }

    /// All files, while nobody else works there.
    pub(super) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        self.paths().into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }
}

/// The sessions of a client, one after the other.
impl World {
    fn fetch(&self, salt: u64) {
        let mut dice = Dice::new(salt);
        while self.goes_on() {
            let (begun, address) = (Instant::now(), *self.address.read().unwrap());
            let Some(talk) = Talk::begin(address) else {
                std::thread::sleep(Duration::from_millis(5));
                continue;
            };
            let ended = self.session(begun, talk, &mut dice);
            self.tally.count(if ended.is_some() { "sessions" } else { "sessions cut off by a kill" });
        }
    }

    /// None if the service was killed.
    fn session(&self, begun: Instant, mut talk: Talk, dice: &mut Dice) -> Option<()> {
        let unique_ids = talk.unique_ids()?;
        self.check_listing(begun, &unique_ids, &mut talk);
        self.listings.fetch_add(1, Ordering::Relaxed);
        let mut marks = Marks { ledger: &self.ledger, marked: Vec::new() };
        for _ in 0..dice.below(20).min(unique_ids.len()) {
            let at = dice.below(unique_ids.len());
            let unique_id = &unique_ids[at];
            let known = self.ledger.number_of(unique_id).filter(|_| dice.one_in(4));
            let number = match known {
                Some(number) => Some(number),
                None => self.read(&mut talk, (begun, at + 1, unique_id), dice)?.ok(),
            };
            let Some(number) = number.filter(|_| dice.one_in(4)) else { continue };
            let is_marked = marks.marked.iter().any(|(marked, _)| *marked == number);
            if !is_marked && self.ledger.mark(number) {
                marks.marked.push((number, unique_id.clone()));
                assert!(talk.ask(&format!("DELE {}", at + 1))?.starts_with("+OK"));
            }
        }
        if dice.one_in(10) {
            // Cut off: nothing is deleted.
            return Some(());
        }
        let marked = std::mem::take(&mut marks.marked);
        let reply = talk.ask("QUIT");
        match &reply {
            Some(reply) if reply.starts_with("+OK") => self.ledger.deleted(begun, marked),
            _ => self.ledger.in_doubt(marked),
        }
        self.tally.add("QUIT refused", usize::from(reply.as_ref().is_some_and(|reply| reply.starts_with("-ERR"))));
        reply.map(drop)
    }

    /// No message that must be in a listing is missing from it.
    pub(super) fn check_listing(&self, begun: Instant, unique_ids: &[String], talk: &mut Talk) {
        let Some((number, known)) = self.ledger.listed(begun, unique_ids) else { return };
        let mut shown = Vec::new();
        for (at, unique_id) in (1..).zip(unique_ids) {
            if matches!(talk.top(at), Some(Got::Message(read)) if read == number) {
                shown.push(unique_id);
            }
        }
        let files = self.paths().into_iter();
        let files: Vec<PathBuf> =
            files.filter(|path| path.to_string_lossy().contains(known.split(',').next().unwrap())).collect();
        let pins = fs::read_to_string(self.site.maildir("ajones").join("restante-pins")).unwrap_or_default();
        let pins: Vec<&str> = pins.lines().filter(|line| line.contains(&known)).collect();
        let others: Vec<&String> = unique_ids.iter().filter(|id| pins.iter().any(|pin| pin.contains(&***id))).collect();
        panic!(
            "message {number}, {known}, is missing; listed as {shown:?}; files {files:?}; pins {pins:?}; listed of them {others:?}"
        );
    }

    /// Retrieves a message, or its beginning: its number, or an error if it was refused. None if the service was killed.
    fn read(
        &self,
        talk: &mut Talk,
        (begun, at, unique_id): (Instant, usize, &str),
        dice: &mut Dice,
    ) -> Option<Result<usize, ()>> {
        let got = if dice.one_in(4) { talk.top(at)? } else { talk.retrieve(at)? };
        match got {
            Got::Message(number) => {
                self.tally.count("read");
                self.ledger.saw(begun, unique_id, number);
                Some(Ok(number))
            }
            Got::Refused(_) => {
                self.tally.count("RETR refused");
                Some(Err(()))
            }
        }
    }
}

/// What a session has marked; nothing of it is deleted if it ends without QUIT.
struct Marks<'a> {
    ledger: &'a Ledger,
    marked: Vec<Mark>,
}

impl Drop for Marks<'_> {
    fn drop(&mut self) {
        self.ledger.unmarked(std::mem::take(&mut self.marked));
    }
}

/// Gives a file another time of change.
pub(super) fn touch(path: &std::path::Path, dice: &mut Dice) -> bool {
    let past = Duration::from_secs(dice.below(100_000_000) as u64);
    let time = if dice.one_in(2) { SystemTime::now() } else { SystemTime::now() - past };
    File::options().write(true).open(path).is_ok_and(|file| file.set_modified(time).is_ok())
}

/// The base name without flags and `,U=`.
fn base(name: &str) -> &str {
    let flags = name.find([':', ';']).unwrap_or(name.len());
    name[..flags].split(",U=").next().unwrap_or_default()
}

/// A name in `cur`, with any flags.
fn any_flags(dice: &mut Dice, base: &str) -> String {
    let flags: String = "DFRS".chars().filter(|_| dice.one_in(2)).collect();
    let uid = if dice.one_in(4) { format!(",U={}", 1 + dice.below(3)) } else { String::new() };
    let separator = if dice.one_in(4) { ';' } else { ':' };
    format!("{base}{uid}{separator}2,{flags}")
}

fn any_place(dice: &mut Dice, base: &str) -> String {
    if dice.one_in(2) { format!("new/{base}") } else { format!("cur/{}", any_flags(dice, base)) }
}

#[test]
fn every_message_is_accounted_for_in_a_maildir_that_never_holds_still() {
    let world = &World::new();
    let mut dice = Dice::new(3);
    let end = Instant::now() + Duration::from_secs(setting("SOAK_SECONDS", 20));
    while Instant::now() < end {
        let round_end = end.min(Instant::now() + ROUND);
        world.over.store(false, Ordering::Relaxed);
        let failed = std::thread::scope(|scope| {
            let others: [fn(&World); 5] = [World::deliver, World::make_twins, World::touch, World::rename, World::kill];
            let mut actors: Vec<_> = others.into_iter().map(|act| scope.spawn(move || act(world))).collect();
            for salt in 0..CLIENTS {
                actors.push(scope.spawn(move || world.fetch(salt)));
            }
            while Instant::now() < round_end && !actors.iter().any(std::thread::ScopedJoinHandle::is_finished) {
                std::thread::sleep(Duration::from_millis(20));
            }
            world.over.store(true, Ordering::Relaxed);
            actors.into_iter().map(std::thread::ScopedJoinHandle::join).filter(Result::is_err).count()
        });
        assert_eq!(failed, 0, "see above: {}; {}", world.ledger.sums(), world.tally);
        super::settling::settle(world, &mut dice);
        eprintln!("{}; {}", world.ledger.sums(), world.tally);
    }
}
