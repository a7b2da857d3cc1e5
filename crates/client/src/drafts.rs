//! What was typed and not sent: kept for the tabs of this browser while one of them is open.
//!
//! It is in this memory only, never sent and never stored, and goes with the keys.

use crate::event::Event;
use crate::id::ConversationId;
use crate::io::Io;
use crate::secret_text::SecretText;
use crate::unlocked::Unlocked;

impl Unlocked {
    /// Keeps a text, or forgets it where nothing is left of it, and tells the other tabs.
    pub(crate) fn draft(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        text: SecretText,
        tag: Option<String>,
    ) {
        if text.expose().is_empty() {
            self.drafts.remove(&chat);
        } else {
            self.drafts.insert(chat, text.clone());
        }
        io.event(Event::Draft { chat, text, tag });
    }

    /// Says all of them.
    pub(crate) fn emit_drafts(&self, io: &mut Io) {
        for (chat, text) in &self.drafts {
            io.event(Event::Draft {
                chat: *chat,
                text: text.clone(),
                tag: None,
            });
        }
    }
}
