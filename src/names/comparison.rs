//! How values are compared and prepared: RFC 4518, which LDAP's matching rules of text are built on.

use std::borrow::Cow;

use stringprep::tables::{case_fold_for_nfkc, x520_mapped_to_nothing, x520_mapped_to_space};
use unicode_normalization::UnicodeNormalization;

/// Folds a value as LDAP's `caseIgnoreMatch` compares it (RFC 4517 §4.2.11, RFC 4518 §2): composed and decomposed
/// letters, upper and lower case, and runs of blanks become the same; blanks at either end are removed.
///
/// By RFC 4518 §2.4 a value with a prohibited code point matches nothing; here it is folded like any other, since the
/// directory decides who is found.
#[must_use]
pub fn fold(value: &str) -> String {
    if value.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
        return prepared(value).to_ascii_lowercase();
    }
    // §2.2: "Map". §2.3: "Normalize" to Form KC.
    let mapped = value.chars().filter(|character| !x520_mapped_to_nothing(*character));
    let spaced = mapped.map(|character| if x520_mapped_to_space(character) { ' ' } else { character });
    let folded: String = spaced.flat_map(case_fold_for_nfkc).nfkc().collect();
    prepared(&folded).into_owned()
}

/// Removes insignificant blanks (RFC 4518 §2.6.1): those at either end, and all but one of each run within. Everything
/// else stays as it is in the entry; control characters are not blanks here.
#[must_use]
pub fn prepared(value: &str) -> Cow<'_, str> {
    let is_blank = |character: char| character.is_whitespace() && !character.is_control();
    let is_prepared = value.split(' ').all(|word| !word.is_empty() && !word.contains(char::is_whitespace));
    if is_prepared {
        return Cow::Borrowed(value);
    }
    Cow::Owned(value.trim().split(is_blank).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
}

/// The forms of a typed value that a directory may store: as typed, composed (NFC) and decomposed (NFD), without
/// duplicates. Not every directory normalises values as RFC 4518 §2.3 requires.
#[must_use]
pub fn normal_forms(typed: &str) -> Vec<String> {
    let mut forms = vec![typed.to_owned()];
    if !typed.is_ascii() {
        for form in [typed.nfc().collect(), typed.nfd().collect()] {
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_ldap_takes_for_one_are_one() {
        for (one, other) in [
            ("Alan Jones", "  alan   JONES "),
            ("J\u{fc}rgen", "JU\u{308}RGEN"),
            ("K\u{f6}ln", "ko\u{308}ln\u{a0}"),
            ("\u{c5}ngstr\u{f6}m", "\u{212b}NGSTR\u{d6}M"),
            ("office", "o\u{fb03}ce"),
            ("\u{ff21}lan", "alan"),
            ("soft\u{ad}hyphen", "softhyphen"),
            ("zero\u{200b}width", "ZEROWIDTH"),
            ("a\tb", "a b"),
            ("a\u{2003}\u{3000}b", "a b"),
            ("Stra\u{df}e", "STRASSE"),
            // A final sigma is a sigma.
            ("\u{39f}\u{394}\u{39f}\u{3a3}", "\u{3bf}\u{3b4}\u{3bf}\u{3c2}"),
            ("\u{410}\u{43b}\u{430}\u{43d}", "\u{430}\u{41b}\u{410}\u{41d}"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        for (one, other) in [("Alan Jones", "AlanJones"), ("J\u{fc}rgen", "Jurgen"), ("\u{131}", "i")] {
            assert_ne!(fold(one), fold(other), "{one} {other}");
        }
        assert_eq!((fold(""), fold("  "), fold(" \u{a0}\t")), (String::new(), String::new(), String::new()));
    }

    #[test]
    fn blanks_at_the_ends_and_further_ones_within_are_left_out() {
        for (stored, text) in [
            ("ajones", "ajones"),
            ("ajones ", "ajones"),
            (" AJones\t", "AJones"),
            ("Alan  Jones", "Alan Jones"),
            ("Alan\u{a0} Jones", "Alan Jones"),
            ("Alan\nJones", "Alan\nJones"),
            ("", ""),
            ("  ", ""),
        ] {
            assert_eq!(prepared(stored), text, "{stored:?}");
        }
        assert!(matches!(prepared("Alan Jones"), Cow::Borrowed(_)));
    }

    #[test]
    fn each_form_is_asked_for_once() {
        assert_eq!(normal_forms("ajones"), ["ajones"]);
        assert_eq!(normal_forms("M\u{fc}ller"), ["M\u{fc}ller", "Mu\u{308}ller"]);
        assert_eq!(normal_forms("Mu\u{308}ller"), ["Mu\u{308}ller", "M\u{fc}ller"]);
        assert_eq!(normal_forms("\u{410}\u{43b}\u{430}\u{43d}"), ["\u{410}\u{43b}\u{430}\u{43d}"]);
    }
}
