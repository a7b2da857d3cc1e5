//! The chat list.

use protocol::safe::ContactState;

use crate::command::Burn;
use crate::event::{ChatView, Event, MessageState, MessageView};
use crate::id::ConversationId;
use crate::io::Io;
use crate::state::contacts::Contacts;
use crate::state::conversations::Conversations;
use crate::state::safes::Safe;

/// Characters of a last line: more than a row can show. Rows are told again with every message.
const PREVIEW: usize = 200;

impl Conversations {
    /// Tells tabs all chats, latest activity first.
    pub(crate) fn emit_chats(&self, io: &mut Io, contacts: &Contacts, safe: &Safe) {
        let contents = safe.contents();
        let mut chats: Vec<ChatView> = contents
            .contacts
            .iter()
            .filter(|(user, contact)| {
                matches!(
                    contact.state.value,
                    ContactState::Outgoing | ContactState::Accepted
                ) && !contents.is_blocked(user)
            })
            .map(|(user, contact)| {
                let chat = ConversationId::with(*user);
                let (handle, alias) = contacts.names_of(*user, safe);
                let last = self.of(chat).max_by_key(|m| m.place);
                // What burns stands where it is read, and nowhere else.
                let lasting = last.filter(|m| m.burn == Burn::Never);
                let unread = |m: &&MessageView| m.state == MessageState::Unread;
                let unread = self.of(chat).filter(unread).count();
                let spot = safe.key().chat_spot(user);
                ChatView {
                    chat,
                    spot: spot.iter().map(|byte| format!("{byte:02x}")).collect(),
                    handle,
                    alias,
                    relation: safe.relation_to(*user).to_owned(),
                    verified: contacts.is_verified(chat, safe),
                    linked: contacts.is_linked(*user, safe),
                    key_changed: contacts.key_changed(*user, safe),
                    key_changed_back: contacts.key_changed_back(chat, safe),
                    live: contacts.is_live(*user),
                    preview: lasting.and_then(|m| Some(m.text.as_ref()?.beginning(PREVIEW))),
                    preview_mine: last.is_some_and(|m| m.mine),
                    last_state: last.map(|m| m.state),
                    last_ms: last.map_or(0, |m| m.sent_ms.min(m.seen_ms)),
                    unread: u32::try_from(unread).unwrap_or(u32::MAX),
                    muted: contact.muted.value,
                    live_only: safe.is_live_only(chat),
                    receipts: contact.receipts.value,
                    life_secs: contact.life_secs.value,
                    burn: safe.chat_burn(chat),
                }
            })
            .collect();
        chats.sort_by(|a, b| {
            b.last_ms
                .cmp(&a.last_ms)
                .then_with(|| a.alias.cmp(&b.alias))
        });
        io.event(Event::Chats { chats });
    }
}
