//! What becomes of own messages when the connection, or the server, was away.

use crate::event::MessageState;
use crate::id::MessageId;
use crate::io::Io;
use crate::state::outbox::reconnection::Vanished;
use crate::unlocked::Unlocked;

impl Unlocked {
    /// The server was restarted, as it has signed: what waited there is gone.
    pub(crate) fn server_restarted(&mut self, io: &mut Io) {
        for id in self.outbox.with_server() {
            self.vanish(io, id, false);
        }
        self.chats.confirm_vanished(io, &self.safe);
        self.unread_vanished(io);
    }

    /// A message that the server had is not there any more: in a restart that it has signed, or by its
    /// word alone.
    pub(crate) fn vanish(&mut self, io: &mut Io, id: MessageId, by_server: bool) {
        let collected = self.chats.is_collected(id);
        match self.outbox.vanished(io, id, collected) {
            Vanished::Nothing => {}
            Vanished::Expired => self.expire(io, id),
            Vanished::Again(chat) => self.set_state(io, chat, id, MessageState::Sending, false),
            Vanished::Gone(chat) => {
                let state = self
                    .chats
                    .message(chat, id)
                    .map(|it| (it.state, it.by_server));
                let unread = matches!(state, Some((MessageState::Waiting, _)));
                if unread || state == Some((MessageState::Delivered, true)) {
                    self.set_state(io, chat, id, MessageState::Vanished, by_server);
                }
            }
        }
    }
}
