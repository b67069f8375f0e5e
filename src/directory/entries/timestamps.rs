//! Times as directories write them, converted to seconds since 1970.

/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// From 1601, where Windows begins to count, to 1970.
const TO_1970: i64 = 11_644_473_600;

/// Generalized Time (RFC 4517 §3.3.13): `20261123191500Z`, with a fraction, or with an offset from UTC.
pub(crate) fn generalized(text: &str) -> Option<i64> {
    let end_of_digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, rest) = text.split_at_checked(end_of_digits)?;
    let part = |from: usize, to: usize| digits.get(from..to)?.parse::<i64>().ok();
    let day = days(part(0, 4)?, part(4, 6)?, part(6, 8)?)?;
    let (hour, minute, second) = match digits.len() {
        10 => (part(8, 10)?, 0, 0),
        12 => (part(8, 10)?, part(10, 12)?, 0),
        14 => (part(8, 10)?, part(10, 12)?, part(12, 14)?),
        _ => return None,
    };
    let zone = rest.trim_start_matches(['.', ',']).trim_start_matches(|c: char| c.is_ascii_digit());
    let clock = (hour <= 23 && minute <= 59 && second <= 60).then_some(hour * 3600 + minute * 60 + second)?;
    Some(day * DAY + clock - east_of_greenwich(zone)?)
}

/// `Z`, `+0130`, `-05`; in seconds.
fn east_of_greenwich(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits = zone.strip_prefix(['+', '-'])?;
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<i64>().ok();
    let minutes = if digits.len() == 2 { 0 } else { number(2, 4).filter(|_| digits.len() == 4)? };
    Some(sign * (number(0, 2)? * 3600 + minutes * 60))
}

/// Days since 1970 of a day of the Gregorian calendar, by the count of years that begin in March.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Active Directory's count of tenths of microseconds since 1601; none for 0 and the greatest number, which mean never.
pub(super) fn of_windows(count: i64) -> Option<i64> {
    (count != 0 && count != i64::MAX).then_some(count / 10_000_000 - TO_1970)
}

/// The beginning of a day counted from 1970, as shadow(5) counts; none for less than 0, which means never.
pub(super) fn of_shadow(day: i64) -> Option<i64> {
    day.checked_mul(DAY).filter(|moment| *moment >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generalized_time_as_directories_write_it() {
        for (text, seconds) in [
            ("19700101000000Z", Some(0)),
            ("20261123191500Z", Some(1_795_461_300)),
            ("20261123191500.0Z", Some(1_795_461_300)),
            ("20261123191500,123456Z", Some(1_795_461_300)),
            ("202611231915Z", Some(1_795_461_300)),
            ("2026112319Z", Some(1_795_460_400)),
            ("20261123201500+0100", Some(1_795_461_300)),
            ("20261123141500-05", Some(1_795_461_300)),
            ("20240229000000Z", Some(1_709_164_800)),
            ("20380119031407Z", Some(2_147_483_647)),
            ("16010101000000Z", Some(-11_644_473_600)),
            ("20261323191500Z", None),
            ("20261123251500Z", None),
            ("20261123191500", None),
            ("2026112319150Z", None),
            ("20261123191500+1", None),
            ("tomorrow", None),
            ("", None),
        ] {
            assert_eq!(generalized(text), seconds, "{text}");
        }
    }

    #[test]
    fn windows_and_shadow_counts() {
        assert_eq!(of_windows(116_444_736_000_000_000), Some(0));
        assert_eq!(of_windows(133_536_384_000_000_000), Some(1_709_164_800));
        assert_eq!((of_windows(0), of_windows(i64::MAX)), (None, None));
        assert_eq!((of_shadow(19_782), of_shadow(-1)), (Some(1_709_164_800), None));
    }
}
