//! The choice of a token, and its PIN.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use cryptoki::types::AuthPin;
use zeroize::Zeroizing;

/// The PIN of a token's user; wiped when dropped.
pub struct Pin(AuthPin);

impl Pin {
    /// Takes the PIN.
    pub fn new(pin: String) -> Self {
        let pin = Zeroizing::new(pin);
        // Exactly as long as needed: nothing is moved, and left behind, on the way into the box.
        let mut exact = String::with_capacity(pin.len());
        exact.push_str(&pin);
        Self(AuthPin::new(exact.into_boxed_str()))
    }

    pub(crate) fn expose(&self) -> &AuthPin {
        &self.0
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin([redacted])")
    }
}

/// A token of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSelector {
    /// The one with this label.
    Label(String),
    /// The one in this slot.
    Slot(u64),
}

impl FromStr for TokenSelector {
    type Err = Infallible;

    /// `slot:NUMBER` is a slot, everything else a label.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let slot = text.strip_prefix("slot:").and_then(|id| id.parse().ok());
        Ok(slot.map_or_else(|| Self::Label(text.to_owned()), Self::Slot))
    }
}

impl fmt::Display for TokenSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(label) => write!(f, "{label:?}"),
            Self::Slot(id) => write!(f, "slot:{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_named_by_its_label_or_its_slot() {
        for (text, token, shown) in [
            ("hsm", TokenSelector::Label("hsm".into()), "\"hsm\""),
            ("slot:7", TokenSelector::Slot(7), "slot:7"),
            (
                "slot:x",
                TokenSelector::Label("slot:x".into()),
                "\"slot:x\"",
            ),
        ] {
            let Ok(parsed) = text.parse::<TokenSelector>();
            assert_eq!(parsed, token);
            assert_eq!(parsed.to_string(), shown);
        }
    }
}
