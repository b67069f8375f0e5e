//! Room on the file systems of mail: octets and inodes.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;
use serde_json::{Value, json};

/// Below this part of the whole, in percent, room is short.
const SHORT: u64 = 5;

/// With less than this many octets, nothing but a few small messages can be written.
const FULL: u64 = 1 << 20;

/// The room on one file system, as far as users other than root may use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// What the service has there.
    pub(super) place: PathBuf,
    free: u64,
    size: u64,
    /// None where the file system makes inodes as they are needed.
    inodes: Option<(u64, u64)>,
}

/// How serious a lack of room is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RoomFinding {
    Enough,
    /// It will soon be a fault.
    Short(String),
    /// Mail cannot be delivered, and what clients have seen cannot be recorded.
    Full(String),
}

/// The file systems of some paths, each once. Paths that do not exist are left out.
pub(super) fn inspect<'p>(paths: impl Iterator<Item = &'p Path>) -> Vec<Room> {
    let mut seen = BTreeSet::new();
    let mut rooms = Vec::new();
    for path in paths {
        let Ok(metadata) = fs::metadata(path) else { continue };
        if seen.insert(metadata.dev()) {
            rooms.extend(Room::at(path));
        }
    }
    rooms
}

impl Room {
    fn at(path: &Path) -> Option<Self> {
        let found = statvfs(path).ok()?;
        let inodes = (found.f_files > 0).then_some((found.f_favail, found.f_files));
        let (free, size) =
            (found.f_bavail.saturating_mul(found.f_frsize), found.f_blocks.saturating_mul(found.f_frsize));
        // Some network file systems do not say.
        (size > 0).then(|| Self { place: path.to_owned(), free, size, inodes })
    }

    pub(super) fn judge(&self) -> Vec<RoomFinding> {
        let place = self.place.display();
        let octets = match self.free {
            free if free < FULL => RoomFinding::Full(format!(
                "the file system of {place} is full: {} of {} are free; mail cannot be delivered; make room",
                octets(free),
                octets(self.size)
            )),
            free if is_short(free, self.size) => RoomFinding::Short(format!(
                "the file system of {place} is nearly full: {} of {} are free; make room",
                octets(free),
                octets(self.size)
            )),
            _ => RoomFinding::Enough,
        };
        let inodes = match self.inodes {
            Some((0, all)) => RoomFinding::Full(format!(
                "the file system of {place} has no free inode of {all}: no file can be created, so mail cannot be \
                 delivered; remove files, or make the file system anew with more inodes"
            )),
            Some((free, all)) if is_short(free, all) => RoomFinding::Short(format!(
                "the file system of {place} has only {free} free inodes of {all}, and each message takes one; remove \
                 files, or make the file system anew with more inodes"
            )),
            _ => RoomFinding::Enough,
        };
        vec![octets, inodes]
    }

    /// What there is.
    pub(super) fn describe(&self) -> String {
        let inodes = self.inodes.map(|(free, all)| format!(", {free} of {all} inodes")).unwrap_or_default();
        format!("room at {}: {} of {}{inodes}", self.place.display(), octets(self.free), octets(self.size))
    }

    /// For JSON.
    pub(super) fn to_json(&self) -> Value {
        let (free, all) = self.inodes.unzip();
        let place = self.place.display().to_string();
        json!({ "path": place, "free": self.free, "size": self.size, "free_inodes": free, "inodes": all })
    }
}

fn is_short(free: u64, all: u64) -> bool {
    u128::from(free) * 100 < u128::from(all) * u128::from(SHORT)
}

/// In the largest unit of which there is more than one.
fn octets(octets: u64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let fitting = units.into_iter().find(|(_, bits)| octets >> bits > 1);
    fitting.map_or_else(|| format!("{octets} octets"), |(unit, bits)| format!("{} {unit}", octets >> bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_room_is_told_from_none() {
        let room = |free, inodes| Room { place: "/srv/mail".into(), free, size: 100 << 30, inodes };
        let of = |free, inodes| room(free, inodes).judge();
        assert_eq!(of(5 << 30, Some((50, 1000))), [RoomFinding::Enough, RoomFinding::Enough]);
        assert_eq!(of(5 << 30, None), [RoomFinding::Enough, RoomFinding::Enough]);
        let short = of((5 << 30) - 1, Some((49, 1000)));
        assert!(matches!(short.as_slice(), [RoomFinding::Short(octets), RoomFinding::Short(inodes)]
            if octets.contains("4 GiB of 100 GiB are free") && inodes.contains("49 free inodes of 1000")));
        let full = of(FULL - 1, Some((0, 1000)));
        assert!(matches!(full.as_slice(), [RoomFinding::Full(_), RoomFinding::Full(_)]), "{full:?}");
        assert_eq!(octets(2047), "2047 octets");
        assert_eq!(octets(2048), "2 KiB");
    }
}
