//! Text that is wiped on drop and redacted in `Debug`.

use zeroize::Zeroize;

use crate::codec::{DecodeError, Reader, Writer};

/// A piece of plaintext.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretText(String);

impl SecretText {
    /// Takes a text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text, for the screen.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether nothing of it is visible.
    pub fn is_blank(&self) -> bool {
        is_blank(&self.0)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.bytes32(self.0.as_bytes());
    }

    pub(crate) fn read(reader: &mut Reader<'_>, max: usize) -> Result<Self, DecodeError> {
        reader.text32(max).map(Self::new)
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Drop for SecretText {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl core::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SecretText(..)")
    }
}

/// Characters that draw nothing and are neither white space nor controls: Unicode's
/// `Default_Ignorable_Code_Point`, the marks around annotations, and the empty Braille cell.
const UNSEEN: &[core::ops::RangeInclusive<char>] = &[
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

/// Returns whether nothing of a text is visible: it has only white space and characters that draw nothing.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_whitespace() || c.is_control() || UNSEEN.iter().any(|range| range.contains(&c))
    })
}
