//! Mail that an IMAP server compressed on disk (Dovecot's zlib plugin, for one), read as the message within.
//!
//! The first octets of a file show what it contains, as they do for the servers that write such files: neither the flag
//! `Z` nor anything else in a name is reliable.

use std::fs::File;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use rustix::io::{Errno, pread};
use zstd::stream::read::Decoder as ZstdDecoder;

use crate::maildir::fault::NoMail;

/// The number of first octets that show what a file contains.
pub(in crate::maildir) const MARK: usize = 10;

/// The most memory that a zstd stream may request for its window, as a power of two: 128 MiB, which level 22 uses. Only
/// as much of it as the message fills is really used.
const WINDOW: u32 = 27;

/// What a file contains, by its first octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::maildir) enum Compression {
    Plain,
    Gzip,
    Zstd,
    None(NoMail),
}

/// The message in a file, which may be compressed. Reading fails with a [`NoMail`] if a compressed stream is damaged,
/// or if the message is too large.
pub(in crate::maildir) struct Inflater<R: Read> {
    decoder: Decoder<R>,
    /// Octets that may still come.
    allowed: u64,
}

enum Decoder<R: Read> {
    Plain(R),
    Gzip(MultiGzDecoder<R>),
    Zstd(ZstdDecoder<'static, io::BufReader<R>>),
}

impl Compression {
    /// `beginning`: the first octets of a file, at least [`MARK`] of them unless the file is shorter.
    pub(in crate::maildir) fn of(beginning: &[u8]) -> Self {
        const NONE: [(&[u8], NoMail); 7] = [
            (b"\xfd7zXZ\0", NoMail::Compressed("xz")),
            (b"\x04\x22\x4d\x18", NoMail::Compressed("lz4")),
            (b"Dovecot-LZ", NoMail::Compressed("lz4")),
            (b"\x1f\x9d", NoMail::Compressed("compress")),
            (b"CRYPTED\x03", NoMail::Encrypted),
            (b"CRYPTED\x02", NoMail::Encrypted),
            (b"CRYPTED\x01", NoMail::Encrypted),
        ];
        // Two octets and the method, deflate (RFC 1952 §2.3.1).
        if beginning.starts_with(b"\x1f\x8b\x08") {
            return Self::Gzip;
        }
        // `Magic_Number` (RFC 8878 §3.1.1).
        if beginning.starts_with(b"\x28\xb5\x2f\xfd") {
            return Self::Zstd;
        }
        if is_bzip2(beginning) {
            return Self::None(NoMail::Compressed("bzip2"));
        }
        let none = NONE.iter().find(|(mark, _)| beginning.starts_with(mark));
        none.map_or(Self::Plain, |(_, why)| Self::None(*why))
    }

    /// Reads the first octets of a file without changing its position. Blocks while the disk answers.
    pub(in crate::maildir) fn look(file: &File) -> io::Result<Self> {
        let (mut beginning, mut filled) = ([0; MARK], 0);
        while let Some(room) = beginning.get_mut(filled..).filter(|room| !room.is_empty()) {
            match pread(file, room, filled as u64) {
                Ok(0) => break,
                Ok(length) => filled += length,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(Self::of(beginning.get(..filled).unwrap_or_default()))
    }

    /// The message in a file of this form, whose position is its beginning. `largest`: octets that the message may have.
    pub(in crate::maildir) fn content<R: Read>(self, file: R, largest: u64) -> io::Result<Inflater<R>> {
        let decoder = match self {
            Self::Plain => Decoder::Plain(file),
            Self::None(why) => return Err(why.into()),
            Self::Gzip => Decoder::Gzip(MultiGzDecoder::new(file)),
            Self::Zstd => {
                let mut decoder = ZstdDecoder::new(file)?;
                decoder.window_log_max(WINDOW)?;
                Decoder::Zstd(decoder)
            }
        };
        Ok(Inflater { decoder, allowed: largest })
    }

    pub(in crate::maildir) fn require_plain(self) -> io::Result<()> {
        let wrong = || io::Error::new(io::ErrorKind::InvalidData, "the file is compressed, and is not read so");
        if self == Self::Plain { Ok(()) } else { Err(wrong()) }
    }

    /// Whether a file of this form, whose position is its beginning, is a whole message. A compressed one is read
    /// through.
    pub(in crate::maildir) fn verify(self, file: &File, largest: u64) -> io::Result<()> {
        if self == Self::Plain {
            return Ok(());
        }
        io::copy(&mut self.content(file, largest)?, &mut io::sink()).map(|_| ())
    }
}

/// `BZh`, the level, and the first octets of a block or of the end.
fn is_bzip2(beginning: &[u8]) -> bool {
    let behind = beginning.strip_prefix(b"BZh").and_then(<[u8]>::split_first);
    behind.is_some_and(|(level, rest)| {
        level.is_ascii_digit() && (rest.starts_with(b"1AY&SY") || rest.starts_with(b"\x17\x72\x45\x38\x50\x90"))
    })
}

impl<R: Read> Read for Inflater<R> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.decoder {
            Decoder::Plain(file) => file.read(block),
            Decoder::Gzip(decoder) => decoder.read(block),
            Decoder::Zstd(decoder) => decoder.read(block),
        };
        match read {
            Ok(length) => {
                self.allowed = self.allowed.checked_sub(length as u64).ok_or(NoMail::TooLarge)?;
                Ok(length)
            }
            // The file itself cannot be read, or it is not a compressed stream.
            Err(error)
                if matches!(self.decoder, Decoder::Plain(_))
                    || error.raw_os_error().is_some()
                    || error.kind() == io::ErrorKind::Interrupted =>
            {
                Err(error)
            }
            Err(_) => Err(NoMail::Broken.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_octets_tell_what_a_file_holds() {
        for (beginning, form) in [
            (&b""[..], Compression::Plain),
            (b"Return-Path: <>", Compression::Plain),
            (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", Compression::Gzip),
            (b"\x1f\x8b", Compression::Plain),
            (b"\x28\xb5\x2f\xfd\x04\x58", Compression::Zstd),
            (b"BZh91AY&SY", Compression::None(NoMail::Compressed("bzip2"))),
            (b"BZh9\x17\x72\x45\x38\x50\x90", Compression::None(NoMail::Compressed("bzip2"))),
            (b"BZh9: a fie", Compression::Plain),
            (b"\xfd7zXZ\0\0\x04", Compression::None(NoMail::Compressed("xz"))),
            (b"\x04\x22\x4d\x18\x64", Compression::None(NoMail::Compressed("lz4"))),
            (b"Dovecot-LZ4\r\x2a\x9b\xc5", Compression::None(NoMail::Compressed("lz4"))),
            (b"CRYPTED\x03\x07\x02", Compression::None(NoMail::Encrypted)),
            (b"CRYPTED: no", Compression::Plain),
        ] {
            assert_eq!(Compression::of(beginning), form, "{beginning:?}");
        }
    }

    /// The memory is that of one block and the window, whatever comes out.
    #[test]
    fn what_inflates_beyond_the_largest_message_is_cut_off() {
        let bomb = zstd::encode_all(io::repeat(b'x').take(10 << 20), 19).unwrap();
        assert!(bomb.len() < 10_000);
        for (largest, whole) in [(10 << 20, true), ((10 << 20) - 1, false)] {
            let mut content = Compression::Zstd.content(&*bomb, largest).unwrap();
            let read = io::copy(&mut content, &mut io::sink());
            match read {
                Ok(octets) => assert!(whole && octets == 10 << 20),
                Err(error) => assert!(!whole && NoMail::of(&error) == Some(NoMail::TooLarge), "{error}"),
            }
        }
    }
}
