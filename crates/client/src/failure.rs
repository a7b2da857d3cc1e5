//! Why a command was not carried out, in words for people.

use api::{Code, Own, Words};
use protocol::name::{AliasError, HandleError};

use crate::refusal::Refusal;
use crate::wire::Problem;

/// A stable code and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Kebab-case.
    pub code: String,
    /// For people.
    pub text: String,
    /// Where the server named a time, in seconds.
    pub retry_after_secs: Option<u32>,
}

/// A pause where the server names none, milliseconds.
const PAUSE_MS: u64 = 2_000;

impl Failure {
    /// Whether nothing is wrong but the time: too many requests, or the server is held up.
    pub(crate) fn asks_to_wait(&self) -> bool {
        let codes = [Code::TooManyRequests, Code::Unavailable];
        codes.iter().any(|code| code.name() == self.code)
    }

    /// Whether the server only could not do it now: nothing follows from it about what was asked for.
    pub(crate) fn is_passing(&self) -> bool {
        match Code::named(&self.code) {
            Some(code) => code.status() == 429 || code.status() >= 500,
            None => self.code == Own::ServerError.words().code,
        }
    }

    /// How long to wait before the next try, milliseconds.
    pub(crate) fn wait_ms(&self) -> u64 {
        self.retry_after_secs
            .map_or(PAUSE_MS, |secs| u64::from(secs) * 1_000)
    }

    /// A failure that the core itself found, or understood.
    pub(crate) fn new(words: impl Into<Words>) -> Self {
        Self::told(words.into(), None)
    }

    /// Reads a problem document.
    pub(crate) fn from_answer(status: u16, body: &[u8]) -> Self {
        let problem = serde_json::from_slice::<Problem>(body).unwrap_or_default();
        let retry_after = problem.retry_after.map(whole_seconds);
        if problem.code.is_empty() {
            // The server names its reason: what has none was refused by something on the way.
            let words = match (Code::of_status(status), status) {
                (Some(code), _) => code.words(),
                (None, 400..=499) => Own::HeldUp.words(),
                (None, _) => Own::ServerError.words(),
            };
            return Self::told(words, retry_after);
        }
        Self::refused(&problem.code, problem.detail, retry_after)
    }

    /// What the server named: a code of this version gets our words, another one those of the server.
    pub(crate) fn refused(code: &str, detail: String, retry_after: Option<u32>) -> Self {
        if let Some(known) = Code::named(code) {
            return Self::told(known.words(), retry_after);
        }
        Self {
            code: code.to_owned(),
            text: match detail.is_empty() {
                true => Own::Unknown.words().told(retry_after),
                false => detail,
            },
            retry_after_secs: retry_after,
        }
    }

    fn told(words: Words, seconds: Option<u32>) -> Self {
        Self {
            code: words.code.to_owned(),
            text: words.told(seconds),
            retry_after_secs: seconds,
        }
    }
}

/// Seconds to wait, as far as they can be told.
pub(crate) fn whole_seconds(seconds: u64) -> u32 {
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self {
            code: refusal.code().to_owned(),
            text: refusal.to_string(),
            retry_after_secs: None,
        }
    }
}

impl From<HandleError> for Failure {
    fn from(error: HandleError) -> Self {
        Self {
            code: Own::BadHandle.words().code.to_owned(),
            text: error.to_string(),
            retry_after_secs: None,
        }
    }
}

impl From<AliasError> for Failure {
    fn from(error: AliasError) -> Self {
        Self {
            code: Own::BadAlias.words().code.to_owned(),
            text: error.to_string(),
            retry_after_secs: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Failure, Own};

    #[test]
    fn a_problem_documents_code_is_kept_and_known_codes_get_our_words() {
        let failure = Failure::from_answer(409, br#"{"code":"handle-taken","detail":"x"}"#);
        assert_eq!(failure.code, "handle-taken");
        assert!(failure.text.contains("Choose another"));
        let other = Failure::from_answer(400, br#"{"code":"odd","detail":"The reason."}"#);
        assert_eq!(
            (other.code.as_str(), other.text.as_str()),
            ("odd", "The reason.")
        );
    }

    #[test]
    fn every_code_of_the_server_is_told_in_our_words() {
        for code in Code::ALL {
            let body = format!(r#"{{"code":"{}","detail":"for machines"}}"#, code.name());
            let failure = Failure::from_answer(code.status(), body.as_bytes());
            assert_eq!(failure.code, code.name());
            assert!(failure.text.starts_with(code.words().text), "{failure:?}");
        }
    }

    #[test]
    fn whoever_has_to_wait_is_told_for_how_many_seconds() {
        let body = br#"{"code":"too-many-requests","detail":"x","retry_after":40}"#;
        let failure = Failure::from_answer(429, body);
        assert!(
            failure.text.ends_with("Try again in 40 seconds."),
            "{failure:?}"
        );
        assert_eq!(failure.retry_after_secs, Some(40));
    }

    #[test]
    fn only_what_has_to_do_with_the_moment_is_tried_again() {
        let told = |code: &str| Failure::refused(code, String::new(), None);
        for code in ["too-many-requests", "unavailable"] {
            assert!(
                told(code).asks_to_wait() && told(code).is_passing(),
                "{code}"
            );
        }
        for code in ["server-error", "vault-full"] {
            assert!(
                !told(code).asks_to_wait() && told(code).is_passing(),
                "{code}"
            );
        }
        for code in ["held-up", "offline", "odd", "signed-out", "no-such-user"] {
            assert!(
                !told(code).asks_to_wait() && !told(code).is_passing(),
                "{code}"
            );
        }
    }

    #[test]
    fn the_server_says_how_long_to_wait_and_two_seconds_are_waited_where_it_does_not() {
        for (named, wait_ms) in [(None, 2_000), (Some(0), 0), (Some(90), 90_000)] {
            let failure = Failure::refused("too-many-requests", String::new(), named);
            assert_eq!(failure.wait_ms(), wait_ms);
        }
    }

    #[test]
    fn a_code_that_nobody_knows_is_told_in_the_servers_words_or_else_in_ours() {
        let named = Failure::refused("odd", "The reason.".to_owned(), Some(3));
        assert_eq!(named.text, "The reason.");
        let unnamed = Failure::refused("odd", String::new(), Some(3));
        assert_eq!(unnamed.text, Own::Unknown.words().told(Some(3)));
        assert_eq!(
            (unnamed.code.as_str(), unnamed.retry_after_secs),
            ("odd", Some(3))
        );
    }

    #[test]
    fn an_answer_that_is_no_problem_document_still_gets_a_code() {
        assert_eq!(Failure::from_answer(502, b"<html>").code, "server-error");
        assert_eq!(Failure::from_answer(401, b"").code, "signed-out");
        for status in [403, 413] {
            let failure = Failure::from_answer(status, b"<html>Request Entity Too Large</html>");
            assert_eq!(failure.code, "held-up");
            assert!(failure.text.contains("on the way"));
        }
    }
}
