//! What opening a message needs and the server gives: keys of its sender, and the safes.

use crate::state::inbox::Inbox;

impl Inbox {
    /// Nobody could say what keys the sender of the message under way has.
    pub(crate) fn sender_unknown(&mut self) {
        if let Some(current) = self.current.as_mut() {
            current.fetched_sender = false;
        }
    }
}
