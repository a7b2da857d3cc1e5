//! Being live: a session bundle for every five minutes.

use protocol::envelope::Content;
use protocol::epoch::{BUCKET_SECS, EpochPath, bucket_of};
use protocol::prekeys::SessionSecrets;
use protocol::safe::SafeMark;

use crate::command::Burn;
use crate::failure::Failure;
use crate::id::Id;
use crate::io::Io;
use crate::people::id_of;
use crate::purpose::{Open, Purpose};
use crate::timers::Timer;
use crate::unlocked::Unlocked;
use crate::wire::{Blob, ClientFrame, ServerFrame, Stranded, Waiting};

/// How long after its bucket a session pair is kept for what is still on its way, seconds.
const GRACE_SECS: u64 = 60;

impl Unlocked {
    /// The server greeted: be live, fetch what waits, send what was held up.
    fn hello(&mut self, io: &mut Io, waiting: Vec<Waiting>, more: bool, stranded: Vec<Stranded>) {
        self.published = None;
        self.stranded_listed(io, stranded);
        self.publish(io);
        if more {
            io.get("/messages", Purpose::Open(Open::Waiting));
        } else {
            self.waiting_listed(io, waiting);
        }
        self.reconnected(io);
        self.read_safes(io);
        self.ask_about_other_keys(io);
    }

    /// Publishes the bundle of the present bucket, and again when the next one begins.
    pub(crate) fn publish(&mut self, io: &mut Io) {
        let now = io.now();
        let bucket = bucket_of(now);
        self.destroy_pairs(now);
        let next = io.local_ms((bucket + 1) * BUCKET_SECS) + 1;
        io.timers.set(Timer::Bucket, next);
        if !io.online {
            return;
        }
        let same = self
            .bundle
            .as_ref()
            .filter(|(of, _)| *of == bucket)
            .map(|(_, bytes)| bytes.clone());
        let bytes = match same {
            Some(bytes) => bytes,
            None => {
                self.keep_said(io);
                let (secrets, bundle) = SessionSecrets::generate(
                    &mut io.rng,
                    &self.safe.contents().secrets,
                    self.user,
                    self.live,
                    now,
                );
                self.sessions.insert(secrets.key_id(), secrets);
                let bytes = bundle.encode();
                self.bundle = Some((bucket, bytes.clone()));
                bytes
            }
        };
        if self.published != Some(bucket) {
            self.published = Some(bucket);
            io.frame(&ClientFrame::Bundle {
                bundle: Blob(bytes),
            });
        }
    }

    /// Destroys session pairs whose bucket is over and under which nothing waits.
    fn destroy_pairs(&mut self, now: u64) {
        let inbox = &self.inbox;
        let busy = inbox.current.is_some() || !inbox.queue.is_empty();
        self.sessions.retain(|key_id, secrets| {
            let end = (secrets.bucket() + 1) * BUCKET_SECS + GRACE_SECS;
            let used = inbox.items.values().any(|item| {
                let key = item.epoch.key;
                key.path == EpochPath::Live && key.id == *key_id
            });
            busy || used || now < end
        });
        let sessions = &self.sessions;
        self.replay.retain(|key| sessions.contains_key(&key.id));
    }

    /// The connection is gone: nothing that was claimed will be answered.
    pub(crate) fn offline(&mut self, io: &mut Io) {
        self.inbox.current = None;
        self.inbox.queue.clear();
        self.pending_lease = None;
        self.reading.forget();
        io.timers.cancel(Timer::Claim);
        for (id, item) in &mut self.inbox.items {
            // Claims end with their socket, and the next one claims anew; only what burns and was on
            // the screen stays ours.
            let sender = id_of(&item.facts.sender.user_id);
            let name = self.places.name(item.chat, sender, *id);
            let message = name.and_then(|name| self.messages.get(&item.chat)?.get(&name));
            let on_screen = message.is_some_and(|m| m.burn != Burn::Never && !m.sealed);
            if !on_screen {
                item.lease = None;
            }
        }
        self.outbox
            .items
            .retain(|_, item| !matches!(item.content, Content::Typing { .. }));
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
            } => self.status_heard(io, id, &state, target.as_deref(), live),
            ServerFrame::Safe {
                version,
                prekey_version,
            } => {
                let marks = self.safe.marks();
                if version > marks.safe.version || prekey_version > marks.prekeys.version {
                    self.read_safes(io);
                }
            }
            ServerFrame::Refused {
                re,
                id,
                code,
                detail,
                retry_after,
            } => {
                let failure = Failure::refused(&code, detail, retry_after);
                self.frame_refused(io, &re, id, failure);
            }
            ServerFrame::SlotsAdded { .. } | ServerFrame::Pong | ServerFrame::Unknown => {}
        }
    }

    fn frame_refused(&mut self, io: &mut Io, re: &str, id: Option<Id>, failure: Failure) {
        let Some(id) = id else {
            return;
        };
        let code = failure.code.as_str();
        match re {
            "claim" => self.claim_refused(io, id, code),
            "extend" => self.extension_refused(io, id),
            "ack" => self.ack_refused(io, id, code),
            "cannot_open" => self.inbox.finish(id),
            "slots" => self.slots_refused(io, id),
            "send" => self.send_refused(io, id, failure),
            _ => {}
        }
    }

    /// A session of ours says that it wrote this version of the safe.
    pub(crate) fn safe_promised(&mut self, io: &mut Io, mark: SafeMark) {
        let known = self.safe.mark();
        if mark.version > known.version || (mark.version == known.version && mark != known) {
            self.reading.promise(mark);
            self.read_safes(io);
        }
    }
}
