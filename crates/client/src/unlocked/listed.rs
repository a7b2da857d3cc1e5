//! What the server lists and announces as waiting.

use crate::answers::Answer;
use crate::effects::Effect;
use crate::io::Io;
use crate::unlocked::Unlocked;
use crate::wire::Waiting;

impl Unlocked {
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
            self.acknowledge(io, id);
        }
    }

    /// The whole list came, where the greeting had only its front; or the server could not give it.
    pub(crate) fn list_came(&mut self, io: &mut Io, answer: Answer) {
        if let Some(waiting) = self.inbox.list_came(io, answer) {
            self.whole_list(io, &waiting);
            io.ask(Effect::Claim);
        }
    }
}
