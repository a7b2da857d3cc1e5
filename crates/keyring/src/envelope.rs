//! The bytes of a sealed value.

use crate::stanza::{KekId, Stanza};
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

/// Which KEK an envelope's DEK is wrapped under; `None` when the bytes are no envelope.
///
/// Nothing is checked beyond the version. The identifier is bytes 3 to 18 of the envelope, so that
/// a database can select by it: `substr(column, 3, 16)`.
pub fn envelope_kek(sealed: &[u8]) -> Option<KekId> {
    match sealed {
        [VERSION, _, rest @ ..] => rest.first_chunk().copied().map(KekId::from_bytes),
        _ => None,
    }
}

/// An envelope taken apart; the ciphertext is borrowed.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    pub suite: Suite,
    pub stanza: Stanza,
    pub nonce: &'a [u8; NONCE_LEN],
    pub ciphertext: &'a [u8],
    pub tag: &'a [u8; TAG_LEN],
    /// Everything behind the stanza: nonce, ciphertext and tag.
    pub body: &'a [u8],
}

impl<'a> Envelope<'a> {
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, EnvelopeError> {
        let (&version, rest) = bytes.split_first().ok_or(EnvelopeError::Truncated)?;
        if version != VERSION {
            return Err(EnvelopeError::UnknownVersion(version));
        }
        let (&suite, rest) = rest.split_first().ok_or(EnvelopeError::Truncated)?;
        let suite = Suite::from_byte(suite).ok_or(EnvelopeError::UnknownSuite(suite))?;
        let (stanza, rest) = Stanza::decode(rest).ok_or(EnvelopeError::Truncated)?;
        let body = rest;
        let (nonce, rest) = rest.split_first_chunk().ok_or(EnvelopeError::Truncated)?;
        let (ciphertext, tag) = rest.split_last_chunk().ok_or(EnvelopeError::Truncated)?;
        Ok(Self {
            suite,
            stanza,
            nonce,
            ciphertext,
            tag,
            body,
        })
    }
}

/// The start of an envelope, up to its stanza's end, with room for as many bytes after it; `None`
/// when the stanza is too long.
pub(crate) fn start(suite: Suite, stanza: &Stanza, room: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(2 + stanza.encoded_len() + room);
    out.extend_from_slice(&[VERSION, suite as u8]);
    stanza.encode(&mut out)?;
    Some(out)
}
