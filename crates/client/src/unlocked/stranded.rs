//! Messages that had reached a session of ours which went before they were read.
//!
//! Only that session had the keys. The sender's client seals such a message anew while it is there;
//! where it does not, somebody has to be told.

use crate::event::{MessageState, MessageView};
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::state::conversations::Origin;
use crate::unlocked::Unlocked;
use crate::wire::Stranded;

impl Unlocked {
    /// What has not come another way by now is lost, unless its sender comes back.
    pub(crate) fn stranded_due(&mut self, io: &mut Io) {
        for Stranded { id, from } in self.inbox.take_stranded() {
            let chat = ConversationId::with(from);
            let known = self.chats.name(chat, from, id).is_some() || self.inbox.is_done(id);
            // Of strangers, and of people who are blocked, nothing is shown.
            let contact = self.safe.contact(chat).filter(|_| !known);
            let pinned = contact.and_then(|contact| contact.pin.fingerprint().ok().copied());
            if let Some(writer) = pinned {
                let origin = Origin {
                    chat,
                    sender: from,
                    id,
                    writer,
                    trusted: false,
                };
                let name = self.new_name(io, &origin);
                let view = self.lost(io, name);
                self.chats.put_from(io, origin, view, &self.safe);
            }
        }
    }

    /// A message came that was called lost.
    pub(super) fn found_again(&mut self, io: &mut Io, origin: &Origin) {
        let name = self.chats.name(origin.chat, origin.sender, origin.id);
        let lost = |view: &MessageView| view.state == MessageState::Lost;
        if let Some(name) = name
            && self.chats.message(origin.chat, name).is_some_and(lost)
        {
            self.forget_message(io, origin.chat, name);
        }
    }

    pub(crate) fn lost(&mut self, io: &Io, name: MessageId) -> MessageView {
        let now_ms = io.shown_ms();
        MessageView {
            sent_ms: now_ms,
            seen_ms: self.chats.next_seen_ms(now_ms),
            by_server: true,
            path: "live".to_owned(),
            ..MessageView::bare(name, false, MessageState::Lost)
        }
    }
}
