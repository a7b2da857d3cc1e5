//! Why a command was not carried out, in words for people.

use protocol::name::{AliasError, HandleError};
use serde::Deserialize;

use crate::refusal::Refusal;

/// A stable code and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Kebab-case.
    pub code: String,
    /// For people.
    pub text: String,
    /// Where the server named a time, in seconds.
    pub retry_after_secs: Option<u32>,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    retry_after: Option<u32>,
}

/// A pause where the server names none, milliseconds.
const PAUSE_MS: u64 = 2_000;

impl Failure {
    /// Whether nothing is wrong but the time: too many requests, or the server is held up.
    pub fn asks_to_wait(&self) -> bool {
        let codes = ["too-many", "too-many-requests", "unavailable"];
        codes.contains(&self.code.as_str())
    }

    /// How long to wait before the next try, milliseconds.
    pub fn wait_ms(&self) -> u64 {
        self.retry_after_secs
            .map_or(PAUSE_MS, |secs| u64::from(secs) * 1_000)
    }

    /// A failure that the core itself found.
    pub fn new(code: &str) -> Self {
        Self {
            code: code.to_owned(),
            text: text_of(code)
                .unwrap_or("That did not work. Try again.")
                .to_owned(),
            retry_after_secs: None,
        }
    }

    /// Reads a problem document; known codes get our own words.
    pub fn from_answer(status: u16, body: &[u8]) -> Self {
        let problem = serde_json::from_slice::<Problem>(body).unwrap_or(Problem {
            code: String::new(),
            detail: String::new(),
            retry_after: None,
        });
        let code = if problem.code.is_empty() {
            match status {
                401 => "signed-out",
                404 => "not-found",
                429 => "too-many",
                507 => "vault-full",
                // The server names its reason: what has none was refused by something on the way.
                400..=499 => "held-up",
                _ => "server-error",
            }
            .to_owned()
        } else {
            problem.code
        };
        let text = match text_of(&code) {
            Some(text) => text.to_owned(),
            None if problem.detail.is_empty() => {
                "The server could not do that. Try again later.".to_owned()
            }
            None => problem.detail,
        };
        Self {
            code,
            text,
            retry_after_secs: problem.retry_after,
        }
    }
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
            code: "bad-handle".to_owned(),
            text: error.to_string(),
            retry_after_secs: None,
        }
    }
}

impl From<AliasError> for Failure {
    fn from(error: AliasError) -> Self {
        Self {
            code: "bad-alias".to_owned(),
            text: error.to_string(),
            retry_after_secs: None,
        }
    }
}

fn text_of(code: &str) -> Option<&'static str> {
    Some(match code {
        "offline" => "The server cannot be reached. Check the connection and try again.",
        "busy" => "Something else is under way. Wait for it, or cancel it.",
        "not-unlocked" => "Unlock first.",
        "not-signed-in" => "Sign in first.",
        "sign-in-failed" => "Handle or passphrase is wrong. Try again.",
        "wrong-passphrase" => "The passphrase is wrong. Try again.",
        "recovery-failed" => "Handle or recovery key is wrong. Check each group and try again.",
        "recovery-key-malformed" => {
            "That is not a recovery key: a group is missing or mistyped. Check it and try again."
        }
        "recovery-key-mismatch" => {
            "That is not the recovery key shown before. Compare it and type it again."
        }
        "nothing-to-accept" => "There is nothing to accept any more. Sign in again.",
        "nothing-to-confirm" => "There is no recovery key to confirm. Start again.",
        "safe-conflict" => "Another browser of yours changed something just now. Try again.",
        "token-expired" => "That took too long. Start again.",
        "handle-taken" => "Somebody has this handle already. Choose another one.",
        "bad-handle" => "A handle has 1 to 32 letters, digits, dots, dashes or underscores.",
        "empty-passphrase" => "Choose a passphrase first.",
        "registration-closed" => "This server takes no new accounts.",
        "invite-unusable" | "invite-invalid" => {
            "This invite link was used, has expired or was withdrawn."
        }
        "invite-malformed" => "This invite link is not complete. Copy the whole link.",
        "setup-invalid" => "The set-up link was used already or is not the latest one.",
        "no-such-user" => "Nobody here has that handle.",
        "account-gone" => {
            "This account does not exist any more. Nobody can read what you write here."
        }
        "that-is-you" => "That is your own handle.",
        "no-such-chat" => "This chat does not exist any more.",
        "no-such-message" => "This message does not exist any more.",
        "not-yours" => "Only your own messages can be changed.",
        "earlier-identity" => {
            "You wrote this under your earlier identity. Others let only that one change it."
        }
        "text-empty" => "Write something first.",
        "text-too-long" => "A message has at most 64 KiB of text. Split it.",
        "bad-life" => "A message may wait between 5 seconds and 7 days.",
        "bad-burn" => "Burning can be set between 1 second and 1 day after reading.",
        "message-gone" => "This message is gone: it was read elsewhere or its time ran out.",
        "message-taken" => {
            "Another browser of yours is showing this message. Try again in half a minute."
        }
        "burning" => "A message that burns cannot be changed. Delete it instead.",
        "vault-full" => "The server's memory is full. Try again in a minute.",
        "quota" => "Too many messages of yours are waiting. Try again when some were read.",
        "blocked" => "You have blocked this person. Unblock them first.",
        "no-keys" => "This person has no keys to write to. They must sign in once first.",
        "nobody-live" => {
            "They are not here, and this chat sends only while you both are. Try again when they are, or change that in its details."
        }
        "forbidden" => "Only an administrator can do that.",
        "not-found" => "That does not exist any more.",
        "too-many" => "Too many tries. Wait a minute and try again.",
        "signed-out" => "You were signed out. Sign in again.",
        "memory" => "Signing in needs 64 MiB of memory. Close other tabs and try again.",
        "bad-settings" => "That setting is out of range.",
        "server-reply" => "The server's answer makes no sense. Reload the page.",
        "held-up" => {
            "Something on the way to the server refused this. Try another network, or tell whoever \
             runs this server: its proxy may be set up wrongly."
        }
        "server-error" => "The server had a problem. Try again later.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::Failure;

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
