//! Bytes that were read before the dispatcher may have them.

use ambient::alloc::wipe;
use tokio::io::ReadBuf;

use super::gate::Gate;

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

    /// Takes everything in a buffer after its first `passed` bytes away. Nothing may be held yet.
    pub(super) fn take_from(&mut self, buffer: &mut ReadBuf<'_>, passed: usize) {
        let early = &mut buffer.filled_mut()[passed..];
        if !early.is_empty() {
            self.bytes = early.to_vec();
            self.passed = 0;
            wipe(early);
            buffer.set_filled(passed);
        }
    }

    /// Gives a buffer as much as there is room for, and as the gate lets through.
    pub(super) fn give_to(&mut self, buffer: &mut ReadBuf<'_>, gate: &Gate) {
        let left = &mut self.bytes[self.passed..];
        let room = left.len().min(buffer.remaining());
        let given = gate.pass(&left[..room]);
        buffer.put_slice(&left[..given]);
        wipe(&mut left[..given]);
        self.passed += given;
        if self.passed == self.bytes.len() {
            *self = Self::default();
        }
    }
}
