//! Times in names and on the command line: UTC, in the short form of ISO 8601.

use time::{Date, Month, OffsetDateTime, Time};

/// Returns a moment of the calendar in UTC; what is later than the year 9999 counts as its end.
pub fn utc(unix: u64) -> OffsetDateTime {
    let at = i64::try_from(unix).ok();
    at.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok())
        .unwrap_or(OffsetDateTime::new_utc(Date::MAX, Time::MAX))
}

/// Returns the unix seconds of a moment that the calendar has, from 1970 on.
pub fn unix(
    (year, month, day): (u64, u64, u64),
    (hour, minute, second): (u64, u64, u64),
) -> Option<u64> {
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let day = Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?);
    let [hour, minute, second] = [hour, minute, second].map(u8::try_from);
    let time = Time::from_hms(hour.ok()?, minute.ok()?, second.ok()?);
    let moment = OffsetDateTime::new_utc(day.ok()?, time.ok()?);
    u64::try_from(moment.unix_timestamp()).ok()
}

/// Writes unix seconds as `20261122T023000Z`.
pub fn format_time(time: u64) -> String {
    let at = utc(time);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let (hour, minute, second) = at.to_hms();
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// Reads `20261122T023000Z`, `2026-11-22T02:30:00Z`, the same without seconds, or a day alone, which
/// means its end; `None` for anything else.
pub fn parse_time(text: &str) -> Option<u64> {
    let digits: String = text
        .trim()
        .chars()
        .filter(|c| !matches!(c, '-' | ':' | 'T' | ' ' | 'Z'))
        .collect();
    let read = |from: usize, to: usize| -> Option<u64> {
        let part = digits.get(from..to)?;
        part.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(())?;
        part.parse().ok()
    };
    let day = (read(0, 4)?, read(4, 6)?, read(6, 8)?);
    let time = match digits.len() {
        8 => (23, 59, 59),
        12 => (read(8, 10)?, read(10, 12)?, 59),
        14 => (read(8, 10)?, read(10, 12)?, read(12, 14)?),
        _ => return None,
    };
    unix(day, time)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_times_are_written_as_the_calendar_has_them() {
        assert_eq!(format_time(0), "19700101T000000Z");
        assert_eq!(format_time(951_782_399), "20000228T235959Z");
        assert_eq!(format_time(951_782_400), "20000229T000000Z");
        assert_eq!(format_time(1_800_000_000), "20270115T080000Z");
    }

    #[test]
    fn a_person_may_write_a_time_in_several_ways() {
        let time = Some(1_800_000_000);
        assert_eq!(parse_time("20270115T080000Z"), time);
        assert_eq!(parse_time("2027-01-15T08:00:00Z"), time);
        assert_eq!(parse_time("2027-01-15 08:00:00"), time);
        assert_eq!(parse_time("2027-01-15T08:00"), Some(1_800_000_059));
        assert_eq!(parse_time("2027-01-15"), Some(1_800_057_599));
        for wrong in [
            "",
            "yesterday",
            "2027-02-30",
            "2027-13-01",
            "2027-01-15T25:00",
        ] {
            assert_eq!(parse_time(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_time_reads_as_it_was_written(time in 0_u64..4_000_000_000) {
            prop_assert_eq!(parse_time(&format_time(time)), Some(time));
        }

        #[test]
        fn hostile_text_never_panics(text in ".{0,40}") {
            let _ = parse_time(&text);
        }
    }
}
