//! Secrets that are text.

use std::fmt;

use zeroize::Zeroizing;

/// A token, a password or the secret of an access key; wiped when dropped, never shown.
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes the text, without white space around it.
    pub fn new(text: &str) -> Self {
        let text = text.trim();
        // Exactly as long as needed: nothing is moved, and left behind, later.
        let mut exact = Zeroizing::new(String::with_capacity(text.len()));
        exact.push_str(text);
        Self(exact)
    }

    /// The text, for the service that it belongs to.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText([redacted])")
    }
}
