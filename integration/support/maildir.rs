//! Maildirs to test with.

use std::fs;
use std::path::Path;

/// Makes a Maildir, with the folders above it, and puts messages into it: the name with its place (`new/1.a`,
/// `cur/2.b:2,S`) and the octets as they stand on disk.
pub fn make(maildir: &Path, messages: &[(&str, &[u8])]) {
    for part in ["new", "cur", "tmp"] {
        fs::create_dir_all(maildir.join(part)).unwrap();
    }
    for (name, octets) in messages {
        deliver(maildir, name, octets);
    }
}

/// Delivers one message as a delivery agent does: written in `tmp`, then moved in one step.
pub fn deliver(maildir: &Path, name: &str, octets: &[u8]) {
    let base = name.rsplit('/').next().unwrap();
    let begun = maildir.join("tmp").join(base);
    fs::write(&begun, octets).unwrap();
    fs::rename(&begun, maildir.join(name)).unwrap();
}

/// The names of all messages with their places, sorted: what is left on disk.
pub fn names(maildir: &Path) -> Vec<String> {
    let of = |part: &str| {
        let files = fs::read_dir(maildir.join(part)).unwrap();
        files.map(|file| format!("{part}/{}", file.unwrap().file_name().into_string().unwrap())).collect::<Vec<_>>()
    };
    let mut names = [of("cur"), of("new")].concat();
    names.sort();
    names
}
