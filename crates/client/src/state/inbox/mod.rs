//! What arrives: claimed one at a time, opened, shown, marked, acknowledged.
//!
//! One claim is under way at any moment ([`claims`]), so that messages of a sender are opened in the
//! order in which the server lists them. Opening changes nothing before a tag has verified
//! ([`open`]); what that needs and the server could not give is waited for ([`parked`]). What was opened
//! does what its sender may ([`authority`]), and stays in the server's memory until it was shown
//! ([`shown`]). For what the server claimed by itself no claim is made ([`pushed`]).
//!
//! Specification: `docs/protocol/messages.md#receiving-a-message`.

pub(crate) mod authority;
pub(crate) mod claims;
pub(crate) mod listed;
pub(crate) mod open;
pub(crate) mod order;
pub(crate) mod pairs;
pub(crate) mod parked;
pub(crate) mod pushed;
pub(crate) mod shown;
pub(crate) mod turns;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use protocol::envelope::SequenceTracker;
use protocol::epoch::{EpochPath, EpochRecord, SenderClaim};
use protocol::identity::Fingerprint;
use zeroize::Zeroizing;

pub(crate) use authority::Standing;
pub(crate) use order::Gaps;
use parked::Parked;
use pushed::Pushed;
pub(crate) use shown::ON_READ_MS;
use turns::{Notice, Turns};

use crate::command::Burn;
use crate::id::{ConversationId, LiveId, MessageId, UserId};
use crate::io::Io;
use crate::pause::Pause;
use crate::state::conversations::Conversations;
use crate::timers::Timer;
use crate::wire::{Stranded, Waiting};

/// Why a message is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// It has not been opened here.
    First,
    /// The person wants to read a message that burns.
    Reveal,
    /// It was shown after the first lease had run out.
    Acknowledge,
}

/// What a claim under way waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Await {
    /// The server's parcel.
    Parcel,
    /// The lease of a claim that was made before.
    Extension,
    /// Somebody's public keys: the claimed sender's, or those of whoever posted what is to be refused.
    Keys(UserId),
    /// A newer prekey safe.
    Safe,
}

/// The claim under way.
pub(crate) struct Current {
    id: MessageId,
    why: Why,
    awaits: Await,
    /// The parcel, while something else is awaited. Ciphertext.
    parcel: Vec<u8>,
    /// Sender and safe were fetched for it already; once each.
    fetched_sender: bool,
    fetched_safe: bool,
}

/// A claim's token and when its lease ends, on this device's clock.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    token: Zeroizing<[u8; 16]>,
    until_ms: u64,
}

/// How far an opened message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Opened; not shown.
    Opened,
    /// Shown; its mark is being stored.
    Marking,
    /// Marked; to be acknowledged.
    Marked,
}

/// What is fixed when a message is opened for the first time. Whatever comes under its id later is the
/// same message only if all of this is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Account and identity that the epoch proves.
    sender: SenderClaim,
    /// Hash of id, body and all that the slots of the message have in common: session, conversation,
    /// place in it, time, life, burn rule and kind.
    link: [u8; 32],
}

/// A message that was opened and not acknowledged yet.
pub(crate) struct Incoming {
    chat: ConversationId,
    facts: Facts,
    /// The epoch, without its keys.
    epoch: EpochRecord,
    counter: u8,
    lease: Option<Lease>,
    progress: Progress,
    /// The sealed parcel of a message that burns, for the reveal while the lease holds.
    parcel: Vec<u8>,
    /// Changes of this message, to be acknowledged together with it.
    followers: Vec<MessageId>,
}

/// Everything that arrives, until it is acknowledged.
pub(crate) struct Inbox {
    user: UserId,
    live: LiveId,
    /// The lease of the claim under way.
    lease: Option<Lease>,
    /// The last numbers heard in each conversation, by sending session.
    numbers: SequenceTracker,
    queue: VecDeque<(MessageId, Why)>,
    /// Claimed by the server for this session, in the order in which they came.
    pushed: VecDeque<Pushed>,
    current: Option<Current>,
    items: BTreeMap<MessageId, Incoming>,
    /// What the server says of listed messages.
    notices: BTreeMap<MessageId, Notice>,
    turns: Turns,
    /// The pause between failed requests for the whole list.
    list_pause: Pause,
    /// What came of the list that was asked for.
    listing: Option<Vec<Waiting>>,
    /// Messages that were finished here and are never claimed again.
    done: BTreeSet<MessageId>,
    /// Claimed messages that cannot be opened yet.
    parked: Vec<Parked>,
    /// When an unknown prekey last caused a read of the safes, this device's milliseconds.
    safe_asked_ms: Option<u64>,
    /// When the safes were last read for what rests, this device's milliseconds.
    reread_ms: Option<u64>,
    /// Claims that got no answer.
    tries: BTreeMap<MessageId, u32>,
    /// What no session of ours could open when this one connected.
    stranded: Vec<Stranded>,
    /// Messages that were listed for us and read by another session of ours, by the server's word. Each explains
    /// one missing message; this counts those that have not.
    elsewhere: u32,
    /// What is missing before messages that are here.
    gaps: Gaps,
}

/// Most finished ids that are remembered; older ones are known by their replay marks.
const MAX_DONE: usize = 4_096;

impl Inbox {
    pub(crate) fn new(user: UserId, live: LiveId) -> Self {
        Self {
            user,
            live,
            lease: None,
            numbers: SequenceTracker::default(),
            queue: VecDeque::new(),
            pushed: VecDeque::new(),
            current: None,
            items: BTreeMap::new(),
            notices: BTreeMap::new(),
            turns: Turns::default(),
            list_pause: Pause::default(),
            listing: None,
            done: BTreeSet::new(),
            parked: Vec::new(),
            safe_asked_ms: None,
            reread_ms: None,
            tries: BTreeMap::new(),
            stranded: Vec::new(),
            elsewhere: 0,
            gaps: Gaps::default(),
        }
    }

    /// Whether something is being claimed, or waits to be.
    pub(crate) fn is_busy(&self) -> bool {
        self.current.is_some() || !self.queue.is_empty() || !self.parked.is_empty()
    }

    /// Session pairs under which messages are opened once more when they are read.
    pub(crate) fn sealed_under(&self, chats: &Conversations) -> BTreeSet<u32> {
        let live = |item: &&Incoming| item.epoch.key.path == EpochPath::Live;
        let items = self.items.iter().filter(|(_, item)| live(item));
        let sealed = items.filter(|(id, item)| {
            let said = chats.said(item.chat, item.epoch.sender.user_id, **id);
            said.is_some_and(|view| view.sealed)
        });
        sealed.map(|(_, item)| item.epoch.key.id).collect()
    }

    /// The connection is gone: nothing that was claimed will be answered.
    pub(crate) fn offline(&mut self, io: &mut Io, chats: &Conversations) {
        self.current = None;
        self.queue.clear();
        self.pushed.clear();
        self.parked.clear();
        self.lease = None;
        for timer in [Timer::Claim, Timer::Lookups, Timer::List] {
            io.timers.cancel(timer);
        }
        for (id, item) in &mut self.items {
            // Claims end with their socket, and the next one claims anew; only what burns and was on
            // the screen stays ours.
            let said = chats.said(item.chat, item.facts.sender.user_id, *id);
            if !said.is_some_and(|view| view.burn != Burn::Never && !view.sealed) {
                item.lease = None;
            }
        }
    }

    pub(crate) fn finish(&mut self, id: MessageId) {
        self.items.remove(&id);
        self.notices.remove(&id);
        self.tries.remove(&id);
        self.drop_pushed(id);
        self.parked.retain(|parked| !parked.is(id));
        if self.done.len() >= MAX_DONE {
            self.done.clear();
        }
        self.done.insert(id);
    }

    /// Whether it is this sender's message, in this chat, that is kept under an id.
    pub(crate) fn holds(&self, chat: ConversationId, sender: UserId, id: MessageId) -> bool {
        let item = self.items.get(&id);
        item.is_some_and(|item| item.chat == chat && item.facts.sender.user_id == sender)
    }

    /// The token of a lease that still holds for a while.
    pub(crate) fn token(&self, id: MessageId, now_ms: u64) -> Option<[u8; 16]> {
        /// Enough for a frame to reach the server, milliseconds.
        const MARGIN_MS: u64 = 2_000;
        self.items
            .get(&id)?
            .lease
            .as_ref()
            .filter(|lease| lease.until_ms > now_ms + MARGIN_MS)
            .map(|lease| *lease.token)
    }

    /// The token of a lease that still holds for a while, and the parcel that was claimed under it, which is
    /// given away.
    pub(crate) fn held(&mut self, id: MessageId, now_ms: u64) -> Option<([u8; 16], Vec<u8>)> {
        let token = self.token(id, now_ms)?;
        let parcel = std::mem::take(&mut self.items.get_mut(&id)?.parcel);
        (!parcel.is_empty()).then_some((token, parcel))
    }

    /// Whether an opened message is here.
    pub(crate) fn has(&self, id: MessageId) -> bool {
        self.items.contains_key(&id)
    }

    /// Whether a message was finished here.
    pub(crate) fn is_done(&self, id: MessageId) -> bool {
        self.done.contains(&id)
    }

    /// A message is never claimed again.
    pub(crate) fn never_again(&mut self, id: MessageId) {
        self.done.insert(id);
    }

    /// Chat and sender of an opened message.
    pub(crate) fn said_by(&self, id: MessageId) -> Option<(ConversationId, UserId)> {
        let item = self.items.get(&id)?;
        Some((item.chat, item.facts.sender.user_id))
    }

    /// The identity that wrote an opened message.
    pub(crate) fn writer(&self, id: MessageId) -> Option<Fingerprint> {
        self.items
            .get(&id)
            .map(|item| item.facts.sender.fingerprint)
    }

    /// The number of messages of a chat that were opened and not acknowledged.
    pub(crate) fn count_of(&self, chat: ConversationId) -> usize {
        self.items.values().filter(|item| item.chat == chat).count()
    }

    /// When a message ends, by the server's word, server seconds.
    pub(crate) fn ends(&self, id: MessageId) -> Option<u64> {
        self.notices.get(&id).map(|notice| notice.ends)
    }

    /// Keeps the sealed parcel of a message that burns, for the reveal.
    pub(crate) fn keep_parcel(&mut self, id: MessageId, parcel: Vec<u8>) {
        if let Some(item) = self.items.get_mut(&id) {
            item.parcel = parcel;
        }
    }

    /// A change is acknowledged together with its message, if that is unread.
    pub(crate) fn follow(&mut self, of: MessageId, by: MessageId) -> bool {
        let item = self.items.get_mut(&of);
        let unread = item.filter(|item| item.progress == Progress::Opened);
        unread.is_some_and(|item| {
            item.followers.push(by);
            true
        })
    }
}

impl Inbox {
    /// Leaves all messages of a chat to expire, because an acknowledgement would tell their sender something.
    pub(crate) fn leave_unread(&mut self, chat: ConversationId) {
        let items = self.items.iter();
        let unread: Vec<MessageId> = items
            .filter(|(_, item)| item.chat == chat)
            .map(|(id, _)| *id)
            .collect();
        for id in unread {
            self.finish(id);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Incoming;

    #[test]
    fn nothing_that_is_kept_of_an_unread_messages_epoch_is_a_key() {
        // Keys are types that cannot be copied.
        fn holds_no_key<T: Copy>(_: fn(&Incoming) -> &T) {}
        holds_no_key(|item| &item.epoch);
        holds_no_key(|item| &item.facts);
    }
}
