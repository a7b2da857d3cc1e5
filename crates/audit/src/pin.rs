//! A fingerprint that somebody typed.

use std::str::FromStr;

use crate::head::Fingerprint;

/// Fewest digits of a fingerprint that pin a key: 128 bits.
const FEWEST: usize = 32;

/// The beginning of a fingerprint, or all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin(String);

/// The text is not the beginning of a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint has 32 to 128 hexadecimal digits; copy it from the admin page")]
pub struct ParsePinError;

impl Pin {
    /// Whether a key has this fingerprint.
    pub fn fits(&self, fingerprint: &Fingerprint) -> bool {
        fingerprint.to_string().starts_with(&self.0)
    }
}

impl FromStr for Pin {
    type Err = ParsePinError;

    fn from_str(text: &str) -> Result<Self, ParsePinError> {
        let digits: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != ':')
            .map(|c| c.to_ascii_lowercase())
            .collect();
        let fits = (FEWEST..=128).contains(&digits.len());
        if fits && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            Ok(Self(digits))
        } else {
            Err(ParsePinError)
        }
    }
}

impl From<Fingerprint> for Pin {
    fn from(fingerprint: Fingerprint) -> Self {
        Self(fingerprint.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_fits_its_own_key_only_and_short_ones_are_refused() {
        let fingerprint = Fingerprint::from_bytes([0xab; 64]);
        for text in [&"ab".repeat(64)[..], &"AB ".repeat(16)[..]] {
            assert!(text.parse::<Pin>().is_ok_and(|pin| pin.fits(&fingerprint)));
        }
        let other = "ac".repeat(16).parse::<Pin>();
        assert!(other.is_ok_and(|pin| !pin.fits(&fingerprint)));
        for text in ["", "abab", &"ab".repeat(65), &"xy".repeat(16)] {
            assert!(text.parse::<Pin>().is_err(), "{text}");
        }
    }
}
