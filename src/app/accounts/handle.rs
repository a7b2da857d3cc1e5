//! Handles: PRECIS `UsernameCaseMapped` ([RFC 8265, 3.3]), and no lookalikes ([UTS 39]).
//!
//! [RFC 8265, 3.3]: https://www.rfc-editor.org/rfc/rfc8265#section-3.3
//! [UTS 39]: https://www.unicode.org/reports/tr39/
//!
//! Specification: `docs/protocol/accounts.md#names`.

use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use protocol::name::{HANDLE_CHARS, HandleError, check_handle};
use sha3::{Digest, Sha3_256};
use unicode_security::{RestrictionLevel, RestrictionLevelDetection, skeleton};

/// A normalised handle; only the check can make one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Handle(String);

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handle([redacted])")
    }
}

impl Handle {
    /// Normalises what a person typed.
    pub fn parse(text: &str) -> Result<Self, HandleError> {
        // A bound before the work: normalisation makes few characters of many, never many of few.
        if text.is_empty() || text.chars().count() > 4 * HANDLE_CHARS {
            return Err(HandleError::Length);
        }
        let handle = UsernameCaseMapped::enforce(text)
            .map_err(|_| HandleError::Character)?
            .into_owned();
        check_handle(&handle)?;
        let allowed = |c: char| c.is_alphanumeric() || c.is_ascii() || is_mark(c);
        if !handle.chars().all(allowed) {
            return Err(HandleError::Character);
        }
        if !handle.is_ascii() {
            let level = handle.as_str().detect_restriction_level();
            let latin = skeleton(&handle).all(|c| c.is_ascii());
            if level > RestrictionLevel::HighlyRestrictive || latin {
                return Err(HandleError::Lookalike);
            }
        }
        Ok(Self(handle))
    }

    /// Returns the normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the bytes that name the credential in OPAQUE.
    pub fn credential_id(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Returns the digest that limits are counted under.
    pub fn digest(&self) -> [u8; 32] {
        Sha3_256::digest(self.0.as_bytes()).into()
    }
}

/// Combining marks, without which many scripts cannot be written.
fn is_mark(c: char) -> bool {
    use unicode_security::GeneralSecurityProfile;
    !c.is_alphanumeric() && !c.is_ascii() && c.identifier_allowed()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn handles_that_differ_in_case_or_width_are_the_same() {
        let alice = Handle::parse("alice").unwrap();
        assert_eq!(Handle::parse("Alice").unwrap(), alice);
        assert_eq!(Handle::parse("ＡＬＩＣＥ").unwrap(), alice);
        assert_eq!(Handle::parse("a.b-c_9").unwrap().as_str(), "a.b-c_9");
        assert_eq!(Handle::parse("Иван").unwrap().as_str(), "иван");
        assert_eq!(Handle::parse("山田").unwrap().as_str(), "山田");
    }

    #[test]
    fn a_handle_that_looks_like_another_is_refused() {
        // Cyrillic а in a Latin word, then a word wholly of Cyrillic letters that look Latin.
        assert_eq!(Handle::parse("аlice"), Err(HandleError::Lookalike));
        assert_eq!(Handle::parse("рау"), Err(HandleError::Lookalike));
        assert_eq!(Handle::parse("αlice"), Err(HandleError::Lookalike));
    }

    #[test]
    fn spaces_controls_and_delimiters_are_refused() {
        for bad in [
            "a b",
            "a/b",
            "a@b",
            "a\u{0}",
            "a\u{202e}b",
            "...",
            "a?b",
            "<a>",
        ] {
            assert_eq!(Handle::parse(bad), Err(HandleError::Character), "{bad:?}");
        }
        assert_eq!(Handle::parse(""), Err(HandleError::Length));
        assert_eq!(Handle::parse(&"a".repeat(33)), Err(HandleError::Length));
        assert_eq!(Handle::parse(&"a".repeat(5000)), Err(HandleError::Length));
    }
}
