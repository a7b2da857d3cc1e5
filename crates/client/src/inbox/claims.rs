//! Claims: one under way, the rest in order.

use api::{Code, Own};
use std::collections::BTreeSet;

use protocol::envelope::ParcelRef;

use super::{Await, Current, Lease, Progress, Why};
use crate::account::parse;
use crate::answers::Answer;
use crate::event::MessageState;
use crate::failure::Failure;
use crate::id::Id;
use crate::io::Io;
use crate::people::id_of;
use crate::purpose::{Open, Purpose};
use crate::refusal::Refusal;
use crate::refuse::of_decode;
use crate::timers::Timer;
use crate::unlocked::Unlocked;
use crate::wire::{Blob, ClientFrame, Token, Waiting, WaitingList};

/// An answer to a claim takes at most this long, milliseconds.
const ANSWER_MS: u64 = 10_000;
/// A lease is 30 s; after a bit more a message that another session had taken is free again.
const RETURN_MS: u64 = 31_000;
/// Claims without an answer before a message is left alone until the next connection.
const MAX_TRIES: u32 = 3;

impl Unlocked {
    /// The server's list at connecting.
    pub(crate) fn waiting_listed(&mut self, io: &mut Io, waiting: Vec<Waiting>) {
        self.inbox.current = None;
        self.inbox.queue.clear();
        self.inbox.tries.clear();
        let listed: BTreeSet<Id> = waiting.iter().map(|item| item.id).collect();
        for item in waiting {
            self.waiting_heard(io, &item);
        }
        // What was shown meanwhile is acknowledged, where the server still has it.
        let marked: Vec<Id> = self
            .inbox
            .items
            .iter()
            .filter(|(_, item)| item.progress == Progress::Marked)
            .map(|(id, _)| *id)
            .collect();
        for id in marked {
            if listed.contains(&id) || self.inbox.token(id, io.now_ms).is_some() {
                self.acknowledge(io, id);
            } else {
                self.inbox.finish(id);
            }
        }
        self.next_claim(io);
    }

    /// The whole list came, where the greeting had only its front.
    pub(crate) fn list_came(&mut self, io: &mut Io, answer: Answer) {
        if let Some((200, body)) = answer
            && let Ok(list) = parse::<WaitingList>(&body)
        {
            self.waiting_listed(io, list.waiting);
        }
    }

    /// One message waits.
    pub(crate) fn waiting_heard(&mut self, io: &mut Io, item: &Waiting) {
        let id = item.id;
        if self.inbox.done.contains(&id)
            || self.inbox.items.contains_key(&id)
            || self.inbox.queue.iter().any(|(queued, _)| *queued == id)
            || self.inbox.current.as_ref().is_some_and(|c| c.id == id)
        {
            return;
        }
        self.inbox.ends.insert(id, item.expires_at);
        io.timers.cancel(Timer::Retry(id));
        self.inbox.queue.push_back((id, Why::First));
        self.next_claim(io);
    }

    /// Puts a claim in front of the others: a person waits for it.
    pub(crate) fn claim_soon(&mut self, io: &mut Io, id: Id, why: Why) {
        self.inbox.queue.retain(|(queued, _)| *queued != id);
        self.inbox.queue.push_front((id, why));
        self.next_claim(io);
    }

    /// Begins the next claim unless one is under way.
    pub(crate) fn next_claim(&mut self, io: &mut Io) {
        if self.inbox.current.is_some() || !io.online {
            return;
        }
        let Some((id, why)) = self.inbox.queue.pop_front() else {
            io.timers.cancel(Timer::Claim);
            return;
        };
        self.inbox.current = Some(Current {
            id,
            why,
            awaits: Await::Parcel,
            parcel: Vec::new(),
            fetched_sender: false,
            fetched_safe: false,
        });
        io.timers.set(Timer::Claim, io.now_ms + ANSWER_MS);
        io.frame(&ClientFrame::Claim { id });
    }

    /// The claim under way is over.
    pub(crate) fn claim_done(&mut self, io: &mut Io) {
        self.inbox.current = None;
        self.next_claim(io);
    }

    /// No answer came.
    pub(crate) fn claim_timed_out(&mut self, io: &mut Io) {
        if let Some(current) = self.inbox.current.take() {
            let tries = self.inbox.tries.entry(current.id).or_insert(0);
            *tries += 1;
            if *tries < MAX_TRIES {
                self.inbox.queue.push_back((current.id, current.why));
            }
        }
        self.next_claim(io);
    }

    /// A parcel over the socket.
    pub(crate) fn parcel(&mut self, io: &mut Io, bytes: &[u8]) {
        let parcel = match ParcelRef::decode(bytes) {
            Ok(parcel) => parcel,
            Err(error) => {
                io.refused(of_decode(&error), None, None);
                self.claim_timed_out(io);
                return;
            }
        };
        let id = Id::from_bytes(*parcel.message_id.as_bytes());
        let asked = self
            .inbox
            .current
            .as_ref()
            .is_some_and(|current| current.id == id && current.awaits == Await::Parcel);
        if !asked {
            io.refused(Refusal::CrossDelivered, None, Some(id));
            return;
        }
        if !parcel.target.is_for(&self.user, &self.live) {
            io.refused(Refusal::CrossDelivered, None, Some(id));
            self.inbox.done.insert(id);
            self.claim_done(io);
            return;
        }
        let lease = Lease {
            token: zeroize::Zeroizing::new(parcel.token),
            until_ms: io.after_ms(u64::from(parcel.lease_ms)),
        };
        if let Some(current) = self.inbox.current.as_mut() {
            current.parcel = bytes.to_vec();
        }
        self.claimed(io, lease);
    }

    /// The parcel is too long for the socket: fetch it.
    pub(crate) fn claimed_large(&mut self, io: &mut Io, id: Id, token: Blob) {
        let asked = self
            .inbox
            .current
            .as_ref()
            .is_some_and(|current| current.id == id && current.awaits == Await::Parcel);
        if asked {
            io.timers.set(Timer::Claim, io.now_ms + 3 * ANSWER_MS);
            io.post(
                &format!("/messages/{id}/claim?live_id={}", self.live_id()),
                &Token { token },
                Purpose::Open(Open::Parcel(id)),
            );
        }
    }

    pub(crate) fn parcel_fetched(&mut self, io: &mut Io, id: Id, answer: Answer) {
        match answer {
            Some((200, body)) => self.parcel(io, &body),
            Some((status, body)) => {
                let code = Failure::from_answer(status, &body).code;
                self.claim_refused(io, id, &code);
            }
            None => self.claim_timed_out(io),
        }
    }

    /// A claim succeeded; go on by what it was for.
    fn claimed(&mut self, io: &mut Io, lease: Lease) {
        let Some(current) = self.inbox.current.as_ref() else {
            return;
        };
        let (id, why) = (current.id, current.why);
        if why == Why::Acknowledge
            && let Some(item) = self.inbox.items.get_mut(&id)
        {
            item.lease = Some(lease);
            self.acknowledge(io, id);
            self.claim_done(io);
            return;
        }
        if why == Why::Reveal {
            self.keep_for_reading(io, id, lease);
            return;
        }
        self.pending_lease = Some(lease);
        self.open_current(io);
    }

    /// Tells the server that it is about to be on the screen: then it stays ours although the
    /// connection breaks, and no other session can show it as well.
    fn keep_for_reading(&mut self, io: &mut Io, id: Id, lease: Lease) {
        let token = Blob::from(lease.token.as_slice());
        if let Some(item) = self.inbox.items.get_mut(&id) {
            item.lease = Some(lease);
        }
        if let Some(current) = self.inbox.current.as_mut() {
            current.awaits = Await::Extension;
        }
        io.timers.set(Timer::Claim, io.now_ms + ANSWER_MS);
        io.frame(&ClientFrame::Extend { id, token });
    }

    /// The server did not give it.
    pub(crate) fn claim_refused(&mut self, io: &mut Io, id: Id, code: &str) {
        let Some(current) = self.inbox.current.as_ref().filter(|c| c.id == id) else {
            return;
        };
        let why = current.why;
        let taken = code == Code::Taken.name();
        match why {
            Why::First => {
                if taken {
                    io.timers.set(Timer::Retry(id), io.now_ms + RETURN_MS);
                } else {
                    self.inbox.elsewhere = self.inbox.elsewhere.saturating_add(1);
                    self.inbox.finish(id);
                }
            }
            Why::Reveal => self.reveal_refused(io, id, taken),
            Why::Acknowledge => {
                if taken {
                    io.timers.set(Timer::Retry(id), io.now_ms + RETURN_MS);
                } else {
                    self.inbox.finish(id);
                }
            }
        }
        self.claim_done(io);
    }

    /// What another session had taken may be free again.
    pub(crate) fn retry_due(&mut self, io: &mut Io, id: Id) {
        let why = match self.inbox.items.get(&id).map(|item| item.progress) {
            Some(Progress::Marked) => Why::Acknowledge,
            Some(_) => return,
            None => Why::First,
        };
        self.inbox.queue.push_back((id, why));
        self.next_claim(io);
    }

    /// Another session won, or it is gone.
    fn reveal_refused(&mut self, io: &mut Io, id: Id, taken: bool) {
        let Some((chat, sender)) = self
            .inbox
            .items
            .get(&id)
            .map(|item| (item.chat, id_of(&item.facts.sender.user_id)))
        else {
            return;
        };
        let name = self.places.name(chat, sender, id).unwrap_or(id);
        let code = if taken {
            Own::MessageTaken
        } else {
            Own::MessageGone
        };
        io.failed_at("reveal", Failure::new(code), Some(chat), Some(name));
        if !taken {
            self.inbox.finish(id);
            if let Some(view) = self.message_mut(chat, name) {
                view.sealed = false;
            }
            self.set_state(io, chat, name, MessageState::Gone, true);
        }
    }
}
