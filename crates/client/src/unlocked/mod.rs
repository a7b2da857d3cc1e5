//! The unlocked account: its parts, and what crosses them. Dropping it overwrites the secrets.
//!
//! Commands, answers, frames and timers come here and go to the part that they are for. What a part
//! returns or asks for as an effect is done here. Parts are reached through their methods alone.

mod apply;
mod changes;
mod claims;
mod compose;
mod invites;
mod messages;
mod opening;
mod people;
mod requests;
mod safes;
mod sending;
mod shown;
mod slots;
mod socket;
mod states;
mod words;

use api::Own;
use api::ids::BootId;

use crate::answers::Answer;
use crate::command::{Command, tag_of};
use crate::effects::Effect;
use crate::event::Me;
use crate::failure::Failure;
use crate::id::{LiveId, UserId};
use crate::io::Io;
use crate::purpose::Open;
use crate::state::boot::Boot;
use crate::state::contacts::Contacts;
use crate::state::conversations::Conversations;
use crate::state::drafts::Drafts;
use crate::state::inbox::Inbox;
use crate::state::outbox::{Outbox, Receipts};
use crate::state::prekeys::{Batches, in_use_came};
use crate::state::presence::Presence;
use crate::state::safes::{After, Safe};
use crate::timers::Timer;

/// The unlocked account.
pub(crate) struct Unlocked {
    pub(crate) me: Me,
    pub(crate) user: UserId,
    pub(crate) safe: Safe,
    pub(crate) presence: Presence,
    pub(crate) outbox: Outbox,
    pub(crate) inbox: Inbox,
    pub(crate) contacts: Contacts,
    pub(crate) chats: Conversations,
    pub(crate) receipts: Receipts,
    pub(crate) drafts: Drafts,
    /// The run of the server that is known.
    pub(crate) boot: Boot,
    pub(crate) batches: Batches,
}

impl Unlocked {
    pub(crate) fn new(me: Me, live: LiveId, safe: Safe) -> Self {
        Self {
            user: me.user_id,
            safe,
            presence: Presence::new(me.user_id, live),
            outbox: Outbox::new(me.user_id, live),
            inbox: Inbox::new(me.user_id, live),
            contacts: Contacts::default(),
            chats: Conversations::new(me.user_id),
            me,
            receipts: Receipts::default(),
            drafts: Drafts::default(),
            boot: Boot::default(),
            batches: Batches::default(),
        }
    }

    /// Everything a tab has to know.
    pub(crate) fn snapshot(&self, io: &mut Io) {
        for effect in [
            Effect::TellSettings,
            Effect::TellChats,
            Effect::TellRequests,
        ] {
            io.ask(effect);
        }
        self.contacts.emit_blocked(io, &self.safe);
        self.drafts.tell(io);
    }

    /// A boot id was heard: a new one means that what waited is gone.
    pub(crate) fn boot_heard(&mut self, io: &mut Io, boot: BootId, signed: &[u8]) {
        if self.boot.heard(io, boot, signed, &mut self.safe) {
            self.server_restarted(io);
        }
    }

    /// After every input: writes, claims and views that are due; gives why the account locks, if so.
    pub(crate) fn settle(&mut self, io: &mut Io) -> Option<&'static str> {
        self.resume_parked(io);
        for after in self.safe.take_stored() {
            match after {
                After::Acknowledge(id) => self.marked(io, id),
                After::Publish(batch) => self.batches.publish_batch(io, batch),
            }
        }
        self.go_on(io);
        self.receipts
            .acknowledge_receipted(io, &mut self.inbox, &self.outbox);
        self.go_on(io);
        self.safe.flush(io);
        while let Some(effect) = io.effects.next() {
            match effect {
                Effect::TellSettings => self.safe.emit_settings(io),
                Effect::TellRequests => {
                    self.contacts.emit_requests(io, &self.chats, &self.safe);
                }
                Effect::TellChats => self.chats.emit_chats(io, &self.contacts, &self.safe),
                Effect::Lock(reason) => return Some(reason),
                other => self.apply(io, other),
            }
        }
        None
    }

    /// Does the effects up to [`Effect::Claim`] until none is asked for.
    pub(crate) fn go_on(&mut self, io: &mut Io) {
        while let Some(effect) = io.effects.next_up_to(Effect::Claim) {
            self.apply(io, effect);
        }
    }

    pub(crate) fn apply(&mut self, io: &mut Io, effect: Effect) {
        match effect {
            Effect::DropEpochs(chat) => self.outbox.drop_epochs(chat),
            Effect::Release(chat) => self.release_held(io, chat),
            Effect::Send => self.pump(io),
            Effect::Claim => self.claim_next(io),
            Effect::TellSettings | Effect::TellRequests | Effect::TellChats | Effect::Lock(_) => {}
        }
    }

    pub(crate) fn timer(&mut self, io: &mut Io, timer: Timer) {
        match timer {
            Timer::Bucket => self.publish(io),
            Timer::Prekeys => self.batches.look_after_prekeys(io, &self.safe),
            Timer::Receipts => self.receipts.send(io, &mut self.outbox, &self.safe),
            Timer::Claim => self.claim_timed_out(io),
            Timer::Fallback(id) => self.fallback_due(io, id),
            Timer::Expire(id) => self.expire(io, id),
            Timer::Burn(id) => self.burn_now(io, id),
            Timer::Untold(id) => self.chats.untold(io, id, &self.safe),
            Timer::Resend(id) => self.resend_due(io, id),
            Timer::Bundles(user) => self.outbox.bundles_due(io, user),
            Timer::Retry(id) => self.inbox.retry_due(io, id),
            Timer::Gaps => self.inbox.gaps_due(io, &mut self.chats, &self.safe),
            Timer::Stranded => self.stranded_due(io),
            // The next settling writes.
            Timer::SafeRetry => {}
            Timer::SafeReread => self.inbox.reread_due(io, &mut self.safe),
            Timer::Lookups => self.contacts.lookups_due(io),
            Timer::List => self.inbox.ask_list(io),
            Timer::Reconnect | Timer::Ping | Timer::IdleLock | Timer::Confirmation => {}
        }
    }

    pub(crate) fn command(&mut self, io: &mut Io, command: Command) {
        match command {
            Command::SetSettings(change) => self.safe.set_settings(io, &change),
            Command::Lookup { handle } => self.contacts.lookup(io, &handle),
            Command::RequestContact { handle, greeting } => {
                self.contacts.request_contact(io, &handle, greeting);
            }
            Command::AcceptRequest { chat } => self.accept_request(io, chat),
            Command::RefuseRequest { chat } => self.refuse_request(io, chat),
            Command::Block { chat } => self.block(io, chat),
            Command::Unblock { chat } => self.unblock(io, chat),
            Command::RemoveContact { chat } => self.remove_contact(io, chat),
            Command::SafetyNumber { chat } => {
                self.contacts.show_safety_number(io, chat, &self.safe)
            }
            Command::SetVerified { chat, verified } => {
                self.contacts
                    .set_verified(io, chat, verified, &mut self.safe)
            }
            Command::CheckScan { chat, scanned } => {
                self.contacts.check_scan(io, chat, &scanned, &mut self.safe)
            }
            Command::AcceptChangedKey { chat } => {
                self.contacts.accept_changed_key(io, chat, &mut self.safe)
            }
            Command::AcknowledgeKeys { chat } => {
                self.contacts.acknowledge_keys(io, chat, &mut self.safe)
            }
            Command::OpenChat { chat } => self.chats.emit_conversation(io, chat, &self.safe),
            Command::SetChat { chat, change } => self.safe.set_chat(io, chat, &change),
            Command::Send {
                chat,
                text,
                burn,
                life_secs,
                tag,
            } => self.send(io, chat, text, burn, life_secs, tag),
            Command::SendAgain { chat, message } => self.send_again(io, chat, message),
            Command::Edit {
                chat,
                message,
                text,
            } => self.edit(io, chat, message, text),
            Command::Delete {
                chat,
                message,
                everywhere,
            } => self.delete(io, chat, message, everywhere),
            Command::Reveal { chat, message } => self.reveal(io, chat, message),
            Command::Shown { chat, messages } => self.shown(io, chat, &messages),
            Command::Hide { chat, messages } => self.hide(io, chat, &messages),
            Command::Draft { chat, text, tag } => self.drafts.set(io, chat, text, tag),
            Command::Typing { chat } => self.outbox.typing(io, chat, &self.safe),
            other => io.failed(tag_of(&other), Failure::new(Own::Busy)),
        }
    }

    pub(crate) fn answered(&mut self, io: &mut Io, purpose: Open, answer: Answer) {
        match purpose {
            Open::SafeRead(number) => self.safes_came(io, number, answer),
            Open::SafeWritten => self.written(io, false, answer),
            Open::PrekeySafeWritten => self.written(io, true, answer),
            Open::Stock => self.batches.stock_came(io, answer, &mut self.safe),
            Open::BatchPut => self.batches.batch_put(io, answer, &mut self.safe),
            Open::InUse => in_use_came(io, &mut self.safe, answer),
            Open::Bundles { user, want_prekey } => self.bundles_came(io, user, want_prekey, answer),
            Open::Posted(id) => self.posted(io, id, answer),
            Open::Parcel(id, ticket) => self.parcel_fetched(io, id, *ticket, answer),
            Open::Sender(sender) => self.sender_came(io, sender, answer),
            Open::Lookup { handle } => self.contacts.looked_up(io, handle, answer, &self.safe),
            Open::Request(greeting) => self.request_found(io, &greeting, answer),
            Open::Inviter(invite) => self.inviter_found(io, invite, answer),
            Open::InviteUsed { invite, inviter } => {
                self.invite_used(io, &invite, &inviter, answer);
            }
            Open::OwnInvites => self.contacts.own_invites_came(io, answer),
        }
    }
}
