//! Padding of bodies: at least 512 bytes, then Padmé.

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

/// Pads what was written since `start`, where [`begin`] left room for the length.
pub(super) fn finish(writer: Writer, start: usize) -> Vec<u8> {
    let mut bytes = writer.into_bytes();
    let payload = bytes.len().saturating_sub(start + PREFIX);
    let length = u32::try_from(payload).unwrap_or(u32::MAX).to_be_bytes();
    if let Some(room) = bytes.get_mut(start..start + PREFIX) {
        room.copy_from_slice(&length);
    }
    bytes.resize(start + padded_len(PREFIX + payload), 0);
    bytes
}

/// Leaves room for the length.
pub(super) fn begin(writer: &mut Writer) {
    writer.raw(&[0; PREFIX]);
}

/// Strips padding that is exactly what [`finish`] makes.
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
