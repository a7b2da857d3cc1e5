//! A value with the time of its last change.
//!
//! Specification: `docs/protocol/accounts.md#merging`.

use crate::codec::{DecodeError, Reader, Writer};

/// The later change wins; of two at the same second the larger value, so that the order of
/// merging never matters.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamped<T> {
    /// Unix seconds of the change.
    pub at: u64,
    /// The value.
    pub value: T,
}

impl<T: Ord> Stamped<T> {
    /// A value changed at `at`.
    pub fn new(at: u64, value: T) -> Self {
        Self { at, value }
    }

    /// Changes the value, never to an earlier time than before.
    pub fn set(&mut self, at: u64, value: T) {
        self.at = at.max(self.at.saturating_add(u64::from(self.value != value)));
        self.value = value;
    }

    /// Takes the later of both.
    pub fn merge(&mut self, other: Self) {
        if other > *self {
            *self = other;
        }
    }

    pub(super) fn write(&self, writer: &mut Writer, value: impl FnOnce(&T, &mut Writer)) {
        writer.u64(self.at);
        value(&self.value, writer);
    }

    pub(super) fn read<'a>(
        reader: &mut Reader<'a>,
        value: impl FnOnce(&mut Reader<'a>) -> Result<T, DecodeError>,
    ) -> Result<Self, DecodeError> {
        Ok(Self {
            at: reader.u64()?,
            value: value(reader)?,
        })
    }
}
