//! What Azure refuses with.

use serde::Deserialize;

use crate::remote::error::{RemoteError, Trouble};
use crate::remote::text;
use crate::stanza::ProviderTag;

#[derive(Deserialize)]
struct Refused {
    error: Reason,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Reason {
    code: String,
    message: String,
    innererror: Option<Inner>,
}

#[derive(Deserialize)]
struct Inner {
    code: String,
}

/// What the place of tokens says.
#[derive(Deserialize)]
struct NoToken {
    error: String,
}

/// The words of the vault, and what they mean; `unfit` is what a bad request means.
pub(super) fn refusal(status: u16, body: &[u8], unfit: Trouble) -> RemoteError {
    let said = text::read::<Refused>(body).map(|it| it.error);
    let known = said.is_some();
    let said = said.unwrap_or_default();
    let inner = said.innererror.map(|it| it.code).unwrap_or_default();
    let trouble = match status {
        403 if inner == "KeyDisabled" || is_disabled(&said.message) => Trouble::Disabled,
        401 | 403 => Trouble::Denied,
        404 if known => Trouble::Missing,
        409 if known => Trouble::Disabled,
        429 => Trouble::Throttled,
        400 if known => unfit,
        500.. => Trouble::Failing,
        _ => Trouble::Odd,
    };
    let parts = [said.code, inner, said.message, format!("status {status}")];
    let parts: Vec<String> = parts.into_iter().filter(|it| !it.is_empty()).collect();
    RemoteError::new(ProviderTag::AZURE_KEY_VAULT, trouble, parts.join(", "))
}

/// Keys have a time before and after which they are not used, which has no code of its own.
fn is_disabled(message: &str) -> bool {
    let parts = ["disabled key", "not yet valid", "expired key"];
    parts.iter().any(|part| message.contains(part))
}

/// Why there is no token. The place of tokens repeats what it was sent: only its code is shown.
pub(super) fn refusal_of_login(status: u16, body: &[u8]) -> RemoteError {
    let trouble = match status {
        400 | 401 | 403 => Trouble::Denied,
        429 => Trouble::Throttled,
        500.. => Trouble::Failing,
        _ => Trouble::Odd,
    };
    let said = text::read::<NoToken>(body).map(|it| it.error);
    let detail = match said {
        Some(code) => format!("no token: {code}, status {status}"),
        None => format!("no token: status {status}"),
    };
    RemoteError::new(ProviderTag::AZURE_KEY_VAULT, trouble, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, code: &str, inner: Option<&str>, message: &str) -> Trouble {
        let inner = inner.map(|code| serde_json::json!({ "code": code }));
        let error = serde_json::json!({"code": code, "message": message, "innererror": inner});
        let body = serde_json::json!({ "error": error }).to_string();
        let error = refusal(status, body.as_bytes(), Trouble::WrongContext);
        assert!(error.to_string().contains(code), "{error}");
        error.trouble()
    }

    #[test]
    fn each_refusal_is_known_by_its_status_and_its_code() {
        let disabled = "Operation unwrapKey is not allowed on a disabled key.";
        assert_eq!(
            said(403, "Forbidden", Some("KeyDisabled"), "no"),
            Trouble::Disabled
        );
        assert_eq!(said(403, "Forbidden", None, disabled), Trouble::Disabled);
        let expired = "Operation wrapKey is not allowed on an expired key.";
        assert_eq!(said(403, "Forbidden", None, expired), Trouble::Disabled);
        let policy = Some("ForbiddenByPolicy");
        assert_eq!(said(403, "Forbidden", policy, "no"), Trouble::Denied);
        assert_eq!(said(401, "Unauthorized", None, "no"), Trouble::Denied);
        assert_eq!(said(404, "KeyNotFound", None, "no"), Trouble::Missing);
        assert_eq!(said(409, "Conflict", None, "no"), Trouble::Disabled);
        assert_eq!(said(429, "Throttled", None, "no"), Trouble::Throttled);
        assert_eq!(said(400, "BadParameter", None, "no"), Trouble::WrongContext);
        assert_eq!(said(503, "Unavailable", None, "no"), Trouble::Failing);
        assert_eq!(
            refusal(404, b"<html>", Trouble::Unsuitable).trouble(),
            Trouble::Odd
        );
    }

    #[test]
    fn a_login_that_is_refused_is_shown_by_its_code_alone() {
        let body = br#"{"error":"invalid_client","error_description":"AADSTS7000215: s3cr3t"}"#;
        let error = refusal_of_login(401, body);
        assert_eq!(error.trouble(), Trouble::Denied);
        let text = error.to_string();
        assert!(
            text.contains("invalid_client") && !text.contains("s3cr3t"),
            "{text}"
        );
        assert_eq!(refusal_of_login(503, b"").trouble(), Trouble::Failing);
    }
}
