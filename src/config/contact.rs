//! The contact that `security.txt` names.

/// The contact was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "security_contact is {0:?}, which cannot be opened; write mailto:somebody@example.org, \
     https://… or tel:+…, on one line"
)]
pub struct ContactError(String);

/// Refuses what [RFC 9116](https://www.rfc-editor.org/rfc/rfc9116#section-2.5.3) does not take as a contact.
pub(super) fn check(contact: &str) -> Result<(), ContactError> {
    let rest = ["mailto:", "https://", "tel:"]
        .iter()
        .find_map(|scheme| contact.strip_prefix(scheme));
    let printable = |text: &str| text.chars().all(|c| !c.is_control() && !c.is_whitespace());
    match rest {
        Some(rest) if !rest.is_empty() && printable(rest) => Ok(()),
        _ => Err(ContactError(contact.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_one_address_on_one_line() {
        for right in [
            "mailto:security@localhost",
            "https://example.org/report?how=here",
            "tel:+1-201-555-0123",
        ] {
            assert_eq!(check(right), Ok(()), "{right}");
        }
        for wrong in [
            "",
            " ",
            "mailto:",
            "security@example.org",
            "http://example.org",
            "mailto:a@b\nContact: mailto:c@d",
            "mailto:a@b\r",
            "mailto:a@b c",
            "mailto:a\u{2028}b",
        ] {
            assert!(check(wrong).is_err(), "{wrong:?}");
        }
    }
}
