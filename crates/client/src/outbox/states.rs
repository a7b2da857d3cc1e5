//! What becomes of own messages: by sealed receipts, and by the server's word.

use protocol::envelope::{Content, ReceiptState, Target};

use super::{Stage, Wanted};
use crate::answers::Answer;
use crate::command::Burn;
use crate::event::MessageState;
use crate::failure::Failure;
use crate::id::Id;
use crate::io::Io;
use crate::people::{id_of, user};
use crate::timers::Timer;
use crate::unlocked::Unlocked;
use crate::wire::{ClientFrame, Sent, StatusEntry};

/// Submissions without an answer before a message counts as failed.
const MAX_TRIES: u32 = 3;
/// Most ids in one question.
const MAX_STATUS: usize = 256;

impl Unlocked {
    /// The server has it.
    pub(crate) fn sent(&mut self, io: &mut Io, id: Id, expires_at: u64) {
        io.timers.cancel(Timer::Resend(id));
        let Some(item) = self.outbox.items.get_mut(&id) else {
            return;
        };
        if item.stage != Stage::Submitted {
            return;
        }
        item.stage = Stage::Accepted;
        item.expires_at = expires_at;
        item.tries = 0;
        if item.fleeting() {
            self.outbox.items.remove(&id);
            return;
        }
        let (chat, life) = (item.chat, item.life_secs);
        self.lives.insert(id, life);
        self.watch_claim(io, id);
        io.timers
            .set(Timer::Expire(id), io.local_ms(expires_at) + 1_000);
        if let Some(view) = self.message_mut(chat, id) {
            view.expires_at = Some(expires_at);
            if rank(view.state) < rank(MessageState::Delivered) {
                self.set_state(io, chat, id, MessageState::Waiting, false);
            }
        }
    }

    /// The answer to a submission over HTTP.
    pub(crate) fn posted(&mut self, io: &mut Io, id: Id, answer: Answer) {
        match answer {
            Some((200..=299, body)) => {
                let expires_at = serde_json::from_slice::<Sent>(&body).map(|sent| sent.expires_at);
                let fallback = self.outbox.items.get(&id).map_or(0, |item| item.expires_at);
                self.sent(io, id, expires_at.unwrap_or(fallback));
            }
            Some((status, body)) => {
                let failure = Failure::from_answer(status, &body);
                self.send_refused(io, id, failure);
            }
            // The timer tries again.
            None => {}
        }
    }

    /// The server did not take it.
    pub(crate) fn send_refused(&mut self, io: &mut Io, id: Id, failure: Failure) {
        if failure.code == "duplicate-message" {
            // It has it already: our first try arrived.
            let at = self.outbox.items.get(&id).map_or(0, |item| item.expires_at);
            self.sent(io, id, at);
        } else {
            self.fail(io, id, &failure);
        }
    }

    /// More slots were not taken: the message may be gone.
    pub(crate) fn slots_refused(&mut self, io: &mut Io, id: Id) {
        io.frame(&ClientFrame::Status { ids: vec![id] });
    }

    /// No answer came, or bundles are to be asked for again.
    pub(crate) fn resend_due(&mut self, io: &mut Io, id: Id) {
        if let Some(item) = self.outbox.items.get_mut(&id)
            && item.stage == Stage::Submitted
        {
            item.tries += 1;
            if item.tries > MAX_TRIES {
                self.fail(io, id, &Failure::new("offline"));
            } else if io.online {
                self.submit(io, id);
            }
            return;
        }
        self.pump(io);
    }

    /// A message cannot be sent; people may send its text again.
    pub(crate) fn fail(&mut self, io: &mut Io, id: Id, failure: &Failure) {
        io.timers.cancel(Timer::Resend(id));
        io.timers.cancel(Timer::Fallback(id));
        io.timers.cancel(Timer::Expire(id));
        let Some(item) = self.outbox.items.remove(&id) else {
            return;
        };
        self.lives.insert(id, item.life_secs);
        if let Some(view) = self.message_mut(item.chat, id) {
            view.failure = Some(failure.code.clone());
            self.set_state(io, item.chat, id, MessageState::Failed, false);
        }
        let during = match item.content {
            Content::Text { .. } => "send",
            Content::Request { .. } => "request_contact",
            Content::Accept { .. } => "accept_request",
            Content::Edit { .. } => "edit",
            Content::Delete { .. } => "delete",
            _ => return,
        };
        io.failed_at(during, failure.clone(), Some(item.chat), Some(id));
    }

    /// A sealed receipt of the recipient.
    pub(crate) fn receipt_heard(&mut self, io: &mut Io, chat: Id, id: Id, state: ReceiptState) {
        self.arrived_while_held(chat, id);
        if let Some(sealed) = self
            .outbox
            .items
            .get_mut(&id)
            .and_then(|item| item.sealed.as_mut())
        {
            sealed.receipted = true;
        }
        match state {
            ReceiptState::Delivered => self.progress(io, chat, id, MessageState::Delivered, false),
            ReceiptState::Read | ReceiptState::Burned => self.was_read(io, chat, id),
        }
    }

    /// The recipient says that it was read.
    fn was_read(&mut self, io: &mut Io, chat: Id, id: Id) {
        io.timers.cancel(Timer::Fallback(id));
        io.timers.cancel(Timer::Expire(id));
        self.outbox.items.remove(&id);
        match self.message(chat, id).map(|view| view.burn) {
            None => {}
            Some(Burn::Never) => self.progress(io, chat, id, MessageState::Read, false),
            Some(Burn::OnRead) => self.burn_now(io, id),
            Some(Burn::After(secs)) => {
                self.progress(io, chat, id, MessageState::Read, false);
                if !io.timers.is_set(Timer::Burn(id)) {
                    let at = io.now_ms + u64::from(secs) * 1_000;
                    io.timers.set(Timer::Burn(id), at);
                    if let Some(view) = self.message_mut(chat, id) {
                        view.burns_ms = Some(at);
                    }
                    self.emit_message(io, chat, id);
                }
            }
        }
    }

    /// The server says that a recipient took it for good: it arrived, and waits there no more.
    ///
    /// Whether it was read only the recipient says, and only where receipts are on.
    fn was_collected(&mut self, io: &mut Io, chat: Id, id: Id) {
        io.timers.cancel(Timer::Fallback(id));
        if self.message(chat, id).is_none() {
            self.outbox.items.remove(&id);
            return;
        }
        self.collected.insert(id);
        self.progress(io, chat, id, MessageState::Delivered, true);
    }

    /// Moves a message on, never back; a sealed receipt replaces the server's word.
    fn progress(&mut self, io: &mut Io, chat: Id, id: Id, to: MessageState, by_server: bool) {
        let Some(view) = self.message_mut(chat, id) else {
            return;
        };
        let (now, then) = (rank(view.state), rank(to));
        let better = then > now || (then == now && view.by_server && !by_server);
        if !view.mine || !better || now == 0 {
            return;
        }
        if to == MessageState::Read {
            view.expires_at = None;
        }
        self.set_state(io, chat, id, to, by_server);
    }

    /// The server's word on one of our messages.
    pub(crate) fn status_heard(
        &mut self,
        io: &mut Io,
        id: Id,
        state: &str,
        target: Option<&str>,
        live: bool,
    ) {
        let Some(chat) = self
            .outbox
            .items
            .get(&id)
            .map(|item| item.chat)
            .or_else(|| self.chat_of(id))
        else {
            return;
        };
        let name = target.and_then(|target| target.parse::<Id>().ok());
        let target = name.and_then(|name| self.find_target(id, name, live));
        let own = match target {
            Some(target) => *target.account() == self.user,
            None => name.is_some_and(|name| name == self.live_id() || name == self.me.user_id),
        };
        if own {
            return;
        }
        if target.is_none() && live && !self.outbox.items.contains_key(&id) {
            // Said by another session of ours, which alone knows whose session this is: ours, perhaps.
            let open = self
                .message(chat, id)
                .is_some_and(|view| view.mine && view.state == MessageState::Waiting);
            if open && state == "acknowledged" {
                io.frame(&ClientFrame::Status { ids: vec![id] });
            }
            return;
        }
        if state == "acknowledged" {
            self.arrived_while_held(chat, id);
        }
        let held = |item: &super::Outgoing| item.stage == Stage::Held;
        if self.outbox.items.get(&id).is_some_and(held) {
            return;
        }
        self.note_target(id, state, target);
        match state {
            "claimed" => self.progress(io, chat, id, MessageState::Delivered, true),
            "acknowledged" => {
                if let Some(target) = target
                    && let Some(epoch) = self.outbox.epochs.get_mut(&target)
                {
                    epoch.acknowledged();
                }
                self.was_collected(io, chat, id);
            }
            "returned" | "waiting" if !self.collected.contains(&id) => self.returned(io, chat, id),
            "cannot_open" => {
                let target = target.unwrap_or(Target::Account {
                    account: user(chat),
                });
                self.cannot_open_heard(io, id, target);
            }
            "expired" => self.expire(io, id),
            _ => {}
        }
    }

    /// What a target does; without a name it is said of all of the recipient's.
    fn note_target(&mut self, id: Id, state: &str, target: Option<Target>) {
        let own = self.user;
        let Some(sealed) = self
            .outbox
            .items
            .get_mut(&id)
            .and_then(|item| item.sealed.as_mut())
        else {
            return;
        };
        let named = sealed
            .targets
            .iter_mut()
            .filter(|(of, _)| target.map_or(*of.account() != own, |target| target == **of));
        for (_, seen) in named {
            match state {
                "claimed" | "acknowledged" => {
                    seen.claimed = true;
                    seen.opened = true;
                }
                "returned" | "waiting" => seen.claimed = false,
                _ => {}
            }
        }
    }

    /// Opened, perhaps, but not read: the lease has run out.
    fn returned(&mut self, io: &mut Io, chat: Id, id: Id) {
        let by_server = self
            .message(chat, id)
            .is_some_and(|view| view.state == MessageState::Delivered && view.by_server);
        if by_server {
            self.set_state(io, chat, id, MessageState::Waiting, false);
        }
        if self.outbox.items.contains_key(&id) && !io.timers.is_set(Timer::Fallback(id)) {
            self.watch_claim(io, id);
        }
    }

    fn find_target(&self, id: Id, named: Id, live: bool) -> Option<Target> {
        let sealed = self.outbox.items.get(&id)?.sealed.as_ref()?;
        sealed
            .targets
            .keys()
            .find(|target| match target.live_id() {
                Some(live_id) => live && live_id.as_bytes() == named.as_bytes(),
                None => !live && id_of(target.account()) == named,
            })
            .copied()
            .or_else(|| {
                // A live slot that is named by its account only.
                sealed
                    .targets
                    .keys()
                    .find(|target| id_of(target.account()) == named)
                    .copied()
            })
    }

    /// Answers to [`ClientFrame::Status`].
    pub(crate) fn statuses_came(&mut self, io: &mut Io, states: Vec<StatusEntry>) {
        for entry in states {
            match entry.state.as_str() {
                "unknown" => self.vanish(io, entry.id),
                state => self.status_heard(io, entry.id, state, None, false),
            }
        }
    }

    /// After connecting: what was on its way is sent again, what waits is asked about.
    pub(crate) fn reconnected(&mut self, io: &mut Io) {
        let submitted: Vec<Id> = self
            .outbox
            .items
            .iter()
            .filter(|(_, item)| item.stage == Stage::Submitted)
            .map(|(id, _)| *id)
            .collect();
        for id in submitted {
            self.submit(io, id);
        }
        let waiting: Vec<Id> = self
            .outbox
            .items
            .iter()
            .filter(|(_, item)| item.stage == Stage::Accepted)
            .map(|(id, _)| *id)
            .collect();
        for part in waiting.chunks(MAX_STATUS) {
            io.frame(&ClientFrame::Status { ids: part.to_vec() });
        }
        for cache in self.outbox.bundles.values_mut() {
            *cache = super::BundleCache::default();
        }
        self.pump(io);
    }

    /// The server was restarted: what waited there is gone.
    pub(crate) fn server_restarted(&mut self, io: &mut Io) {
        let gone: Vec<Id> = self
            .outbox
            .items
            .iter()
            .filter(|(_, item)| item.stage == Stage::Accepted)
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            self.vanish(io, id);
        }
        self.unread_vanished(io);
    }

    /// A message that the server had is not there any more.
    fn vanish(&mut self, io: &mut Io, id: Id) {
        let Some(item) = self.outbox.items.get_mut(&id) else {
            return;
        };
        if item.stage != Stage::Accepted {
            return;
        }
        if self.collected.contains(&id) {
            // It arrived before.
            self.outbox.items.remove(&id);
            return;
        }
        let chat = item.chat;
        let repeated = matches!(
            item.content,
            Content::Request { .. } | Content::Accept { .. }
        );
        io.timers.cancel(Timer::Expire(id));
        io.timers.cancel(Timer::Fallback(id));
        if repeated {
            // Nobody's words: sent once more without asking.
            item.stage = Stage::Queued;
            item.sealed = None;
            item.wanted = None::<Wanted>;
            self.outbox.queue.push(id);
            return;
        }
        self.outbox.items.remove(&id);
        let unread = self
            .message(chat, id)
            .is_some_and(|view| matches!(view.state, MessageState::Waiting));
        let half_read = self
            .message(chat, id)
            .is_some_and(|view| view.state == MessageState::Delivered && view.by_server);
        if unread || half_read {
            self.set_state(io, chat, id, MessageState::Vanished, false);
        }
    }
}

/// How far a state is; 0 for those that end the way.
const fn rank(state: MessageState) -> u8 {
    match state {
        MessageState::Sending => 1,
        MessageState::Waiting | MessageState::Vanished | MessageState::Expired => 2,
        MessageState::Delivered => 3,
        MessageState::Read => 4,
        _ => 0,
    }
}
