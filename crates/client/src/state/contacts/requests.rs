//! Who asks for contact, as tabs are told of it.
//!
//! Specification: `docs/protocol/messages.md#requests`.

use crate::event::{Event, RequestView};
use crate::id::ConversationId;
use crate::io::Io;
use crate::secret_text::SecretText;
use crate::state::contacts::Contacts;
use crate::state::conversations::Conversations;
use crate::state::safes::Safe;

impl Contacts {
    /// The first line that somebody asks with, if this session has opened it.
    fn greeting_of(&self, chat: ConversationId, chats: &Conversations) -> Option<SecretText> {
        let asks = self.request(chat)?.asks.iter().rev();
        let mut said = asks.filter_map(|id| chats.said(chat, chat.peer(), *id));
        said.find_map(|view| view.text.clone())
    }

    /// Tells tabs all requests, the newest first.
    pub(crate) fn emit_requests(&self, io: &mut Io, chats: &Conversations, safe: &Safe) {
        let asking = safe.contents().contacts.keys().filter_map(|user| {
            let chat = ConversationId::with(*user);
            let received_ms = safe.pending(chat)?.state.at.saturating_mul(1_000);
            let (handle, alias) = self.names_of(*user, safe);
            let request = self.request(chat);
            Some(RequestView {
                chat,
                handle,
                alias,
                greeting: self.greeting_of(chat, chats).unwrap_or_default(),
                received_ms,
                key_changed: self.key_changed(*user, safe)
                    || request.is_some_and(|asked| asked.other_keys),
                by_link: self.by_own_link(chat),
            })
        });
        let mut requests: Vec<RequestView> = asking.collect();
        requests.sort_by_key(|request| std::cmp::Reverse(request.received_ms));
        io.event(Event::Requests { requests });
    }
}
