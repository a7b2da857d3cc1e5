//! Sealing a message and giving it to the server.

use crate::id::ConversationId;
use crate::io::Io;
use crate::state::outbox::Outgoing;
use crate::state::outbox::seal::Dispatched;
use crate::unlocked::Unlocked;
use protocol::ids::MessageId;

impl Unlocked {
    /// Moves everything on that can be moved.
    pub(crate) fn pump(&mut self, io: &mut Io) {
        for id in self.outbox.take_queue() {
            let Some(chat) = self.outbox.queued(id) else {
                continue;
            };
            if self.contacts.key_changed(chat.peer(), &self.safe) {
                self.hold(io, id);
                self.contacts.ask_for_keys_again(io, chat.peer());
                continue;
            }
            match self.outbox.dispatch(io, id, &self.safe) {
                Dispatched::Waits => {}
                Dispatched::Done => self.show_path(chat, id),
                Dispatched::Failed(failure) => self.fail(io, id, &failure),
            }
        }
    }

    /// Which path carries a message that was sealed.
    pub(crate) fn show_path(&mut self, chat: ConversationId, id: MessageId) {
        let waits = self.outbox.item(id).and_then(Outgoing::waits_somewhere);
        if let (Some(waits), Some(view)) = (waits, self.chats.message_mut(chat, id)) {
            view.path = if waits { "waiting" } else { "live" }.to_owned();
        }
    }
}
