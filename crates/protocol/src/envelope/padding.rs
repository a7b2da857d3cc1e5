//! Padding of bodies: at least 512 bytes, then Padmé.
//!
//! Specification: `docs/protocol/messages.md#bodies`.

use crate::codec::{DecodeError, Writer};

/// Shortest padded body in bytes.
pub const MIN_PADDED: usize = 512;
/// Bytes of the length in front of the payload.
const PREFIX: usize = 4;

/// The length to which `len` bytes are padded.
///
/// Padmé keeps the top bits of the length: a length leaks O(log log n) bits and grows by at
/// most 12 %.
pub fn padded_len(len: usize) -> usize {
    let len = len.max(MIN_PADDED);
    let exponent = len.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1_usize << exponent.saturating_sub(kept)) - 1;
    len.checked_add(mask).map_or(len, |sum| sum & !mask)
}

/// Writes the length of a payload, the payload and the zeros behind it.
pub(super) fn write(writer: &mut Writer, payload: &dyn Fn(&mut Writer)) {
    let len = Writer::counted(payload);
    writer.len32(len);
    payload(writer);
    writer.zeros(padded_len(PREFIX + len) - PREFIX - len);
}

/// Strips padding that is exactly what [`write()`] makes.
pub(super) fn strip(padded: &[u8]) -> Result<&[u8], DecodeError> {
    let (prefix, rest) = padded
        .split_first_chunk::<PREFIX>()
        .ok_or(DecodeError::Truncated)?;
    let len = usize::try_from(u32::from_be_bytes(*prefix)).map_err(|_| DecodeError::TooLong)?;
    let (payload, zeros) = rest.split_at_checked(len).ok_or(DecodeError::Truncated)?;
    let canonical = padded_len(PREFIX + len) == padded.len();
    if !canonical || zeros.iter().fold(0, |all, byte| all | byte) != 0 {
        return Err(DecodeError::NotCanonical);
    }
    Ok(payload)
}
