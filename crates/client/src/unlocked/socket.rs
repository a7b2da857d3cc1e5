//! Frames of the server, and what a new or a lost connection means.
//!
//! Specification: `docs/protocol.md#websocket`.

use crate::event::MessageState;
use crate::failure::{Failure, whole_seconds};
use crate::id::MessageId;
use crate::io::Io;
use crate::state::outbox::reconnection::Vanished;
use crate::unlocked::Unlocked;
use crate::wire::{ServerFrame, Stranded, Waiting};
use api::frames::Asked;

impl Unlocked {
    /// Publishes the bundle of the present bucket, and again when the next one begins.
    pub(crate) fn publish(&mut self, io: &mut Io) {
        let sealed = self.inbox.sealed_under(&self.chats);
        self.presence
            .destroy_pairs(io, &sealed, self.inbox.is_busy());
        self.presence.watch(io);
        if !io.online {
            return;
        }
        if !self.presence.is_current(io) {
            self.outbox.keep_said(io, &mut self.safe);
            self.presence.renew(io, &self.safe.contents().secrets);
        }
        self.presence.publish(io);
    }

    /// The server greeted: be live, fetch what waits, send what was held up.
    pub(crate) fn hello(
        &mut self,
        io: &mut Io,
        waiting: Vec<Waiting>,
        more: bool,
        stranded: Vec<Stranded>,
    ) {
        self.presence.greeted();
        self.inbox.stranded_listed(io, stranded);
        self.publish(io);
        self.waiting_listed(io, waiting, more);
        self.outbox.reconnected(io);
        self.safe.read_safes(io);
        self.contacts.ask_about_other_keys(io, &self.safe);
    }

    /// The connection is gone: nothing that was claimed will be answered.
    pub(crate) fn offline(&mut self, io: &mut Io) {
        self.inbox.offline(io, &self.chats);
        self.contacts.offline();
        self.safe.offline();
        self.receipts.offline();
        self.outbox.offline();
    }

    /// A frame of JSON of the server.
    pub(crate) fn frame(&mut self, io: &mut Io, frame: ServerFrame) {
        match frame {
            ServerFrame::Hello {
                waiting,
                more,
                stranded,
                ..
            } => self.hello(io, waiting, more, stranded),
            ServerFrame::Waiting(item) => self.inbox.waiting_heard(io, &item),
            ServerFrame::Pushed(item) => self.inbox.push_told(item),
            ServerFrame::Sent { id, expires_at } => self.sent(io, id, expires_at),
            ServerFrame::Acked { id } => self.inbox.finish(id),
            ServerFrame::Extended { id, lease_ms } => self.extended(io, id, lease_ms),
            ServerFrame::ClaimedLarge {
                id,
                token,
                lease_ms,
                ticket,
            } => self
                .inbox
                .claimed_large(io, id, (&token, lease_ms), &ticket),
            ServerFrame::Listed { waiting, more } => self.listed(io, waiting, more),
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

    pub(crate) fn frame_refused(
        &mut self,
        io: &mut Io,
        re: Asked,
        id: Option<MessageId>,
        failure: Failure,
    ) {
        match re {
            Asked::List => return self.inbox.list_refused(io, &failure),
            Asked::Ticket => {
                if let Some(id) = self.outbox.ticket_refused() {
                    self.send_refused(io, id, failure);
                }
                return;
            }
            Asked::Send | Asked::Frame if id.is_none() && !failure.is_passing() => {
                if let Some(id) = self.outbox.refused_unnamed(re, &failure) {
                    self.send_refused(io, id, failure);
                }
                return;
            }
            _ => {}
        }
        let Some(id) = id else {
            return;
        };
        match re {
            Asked::Claim => self.claim_refused(io, id, &failure),
            Asked::Extend => self.inbox.extension_refused(io, id),
            Asked::Ack => self.ack_refused(io, id, &failure),
            Asked::CannotOpen => self.inbox.finish(id),
            Asked::Slots => self.outbox.slots_refused(io, id),
            Asked::Send => self.send_refused(io, id, failure),
            Asked::Bundle | Asked::Status | Asked::Ticket | Asked::List | Asked::Frame => {}
        }
    }

    /// The server was restarted, as it has signed: what waited there is gone.
    pub(crate) fn server_restarted(&mut self, io: &mut Io) {
        for id in self.outbox.with_server() {
            self.vanish(io, id, false);
        }
        self.chats.confirm_vanished(io, &self.safe);
        self.unread_vanished(io);
    }

    /// A message that the server had is not there any more: in a restart that it has signed, or by its
    /// word alone.
    pub(crate) fn vanish(&mut self, io: &mut Io, id: MessageId, by_server: bool) {
        let collected = self.chats.is_collected(id);
        match self.outbox.vanished(io, id, collected) {
            Vanished::Nothing => {}
            Vanished::Expired => self.expire(io, id),
            Vanished::Again(chat) => {
                self.chats
                    .set_state(io, chat, id, MessageState::Sending, false, &self.safe);
            }
            Vanished::Gone(chat) => {
                let view = self.chats.message(chat, id);
                let state = view.map(|it| (it.state, it.by_server));
                let unread = matches!(state, Some((MessageState::Waiting, _)));
                if unread || state == Some((MessageState::Delivered, true)) {
                    self.chats.set_state(
                        io,
                        chat,
                        id,
                        MessageState::Vanished,
                        by_server,
                        &self.safe,
                    );
                }
            }
        }
    }
}
