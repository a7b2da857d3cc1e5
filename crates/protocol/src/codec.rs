//! Strict binary encoding: the reader refuses everything but the one encoding; the writer cannot fail.
//!
//! Integers are big-endian. A variable field has its length in front, as `u16` or `u32`. Every object starts
//! with type, version and suite.
//!
//! Specification: `docs/protocol.md#encoding`.

use crate::suite::{ObjectType, SUITE, VERSION};

/// Why bytes are not the object that they were read as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end before the object does.
    #[error("the bytes end too early; fetch the object again")]
    Truncated,
    /// Bytes follow the end of the object.
    #[error("bytes follow the end of the object; fetch it again")]
    TrailingBytes,
    /// Another object than the expected one.
    #[error(
        "expected object type {expected:#04x} but found {found:#04x}; the server mixed objects up"
    )]
    WrongType {
        /// The type byte that belongs here.
        expected: u8,
        /// The type byte that was found.
        found: u8,
    },
    /// A version that this program does not speak; it is never negotiated down.
    #[error("unknown protocol version {0:#04x}; update this program")]
    UnknownVersion(u8),
    /// A suite that this program does not speak; it is never negotiated down.
    #[error("unknown suite {0:#04x}; update this program")]
    UnknownSuite(u8),
    /// A length or count above its bound.
    #[error("a length is above its bound; discard the object")]
    TooLong,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8; discard the object")]
    InvalidText,
    /// A field holds a value that has no meaning.
    #[error("the field {0} holds a value without meaning; discard the object")]
    InvalidValue(&'static str),
    /// A public key fails the checks of its standard.
    #[error("a public key fails its checks; do not send to it")]
    InvalidKey,
    /// Padding, or an order of entries, other than the only one allowed.
    #[error("the encoding is not the canonical one; discard the object")]
    NotCanonical,
}

/// Reads fields from the front of a byte slice.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes are unread.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Reads and checks type, version and suite.
    pub fn header(&mut self, expected: ObjectType) -> Result<(), DecodeError> {
        let expected = expected as u8;
        let found = self.u8()?;
        if found != expected {
            return Err(DecodeError::WrongType { expected, found });
        }
        match self.u8()? {
            VERSION => {}
            other => return Err(DecodeError::UnknownVersion(other)),
        }
        match self.u8()? {
            SUITE => Ok(()),
            other => Err(DecodeError::UnknownSuite(other)),
        }
    }

    /// Takes the next `len` bytes.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    /// Takes a fixed-size array by reference.
    pub fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], DecodeError> {
        let (head, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(|[byte]| *byte)
    }

    /// Two bytes, big-endian.
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(|bytes| u16::from_be_bytes(*bytes))
    }

    /// Four bytes, big-endian.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// Eight bytes, big-endian.
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(|bytes| u64::from_be_bytes(*bytes))
    }

    /// A truth value: exactly 0 or 1.
    pub fn bool(&mut self, field: &'static str) -> Result<bool, DecodeError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::InvalidValue(field)),
        }
    }

    /// A field with a `u16` length of at most `max`.
    pub fn bytes16(&mut self, max: usize) -> Result<&'a [u8], DecodeError> {
        let len = usize::from(self.u16()?);
        if len > max {
            return Err(DecodeError::TooLong);
        }
        self.take(len)
    }

    /// A field with a `u32` length of at most `max`.
    pub fn bytes32(&mut self, max: usize) -> Result<&'a [u8], DecodeError> {
        let len = usize::try_from(self.u32()?).map_err(|_| DecodeError::TooLong)?;
        if len > max {
            return Err(DecodeError::TooLong);
        }
        self.take(len)
    }

    /// UTF-8 text with a `u16` length of at most `max` bytes.
    pub fn text16(&mut self, max: usize) -> Result<&'a str, DecodeError> {
        core::str::from_utf8(self.bytes16(max)?).map_err(|_| DecodeError::InvalidText)
    }

    /// UTF-8 text with a `u32` length of at most `max` bytes.
    pub fn text32(&mut self, max: usize) -> Result<&'a str, DecodeError> {
        core::str::from_utf8(self.bytes32(max)?).map_err(|_| DecodeError::InvalidText)
    }

    /// A `u16` count of at most `max` entries that take at least `each` bytes apiece.
    pub fn count16(&mut self, max: usize, each: usize) -> Result<usize, DecodeError> {
        let count = usize::from(self.u16()?);
        self.bounded(count, max, each)
    }

    /// A `u32` count of at most `max` entries that take at least `each` bytes apiece.
    pub fn count32(&mut self, max: usize, each: usize) -> Result<usize, DecodeError> {
        let count = usize::try_from(self.u32()?).map_err(|_| DecodeError::TooLong)?;
        self.bounded(count, max, each)
    }

    fn bounded(&self, count: usize, max: usize, each: usize) -> Result<usize, DecodeError> {
        if count > max {
            return Err(DecodeError::TooLong);
        }
        // A count that the bytes cannot contain must not reserve memory.
        match count.checked_mul(each) {
            Some(needed) if needed <= self.rest.len() => Ok(count),
            _ => Err(DecodeError::Truncated),
        }
    }

    /// Takes everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.rest)
    }

    /// Whether everything was read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Refuses trailing bytes.
    pub fn finish(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::TrailingBytes)
        }
    }
}

/// Appends fields to a growing buffer.
///
/// Callers bound every field. If a length is above what its prefix holds, the writer saturates the prefix, so
/// that every reader refuses the bytes.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
    /// Counts instead of keeping, where it is set.
    counted: Option<usize>,
}

impl Writer {
    /// An empty buffer that holds `capacity` bytes before it grows.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(capacity),
            counted: None,
        }
    }

    /// A writer that only counts.
    pub(crate) fn counting() -> Self {
        Self {
            bytes: Vec::new(),
            counted: Some(0),
        }
    }

    /// How many bytes `write` writes.
    pub(crate) fn counted(write: &dyn Fn(&mut Self)) -> usize {
        let mut counting = Self::counting();
        write(&mut counting);
        counting.len()
    }

    /// Returns what `write` writes, in a buffer with room for `spare` bytes more. The buffer never grows, because
    /// growing leaves copies in freed memory.
    ///
    /// `write` runs twice, the first time to count.
    pub fn exact(spare: usize, write: &dyn Fn(&mut Self)) -> Vec<u8> {
        let mut writer = Self::with_capacity(Self::counted(write).saturating_add(spare));
        write(&mut writer);
        writer.bytes
    }

    /// A buffer that starts with type, version and suite.
    pub fn object(kind: ObjectType, capacity: usize) -> Self {
        let mut writer = Self::with_capacity(capacity.saturating_add(3));
        writer.header(kind);
        writer
    }

    /// Writes type, version and suite.
    pub fn header(&mut self, kind: ObjectType) -> &mut Self {
        self.raw(&[kind as u8, VERSION, SUITE])
    }

    /// Appends bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        match &mut self.counted {
            Some(counted) => *counted = counted.saturating_add(bytes.len()),
            None => self.bytes.extend_from_slice(bytes),
        }
        self
    }

    /// Appends zeros.
    pub(crate) fn zeros(&mut self, count: usize) -> &mut Self {
        match &mut self.counted {
            Some(counted) => *counted = counted.saturating_add(count),
            None => self.bytes.extend(core::iter::repeat_n(0, count)),
        }
        self
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.raw(&[value])
    }

    /// A truth value as 0 or 1.
    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.u8(u8::from(value))
    }

    /// Two bytes, big-endian.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// Four bytes, big-endian.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// Eight bytes, big-endian.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// A count or length as `u16`.
    pub fn len16(&mut self, len: usize) -> &mut Self {
        self.u16(u16::try_from(len).unwrap_or(u16::MAX))
    }

    /// A count or length as `u32`.
    pub fn len32(&mut self, len: usize) -> &mut Self {
        self.u32(u32::try_from(len).unwrap_or(u32::MAX))
    }

    /// A field with a `u16` length.
    pub fn bytes16(&mut self, bytes: &[u8]) -> &mut Self {
        self.len16(bytes.len()).raw(bytes)
    }

    /// A field with a `u32` length.
    pub fn bytes32(&mut self, bytes: &[u8]) -> &mut Self {
        self.len32(bytes.len()).raw(bytes)
    }

    /// How many bytes were written or counted.
    pub(crate) fn len(&self) -> usize {
        self.counted.unwrap_or(self.bytes.len())
    }

    /// The bytes written; none where they were only counted.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
