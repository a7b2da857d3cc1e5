//! What was typed and not sent: kept for the tabs of this browser while one of them is open.
//!
//! Drafts are in memory only. They are never sent or stored, and are wiped with the keys.

use std::collections::BTreeMap;

use crate::event::Event;
use crate::id::ConversationId;
use crate::io::Io;
use crate::secret_text::SecretText;

/// Texts by chat.
#[derive(Default)]
pub(crate) struct Drafts(BTreeMap<ConversationId, SecretText>);

impl Drafts {
    /// Keeps a text and tells the other tabs; forgets an empty one.
    pub(crate) fn set(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        text: SecretText,
        tag: Option<String>,
    ) {
        if text.expose().is_empty() {
            self.0.remove(&chat);
        } else {
            self.0.insert(chat, text.clone());
        }
        io.event(Event::Draft { chat, text, tag });
    }

    /// Forgets what was typed in a chat.
    pub(crate) fn forget(&mut self, io: &mut Io, chat: ConversationId) {
        if self.0.contains_key(&chat) {
            self.set(io, chat, SecretText::default(), None);
        }
    }

    /// Tells tabs every draft.
    pub(crate) fn tell(&self, io: &mut Io) {
        for (chat, text) in &self.0 {
            io.event(Event::Draft {
                chat: *chat,
                text: text.clone(),
                tag: None,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Drafts;
    use crate::event::Event;
    use crate::id::{ConversationId, UserId};
    use crate::io::Io;
    use crate::output::Output;
    use crate::secret_text::SecretText;
    use crate::testing::SeededRng;

    #[test]
    fn a_text_is_said_again_until_nothing_is_left_of_it() {
        let mut io = Io::new(Box::new(SeededRng::new(1)));
        let mut drafts = Drafts::default();
        let chat = ConversationId::with(UserId::from_bytes([1; 16]));
        let told = |io: &mut Io, drafts: &Drafts| {
            io.out.clear();
            drafts.tell(io);
            io.out.len()
        };
        drafts.forget(&mut io, chat);
        assert!(io.out.is_empty(), "there was nothing to forget");
        drafts.set(&mut io, chat, "hel".into(), Some("tab".to_owned()));
        drafts.set(&mut io, chat, "hello".into(), None);
        assert_eq!(told(&mut io, &drafts), 1);
        assert!(
            matches!(&io.out[0], Output::Event(Event::Draft { text, .. }) if text.expose() == "hello")
        );
        drafts.set(&mut io, chat, SecretText::default(), None);
        assert_eq!(told(&mut io, &drafts), 0);
    }
}
