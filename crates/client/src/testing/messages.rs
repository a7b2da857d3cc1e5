//! The socket and the messages at the server.

use std::collections::BTreeSet;

use api::Code;
use api::frames::{Asked, Change, MessageState, TargetKind};
use api::ids::TargetId;
use protocol::envelope::{Parcel, Slot, SlotSet, Submission, Target};
use protocol::ids::{LiveId, MessageId, UserId};
use protocol::link::MAX_PAYLOAD;

use super::accounts::problem;
use super::held::{Held, HeldSlot, LEASE_MS};
use super::server::{FakeServer, Reply, Socket};
use crate::wire::{Blob, ClientFrame, ServerFrame, StatusEntry, Stranded, Waiting};

/// How long a session may be away before its copies of what was read go, milliseconds.
const AWAY_MS: u64 = 60_000;

/// So many waiting messages are told in the greeting.
const LISTED: usize = 64;

/// Most messages pushed to a session and not acknowledged.
const MOST_PUSHED: usize = 8;

fn refused(re: Asked, id: MessageId, code: Code) -> Reply {
    refusal(re, Some(id), code)
}

fn refusal(re: Asked, id: Option<MessageId>, code: Code) -> Reply {
    Reply::frame(&ServerFrame::Refused {
        re,
        id,
        code: code.name().into(),
        detail: code.title().to_owned(),
        retry_after: None,
    })
}

pub(super) fn problem_bytes(code: Code) -> (u16, Vec<u8>) {
    let (status, body) = problem(code);
    (status, body.to_string().into_bytes())
}

impl FakeServer {
    /// A tab's link is active.
    pub(super) fn linked(&mut self, tab: usize, user: UserId, live: LiveId) {
        self.sockets.insert(
            tab,
            Socket {
                live,
                user,
                bundle: None,
            },
        );
        self.session_back(user, live);
        let mut waiting = self.waiting(tab);
        let more = waiting.len() > LISTED;
        waiting.truncate(LISTED);
        let hello = ServerFrame::Hello {
            boot_id: self.boot.0,
            now: self.now(),
            waiting,
            more,
            stranded: self.stranded(user),
        };
        self.pushed.push_back((tab, Reply::frame(&hello)));
    }

    /// A tab's socket is gone.
    pub fn disconnect(&mut self, tab: usize) {
        self.links.close(tab);
        if let Some(socket) = self.sockets.remove(&tab) {
            self.session_left(socket.user, socket.live);
        }
    }

    /// What a session held unread waits again, and senders are told of what it alone could open.
    fn session_left(&mut self, user: UserId, live: LiveId) {
        let ids: Vec<MessageId> = self.messages.keys().copied().collect();
        for id in ids {
            self.give_back(&id, &user, &live);
            self.leaves(&id, user, live);
        }
    }

    fn session_back(&mut self, user: UserId, live: LiveId) {
        let own = Target::Live {
            account: user,
            live_id: live,
        };
        let ids: Vec<MessageId> = self.messages.keys().copied().collect();
        for id in ids {
            self.give_back(&id, &user, &live);
            let held = self.messages.get_mut(&id).unwrap();
            if let Some(slot) = held.slots.get_mut(&own) {
                slot.left_ms = None;
            }
        }
    }

    fn give_back(&mut self, id: &MessageId, user: &UserId, live: &LiveId) {
        let held = self.messages.get_mut(id).unwrap();
        let (poster, returned) = (held.poster, held.give_back(user, live));
        for target in returned {
            self.note(id, poster, Change::Returned, &target);
            self.announce(id, &[]);
        }
    }

    fn leaves(&mut self, id: &MessageId, user: UserId, live: LiveId) {
        let now_ms = self.now_ms;
        let own = Target::Live {
            account: user,
            live_id: live,
        };
        let held = self.messages.get_mut(id).unwrap();
        let (poster, read) = (held.poster, held.read_by.contains(&user));
        let slot = held.slots.get_mut(&own).filter(|s| s.left_ms.is_none());
        if let Some(slot) = slot {
            slot.left_ms = Some(now_ms);
            if !read {
                self.note(id, poster, Change::Left, &own);
            }
        }
    }

    /// A session that left while something was on its way to it is as one that left afterwards.
    fn note_absent(&mut self, id: &MessageId) {
        let present: Vec<LiveId> = self.sockets.values().map(|socket| socket.live).collect();
        let targets: Vec<Target> = self.messages[id].slots.keys().copied().collect();
        for target in targets {
            if let Target::Live { account, live_id } = target
                && !present.contains(&live_id)
            {
                self.leaves(id, account, live_id);
            }
        }
    }

    fn stranded(&self, user: UserId) -> Vec<Stranded> {
        let stranded = self.messages.iter();
        stranded
            .filter(|(_, held)| held.is_stranded_for(&user))
            .map(|(id, held)| Stranded {
                id: *id,
                from: held.poster,
            })
            .collect()
    }

    /// What a tab may claim.
    pub(super) fn waiting(&self, tab: usize) -> Vec<Waiting> {
        let Some(socket) = self.sockets.get(&tab) else {
            return Vec::new();
        };
        let mut all: Vec<(&MessageId, &Held)> = self.messages.iter().collect();
        all.sort_by_key(|(_, held)| held.order);
        all.into_iter()
            .filter_map(|(id, held)| self.item(id, held, socket))
            .collect()
    }

    fn item(&self, id: &MessageId, held: &Held, socket: &Socket) -> Option<Waiting> {
        let target = held.target_for(&socket.user, &socket.live)?;
        let slot = &held.slots[&target];
        if slot.claim.is_some_and(|(_, until)| until > self.now_ms) {
            return None;
        }
        Some(Waiting {
            id: *id,
            burn: held.burn,
            size: held.body.len() as u64,
            expires_at: held.expires_at,
            target: match target {
                Target::Live { .. } => TargetKind::Live,
                Target::Account { .. } => TargetKind::Account,
            },
            from: held.poster,
        })
    }

    /// Tells who may claim a message, or pushes it where its slot is new.
    fn announce(&mut self, id: &MessageId, new: &[Target]) {
        let Some(held) = self.messages.get(id) else {
            return;
        };
        let items: Vec<(usize, Waiting)> = self
            .sockets
            .iter()
            .filter_map(|(tab, socket)| Some((*tab, self.item(id, held, socket)?)))
            .collect();
        for (tab, item) in items {
            if self.may_push(tab, &item, new) {
                self.push_claimed(tab, item);
            } else {
                let frame = Reply::frame(&ServerFrame::Waiting(item));
                self.pushed.push_back((tab, frame));
            }
        }
    }

    fn may_push(&self, tab: usize, item: &Waiting, new: &[Target]) -> bool {
        let Some(socket) = self.sockets.get(&tab) else {
            return false;
        };
        let own = Target::Live {
            account: socket.user,
            live_id: socket.live,
        };
        let slots = self.messages.values().filter_map(|it| it.slots.get(&own));
        let pushed = slots.filter(|it| it.pushed && it.is_claimed(self.now_ms));
        let fits = new.contains(&own) && !item.burn;
        self.delivers && fits && pushed.count() < MOST_PUSHED
    }

    fn push_claimed(&mut self, tab: usize, item: Waiting) {
        let id = item.id;
        let claimed = self.claim(tab, id);
        let live = self.sockets[&tab].live;
        let slots = &mut self.messages.get_mut(&id).unwrap().slots;
        for (_, slot) in slots
            .iter_mut()
            .filter(|(to, _)| to.live_id() == Some(&live))
        {
            slot.pushed = true;
        }
        let told = Reply::frame(&ServerFrame::Pushed(item));
        self.pushed.extend([(tab, told), (tab, claimed)]);
    }

    fn note(&mut self, id: &MessageId, poster: UserId, state: Change, target: &Target) {
        let (target, live) = match target.live_id() {
            Some(live) => (TargetId::from(*live), true),
            None => (TargetId::from(*target.account()), false),
        };
        let frame = ServerFrame::Message {
            id: *id,
            state,
            target,
            live,
        };
        self.tell(poster, None, &frame);
    }

    /// Time has passed: leases end, messages expire.
    pub(super) fn tick(&mut self) {
        let (now, now_ms) = (self.now(), self.now_ms);
        let expired: Vec<MessageId> = self
            .messages
            .iter()
            .filter(|(_, held)| held.expires_at <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in expired {
            if let Some(held) = self.messages.remove(&id) {
                let target = Target::Account {
                    account: held.poster,
                };
                self.note(&id, held.poster, Change::Expired, &target);
            }
        }
        let mut returned = Vec::new();
        for (id, held) in &mut self.messages {
            for (target, slot) in &mut held.slots {
                if slot.claim.is_some_and(|(_, until)| until <= now_ms) {
                    slot.claim = None;
                    returned.push((*id, held.poster, *target));
                }
            }
        }
        for (id, poster, target) in returned {
            self.note(&id, poster, Change::Returned, &target);
            self.announce(&id, &[]);
        }
        // What an account has read goes from its sessions that are gone, a minute after they left.
        for held in self.messages.values_mut() {
            let read_by = &held.read_by;
            held.slots.retain(|target, slot| {
                let gone = slot
                    .left_ms
                    .is_some_and(|left_ms| left_ms + AWAY_MS <= now_ms);
                !(gone && read_by.contains(target.account()))
            });
        }
        self.messages.retain(|_, held| !held.slots.is_empty());
    }

    /// A frame of JSON of a tab.
    pub(super) fn text(&mut self, tab: usize, text: &str) -> Vec<Reply> {
        let Ok(frame) = serde_json::from_str::<ClientFrame>(text) else {
            return vec![refusal(Asked::Frame, None, Code::MalformedRequest)];
        };
        match frame {
            ClientFrame::Bundle { bundle } => {
                self.publish(tab, bundle.into_vec());
                Vec::new()
            }
            ClientFrame::Withdraw {} => {
                if let Some(socket) = self.sockets.get_mut(&tab) {
                    socket.bundle = None;
                    let (user, live) = (socket.user, socket.live);
                    self.session_left(user, live);
                }
                Vec::new()
            }
            ClientFrame::Claim { id } => vec![self.claim(tab, id)],
            ClientFrame::Ack { id, token } => vec![self.ack(id, &token)],
            ClientFrame::Extend { id, token } => vec![self.extend(id, &token)],
            ClientFrame::CannotOpen { id, token } => self.cannot_open(id, &token),
            ClientFrame::Active {} => Vec::new(),
            ClientFrame::Status { ids } => {
                let state_of = |id: &MessageId| {
                    if self.acknowledged.contains_key(id) {
                        MessageState::Acknowledged
                    } else if self.messages.contains_key(id) {
                        MessageState::Waiting
                    } else {
                        MessageState::Unknown
                    }
                };
                let states = ids.into_iter().map(|id| StatusEntry {
                    id,
                    state: state_of(&id),
                    expires_at: 0,
                });
                vec![Reply::frame(&ServerFrame::Status {
                    states: states.collect(),
                })]
            }
            ClientFrame::Ticket { len } => vec![Reply::Binary(self.ticket(tab, len, None))],
            ClientFrame::List {} => self.listed(tab),
            ClientFrame::Ping {} => vec![Reply::frame(&ServerFrame::Pong {})],
        }
    }

    /// All that a tab may claim, in parts.
    fn listed(&self, tab: usize) -> Vec<Reply> {
        let all = self.waiting(tab);
        let parts = all.len().div_ceil(LISTED).max(1);
        let part = |number: usize| {
            let from = number * LISTED;
            let waiting = all[from..all.len().min(from + LISTED)].to_vec();
            let more = number + 1 < parts;
            Reply::frame(&ServerFrame::Listed { waiting, more })
        };
        (0..parts).map(part).collect()
    }

    fn publish(&mut self, tab: usize, bundle: Vec<u8>) {
        let Some(socket) = self.sockets.get_mut(&tab) else {
            return;
        };
        let user = socket.user;
        if socket.bundle.replace(bundle).is_none() {
            self.tell(user, Some(tab), &ServerFrame::Joined {});
        }
    }

    /// Another frame of a tab, or the same under a ticket.
    pub(super) fn binary(&mut self, user: UserId, bytes: &[u8]) -> Vec<Reply> {
        if let Ok(set) = SlotSet::decode(bytes) {
            return vec![self.add_slots(user, set)];
        }
        let submission = Submission::decode(bytes).expect("a submission or a slot set");
        vec![self.put(user, submission)]
    }

    fn put(&mut self, user: UserId, submission: Submission) -> Reply {
        let id = submission.message_id;
        if self.messages.contains_key(&id) {
            return refused(Asked::Send, id, Code::DuplicateMessage);
        }
        if let Some(code) = self.refuse.pop_front() {
            let code = Code::named(code).expect("a code of the server");
            return refused(Asked::Send, id, code);
        }
        let expires_at = self.now() + u64::from(submission.life_secs);
        self.next += 1;
        self.messages.insert(
            id,
            Held {
                poster: user,
                burn: submission.burn_on_read,
                expires_at,
                slots: submission.slots.into_iter().map(slot).collect(),
                body: submission.body,
                order: self.next,
                read_by: BTreeSet::new(),
            },
        );
        let new: Vec<Target> = self.messages[&id].slots.keys().copied().collect();
        self.announce(&id, &new);
        self.note_absent(&id);
        Reply::frame(&ServerFrame::Sent { id, expires_at })
    }

    fn add_slots(&mut self, user: UserId, set: SlotSet) -> Reply {
        let id = set.message_id;
        let now_ms = self.now_ms;
        let Some(held) = self.messages.get_mut(&id).filter(|it| it.poster == user) else {
            return refused(Asked::Slots, id, Code::Gone);
        };
        let mut new = Vec::new();
        for (target, slot) in set.slots.into_iter().map(slot) {
            // What is being read is not replaced under its reader.
            let there = held.slots.get(&target);
            if there.is_none_or(|there| !there.is_claimed(now_ms)) {
                held.slots.insert(target, slot);
                new.push(target);
            }
        }
        self.announce(&id, &new);
        self.note_absent(&id);
        Reply::frame(&ServerFrame::SlotsAdded { id })
    }

    fn claim(&mut self, tab: usize, id: MessageId) -> Reply {
        let (user, live) = match self.sockets.get(&tab) {
            Some(socket) => (socket.user, socket.live),
            None => return refused(Asked::Claim, id, Code::Gone),
        };
        let now_ms = self.now_ms;
        let token = *MessageId::random(&mut self.rng).as_bytes();
        let Some(held) = self.messages.get_mut(&id) else {
            return refused(Asked::Claim, id, Code::Gone);
        };
        let Some(target) = held.target_for(&user, &live) else {
            return refused(Asked::Claim, id, Code::Gone);
        };
        let busy = held.slots[&target]
            .claim
            .is_some_and(|(_, until)| until > now_ms);
        if busy || (held.burn && held.taken_by(&user, now_ms)) {
            return refused(Asked::Claim, id, Code::Taken);
        }
        let slot = held.slots.get_mut(&target).unwrap();
        slot.claim = Some((token, now_ms + LEASE_MS));
        slot.by = Some((live, false));
        slot.pushed = false;
        let parcel = Parcel {
            message_id: id,
            token,
            lease_ms: u32::try_from(LEASE_MS).unwrap(),
            target,
            slot: slot.bytes.clone(),
            body: held.body.clone(),
        }
        .encode();
        let poster = held.poster;
        self.note(&id, poster, Change::Claimed, &target);
        if parcel.len() > MAX_PAYLOAD {
            let ticket = self.ticket(tab, parcel.len() as u64, Some((id, token)));
            return Reply::frame(&ServerFrame::ClaimedLarge {
                id,
                token: Blob::from(token.as_slice()),
                lease_ms: LEASE_MS,
                ticket: Blob::from(ticket),
            });
        }
        Reply::Binary(parcel)
    }

    /// A large parcel, for the token of a claim.
    pub(super) fn fetch(&self, id: MessageId, token: &[u8]) -> (u16, Vec<u8>) {
        let Some(held) = self.messages.get(&id) else {
            return problem_bytes(Code::Gone);
        };
        let claimed = held.slots.iter().find(|(_, slot)| {
            slot.claim
                .is_some_and(|(known, until)| known == token && until > self.now_ms)
        });
        match claimed {
            Some((target, slot)) => {
                let parcel = Parcel {
                    message_id: id,
                    token: token.try_into().unwrap(),
                    lease_ms: u32::try_from(LEASE_MS).unwrap(),
                    target: *target,
                    slot: slot.bytes.clone(),
                    body: held.body.clone(),
                };
                (200, parcel.encode())
            }
            None => problem_bytes(Code::StaleClaim),
        }
    }

    fn claimed_target(&self, id: &MessageId, token: &[u8]) -> Result<Target, Code> {
        let held = self.messages.get(id).ok_or(Code::Gone)?;
        held.slots
            .iter()
            .find(|(_, slot)| {
                slot.claim
                    .is_some_and(|(known, until)| known == token && until > self.now_ms)
            })
            .map(|(target, _)| *target)
            .ok_or(Code::StaleClaim)
    }

    fn extend(&mut self, id: MessageId, token: &[u8]) -> Reply {
        match self.claimed_target(&id, token) {
            Ok(target) => {
                let until = self.now_ms + LEASE_MS;
                let held = self.messages.get_mut(&id).unwrap();
                let slot = held.slots.get_mut(&target).unwrap();
                slot.claim = slot.claim.map(|(token, _)| (token, until));
                slot.by = slot.by.map(|(live, _)| (live, true));
                Reply::frame(&ServerFrame::Extended {
                    id,
                    lease_ms: LEASE_MS,
                })
            }
            Err(code) => refused(Asked::Extend, id, code),
        }
    }

    fn ack(&mut self, id: MessageId, token: &[u8]) -> Reply {
        let target = match self.claimed_target(&id, token) {
            Ok(target) => target,
            Err(code) => return refused(Asked::Ack, id, code),
        };
        let held = self.messages.get_mut(&id).unwrap();
        let (poster, expires_at) = (held.poster, held.expires_at);
        let account = *target.account();
        held.slots.remove(&target);
        held.slots.remove(&Target::Account { account });
        held.read_by.insert(account);
        let by_poster = *target.account() == poster;
        if (held.burn && !by_poster) || held.slots.is_empty() {
            self.messages.remove(&id);
        }
        if !by_poster {
            self.acknowledged.insert(id, expires_at);
        }
        self.note(&id, poster, Change::Acknowledged, &target);
        Reply::frame(&ServerFrame::Acked { id })
    }

    fn cannot_open(&mut self, id: MessageId, token: &[u8]) -> Vec<Reply> {
        match self.claimed_target(&id, token) {
            Ok(target) => {
                let held = self.messages.get_mut(&id).unwrap();
                let slot = held.slots.get_mut(&target).unwrap();
                slot.claim = None;
                slot.dead = true;
                let poster = held.poster;
                self.note(&id, poster, Change::CannotOpen, &target);
                Vec::new()
            }
            Err(code) => vec![refused(Asked::CannotOpen, id, code)],
        }
    }
}

fn slot(slot: Slot) -> (Target, HeldSlot) {
    (
        slot.target,
        HeldSlot {
            prekey: slot.prekey_id,
            bytes: slot.bytes,
            claim: None,
            pushed: false,
            by: None,
            left_ms: None,
            dead: false,
        },
    )
}
