//! From the composer into the outbox.

use super::{Outgoing, Stage};
use crate::command::Burn;
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::state::outbox::Outbox;
use protocol::envelope::Content;

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
pub(crate) const TYPING_LIFE_SECS: u32 = 5;
/// Keys are passed on at most this often, milliseconds.
const TYPING_EVERY_MS: u64 = 3_000;

impl Outbox {
    /// Whether somebody may be told that the person types, not too often; if so, that is noted.
    pub(crate) fn may_tell_typing(&mut self, now_ms: u64, chat: ConversationId) -> bool {
        let told = self.typing_told.entry(chat).or_insert(0);
        let may = now_ms.saturating_sub(*told) >= TYPING_EVERY_MS;
        if may {
            *told = now_ms;
        }
        may
    }
}
