//! Settings of the log.

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

/// Comes before the filter: this server logs at `info`; crates whose lines could reveal what ours
/// leave out, or repeat ours, log less.
///
/// actix-http writes an error for each request that it cannot read, which anybody can send at any
/// rate; those are counted, and a job says how many there were.
const BASE: &str = "info,actix_session=error,actix_http=off,actix_server=warn,actix_web=error,\
                    refinery_core=warn";

/// The levels, as a filter writes them.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// What is logged, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Logging {
    /// A filter such as `info` or `info,secure_messaging=debug`.
    pub log: String,
    /// `text` or `json`.
    pub log_format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One readable line for each event.
    Text,
    /// One JSON object for each event.
    Json,
}

/// Why a filter was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "log is {filter:?}, and {part:?} in it is neither a level nor a crate with a level; set off, error, \
     warn, info, debug or trace, or one of them for a crate: info,secure_messaging=debug"
)]
pub struct LogFilterError {
    filter: String,
    part: String,
}

impl Logging {
    /// Reads the filter.
    ///
    /// Each part is a level, or a crate with a level. What names no level for this server leaves it
    /// at `info`.
    pub fn filter(&self) -> Result<EnvFilter, LogFilterError> {
        let refused = |part: &str| LogFilterError {
            filter: self.log.clone(),
            part: part.to_owned(),
        };
        for part in self.log.split(',') {
            let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
            if !LEVELS.contains(&level.trim().to_ascii_lowercase().as_str()) {
                return Err(refused(part));
            }
        }
        EnvFilter::try_new(format!("{BASE},{}", self.log)).map_err(|_| refused(&self.log))
    }
}

impl Default for Logging {
    fn default() -> Self {
        Self {
            log: "info".to_owned(),
            log_format: LogFormat::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(log: &str) -> Result<String, String> {
        let logging = Logging {
            log: log.to_owned(),
            ..Logging::default()
        };
        let filter = logging.filter().map_err(|error| error.to_string())?;
        Ok(filter.to_string())
    }

    #[test]
    fn a_word_that_is_no_level_is_refused_with_the_levels() {
        for log in [
            "verbose",
            "",
            "info,",
            "info,secure_messaging",
            "=nonsense==",
            "a=loud",
        ] {
            let refused = filter(log).err();
            assert!(
                refused.is_some_and(|text| text.contains("warn, info, debug or trace")),
                "{log}"
            );
        }
    }

    #[test]
    fn a_level_for_another_crate_leaves_this_server_its_own() {
        let has = |log: &str, part: &str| {
            filter(log).is_ok_and(|shown| shown.split(',').any(|shown| shown == part))
        };
        assert!(has("rustls=debug", "info"));
        assert!(has("warn", "warn") && !has("warn", "info"));
        assert!(has("OFF", "off") && !has("OFF", "info"));
        assert!(has(
            "error,secure_messaging=debug",
            "secure_messaging=debug"
        ));
    }
}
