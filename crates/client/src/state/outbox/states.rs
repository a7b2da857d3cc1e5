//! What becomes of own messages: by sealed receipts, and by the server's word.
//!
//! Specification: `docs/protocol/messages.md#receipts`.

use protocol::envelope::Target;

use crate::event::MessageState;
use crate::id::{MessageId, TargetId};
use crate::state::outbox::Outbox;

/// How long a receipt may be late after its message was taken for good, milliseconds.
pub(crate) const UNTOLD_MS: u64 = 10_000;

impl Outbox {
    /// The slot that is named by its session or its account; a live one also where only its account is.
    pub(crate) fn find_target(&self, id: MessageId, named: TargetId) -> Option<Target> {
        let sealed = self.items.get(&id)?.sealed.as_ref()?;
        // Those of accounts are the last in their order.
        let mut targets = sealed.targets.iter().rev();
        let found = targets.find(|target| {
            let live = target.live_id().map(|live| TargetId::from(*live));
            live == Some(named) || TargetId::from(*target.account()) == named
        });
        found.copied()
    }
}

/// How far a state is; 0 for those that end the way.
pub(crate) const fn rank(state: MessageState) -> u8 {
    match state {
        MessageState::Sending => 1,
        MessageState::Waiting | MessageState::Vanished | MessageState::Expired => 2,
        MessageState::Delivered => 3,
        MessageState::Read => 4,
        _ => 0,
    }
}
