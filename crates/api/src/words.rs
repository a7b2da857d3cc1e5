//! Texts that people read.

/// A text for people and its stable name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// Kebab-case; never changes.
    pub code: &'static str,
    /// One or two sentences: what happened and, unless it is only to wait, what to do next.
    pub text: &'static str,
    /// Seconds to wait if the server names none; `None` if waiting does not help.
    pub wait: Option<u32>,
}

impl Words {
    /// Returns the text that a person reads, with the time to wait if waiting helps.
    ///
    /// `seconds` is the time that the server names.
    pub fn told(&self, seconds: Option<u32>) -> String {
        match self.wait {
            None => self.text.to_owned(),
            Some(usual) => format!("{} {}", self.text, try_again(seconds.unwrap_or(usual))),
        }
    }
}

/// Says when to try again: "Try again in 40 seconds."
pub fn try_again(seconds: u32) -> String {
    const MINUTE: u32 = 60;
    const HOUR: u32 = 3_600;
    let (count, unit) = match seconds {
        0 | 1 => (1, "second"),
        2..100 => (seconds, "second"),
        100..5_400 => (seconds.div_ceil(MINUTE), "minute"),
        _ => (seconds.div_ceil(HOUR), "hour"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("Try again in {count} {unit}{plural}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_seconds_minutes_or_hours_and_never_too_short() {
        for (seconds, told) in [
            (0, "1 second"),
            (1, "1 second"),
            (40, "40 seconds"),
            (99, "99 seconds"),
            (121, "3 minutes"),
            (3_600, "60 minutes"),
            (7_201, "3 hours"),
        ] {
            assert_eq!(try_again(seconds), format!("Try again in {told}."));
        }
    }

    #[test]
    fn only_where_waiting_helps_a_person_is_told_to_wait() {
        let words = crate::Code::TooManyRequests.words();
        assert!(words.told(Some(40)).ends_with("Try again in 40 seconds."));
        assert!(words.told(None).ends_with("Try again in 60 seconds."));
        let words = crate::Code::HandleTaken.words();
        assert_eq!(words.told(Some(40)), words.text);
    }
}
