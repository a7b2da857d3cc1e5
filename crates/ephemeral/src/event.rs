//! Events about slots, for whoever tells sockets.

use crate::{MessageId, Notice, Target, UserId, WaitingItem};

/// Tells that a message or a slot changed state.
///
/// Events are published after the transition, outside every lock; two events of one message from
/// two threads may arrive in either order, and a claim decides what is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A slot can be claimed: newly posted, added, returned, or no longer shut out by another claim
    /// of the same account.
    Available {
        /// Who may claim it.
        target: Target,
        /// What waits.
        item: WaitingItem,
        /// Whether the slot was just posted or added; otherwise the end of a claim made it claimable.
        is_new: bool,
    },
    /// A slot was claimed.
    Claimed(Change),
    /// A lease expired or its session disconnected; the slot waits again.
    Returned(Change),
    /// The live session that the slot is for has disconnected; the poster may add slots for others.
    Left(Change),
    /// A slot was read and acknowledged.
    Acknowledged {
        /// What changed.
        change: Change,
        /// Whether this wiped the whole message.
        burned: bool,
    },
    /// A slot expired unread.
    Expired(Change),
    /// A reader could not open its slot; the poster may replace it.
    CannotOpen(Change),
}

/// Names the slot that an [`Event`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The message.
    pub id: MessageId,
    /// The account that posted it.
    pub poster: UserId,
    /// The slot's target.
    pub target: Target,
}

/// Receives what the connections of this instance must be told; must return quickly.
pub trait EventSink: Send + Sync {
    /// Takes one event.
    fn publish(&self, event: &Event);

    /// Takes one notice about connections.
    fn notify(&self, _notice: &Notice) {}
}

impl<F: Fn(&Event) + Send + Sync> EventSink for F {
    fn publish(&self, event: &Event) {
        self(event);
    }
}
