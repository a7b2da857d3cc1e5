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
