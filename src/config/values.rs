//! Words, numbers, durations and sizes, as written in the file.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::tree::quoted;
use crate::names::Dn;

/// Units of time in seconds, the largest first.
const TIMES: [(&str, u64); 4] = [("d", 24 * 60 * 60), ("h", 60 * 60), ("m", 60), ("s", 1)];

/// Units of size in octets, the largest first.
const SIZES: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("", 1)];

/// A duration: a whole number and one of the units s, m, h, d.
pub(super) fn duration(written: &str, bounds: &RangeInclusive<Duration>) -> Result<Duration, String> {
    let bounds = bounds.start().as_secs()..=bounds.end().as_secs();
    let kind = "time (a whole number with one of the units s, m, h, d)";
    measured(written, &TIMES, kind, &bounds).map(Duration::from_secs)
}

/// A whole number of octets, or one with KiB, MiB or GiB.
pub(super) fn octets(written: &str, bounds: &RangeInclusive<u64>) -> Result<u64, String> {
    measured(written, &SIZES, "size (a whole number of octets, or one with KiB, MiB or GiB)", bounds)
}

/// A whole number.
pub(super) fn count(written: &str, bounds: &RangeInclusive<u64>) -> Result<u64, String> {
    measured(written, &[("", 1)], "whole number", bounds)
}

/// The meaning of a word.
pub(super) fn word<T: Copy>(written: &str, words: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == written) {
        return Ok(*meaning);
    }
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    Err(format!("{} is unknown; expected {}", quoted(written), known.join(" or ")))
}

/// A distinguished name.
pub(super) fn dn(text: &str) -> Result<Dn, String> {
    let right = "expected something like \"ou=people,dc=example,dc=org\" (RFC 4514)";
    Dn::parse(text).ok_or_else(|| format!("{} is not a distinguished name; {right}", quoted(text)))
}

/// A domain of mail addresses.
pub(super) fn domain(text: &str) -> Result<String, String> {
    let is_domain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.');
    if text.starts_with('.') || !text.chars().all(is_domain) {
        return Err(format!("{} is not a domain; expected the part after the @, such as example.org", quoted(text)));
    }
    Ok(text.to_owned())
}

/// Whether two values are the same time or the same size: `60s` and `1m`, `1024KiB` and `1MiB`.
pub(super) fn is_same_measure(one: &str, other: &str) -> bool {
    let is_same = |units: &[(&str, u64)]| measure(one, units).is_some_and(|one| measure(other, units) == Some(one));
    is_same(&TIMES) || is_same(&SIZES)
}

/// In the smallest unit.
fn measure(written: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (digits, unit) = written.split_at(written.find(|c: char| !c.is_ascii_digit()).unwrap_or(written.len()));
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    digits.parse().ok().and_then(|number: u64| number.checked_mul(*factor))
}

fn measured(written: &str, units: &[(&str, u64)], kind: &str, bounds: &RangeInclusive<u64>) -> Result<u64, String> {
    let right = format!("{} to {}", in_units(*bounds.start(), units), in_units(*bounds.end(), units));
    let digits = written.trim_end_matches(|c: char| !c.is_ascii_digit());
    let is_known = units.iter().any(|(unit, _)| written.strip_prefix(digits) == Some(*unit));
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) || !is_known {
        return Err(format!("{} is not a {kind}; expected {right}", quoted(written)));
    }
    match measure(written, units) {
        Some(value) if bounds.contains(&value) => Ok(value),
        Some(value) if value < *bounds.start() => {
            Err(format!("{} is below the minimum; expected {right}", quoted(written)))
        }
        _ => Err(format!("{} is above the maximum; expected {right}", quoted(written))),
    }
}

/// In the largest unit that divides it.
fn in_units(value: u64, units: &[(&str, u64)]) -> String {
    let fitting = units.iter().find(|(_, factor)| value > 0 && value.is_multiple_of(*factor)).or(units.last());
    fitting.map_or_else(|| value.to_string(), |(unit, factor)| format!("{}{unit}", value / factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(written: &str) -> Result<u64, String> {
        duration(written, &(Duration::from_secs(0)..=Duration::from_secs(3 * 24 * 3600))).map(|time| time.as_secs())
    }

    #[test]
    fn times_have_one_unit() {
        for (written, seconds) in [("0s", 0), ("30s", 30), ("5m", 300), ("2h", 7200), ("3d", 259_200)] {
            assert_eq!(time(written), Ok(seconds));
        }
        for wrong in [
            "",
            "s",
            "30",
            "0",
            "5 m",
            "1h30m",
            "5M",
            "-5s",
            "1.5h",
            "4d",
            "99999999999999999999s",
            "10000000000000000d",
        ] {
            assert!(time(wrong).unwrap_err().ends_with("; expected 0s to 3d"), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_octets_or_binary_multiples() {
        for (written, size) in [("1024", 1024), ("1KiB", 1024), ("64MiB", 64 << 20), ("2GiB", 2 << 30)] {
            assert_eq!(octets(written, &(0..=u64::MAX)), Ok(size));
        }
        for wrong in ["1K", "1kB", "64 MiB", "64MB", "99999999999GiB", "0x10", "1e3"] {
            assert!(octets(wrong, &(0..=1 << 40)).is_err(), "{wrong}");
        }
        assert_eq!(
            octets("70000", &(255..=65536)).unwrap_err(),
            "\"70000\" is above the maximum; expected 255 to 64KiB"
        );
    }
}
