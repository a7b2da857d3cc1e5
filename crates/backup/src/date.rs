//! Times in names and on the command line: UTC, in the short form of ISO 8601.

const DAY: u64 = 86_400;

/// Writes unix seconds as `20261122T023000Z`.
pub fn format_time(time: u64) -> String {
    let (year, month, day) = civil(time / DAY);
    let (hour, minute, second) = (time % DAY / 3_600, time % 3_600 / 60, time % 60);
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
    let (year, month, day) = (read(0, 4)?, read(4, 6)?, read(6, 8)?);
    let (hour, minute, second) = match digits.len() {
        8 => (23, 59, 59),
        12 => (read(8, 10)?, read(10, 12)?, 59),
        14 => (read(8, 10)?, read(10, 12)?, read(12, 14)?),
        _ => return None,
    };
    let sound = (1970..10_000).contains(&year) && hour < 24 && minute < 60 && second < 60;
    let days = days(year, month, day)?;
    sound.then_some(days * DAY + hour * 3_600 + minute * 60 + second)
}

/// Year, month and day of a number of days since 1970, by counting in eras of 400 years from 1 March.
pub fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

/// Days since 1970 of a day that exists.
pub fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year / 400;
    let year_of_era = shifted_year % 400;
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    let days = (era * 146_097 + of_era).checked_sub(719_468)?;
    (civil(days) == (year, month, day)).then_some(days)
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
