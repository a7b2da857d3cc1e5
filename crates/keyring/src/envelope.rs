//! The bytes of a sealed value.

use crate::stanza::Stanza;
use crate::suite::{NONCE_LEN, Suite, TAG_LEN};

/// Version of the envelope.
pub(crate) const VERSION: u8 = 0x01;

/// Why bytes are not an envelope that this program reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// They end too early.
    #[error("the sealed value is cut short")]
    Truncated,
    /// A version from the future, or a changed byte.
    #[error("the sealed value has the unknown version {0}")]
    UnknownVersion(u8),
    /// A suite from the future, or a changed byte.
    #[error("the sealed value has the unknown suite {0}")]
    UnknownSuite(u8),
}

/// An envelope taken apart; the ciphertext is borrowed.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    pub suite: Suite,
    pub stanza: Stanza,
    pub nonce: &'a [u8; NONCE_LEN],
    pub ciphertext: &'a [u8],
    pub tag: &'a [u8; TAG_LEN],
}

impl<'a> Envelope<'a> {
    pub fn decode(bytes: &'a [u8]) -> Result<Self, EnvelopeError> {
        let (&version, rest) = bytes.split_first().ok_or(EnvelopeError::Truncated)?;
        if version != VERSION {
            return Err(EnvelopeError::UnknownVersion(version));
        }
        let (&suite, rest) = rest.split_first().ok_or(EnvelopeError::Truncated)?;
        let suite = Suite::from_byte(suite).ok_or(EnvelopeError::UnknownSuite(suite))?;
        let (stanza, rest) = Stanza::decode(rest).ok_or(EnvelopeError::Truncated)?;
        let (nonce, rest) = rest.split_first_chunk().ok_or(EnvelopeError::Truncated)?;
        let (ciphertext, tag) = rest.split_last_chunk().ok_or(EnvelopeError::Truncated)?;
        Ok(Self {
            suite,
            stanza,
            nonce,
            ciphertext,
            tag,
        })
    }
}

/// Bytes that an envelope adds around its plaintext, given its stanza.
pub(crate) fn overhead(stanza: &Stanza) -> usize {
    2 + stanza.encoded_len() + NONCE_LEN + TAG_LEN
}
