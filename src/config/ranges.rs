//! The least and the greatest value of each number that can be set.

use serde_json::{Map, Value};

/// A number's bounds.
struct Range {
    name: &'static str,
    least: u64,
    greatest: u64,
}

const fn range(name: &'static str, least: u64, greatest: u64) -> Range {
    Range {
        name,
        least,
        greatest,
    }
}

/// 400 days: browsers keep no cookie for longer.
const DAYS_400: u64 = 400 * 86_400;

/// The largest number that a limiter counts.
const RATE: u64 = 4_000_000_000;

/// More memory than any machine has.
const MEMORY: u64 = 16 << 40;

/// A hundred years of days.
const CENTURY: u64 = 36_500;

/// Every number, with the bounds between which the server does what the setting says.
const RANGES: &[Range] = &[
    range("kdf_iterations", 100_000, 100_000_000),
    range("connections_per_network", 0, 1_000_000),
    range("workers", 0, 512),
    range("drain_secs", 0, 600),
    range("session_idle_secs", 10, DAYS_400),
    range("session_absolute_secs", 10, DAYS_400),
    range("sockets_per_session", 1, 10_000),
    range("sessions_per_account", 1, 10_000),
    range("vault_bytes", 4_096, MEMORY),
    range("vault_account_bytes", 4_096, MEMORY),
    range("vault_account_messages", 1, 100_000_000),
    range("vault_unanswered_messages", 1, 100_000_000),
    range(
        "max_message_bytes",
        1,
        protocol::envelope::MAX_BODY_LEN as u64,
    ),
    range("sign_ins_per_minute", 1, RATE),
    range("registrations_per_hour", 1, RATE),
    range("lookups_per_minute", 1, RATE),
    range("claims_per_minute", 1, RATE),
    range("messages_per_minute", 1, RATE),
    range("links_per_minute", 1, RATE),
    range("new_people_per_hour", 1, RATE),
    range("changes_per_hour", 1, RATE),
    range("administration_per_minute", 1, RATE),
    range("audit_head_every", 1, 1_000_000),
    range("audit_head_secs", 1, 86_400),
    range("audit_retention_days", 0, CENTURY),
    range("backup_incremental_minutes", 0, 366 * 24 * 60),
    range("backup_full_hours", 0, 366 * 24),
    range("database_connections", 1, 1_000),
    range("database_replica_lag_secs", 2, 300),
    range("kek_days", 0, CENTURY),
    range("pkcs11_cache_secs", 0, 86_400),
    range("kek_cache_secs", 2, 86_400),
    range("kek_timeout_secs", 1, 60),
];

/// A number that is too small or too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {value}; set it to at least {least} and at most {greatest}")]
pub struct OutOfRange {
    name: &'static str,
    value: u64,
    least: u64,
    greatest: u64,
}

/// Finds the numbers that are out of their range.
pub(super) fn out_of_range(settings: &Map<String, Value>) -> Vec<OutOfRange> {
    let outside = |range: &Range| {
        let value = settings.get(range.name)?.as_u64()?;
        let fits = (range.least..=range.greatest).contains(&value);
        (!fits).then_some(OutOfRange {
            name: range.name,
            value,
            least: range.least,
            greatest: range.greatest,
        })
    };
    RANGES.iter().filter_map(outside).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn every_number_that_can_be_set_has_a_range_and_a_default_within_it() {
        let defaults = Config::defaults();
        let mut numbers: Vec<&str> = defaults
            .iter()
            .filter(|(_, value)| value.is_number())
            .map(|(name, _)| name.as_str())
            .collect();
        let mut known: Vec<&str> = RANGES.iter().map(|range| range.name).collect();
        numbers.sort_unstable();
        known.sort_unstable();
        assert_eq!(known, numbers);
        assert_eq!(out_of_range(&defaults), []);
    }

    #[test]
    fn each_number_is_taken_up_to_its_bounds_and_refused_beyond_them() {
        for range in RANGES {
            let refused = |value: u64| {
                let mut settings = Config::defaults();
                settings.insert(range.name.to_owned(), value.into());
                let found = out_of_range(&settings);
                assert!(found.iter().all(|one| one.name == range.name));
                found.into_iter().next().map(|one| one.to_string())
            };
            for value in [range.least, range.greatest] {
                assert_eq!(refused(value), None, "{}", range.name);
            }
            assert_eq!(refused(0).is_some(), range.least > 0, "{}", range.name);
            for value in [range.greatest + 1, u64::MAX] {
                let words = refused(value).unwrap();
                let bounds = [range.name.to_owned(), format!("at most {}", range.greatest)];
                assert!(bounds.iter().all(|part| words.contains(part)), "{words}");
            }
        }
    }
}
