//! Parcels, lists and keys that came: what is opened next, and what rests.
//!
//! Specification: `docs/protocol/messages.md#claims-and-leases`.

use crate::answers::Answer;
use crate::effects::Effect;
use crate::event::MessageState;
use crate::failure::Failure;
use crate::flows::parse;
use crate::id::{MessageId, UserId};
use crate::io::Io;
use crate::refusal::Refusal;
use crate::refuse::of_link;
use crate::state::inbox::Await;
use crate::state::inbox::claims::{Came, is_passing, is_taken};
use crate::unlocked::Unlocked;
use crate::wire::{Person, Waiting};
use api::{Code, Own};
use protocol::link::{LinkError, Ticket, TicketOpener};
use zeroize::Zeroizing;

impl Unlocked {
    /// Begins the next claim, or opens what was pushed if it is its turn.
    pub(super) fn claim_next(&mut self, io: &mut Io) {
        if self.inbox.next_claim(io, &self.contacts, &self.safe) {
            self.open_current(io);
        }
    }

    /// No answer came to the claim under way in time.
    pub(crate) fn claim_timed_out(&mut self, io: &mut Io) {
        match self.inbox.awaits() {
            Some(Await::Keys(of)) => self.sender_came(io, of, None),
            Some(Await::Safe) => {
                self.safe.read_unanswered();
                self.inbox
                    .leave_for_safe(io, &mut self.contacts, &self.safe);
            }
            _ => self.inbox.claim_lost(io),
        }
    }

    /// A parcel over the socket.
    pub(crate) fn parcel(&mut self, io: &mut Io, bytes: &[u8]) {
        match self.inbox.parcel_came(io, bytes) {
            Came::Nothing => {}
            Came::Malformed => self.claim_timed_out(io),
            Came::ToOpen => self.open_current(io),
            Came::ToAcknowledge(id) => {
                (self.receipts).acknowledge(io, id, &mut self.inbox, &self.outbox);
                self.inbox.claim_done(io);
            }
        }
    }

    /// The answer to the fetching of a large parcel, which only its ticket opens.
    pub(crate) fn parcel_fetched(
        &mut self,
        io: &mut Io,
        id: MessageId,
        ticket: Ticket,
        answer: Answer,
    ) {
        if !self.inbox.is_awaited(id, Await::Parcel) {
            return;
        }
        let failure = match answer {
            Some((200, body)) => {
                match opened_body(ticket.into_opener(), Zeroizing::new(body)) {
                    Ok(parcel) => self.parcel(io, &parcel),
                    Err(error) => {
                        let refusal = of_link(&error).unwrap_or(Refusal::BrokenLink);
                        io.refused(refusal, None, Some(id));
                        self.claim_timed_out(io);
                    }
                }
                return;
            }
            Some((status, body)) => Some(Failure::from_answer(status, &body)),
            None => None,
        };
        match failure.filter(|failure| failure.code != Code::Gone.name()) {
            Some(failure) => self.claim_refused(io, id, &failure),
            // Perhaps only the ticket is over: the answer to the next claim says so.
            None => self.claim_timed_out(io),
        }
    }

    /// The server did not give a claimed message: for now, or because it is gone.
    pub(crate) fn claim_refused(&mut self, io: &mut Io, id: MessageId, failure: &Failure) {
        if self.inbox.claim_refused(io, id, failure) {
            self.reveal_refused(io, id, failure);
        }
    }

    /// Another session won, the server could not give it now, or it is gone.
    pub(crate) fn reveal_refused(&mut self, io: &mut Io, id: MessageId, failure: &Failure) {
        let Some((chat, sender)) = self.inbox.said_by(id) else {
            return;
        };
        let name = self.chats.name(chat, sender, id).unwrap_or(id);
        let told = match (is_passing(failure), is_taken(failure)) {
            (true, _) => failure.clone(),
            (false, true) => Failure::new(Own::MessageTaken),
            (false, false) => Failure::new(Own::MessageGone),
        };
        io.failed_at("reveal", told, Some(chat), Some(name));
        if !is_taken(failure) && !is_passing(failure) {
            self.inbox.finish(id);
            if let Some(view) = self.chats.message_mut(chat, name) {
                view.sealed = false;
            }
            self.chats
                .set_state(io, chat, name, MessageState::Gone, true, &self.safe);
        }
    }

    /// The server's list at connecting; where there is more, its front.
    pub(crate) fn waiting_listed(&mut self, io: &mut Io, waiting: Vec<Waiting>, more: bool) {
        self.inbox.connected();
        if more {
            for item in &waiting {
                self.inbox.note_waiting(io, item);
            }
            self.inbox.ask_list(io);
        } else {
            self.whole_list(io, &waiting);
        }
        io.ask(Effect::Claim);
    }

    pub(crate) fn whole_list(&mut self, io: &mut Io, waiting: &[Waiting]) {
        for item in waiting {
            self.inbox.note_waiting(io, item);
        }
        // What was shown meanwhile is acknowledged, where the server still has it.
        for id in self.inbox.marked_of(io, waiting) {
            (self.receipts).acknowledge(io, id, &mut self.inbox, &self.outbox);
        }
    }

    /// A part of the whole list came, where the greeting had only its front.
    pub(crate) fn listed(&mut self, io: &mut Io, waiting: Vec<Waiting>, more: bool) {
        if let Some(waiting) = self.inbox.listed(waiting, more) {
            self.whole_list(io, &waiting);
            io.ask(Effect::Claim);
        }
    }

    /// Somebody's keys came, or the server could not give them.
    pub(crate) fn sender_came(&mut self, io: &mut Io, sender: UserId, answer: Answer) {
        let awaited = self.inbox.awaits() == Some(Await::Keys(sender));
        let gone = matches!(&answer, Some((404, body))
            if Failure::from_answer(404, body).code == Code::NoSuchUser.name());
        if !gone && !matches!(answer, Some((200, _))) {
            self.contacts.lookup_failed(io, sender, &answer);
            if awaited {
                self.inbox.sender_unknown();
                self.open_current(io);
            }
            return;
        }
        if let Some((200, body)) = answer
            && let Ok(found) = parse::<Person>(&body)
            && found.user_id == sender
        {
            self.contacts.note_person(&found);
            if let Ok(keys) = self.contacts.decode_keys(io, sender, &found.public_keys) {
                // Other keys than the pinned ones never block reading; the next send asks.
                self.contacts.pin_holds(io, sender, keys, &mut self.safe);
            }
        }
        self.contacts.lookup_answered(io, sender, !gone);
        self.inbox.keys_answered(sender);
        if awaited {
            self.open_current(io);
        }
    }

    /// Opens what rested and can go on, in the order in which it was claimed.
    pub(crate) fn resume_parked(&mut self, io: &mut Io) {
        if !self.inbox.rests() {
            return;
        }
        while self.inbox.resume(io, &self.contacts, &self.safe) {
            self.open_current(io);
        }
        io.ask(Effect::Claim);
    }
}

/// A whole body out of its sealed chunks.
fn opened_body(
    mut opener: TicketOpener,
    mut sealed: Zeroizing<Vec<u8>>,
) -> Result<Zeroizing<Vec<u8>>, LinkError> {
    let mut body = Zeroizing::new(Vec::with_capacity(sealed.len()));
    let mut rest = sealed.as_mut_slice();
    while let Some(len) = opener.next_len() {
        let (chunk, more) = rest.split_at_mut_checked(len).ok_or(LinkError::TooLong)?;
        body.extend_from_slice(opener.open(chunk)?);
        rest = more;
    }
    match rest.is_empty() && opener.is_whole() {
        true => Ok(body),
        false => Err(LinkError::TooLong),
    }
}
