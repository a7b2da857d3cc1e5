//! Unix seconds as people read them, in UTC.

/// Writes `2026-11-21 23:07:06`.
pub fn format(unix: u64) -> String {
    let at = backup::utc(unix);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let (hour, minute, second) = at.to_hms();
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// Reads `2026-11-21T23:07`, as a browser's field sends it, with or without seconds.
pub fn parse(text: &str) -> Option<u64> {
    let (day, time) = text.trim().split_once(['T', ' '])?;
    let mut parts = day.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let mut parts = time.splitn(3, ':').map(|part| part.parse::<u64>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    backup::unix((year, month, day), (hour, minute, second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read_back() {
        assert_eq!(format(0), "1970-01-01 00:00:00");
        assert_eq!(format(951_782_400), "2000-02-29 00:00:00");
        assert_eq!(format(1_795_302_426), "2026-11-21 23:07:06");
        for unix in [0, 951_782_400, 1_795_302_426, 4_102_444_799] {
            assert_eq!(parse(&format(unix)), Some(unix));
        }
        assert_eq!(parse("2026-11-21T23:07"), Some(1_795_302_420));
        for bad in [
            "",
            "yesterday",
            "2026-13-01T00:00",
            "2026-11-21",
            "2026-11-21T24:00",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
