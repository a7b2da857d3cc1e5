//! From the composer into the outbox.

use super::{Outgoing, Stage};
use crate::command::Burn;
use crate::effects::Effect;
use crate::event::Me;
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::state::outbox::Outbox;
use crate::state::safes::Safe;
use protocol::envelope::Content;
use protocol::safe::ContactState;

/// Longest text that a person may write, bytes.
pub(crate) const MAX_TEXT: usize = 64 * 1024;
/// Bounds of a message's life, seconds.
pub(crate) const LIFE_SECS: std::ops::RangeInclusive<u32> = 5..=604_800;
/// Longest burn timer, seconds.
pub(crate) const MAX_BURN_SECS: u32 = 86_400;

/// Whether a burn rule is in range.
pub(crate) fn burn_in_range(burn: Burn) -> bool {
    match burn {
        Burn::After(secs) => (1..=MAX_BURN_SECS).contains(&secs),
        Burn::Never | Burn::OnRead => true,
    }
}

impl Outbox {
    /// Puts anything into the outbox.
    pub(crate) fn enqueue(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        content: Content,
        burn: Burn,
        life_secs: u32,
    ) -> MessageId {
        let id = MessageId::random(&mut io.rng);
        let copy = match &content {
            Content::Text { .. } | Content::Edit { .. } | Content::Delete { .. } => true,
            Content::Request { greeting, .. } => !greeting.is_blank(),
            _ => false,
        };
        self.written += 1;
        self.items.insert(
            id,
            Outgoing {
                chat,
                content,
                burn,
                life_secs,
                stage: Stage::Queued,
                sealed: None,
                copy,
                wanted: None,
                expires_at: io.now().saturating_add(u64::from(life_secs)),
                tries: 0,
                refused: None,
                written: self.written,
            },
        );
        self.queue.push(id);
        id
    }
}

/// How long an answer or a request may wait for somebody who is away, seconds.
pub(crate) const REQUEST_LIFE_SECS: u32 = 7 * 86_400;
/// Life of a sign of typing, seconds.
const TYPING_LIFE_SECS: u32 = 5;
/// Keys are passed on at most this often, milliseconds.
const TYPING_EVERY_MS: u64 = 3_000;

/// Messages that people do not see.
impl Outbox {
    /// Tells somebody's live sessions that the person types, not more often than every three seconds.
    pub(crate) fn typing(&mut self, io: &mut Io, chat: ConversationId, safe: &Safe) {
        if !safe.settings().typing || safe.may_write(chat).is_err() || !io.online {
            return;
        }
        let told_ms = self.typing_told.entry(chat).or_insert(0);
        if io.now_ms.saturating_sub(*told_ms) < TYPING_EVERY_MS {
            return;
        }
        *told_ms = io.now_ms;
        let content = Content::Typing { active: true };
        self.enqueue(io, chat, content, Burn::Never, TYPING_LIFE_SECS);
        io.ask(Effect::Send);
    }

    /// Tells somebody that their request was accepted.
    pub(crate) fn accept(&mut self, io: &mut Io, chat: ConversationId, me: &Me) {
        let content = Content::Accept {
            handle: me.handle.as_str().into(),
            alias: me.alias.as_str().into(),
        };
        self.enqueue(io, chat, content, Burn::Never, REQUEST_LIFE_SECS);
        io.ask(Effect::Send);
    }

    /// Tells every accepted contact one's own name.
    pub(crate) fn profile(&mut self, io: &mut Io, alias: &str, safe: &Safe) {
        let contents = safe.contents();
        let known = contents.contacts.iter().filter(|(user, contact)| {
            contact.state.value == ContactState::Accepted && !contents.is_blocked(user)
        });
        for (user, _) in known {
            let alias = alias.into();
            let (chat, content) = (ConversationId::with(*user), Content::Profile { alias });
            self.enqueue(io, chat, content, Burn::Never, REQUEST_LIFE_SECS);
        }
        io.ask(Effect::Send);
    }
}
