//! Text that is overwritten when it goes: passphrases, recovery keys and what people say.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A string that is zeroized on drop and never printed; in JSON an ordinary string.
///
/// Copies that JavaScript makes of it are out of reach, so hand it over as late as possible.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// Takes ownership of the text; the caller's buffer becomes the protected one.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The first characters of it.
    #[must_use]
    pub fn beginning(&self, characters: usize) -> Self {
        Self(self.0.chars().take(characters).collect())
    }

    /// Whether nothing of it can be seen.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        protocol::envelope::is_blank(&self.0)
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::SecretText;

    #[test]
    fn a_text_that_is_printed_shows_nothing_of_itself() {
        let text = SecretText::from("a passphrase");
        assert_eq!(format!("{text:?}"), "SecretText(redacted)");
    }

    #[test]
    fn its_beginning_is_counted_in_characters() {
        let text = SecretText::from("grün 🌱 und");
        assert_eq!(text.beginning(6).expose(), "grün 🌱");
        assert_eq!(text.beginning(0).expose(), "");
        assert_eq!(text.beginning(99), text);
    }

    #[test]
    fn a_text_of_which_nothing_is_seen_is_blank() {
        for (text, blank) in [("", true), (" \n\u{200b}", true), (" x ", false)] {
            assert_eq!(SecretText::from(text).is_blank(), blank, "{text:?}");
        }
    }
}
