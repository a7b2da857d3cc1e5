//! What AWS KMS refuses with.

use serde::Deserialize;

use crate::remote::error::{RemoteError, Trouble};
use crate::remote::text;
use crate::stanza::ProviderTag;

#[derive(Deserialize)]
struct Refused {
    #[serde(rename = "__type")]
    kind: String,
    #[serde(default, alias = "Message")]
    message: String,
}

/// The words of a refusal, and what they mean.
pub(super) fn refusal(status: u16, body: &[u8]) -> RemoteError {
    let said = text::read::<Refused>(body);
    let kind = said.as_ref().map_or("", |said| &said.kind);
    // The name may stand behind that of the service, with a `#` between.
    let kind = kind.rsplit('#').next().unwrap_or_default();
    let trouble = match (sort(kind), status) {
        (Some(trouble), _) => trouble,
        (None, 401 | 403) => Trouble::Denied,
        (None, 429) => Trouble::Throttled,
        (None, 500..) => Trouble::Failing,
        (None, _) => Trouble::Odd,
    };
    let detail = match &said {
        Some(said) if !said.message.is_empty() => {
            format!("{kind}, {}, status {status}", said.message)
        }
        Some(_) => format!("{kind}, status {status}"),
        None => format!("status {status}"),
    };
    RemoteError::new(ProviderTag::AWS_KMS, trouble, detail)
}

/// [Errors of Decrypt](https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors)
/// and the common ones.
fn sort(kind: &str) -> Option<Trouble> {
    Some(match kind {
        "AccessDeniedException"
        | "AccessDenied"
        | "NotAuthorized"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "ExpiredTokenException"
        | "ExpiredToken"
        | "RequestExpired"
        | "OptInRequired" => Trouble::Denied,
        "DisabledException" | "KMSInvalidStateException" => Trouble::Disabled,
        "NotFoundException" | "InvalidArnException" => Trouble::Missing,
        "InvalidCiphertextException" | "IncorrectKeyException" => Trouble::WrongContext,
        "InvalidKeyUsageException" => Trouble::Unsuitable,
        "ThrottlingException"
        | "Throttling"
        | "LimitExceededException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException" => Trouble::Throttled,
        "KMSInternalException"
        | "DependencyTimeoutException"
        | "KeyUnavailableException"
        | "InternalFailure"
        | "ServiceUnavailable" => Trouble::Failing,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_is_known_by_its_name() {
        for (status, kind, trouble) in [
            (400, "AccessDeniedException", Trouble::Denied),
            (
                400,
                "com.amazonaws.kms#AccessDeniedException",
                Trouble::Denied,
            ),
            (400, "UnrecognizedClientException", Trouble::Denied),
            (400, "ExpiredTokenException", Trouble::Denied),
            (400, "DisabledException", Trouble::Disabled),
            (400, "KMSInvalidStateException", Trouble::Disabled),
            (400, "NotFoundException", Trouble::Missing),
            (400, "InvalidCiphertextException", Trouble::WrongContext),
            (400, "IncorrectKeyException", Trouble::WrongContext),
            (400, "InvalidKeyUsageException", Trouble::Unsuitable),
            (400, "ThrottlingException", Trouble::Throttled),
            (500, "KMSInternalException", Trouble::Failing),
            (500, "DependencyTimeoutException", Trouble::Failing),
            (503, "SomethingNew", Trouble::Failing),
            (403, "SomethingNew", Trouble::Denied),
            (429, "SomethingNew", Trouble::Throttled),
            (400, "SomethingNew", Trouble::Odd),
        ] {
            for member in ["message", "Message"] {
                let body = serde_json::json!({"__type": kind, member: "its words"});
                let error = refusal(status, body.to_string().as_bytes());
                assert_eq!(error.trouble(), trouble, "{status} {kind}");
                assert!(error.to_string().contains("its words"), "{error}");
            }
        }
        assert_eq!(refusal(404, b"<html>").trouble(), Trouble::Odd);
        assert_eq!(refusal(502, b"<html>").trouble(), Trouble::Failing);
    }
}
