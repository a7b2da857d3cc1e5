//! What the server lists and announces as waiting.

use std::collections::BTreeSet;

use super::turns::Notice;
use super::{Progress, Why};
use crate::account::parse;
use crate::answers::Answer;
use crate::effects::Effect;
use crate::id::MessageId;
use crate::inbox::Inbox;
use crate::io::Io;
use crate::purpose::{Open, Purpose};
use crate::timers::Timer;
use crate::unlocked::Unlocked;
use crate::wire::{Waiting, WaitingList};

impl Inbox {
    /// Asks for the whole list.
    pub(crate) fn ask_list(&self, io: &mut Io) {
        if io.online {
            io.get("/messages", Purpose::Open(Open::Waiting));
        }
    }

    /// One message waits.
    pub(crate) fn waiting_heard(&mut self, io: &mut Io, item: &Waiting) {
        self.note_waiting(io, item);
        io.ask(Effect::Claim);
    }

    fn note_waiting(&mut self, io: &mut Io, item: &Waiting) {
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
}

impl Unlocked {
    /// The server's list at connecting; where there is more, its front.
    pub(crate) fn waiting_listed(&mut self, io: &mut Io, waiting: Vec<Waiting>, more: bool) {
        self.inbox.current = None;
        self.inbox.queue.clear();
        self.inbox.tries.clear();
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

    fn whole_list(&mut self, io: &mut Io, waiting: &[Waiting]) {
        let listed: BTreeSet<MessageId> = waiting.iter().map(|item| item.id).collect();
        for item in waiting {
            self.inbox.note_waiting(io, item);
        }
        // What was shown meanwhile is acknowledged, where the server still has it.
        let marked: Vec<MessageId> = self
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
    }

    /// The whole list came, where the greeting had only its front; or the server could not give it.
    pub(crate) fn list_came(&mut self, io: &mut Io, answer: Answer) {
        if let Some((200, body)) = &answer
            && let Ok(list) = parse::<WaitingList>(body)
        {
            self.inbox.list_pause.answered();
            // Its order counts, not that in which parts of it were heard.
            self.inbox.queue.retain(|(_, why)| *why != Why::First);
            self.whole_list(io, &list.waiting);
            io.ask(Effect::Claim);
        } else {
            let again_ms = self.inbox.list_pause.failed(io.now_ms, &answer);
            io.timers.set(Timer::List, again_ms);
        }
    }
}
