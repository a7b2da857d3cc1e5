//! Bytes that were read before the dispatcher may see them.

use ambient::alloc::wipe;
use tokio::io::ReadBuf;

/// What one read brought too early; an allocation of its own, gone when it was passed on.
#[derive(Default)]
pub(super) struct Held {
    bytes: Vec<u8>,
    passed: usize,
}

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes everything in a buffer after its first `seen` bytes away. Nothing may be held yet.
    pub(super) fn take_from(&mut self, buffer: &mut ReadBuf<'_>, seen: usize) {
        let early = &mut buffer.filled_mut()[seen..];
        if !early.is_empty() {
            self.bytes = early.to_vec();
            self.passed = 0;
            early.fill(0);
            buffer.set_filled(seen);
        }
    }

    /// Gives as much as there is room for, and as `pass` lets through, to a buffer.
    pub(super) fn give_to(
        &mut self,
        buffer: &mut ReadBuf<'_>,
        pass: impl FnOnce(&mut [u8]) -> usize,
    ) {
        let before = buffer.filled().len();
        let left = &self.bytes[self.passed..];
        buffer.put_slice(&left[..left.len().min(buffer.remaining())]);
        let given = &mut buffer.filled_mut()[before..];
        let seen = pass(given);
        given[seen..].fill(0);
        buffer.set_filled(before + seen);
        wipe(&mut self.bytes[self.passed..self.passed + seen]);
        self.passed += seen;
        if self.passed == self.bytes.len() {
            *self = Self::default();
        }
    }
}
