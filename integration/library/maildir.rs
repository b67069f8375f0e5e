//! Maildirs on a real file system, through the same door as a session uses.

mod bounds;
mod committing;
mod entering;
mod fetching;
mod further_names;
mod index;
mod keeping;
mod kin;
mod leaving;
mod missing;
mod moving;
mod pinning;
mod remembered;
mod sharing;
mod swapped;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use restante::maildir::{EnterFault, FieldValue, Maildrop, MaildropPath, PathTemplate, Settings, Store};
use restante::pop3::Octets;

/// A mail root with one person's Maildir in it.
struct Mail {
    disk: tempfile::TempDir,
    store: Store,
}

impl Mail {
    /// With a Maildir at `ajones/Maildir`.
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let disk = tempfile::tempdir().unwrap();
        let root = disk.path().join("root");
        for part in ["new", "cur", "tmp"] {
            fs::create_dir_all(root.join("ajones/Maildir").join(part)).unwrap();
        }
        fs::write(root.join(".mounted"), "").unwrap();
        let mut settings = Settings::new(root);
        settings.timestamp_granularity = Duration::ZERO;
        change(&mut settings);
        Self { disk, store: Store::new(settings).unwrap() }
    }

    /// Another store of the same mail, which remembers nothing: what a restart leaves, or what another node is.
    fn restarted(&self) -> Store {
        let mut settings = Settings::new(self.root());
        settings.timestamp_granularity = Duration::ZERO;
        Store::new(settings).unwrap()
    }

    fn root(&self) -> PathBuf {
        self.disk.path().join("root")
    }

    /// A file in the Maildir, such as `cur/1.a:2,S`.
    fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root().join("ajones/Maildir").join(name)
    }

    fn deliver(&self, name: impl AsRef<Path>, content: &str) {
        fs::write(self.at(name), content).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.at(from), self.at(to)).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.at(name)).unwrap();
    }

    fn try_enter(&self, short_name: &str) -> Result<Maildrop, EnterFault> {
        self.store.enter(&path(short_name))
    }

    fn enter(&self) -> Maildrop {
        self.try_enter("ajones").unwrap()
    }

    /// Enters until the snapshot is settled, so that the next session shares it.
    fn enter_settled(&self) -> Maildrop {
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let maildrop = self.enter();
            if shares(&maildrop, &self.enter()) {
                return maildrop;
            }
            assert!(Instant::now() < deadline, "an unchanged Maildir is read again at each login");
        }
    }

    /// The unique-ids in order.
    fn unique_ids(&self) -> Vec<String> {
        unique_ids(&self.enter())
    }
}

fn path(short_name: &str) -> MaildropPath {
    let template = PathTemplate::parse("{short_name}/Maildir").unwrap();
    template.path(Path::new("/"), |_| FieldValue::One(short_name.to_owned())).unwrap()
}

fn unique_ids(maildrop: &Maildrop) -> Vec<String> {
    maildrop.listing(false).unmarked().map(|(_, message)| message.unique_id.as_str().to_owned()).collect()
}

fn octets(maildrop: &Maildrop) -> Vec<u64> {
    maildrop.listing(false).unmarked().map(|(_, message)| message.octets).collect()
}

/// Whether two sessions look at the same list in memory; the maildrop must not be empty.
fn shares(one: &Maildrop, other: &Maildrop) -> bool {
    std::ptr::eq(one.listing(false).get(0).unwrap(), other.listing(false).get(0).unwrap())
}

/// The whole message at an index, read in small blocks and sent.
fn fetched(maildrop: &mut Maildrop, index: usize) -> String {
    let mut message = maildrop.fetch(index).unwrap();
    let (mut block, mut whole) = ([0; 7], Vec::new());
    loop {
        match message.read(&mut block).unwrap() {
            0 => {
                let mut octets = Octets::default();
                octets.push(&whole);
                message.was_sent(octets.total());
                return String::from_utf8(whole).unwrap();
            }
            length => whole.extend_from_slice(&block[..length]),
        }
    }
}
