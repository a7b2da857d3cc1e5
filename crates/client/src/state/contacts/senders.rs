//! Asking for people's keys again where the server could not answer.

use std::collections::{BTreeSet, VecDeque};

use crate::answers::Answer;
use crate::id::UserId;
use crate::io::Io;
use crate::pause::Pause;
use crate::purpose::{Open, Purpose};
use crate::state::contacts::Contacts;
use crate::timers::Timer;

/// An answer takes at most this long, milliseconds.
const ANSWER_MS: u64 = 10_000;

/// Look-ups of people that failed, to be made again one by one.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    wanted: VecDeque<UserId>,
    under_way: Option<UserId>,
    pause: Pause,
    /// Whose account does not exist any more, by the server's word.
    gone: BTreeSet<UserId>,
}

impl Lookups {
    /// Whether the server could not answer a moment ago, and is left in peace.
    pub(crate) const fn rest(&self, now_ms: u64) -> bool {
        self.pause.holds(now_ms)
    }

    /// Whether the server says that this account does not exist any more.
    pub(crate) fn is_gone(&self, id: UserId) -> bool {
        self.gone.contains(&id)
    }

    /// The connection ended: whoever is still wanted is asked about on the next.
    pub(crate) fn forget(&mut self) {
        self.wanted.clear();
        self.under_way = None;
        self.gone.clear();
    }
}

impl Contacts {
    /// Somebody's keys are wanted as soon as the server answers again.
    pub(crate) fn want_keys(&mut self, io: &mut Io, id: UserId) {
        let lookups = &mut self.lookups;
        if !lookups.wanted.contains(&id) {
            lookups.wanted.push_back(id);
        }
        io.timers
            .set_earlier(Timer::Lookups, lookups.pause.until_ms());
    }

    /// The pause is over, or the look-up under way was not answered.
    pub(crate) fn lookups_due(&mut self, io: &mut Io) {
        match self.lookups.under_way {
            Some(id) => self.lookup_failed(io, id, &None),
            None => self.next_lookup(io),
        }
    }

    /// The server could not say: nothing follows from it but the wait.
    pub(crate) fn lookup_failed(&mut self, io: &mut Io, id: UserId, answer: &Answer) {
        if self.lookups.under_way == Some(id) {
            self.lookups.under_way = None;
        }
        let until_ms = self.lookups.pause.failed(io.now_ms, answer);
        io.timers.set(Timer::Lookups, until_ms);
        self.want_keys(io, id);
    }

    /// The server answered for somebody: the next one is asked about.
    pub(crate) fn lookup_answered(&mut self, io: &mut Io, id: UserId, exists: bool) {
        let lookups = &mut self.lookups;
        lookups.wanted.retain(|wanted| *wanted != id);
        if lookups.under_way == Some(id) {
            lookups.under_way = None;
        }
        lookups.pause.answered();
        if exists {
            lookups.gone.remove(&id);
        } else {
            lookups.gone.insert(id);
        }
        if lookups.under_way.is_none() {
            io.timers.cancel(Timer::Lookups);
            self.next_lookup(io);
        }
    }

    /// Asks about the next one; none is under way.
    fn next_lookup(&mut self, io: &mut Io) {
        if !io.online {
            return;
        }
        let Some(id) = self.lookups.wanted.pop_front() else {
            return;
        };
        self.lookups.under_way = Some(id);
        io.timers.set(Timer::Lookups, io.now_ms + ANSWER_MS);
        io.get(&format!("/users/{id}"), Purpose::Open(Open::Sender(id)));
    }
}
