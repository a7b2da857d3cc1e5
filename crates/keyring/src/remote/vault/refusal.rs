//! What Vault and OpenBao refuse with.

use serde::Deserialize;

use crate::remote::error::{RemoteError, Trouble};
use crate::remote::text;
use crate::stanza::ProviderTag;

#[derive(Deserialize)]
struct Errors {
    errors: Vec<String>,
}

/// The words of a refusal, and what they mean.
pub(super) fn refusal(status: u16, body: &[u8]) -> RemoteError {
    let said = text::read::<Errors>(body).map(|it| it.errors.join("; "));
    let said = said.filter(|it| !it.is_empty());
    let trouble = match (status, said.as_deref()) {
        (403, _) => Trouble::Denied,
        (404, Some(_)) => Trouble::Missing,
        (429, _) => Trouble::Throttled,
        (500.., _) => Trouble::Failing,
        (400, Some(words)) => sort(words),
        _ => Trouble::Odd,
    };
    let detail = said.map_or_else(
        || format!("status {status}"),
        |said| format!("{said}, status {status}"),
    );
    RemoteError::new(ProviderTag::HASHICORP_VAULT, trouble, detail)
}

/// A status 400 has many reasons, which only its words tell apart.
fn sort(words: &str) -> Trouble {
    let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    if says(&["soft-deleted", "disallowed by policy"]) {
        Trouble::Disabled
    } else if says(&["key not found", "no existing key"]) {
        Trouble::Missing
    } else if says(&["message authentication failed", "invalid ciphertext"]) {
        Trouble::WrongContext
    } else if says(&["non-AEAD", "not supported", "unsupported"]) {
        Trouble::Unsuitable
    } else if says(&["invalid role", "secret id", "secret ID", "client token"]) {
        Trouble::Denied
    } else {
        Trouble::Odd
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_is_known_by_its_status_and_its_words() {
        for (status, words, trouble) in [
            (403, "permission denied", Trouble::Denied),
            (400, "invalid role or secret ID", Trouble::Denied),
            (400, "encryption key not found", Trouble::Missing),
            (
                404,
                "no handler for route \"x/decrypt/k\".",
                Trouble::Missing,
            ),
            (400, "refusing to use soft-deleted key", Trouble::Disabled),
            (
                400,
                "ciphertext or signature version is disallowed by policy (too old)",
                Trouble::Disabled,
            ),
            (
                400,
                "cipher: message authentication failed",
                Trouble::WrongContext,
            ),
            (400, "invalid ciphertext: no prefix", Trouble::WrongContext),
            (
                400,
                "'[0].associated_data' provided for non-AEAD cipher suite rsa-2048",
                Trouble::Unsuitable,
            ),
            (429, "rate limit quota exceeded", Trouble::Throttled),
            (503, "Vault is sealed", Trouble::Failing),
            (500, "internal error", Trouble::Failing),
            (400, "something new", Trouble::Odd),
            (307, "", Trouble::Odd),
            (404, "", Trouble::Odd),
        ] {
            let body = format!("{{\"errors\":[{}]}}", serde_json::json!(words));
            let error = refusal(status, body.as_bytes());
            assert_eq!(error.trouble(), trouble, "{status} {words}");
            assert!(error.to_string().contains(words), "{error}");
            assert!(error.to_string().contains(&status.to_string()), "{error}");
        }
        assert_eq!(refusal(404, b"<html>").trouble(), Trouble::Odd);
    }
}
