//! Marking retrieved messages as seen, for mail programs that share the Maildir.

use rustix::io::Errno;

use super::session::Maildrop;
use crate::maildir::files::{MessageFile, Parts, Subdirectory, file_name, rename};
use crate::maildir::removal::{self, MessageFault};

/// The flag of a message that was seen.
pub(in crate::maildir) const SEEN: u8 = b'S';

impl Maildrop {
    /// Marks the messages at these indices as seen, each wherever it is now, and keeps its other flags; a message in
    /// `new` moves to `cur`. Returns the failures.
    pub(super) fn mark_seen(&mut self, indices: &[usize]) -> Vec<String> {
        if indices.is_empty() {
            return Vec::new();
        }
        let mut reach = match self.reach() {
            Ok(reach) => reach,
            Err(fault) => return vec![fault.to_string()],
        };
        let separator = self.separator();
        let mut failed = Vec::new();
        for &index in indices {
            let Some(listed) = self.entry(index).map(|entry| entry.found.clone()) else { continue };
            let marked = self.reach_for_file(&listed, &mut reach, |parts, found| {
                removal::require_listed(parts, &listed, found)?;
                mark(parts, found, separator)
            });
            if let Err(fault) = marked {
                failed.push(self.failure(index, &fault));
            }
        }
        failed
    }

    /// The separator before the flags in this Maildir: on some file systems it cannot be a colon.
    fn separator(&self) -> u8 {
        let mut names = self.snapshot.entries.iter().map(|entry| &entry.found.name);
        names.find_map(|name| file_name::separator(name)).unwrap_or(file_name::SEPARATOR)
    }
}

fn mark(parts: &Parts, found: &MessageFile, separator: u8) -> Result<(), MessageFault> {
    let Some(name) = seen(&found.name, separator) else { return Ok(()) };
    let from = parts.get(found.place).ok_or(Errno::NOENT)?;
    let cur = parts.get(Subdirectory::Cur).ok_or(MessageFault::NoCur)?;
    Ok(rename(from, &found.name, cur, &name)?)
}

/// The name of a message with the flag; none if it has the flag already, or its flags cannot be parsed. `separator`:
/// before the flags, if it has none yet.
fn seen(old: &[u8], separator: u8) -> Option<Vec<u8>> {
    let flags = file_name::flags(old).unwrap_or_default();
    if flags.contains(&SEEN) {
        return None;
    }
    // "2,": flags are "stored in ASCII order" (maildir(5)); the existing flags keep their order.
    let at = flags.iter().position(|flag| *flag > SEEN).unwrap_or(flags.len());
    let (before, behind) = flags.split_at(at);
    file_name::with_flags(old, separator, &[before, &[SEEN], behind].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_flags_stand_behind_what_the_maildir_has() {
        assert_eq!(seen(b"1.a", b';'), Some(b"1.a;2,S".to_vec()));
    }

    #[test]
    fn the_flag_goes_where_it_belongs() {
        for (name, marked) in [
            ("1.a", Some("1.a:2,S")),
            ("1.a:2,", Some("1.a:2,S")),
            ("1.a,U=3:2,FR", Some("1.a,U=3:2,FRS")),
            ("1.a:2,FTab", Some("1.a:2,FSTab")),
            ("1.a:2,RS", None),
            ("1.a:1,x", None),
            ("1.a;2,F", Some("1.a;2,FS")),
            ("1.a!2,RS", None),
        ] {
            assert_eq!(seen(name.as_bytes(), b':'), marked.map(|name| name.as_bytes().to_vec()), "{name}");
        }
    }
}
