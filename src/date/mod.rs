//! The calendar: times as the log, LDAP and mail write them.

use std::time::{SystemTime, UNIX_EPOCH};

const SECONDS_OF_A_DAY: u64 = 86_400;
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A time in UTC in the Gregorian calendar; times before 1970 become its first second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    days: u64,
    second_of_day: u64,
}

impl Date {
    /// The date of a moment, to the second.
    #[must_use]
    pub fn of(moment: SystemTime) -> Self {
        let seconds = moment.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self { days: seconds / SECONDS_OF_A_DAY, second_of_day: seconds % SECONDS_OF_A_DAY }
    }

    /// The date of a moment so many seconds after the beginning of 1970.
    #[must_use]
    pub fn after_seconds(seconds: i64) -> Self {
        let seconds = u64::try_from(seconds).unwrap_or_default();
        Self { days: seconds / SECONDS_OF_A_DAY, second_of_day: seconds % SECONDS_OF_A_DAY }
    }

    /// Year, month (1 to 12) and day of the month (1 to 31).
    ///
    /// Years are counted from March here, so that the leap day is the last of its year.
    #[must_use]
    pub fn day(self) -> (i32, u8, u8) {
        let since_year_0 = self.days + 719_468;
        let (era, day_of_era) = (since_year_0 / 146_097, since_year_0 % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        let small = |number| u8::try_from(number).unwrap_or(u8::MAX);
        (i32::try_from(year).unwrap_or(i32::MAX), small(month), small(day))
    }

    /// As LDAP's generalized time (RFC 4517 §3.3.13): `20261123180956Z`.
    #[must_use]
    pub fn generalized(self) -> String {
        let ((year, month, day), (hour, minute, second)) = (self.day(), self.time());
        format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z")
    }

    /// As in the log (RFC 3339 §5.6): `2026-11-23T18:09:56Z`.
    #[must_use]
    pub fn of_log(self) -> String {
        let ((year, month, day), (hour, minute, second)) = (self.day(), self.time());
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// As in the header of a message (RFC 5322 §3.3): `Mon, 23 Nov 2026 18:09:56 +0000`.
    #[must_use]
    pub fn of_mail(self) -> String {
        let ((year, month, day), (hour, minute, second)) = (self.day(), self.time());
        let weekday = WEEKDAYS.iter().cycle().nth(usize::try_from(self.days % 7).unwrap_or_default());
        let month = MONTHS.iter().cycle().nth(usize::from(month) - 1);
        let (weekday, month) = (weekday.copied().unwrap_or_default(), month.copied().unwrap_or_default());
        format!("{weekday}, {day} {month} {year} {hour:02}:{minute:02}:{second:02} +0000")
    }

    fn time(self) -> (u64, u64, u64) {
        (self.second_of_day / 3_600, self.second_of_day / 60 % 60, self.second_of_day % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64) -> Date {
        Date::of(UNIX_EPOCH + Duration::from_secs(seconds))
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(at(0).generalized(), "19700101000000Z");
        assert_eq!(at(951_782_399).of_log(), "2000-02-28T23:59:59Z");
        assert_eq!(at(951_782_400).of_log(), "2000-02-29T00:00:00Z");
        assert_eq!(at(1_795_462_205).of_log(), "2026-11-23T19:30:05Z");
        assert_eq!(at(951_782_400).generalized(), "20000229000000Z");
        assert_eq!(at(951_868_799).of_mail(), "Tue, 29 Feb 2000 23:59:59 +0000");
        assert_eq!(at(1_795_457_396).of_mail(), "Mon, 23 Nov 2026 18:09:56 +0000");
        assert_eq!(at(4_107_542_400).generalized(), "21000301000000Z");
    }
}
