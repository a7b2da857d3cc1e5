//! What the server lists and announces as waiting.

use super::turns::Notice;
use super::{Progress, Why};
use crate::effects::Effect;
use crate::failure::Failure;
use crate::id::MessageId;
use crate::io::Io;
use crate::state::inbox::Inbox;
use crate::timers::Timer;
use crate::wire::{ClientFrame, Stranded, Waiting};
use api::frames::TargetKind;
use std::collections::BTreeSet;

impl Inbox {
    /// Asks for the whole list.
    pub(crate) fn ask_list(&mut self, io: &mut Io) {
        if io.online && self.listing.is_none() {
            self.listing = Some(Vec::new());
            io.frame(&ClientFrame::List {});
        }
    }

    /// The server announced a message that waits.
    pub(crate) fn waiting_heard(&mut self, io: &mut Io, item: &Waiting) {
        self.note_waiting(io, item);
        io.ask(Effect::Claim);
    }

    pub(crate) fn note_waiting(&mut self, io: &mut Io, item: &Waiting) {
        // What this session alone can claim waits: the claim with which it was pushed has ended.
        if item.target == TargetKind::Live {
            self.drop_pushed(item.id);
        }
        self.enqueue(io, item);
    }

    /// Puts a message into the queue, unless it is known.
    pub(super) fn enqueue(&mut self, io: &mut Io, item: &Waiting) {
        let id = item.id;
        if self.done.contains(&id)
            || self.items.contains_key(&id)
            || self.queue.iter().any(|(queued, _)| *queued == id)
            || self.current.as_ref().is_some_and(|c| c.id == id)
            || self.parked_returned(id)
        {
            return;
        }
        self.notices.insert(id, Notice::of(item));
        io.timers.cancel(Timer::Retry(id));
        self.queue.push_back((id, Why::First));
    }

    /// A new connection was greeted: claims of the last one have ended.
    pub(crate) fn connected(&mut self) {
        self.current = None;
        self.queue.clear();
        self.pushed.clear();
        self.tries.clear();
        self.listing = None;
    }

    /// The marked messages that still wait at the server, by its whole list; the other marked ones are finished.
    pub(crate) fn marked_of(&mut self, io: &Io, waiting: &[Waiting]) -> Vec<MessageId> {
        let listed: BTreeSet<MessageId> = waiting.iter().map(|item| item.id).collect();
        let items = self.items.iter();
        let marked = items.filter(|(_, item)| item.progress == Progress::Marked);
        let marked: Vec<MessageId> = marked.map(|(id, _)| *id).collect();
        let (there, gone): (Vec<_>, Vec<_>) = marked
            .into_iter()
            .partition(|id| listed.contains(id) || self.token(*id, io.now_ms).is_some());
        for id in gone {
            self.finish(id);
        }
        there
    }

    /// A part of the list that was asked for; gives the whole list once it is there.
    pub(crate) fn listed(&mut self, part: Vec<Waiting>, more: bool) -> Option<Vec<Waiting>> {
        let listing = self.listing.as_mut()?;
        listing.extend(part);
        if more {
            return None;
        }
        self.list_pause.answered();
        // Its order counts, not that in which parts of it were heard. What was pushed is claimed, and not in it.
        let pushed: BTreeSet<MessageId> = self.pushed_ids();
        self.queue
            .retain(|(id, why)| *why != Why::First || pushed.contains(id));
        self.listing.take()
    }

    /// The server could not give the list: it is asked again.
    pub(crate) fn list_refused(&mut self, io: &mut Io, failure: &Failure) {
        if self.listing.take().is_some() {
            let again_ms = self.list_pause.failed_for(io.now_ms, failure.wait_ms());
            io.timers.set(Timer::List, again_ms);
        }
    }
}

/// How long the sender's client has to seal another slot before a message is called lost, milliseconds.
const PATIENCE_MS: u64 = 30_000;

impl Inbox {
    /// The server lists, at connecting, what no session of ours can open.
    pub(crate) fn stranded_listed(&mut self, io: &mut Io, stranded: Vec<Stranded>) {
        if stranded.is_empty() {
            io.timers.cancel(Timer::Stranded);
        } else {
            io.timers.set(Timer::Stranded, io.now_ms + PATIENCE_MS);
        }
        self.stranded = stranded;
    }

    pub(crate) fn take_stranded(&mut self) -> Vec<Stranded> {
        std::mem::take(&mut self.stranded)
    }
}
