//! Ends of earlier messages, by which a reader distinguishes an expired message from a lost one.
//!
//! Specification: `docs/protocol/messages.md#order-within-a-conversation`.

use crate::codec::{DecodeError, Reader, Writer};

/// Messages whose ends are told one by one.
const NEAREST: usize = 7;

/// When the messages before one end, by their own lives.
///
/// Encoding: eight `u32`, seconds after the message was sent; 0 for what was over then, and for none.
/// The nearest seven come first, the one just before it in front; the last is the latest end of all
/// before those.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EarlierEnds([u32; NEAREST + 1]);

impl EarlierEnds {
    /// Length of the encoding in bytes.
    pub(super) const LEN: usize = 4 * (NEAREST + 1);

    /// When the message this many numbers before this one ended at the latest, where this one was
    /// sent at that time.
    pub fn end(&self, back: u64, sent_at: u64) -> u64 {
        let index = usize::try_from(back.saturating_sub(1)).unwrap_or(NEAREST);
        sent_at.saturating_add(self.0[index.min(NEAREST)].into())
    }

    /// Writes the eight ends.
    pub fn write(&self, writer: &mut Writer) {
        for end in self.0 {
            writer.u32(end);
        }
    }

    /// Reads the eight ends.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut ends = Self::default();
        for end in &mut ends.0 {
            *end = reader.u32()?;
        }
        Ok(ends)
    }
}

/// The sender's side: unix seconds, the newest first, and the latest of all before them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ends([u64; NEAREST + 1]);

impl Ends {
    pub(super) fn push(&mut self, end: u64) {
        let rest = self.0[NEAREST].max(self.0[NEAREST - 1]);
        self.0.copy_within(..NEAREST, 1);
        self.0[0] = end;
        self.0[NEAREST] = rest;
    }

    pub(super) fn newest(&self) -> u64 {
        self.0[0]
    }

    pub(super) fn after(&self, sent_at: u64) -> EarlierEnds {
        let left = |end: u64| u32::try_from(end.saturating_sub(sent_at)).unwrap_or(u32::MAX);
        EarlierEnds(self.0.map(left))
    }
}
