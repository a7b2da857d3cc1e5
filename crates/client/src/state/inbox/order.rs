//! What is missing before a message, and whether that is ordinary.
//!
//! Specification: `docs/protocol/messages.md#order-within-a-conversation`.

use protocol::envelope::{Conversation, Order, SequenceError, message_link};

use super::open::Opened;
use crate::id::{ConversationId, LiveId, MessageId, UserId};
use crate::io::Io;
use crate::refusal::Refusal;
use crate::state::conversations::Conversations;
use crate::state::inbox::Inbox;
use crate::state::safes::Safe;
use crate::timers::Timer;

/// How long a message may be late before it counts as missing, milliseconds: longer than its sender's
/// client takes to seal it anew.
const LATE_MS: u64 = 15_000;
/// Most numbers of one gap that are looked at one by one.
const MAX_MISSING: u64 = 64;
/// Most gaps that are remembered; older ones are not withdrawn any more.
const MAX_GAPS: usize = 256;

/// What is said of a message whose forerunners are not here.
mod note {
    /// It is the first that is seen, and not the first that was sent.
    pub(super) const FIRST: &str = "first";
    /// They expired unread.
    pub(super) const EXPIRED: &str = "expired-before";
    /// Another session of ours had taken them, by the server's word.
    pub(super) const ELSEWHERE: &str = "elsewhere";
    /// It came after later ones, and stands in front of them.
    pub(super) const LATE: &str = "late";
}

/// Who said something, where, in which session.
type Chain = (UserId, LiveId, Conversation);

/// One message that is not here, and when its life ends at the latest.
#[derive(Debug, Clone, Copy)]
enum Missing {
    Number(u64, u64),
    Link([u8; 32], u64),
}

impl Missing {
    pub(crate) const fn end(self) -> u64 {
        match self {
            Self::Number(_, end) | Self::Link(_, end) => end,
        }
    }
}

/// Messages that are missing before one that is here.
#[derive(Debug)]
struct Gap {
    chat: ConversationId,
    message: MessageId,
    chain: Chain,
    missing: Vec<Missing>,
    due_ms: u64,
    /// What the message says of it, once it was due.
    told: Option<&'static str>,
}

/// All gaps that are open.
#[derive(Debug, Default)]
pub(crate) struct Gaps(Vec<Gap>);

impl Inbox {
    /// Fits a message behind those of its sender that were seen; gives what is to be said of it now.
    pub(crate) fn order_of(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        opened: &Opened,
        chats: &mut Conversations,
        safe: &Safe,
    ) -> Vec<String> {
        let slot = &opened.slot;
        let message_id = opened.id;
        let found = self.numbers.observe(&message_id, &opened.body_hash, slot);
        let link = message_link(&message_id, &opened.body_hash, slot);
        let chain = (slot.sender, slot.session, slot.conversation);
        self.filled(io, chain, slot.sequence, link, chats, safe);
        let end = |back| slot.earlier.end(back, slot.sent_at);
        let refusal = match found {
            Ok(Order::Gap { missing }) => {
                let numbers = 1..=missing.min(MAX_MISSING);
                let missing = numbers
                    .map(|back| Missing::Number(slot.sequence - back, end(back)))
                    .collect();
                self.miss(io, chat, opened.id, chain, missing);
                return Vec::new();
            }
            // What other sessions of ours said before this one began is no loss.
            Ok(Order::First { .. } | Order::Detached { .. }) if slot.sender == self.user => {
                return Vec::new();
            }
            Ok(Order::Detached { met: true }) => {
                let missing = vec![Missing::Link(slot.previous, end(1))];
                self.miss(io, chat, opened.id, chain, missing);
                return Vec::new();
            }
            Ok(Order::First { missing: 1.. } | Order::Detached { met: false }) => {
                return vec![note::FIRST.to_owned()];
            }
            Ok(Order::Late) => return vec![note::LATE.to_owned()],
            Ok(Order::Uncounted | Order::First { missing: 0 } | Order::Next) => return Vec::new(),
            Err(SequenceError::BrokenLink) => Refusal::Reordered,
            Err(SequenceError::Repeated) => Refusal::Replayed,
        };
        self.tell_order(io, refusal, chat, opened.id, safe);
        vec![refusal.code().to_owned()]
    }

    /// Tells it where the two are contacts: numbers are a sender's own, so that strangers would raise
    /// alarms about the server. Their messages bear it all the same.
    fn tell_order(
        &self,
        io: &mut Io,
        refusal: Refusal,
        chat: ConversationId,
        message: MessageId,
        safe: &Safe,
    ) {
        if safe.contact(chat).is_some() {
            io.refused(refusal, Some(chat), Some(message));
        }
    }

    fn miss(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        message: MessageId,
        chain: Chain,
        missing: Vec<Missing>,
    ) {
        let gaps = &mut self.gaps.0;
        if gaps.len() >= MAX_GAPS {
            gaps.remove(0);
        }
        let due_ms = io.now_ms + LATE_MS;
        gaps.push(Gap {
            chat,
            message,
            chain,
            missing,
            due_ms,
            told: None,
        });
        io.timers.set_earlier(Timer::Gaps, due_ms);
    }

    /// A message came: it is not missing any more, and what was said of it is withdrawn.
    fn filled(
        &mut self,
        io: &mut Io,
        chain: Chain,
        number: u64,
        link: [u8; 32],
        chats: &mut Conversations,
        safe: &Safe,
    ) {
        let (sender, ..) = chain;
        let mut withdrawn = Vec::new();
        self.gaps.0.retain_mut(|gap| {
            gap.missing.retain(|missing| match missing {
                Missing::Number(of, _) => gap.chain != chain || *of != number,
                // A link is of its sender and conversation alone.
                Missing::Link(of, _) => *of != link,
            });
            if gap.missing.is_empty() {
                withdrawn.extend(gap.told.map(|told| (gap.chat, gap.message, told)));
            }
            !gap.missing.is_empty()
        });
        for (chat, message, told) in withdrawn {
            chats.change_warnings(
                io,
                chat,
                (sender, message),
                |warnings| {
                    warnings.retain(|warning| warning != told);
                },
                safe,
            );
        }
    }

    /// What has not come by now is missing: lost, unless there is an ordinary reason.
    pub(crate) fn gaps_due(&mut self, io: &mut Io, chats: &mut Conversations, safe: &Safe) {
        let now = io.now();
        let now_ms = io.now_ms;
        let mut told = Vec::new();
        let elsewhere = &mut self.elsewhere;
        for gap in &mut self.gaps.0 {
            if gap.told.is_some() || gap.due_ms > now_ms {
                continue;
            }
            let alive = gap.missing.iter().filter(|missing| missing.end() > now);
            let alive = u32::try_from(alive.count()).unwrap_or(u32::MAX);
            let code = if alive == 0 {
                note::EXPIRED
            } else if alive <= *elsewhere {
                *elsewhere -= alive;
                note::ELSEWHERE
            } else {
                Refusal::Dropped.code()
            };
            gap.told = Some(code);
            told.push((gap.chat, gap.chain.0, gap.message, code));
        }
        let waiting = self.gaps.0.iter().filter(|gap| gap.told.is_none());
        if let Some(due_ms) = waiting.map(|gap| gap.due_ms).min() {
            io.timers.set(Timer::Gaps, due_ms);
        }
        for (chat, sender, message, code) in told {
            if code == Refusal::Dropped.code() {
                self.tell_order(io, Refusal::Dropped, chat, message, safe);
            }
            chats.change_warnings(
                io,
                chat,
                (sender, message),
                |warnings| {
                    warnings.push(code.to_owned());
                },
                safe,
            );
        }
    }
}
