//! Messages that people do not see: typing, answers to requests.

use crate::id::ConversationId;
use crate::state::outbox::Outbox;

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
