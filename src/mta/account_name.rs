//! What a mail transfer agent calls a person: the SASL service gives the name to whoever has logged in, and the table
//! `sender` gives it to the owners of an address. Both must be equal to the letter.

use std::fmt::Write as _;

use crate::identity::Identity;

/// The canonical name. Blanks and commas separate the owners of an address, and control characters would break a line
/// of the SASL service, so they are percent-encoded; so is the percent sign.
pub(super) fn account_name(person: &Identity) -> String {
    encoded(&person.canonical_name)
}

fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_whitespace() || character.is_control() || matches!(character, ',' | '%') {
            let mut octets = [0; 4];
            for octet in character.encode_utf8(&mut octets).bytes() {
                // Writing to a String cannot fail.
                let _ = write!(text, "%{octet:02X}");
            }
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word() {
        for (name, text) in [
            ("ajones", "ajones"),
            ("alan.jones@renovations.example", "alan.jones@renovations.example"),
            ("Jürgen", "Jürgen"),
            ("Tom Clerk", "Tom%20Clerk"),
            ("uid=a,ou=b", "uid=a%2Cou=b"),
            ("100%", "100%25"),
            ("a\tb\u{a0}c\u{1}", "a%09b%C2%A0c%01"),
        ] {
            assert_eq!(encoded(name), text);
        }
    }
}
