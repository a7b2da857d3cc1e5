//! Frames: a kind, a payload and padding, so that a frame's size is one of seven.

use super::LinkError;
use crate::codec::{DecodeError, Reader, Writer};
use crate::primitives::aead::TAG_LEN;

/// Sizes of sealed frames in bytes.
pub const FRAME_SIZES: [usize; 7] = [256, 512, 1_024, 2_048, 4_096, 8_192, 16_384];
/// Kind (1), length (2) and tag (16).
const OVERHEAD: usize = 1 + 2 + TAG_LEN;
/// Longest payload of a frame in bytes.
pub const MAX_PAYLOAD: usize = 16_384 - OVERHEAD;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Bytes of the application.
    Data = 0,
    /// A client's fresh public halves.
    Renew = 1,
    /// The server's answer; the last frame under its old chain.
    Renewed = 2,
    /// The last frame under the client's old chain.
    Switched = 3,
}

/// The plaintext of a frame, in a buffer that has room for the tag.
pub(super) fn padded(kind: Kind, payload: &[u8]) -> Result<Vec<u8>, LinkError> {
    let size = FRAME_SIZES
        .into_iter()
        .find(|size| payload.len() + OVERHEAD <= *size)
        .ok_or(LinkError::TooLong)?;
    let mut writer = Writer::with_capacity(size);
    writer.u8(kind as u8).bytes16(payload);
    writer.zeros(size - OVERHEAD - payload.len());
    Ok(writer.into_bytes())
}

/// Refuses what is no frame by its size.
pub(super) fn check_size(size: usize) -> Result<(), DecodeError> {
    match FRAME_SIZES.contains(&size) {
        true => Ok(()),
        false => Err(DecodeError::NotCanonical),
    }
}

/// Strips padding that is exactly what [`padded`] makes.
pub(super) fn stripped(plain: &[u8]) -> Result<(Kind, &[u8]), DecodeError> {
    let mut reader = Reader::new(plain);
    let kind = match reader.u8()? {
        0 => Kind::Data,
        1 => Kind::Renew,
        2 => Kind::Renewed,
        3 => Kind::Switched,
        _ => return Err(DecodeError::InvalidValue("kind")),
    };
    let payload = reader.bytes16(MAX_PAYLOAD)?;
    let smallest = FRAME_SIZES
        .into_iter()
        .find(|size| payload.len() + OVERHEAD <= *size);
    let zeros = reader.rest().iter().fold(0, |all, byte| all | byte) == 0;
    if smallest != Some(plain.len() + TAG_LEN) || !zeros {
        return Err(DecodeError::NotCanonical);
    }
    Ok((kind, payload))
}
