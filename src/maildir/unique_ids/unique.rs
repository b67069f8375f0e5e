//! The unique-id of a message, by a fixed rule.
//!
//! It is the base name without `,U=<n>` or, if that has more than 70 characters or is not printable, its hash: the
//! first 32 lower-case hexadecimal digits of SHA-256. A name that looks like such a hash is hashed too, so that the two
//! kinds never collide, and a message's unique-id does not depend on other messages. There is one exception: of files
//! whose base names differ only in `,U=<n>`, the first keeps the plain form, and each other one gets the hash of its
//! base name with the `,U=<n>`.

use aws_lc_rs::digest::{SHA256, digest};

use crate::pop3::UniqueId;

/// Octets of the hash that are used: 32 hexadecimal digits.
const HASHED: usize = 16;

/// The unique-id of a message with this `identity`.
pub(super) fn plain(identity: &[u8]) -> UniqueId {
    let text = std::str::from_utf8(identity).ok().filter(|text| !looks_hashed(text));
    text.and_then(UniqueId::new).unwrap_or_else(|| hashed(identity))
}

/// The fixed-length form.
#[allow(clippy::expect_used, reason = "32 hexadecimal digits always keep to the standard")]
pub(in crate::maildir) fn hashed(base: &[u8]) -> UniqueId {
    let hash = digest(&SHA256, base);
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    let hex: String =
        hash.as_ref().iter().take(HASHED).flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]).collect();
    UniqueId::new(&hex).expect("a unique-id of hexadecimal digits")
}

fn looks_hashed(text: &str) -> bool {
    text.len() == 2 * HASHED && text.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fitting_base_name_is_the_unique_id() {
        let longest = "1".repeat(70);
        for name in ["1700000000.M1P2.mx1,S=2034,W=2088", "hello", &longest] {
            assert_eq!(plain(name.as_bytes()).as_str(), name);
        }
    }

    #[test]
    fn every_other_gets_a_hash_of_fixed_form() {
        let long = "1".repeat(71);
        let hash_like = "0123456789abcdef0123456789abcdef";
        for name in [long.as_bytes(), b"a b", b"a\xff", b"", "é".as_bytes(), hash_like.as_bytes()] {
            let unique_id = plain(name);
            assert!(looks_hashed(unique_id.as_str()), "{unique_id:?}");
            assert_ne!(unique_id.as_str().as_bytes(), name);
        }
        // The form may never change: clients remember it. `printf 'a b' | sha256sum | cut -c 1-32`
        assert_eq!(plain(b"a b").as_str(), "c8687a08aa5d6ed2044328fa6a697ab8");
    }
}
