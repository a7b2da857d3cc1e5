//! Being live: a session bundle for every five minutes.
//!
//! Specification: `docs/protocol/messages.md#session-bundles`.

use api::frames::Asked;
use protocol::epoch::{BUCKET_SECS, EpochPath, MAX_LIFE_SECS, bucket_of};
use protocol::prekeys::SessionSecrets;

use crate::command::Burn;
use crate::failure::{Failure, whole_seconds};
use crate::id::MessageId;
use crate::io::Io;
use crate::timers::Timer;
use crate::unlocked::Unlocked;
use crate::wire::{Blob, ClientFrame, ServerFrame, Stranded, Waiting};

/// How long after its bucket a session pair is kept for what is still on its way, seconds.
const GRACE_SECS: u64 = 60;
/// How long a session pair lives at most by time that no server tells, seconds: where nothing waits, and
/// while claims are under way.
const IDLE_LIFE_SECS: u64 = BUCKET_SECS + GRACE_SECS;
const BUSY_LIFE_SECS: u64 = 2 * BUCKET_SECS + GRACE_SECS;

/// The private half of a session bundle.
pub(crate) struct SessionPair {
    pub(crate) secrets: SessionSecrets,
    /// When it was made, by time that no server tells.
    made_ms: u64,
}

/// The newest session bundle.
pub(crate) struct Bundle {
    bucket: u64,
    key_id: u32,
    bytes: Vec<u8>,
}

impl SessionPair {
    /// Whether its bucket is over by the server's clock.
    fn is_over(&self, now: u64) -> bool {
        let bucket = self.secrets.bucket();
        let end = bucket.saturating_add(1).saturating_mul(BUCKET_SECS);
        now >= end.saturating_add(GRACE_SECS)
    }

    /// Whether it was made so many seconds ago, whatever the server's clock says.
    fn is_older(&self, secs: u64, io: &Io) -> bool {
        self.ms_until(secs, io).is_none()
    }

    /// How long until it was made so many seconds ago, milliseconds.
    fn ms_until(&self, secs: u64, io: &Io) -> Option<u64> {
        let age_ms = io.clock.elapsed_ms().saturating_sub(self.made_ms);
        (secs * 1_000).checked_sub(age_ms).filter(|left| *left > 0)
    }

    /// When one of its bounds is reached next, this device's milliseconds.
    fn next_bound_ms(&self, io: &Io) -> Option<u64> {
        let bounds = [IDLE_LIFE_SECS, BUSY_LIFE_SECS, MAX_LIFE_SECS];
        let left = bounds.into_iter().find_map(|secs| self.ms_until(secs, io));
        left.map(|ms| io.after_ms(ms))
    }
}

impl Unlocked {
    /// The server greeted: be live, fetch what waits, send what was held up.
    fn hello(&mut self, io: &mut Io, waiting: Vec<Waiting>, more: bool, stranded: Vec<Stranded>) {
        self.published = None;
        self.stranded_listed(io, stranded);
        self.publish(io);
        self.waiting_listed(io, waiting, more);
        self.outbox.reconnected(io);
        self.safe.read_safes(io);
        self.contacts.ask_about_other_keys(io, &self.safe);
    }

    /// Publishes the bundle of the present bucket, and again when the next one begins.
    pub(crate) fn publish(&mut self, io: &mut Io) {
        let now = io.now();
        let bucket = bucket_of(now);
        self.destroy_pairs(io);
        let end = bucket.saturating_add(1).saturating_mul(BUCKET_SECS);
        let next = io.local_ms(end).saturating_add(1);
        // Time that stands still does not lengthen a bucket, and what is over goes soon.
        let before = self
            .sessions
            .values()
            .any(|pair| pair.secrets.bucket() != bucket);
        let most = if before { GRACE_SECS + 1 } else { BUCKET_SECS };
        let next = next.min(io.after_ms(most * 1_000));
        let bounds = self.sessions.values();
        let bound = bounds.filter_map(|pair| pair.next_bound_ms(io)).min();
        io.timers
            .set(Timer::Bucket, bound.map_or(next, |at| next.min(at)));
        if !io.online {
            return;
        }
        let sessions = &self.sessions;
        let same = self
            .bundle
            .as_ref()
            .filter(|bundle| bundle.bucket == bucket && sessions.contains_key(&bundle.key_id))
            .map(|bundle| bundle.bytes.clone());
        let bytes = match same {
            Some(bytes) => bytes,
            None => {
                self.outbox.keep_said(io, &mut self.safe);
                self.new_pair(io, now)
            }
        };
        if self.published != Some(bucket) {
            self.published = Some(bucket);
            io.frame(&ClientFrame::Bundle {
                bundle: Blob::from(bytes),
            });
        }
    }

    /// Makes the pair of the present bucket; gives its bundle.
    fn new_pair(&mut self, io: &mut Io, now: u64) -> Vec<u8> {
        let (secrets, bundle) = SessionSecrets::generate(
            &mut io.rng,
            &self.safe.contents().secrets,
            self.user,
            self.live,
            now,
        );
        let (key_id, bytes) = (secrets.key_id(), bundle.encode());
        self.bundle = Some(Bundle {
            bucket: secrets.bucket(),
            key_id,
            bytes: bytes.clone(),
        });
        let made_ms = io.clock.elapsed_ms();
        self.sessions
            .insert(key_id, SessionPair { secrets, made_ms });
        self.published = None;
        bytes
    }

    /// Destroys session pairs whose bucket is over and under which nothing waits.
    fn destroy_pairs(&mut self, io: &Io) {
        let inbox = &self.inbox;
        let busy = inbox.current.is_some() || !inbox.queue.is_empty() || !inbox.parked.is_empty();
        let conversations = &self.chats;
        self.sessions.retain(|key_id, pair| {
            let sealed = inbox.items.iter().any(|(id, item)| {
                let key = item.epoch.key;
                let view = conversations.said(item.chat, item.epoch.sender.user_id, *id);
                // What burns is opened once more when it is read; the rest is open.
                key.path == EpochPath::Live
                    && key.id == *key_id
                    && view.is_some_and(|view| view.sealed)
            });
            let most = match (sealed, busy) {
                (true, _) => MAX_LIFE_SECS,
                (false, true) => BUSY_LIFE_SECS,
                (false, false) => IDLE_LIFE_SECS,
            };
            let waits = sealed || busy;
            (waits || !pair.is_over(io.now())) && !pair.is_older(most, io)
        });
        let sessions = &self.sessions;
        self.replay.retain(|key| sessions.contains_key(&key.id));
    }

    /// The connection is gone: nothing that was claimed will be answered.
    pub(crate) fn offline(&mut self, io: &mut Io) {
        self.inbox.current = None;
        self.inbox.queue.clear();
        self.inbox.parked.clear();
        self.contacts.offline();
        self.pending_lease = None;
        self.safe.offline();
        self.receipts.offline();
        for timer in [Timer::Claim, Timer::Lookups, Timer::List] {
            io.timers.cancel(timer);
        }
        for (id, item) in &mut self.inbox.items {
            // Claims end with their socket, and the next one claims anew; only what burns and was on
            // the screen stays ours.
            let sender = item.facts.sender.user_id;
            let message = self.chats.said(item.chat, sender, *id);
            let on_screen = message.is_some_and(|m| m.burn != Burn::Never && !m.sealed);
            if !on_screen {
                item.lease = None;
            }
        }
        self.outbox.offline();
    }

    /// A text frame of the server.
    pub(crate) fn frame(&mut self, io: &mut Io, frame: ServerFrame) {
        match frame {
            ServerFrame::Hello {
                waiting,
                more,
                stranded,
                ..
            } => self.hello(io, waiting, more, stranded),
            ServerFrame::Waiting(item) => self.waiting_heard(io, &item),
            ServerFrame::Sent { id, expires_at } => self.sent(io, id, expires_at),
            ServerFrame::Acked { id } => self.inbox.finish(id),
            ServerFrame::Extended { id, lease_ms } => self.extended(io, id, lease_ms),
            ServerFrame::ClaimedLarge { id, token, .. } => self.claimed_large(io, id, token),
            ServerFrame::Status { states } => self.statuses_came(io, states),
            ServerFrame::Message {
                id,
                state,
                target,
                live,
            } => self.status_heard(io, id, state, Some(target), live),
            ServerFrame::Safe {
                version,
                prekey_version,
            } => {
                let marks = self.safe.marks();
                if version > marks.safe.version || prekey_version > marks.prekeys.version {
                    self.safe.read_safes(io);
                }
            }
            ServerFrame::Joined {} => self.outbox.session_joined(),
            ServerFrame::Refused {
                re,
                id,
                code,
                detail,
                retry_after,
            } => {
                let secs = retry_after.map(whole_seconds);
                let failure = Failure::refused(&code, detail, secs);
                self.frame_refused(io, re, id, failure);
            }
            ServerFrame::SlotsAdded { .. } | ServerFrame::Pong {} | ServerFrame::Unknown => {}
        }
    }

    fn frame_refused(&mut self, io: &mut Io, re: Asked, id: Option<MessageId>, failure: Failure) {
        let Some(id) = id else {
            return;
        };
        match re {
            Asked::Claim => self.claim_refused(io, id, &failure),
            Asked::Extend => self.extension_refused(io, id),
            Asked::Ack => self.ack_refused(io, id, &failure),
            Asked::CannotOpen => self.inbox.finish(id),
            Asked::Slots => self.outbox.slots_refused(io, id),
            Asked::Send => self.send_refused(io, id, failure),
            Asked::Bundle | Asked::Status | Asked::Frame => {}
        }
    }
}
