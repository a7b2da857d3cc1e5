//! Room for a message: what it costs, and that it is given back.

use std::sync::Arc;

use crate::UserId;

/// Bytes that a message takes beside its ciphertext: its entries in table, schedule and index.
const MESSAGE_COST: u64 = 512;

/// Bytes that a slot takes beside its ciphertext: its state and its recipient's entry in the index.
const SLOT_COST: u64 = 512;

/// Returns the bytes that a message of `payload` bytes, body and slots together, counts as.
pub const fn cost(payload: u64, slots: usize) -> u64 {
    payload
        .saturating_add(MESSAGE_COST)
        .saturating_add(slots_cost(slots))
}

/// Returns the bytes that slots count as, beside their ciphertext.
pub(crate) const fn slots_cost(slots: usize) -> u64 {
    SLOT_COST.saturating_mul(slots as u64)
}

/// Takes back what was reserved and not used; must not wait.
pub(crate) trait Refund: Send + Sync {
    /// Takes it back.
    fn refund(&self, poster: UserId, bytes: u64);

    /// The name of the room, where rooms have one.
    fn name(&self) -> Option<[u8; 16]> {
        None
    }
}

/// Room for one message, given back when it is dropped unused.
pub struct Reservation {
    poster: UserId,
    bytes: u64,
    unused: Option<Arc<dyn Refund>>,
}

impl Reservation {
    pub(crate) fn new(poster: UserId, bytes: u64, backend: Arc<dyn Refund>) -> Self {
        Self {
            poster,
            bytes,
            unused: Some(backend),
        }
    }

    /// Returns the account that reserved.
    pub fn poster(&self) -> UserId {
        self.poster
    }

    /// Returns the bytes reserved, as [`cost`] counts them.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the name of the room, where rooms have one.
    pub(crate) fn name(&self) -> Option<[u8; 16]> {
        self.unused.as_ref()?.name()
    }

    /// Notes that a message has taken the room.
    pub(crate) fn spend(&mut self) {
        self.unused = None;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(backend) = self.unused.take() {
            backend.refund(self.poster, self.bytes);
        }
    }
}
