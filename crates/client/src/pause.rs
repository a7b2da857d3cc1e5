//! How long to wait before something that failed is asked for again.

use crate::answers::Answer;
use crate::failure::Failure;

/// The first pause where the server names none, milliseconds.
const FIRST_MS: u64 = 2_000;
/// No pause that the server did not ask for is longer, milliseconds.
const LONGEST_MS: u64 = 60_000;

/// A pause that doubles with every failure and is never shorter than the server asks for.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    failures: u32,
    until_ms: u64,
}

impl Pause {
    /// Whether it is too early to ask again.
    pub(crate) const fn holds(&self, now_ms: u64) -> bool {
        now_ms < self.until_ms
    }

    /// Whether the last answer was a failure.
    pub(crate) const fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// When it may be asked for again.
    pub(crate) const fn until_ms(&self) -> u64 {
        self.until_ms
    }

    /// It failed again: gives the time at which to ask once more.
    pub(crate) fn failed(&mut self, now_ms: u64, answer: &Answer) -> u64 {
        let least_ms = match answer {
            Some((status, body)) => Failure::from_answer(*status, body).wait_ms(),
            None => FIRST_MS,
        };
        self.failed_for(now_ms, least_ms)
    }

    /// The same, where the shortest pause is known.
    pub(crate) fn failed_for(&mut self, now_ms: u64, least_ms: u64) -> u64 {
        if self.holds(now_ms) {
            // Asked for together with what began the pause.
            self.until_ms = self.until_ms.max(now_ms.saturating_add(least_ms));
            return self.until_ms;
        }
        let doubled = least_ms.saturating_mul(1 << self.failures.min(6));
        let wait_ms = doubled.min(LONGEST_MS).max(least_ms);
        self.failures = self.failures.saturating_add(1);
        self.until_ms = now_ms.saturating_add(wait_ms);
        self.until_ms
    }

    /// It was answered.
    pub(crate) const fn answered(&mut self) {
        self.failures = 0;
        self.until_ms = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::Pause;

    #[test]
    fn it_doubles_up_to_a_minute_and_begins_anew_after_an_answer() {
        let mut pause = Pause::default();
        let mut now_ms = 0;
        for wait_ms in [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] {
            assert_eq!(pause.failed(now_ms, &None), now_ms + wait_ms);
            // What fails at the same time lengthens nothing.
            assert_eq!(pause.failed(now_ms, &None), now_ms + wait_ms);
            now_ms += wait_ms;
            assert!(pause.holds(now_ms - 1) && !pause.holds(now_ms));
        }
        pause.answered();
        assert!(!pause.holds(0));
        assert_eq!(pause.failed(0, &None), 2_000);
    }

    #[test]
    fn what_the_server_asks_for_is_the_least() {
        let mut pause = Pause::default();
        let named = |secs: u32| {
            let body = format!(r#"{{"code":"too-many-requests","retry_after":{secs}}}"#);
            Some((429, body.into_bytes()))
        };
        assert_eq!(pause.failed(1_000, &named(1)), 2_000);
        assert_eq!(pause.failed(1_000, &named(90)), 91_000);
    }
}
