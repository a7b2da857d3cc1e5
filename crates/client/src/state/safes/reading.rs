//! Reading what other sessions wrote, while answers may overtake one another.

use protocol::safe::SafeMark;

use super::Marks;
use crate::pause::Pause;

/// The read of both safes that is on its way, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// The number of the newest read; answers to earlier ones are ignored.
    newest: u32,
    under_way: Option<Read>,
    /// What another session of ours says that it wrote.
    promised: Option<SafeMark>,
    /// Between reads that failed.
    pub(super) pause: Pause,
    /// While both safes are being replaced: whether an answer came.
    held: Option<bool>,
}

/// One read.
#[derive(Debug)]
pub(crate) struct Read {
    /// What was known when it was asked for.
    pub(super) since: Marks,
    /// The versions that the answer must show.
    pub(super) promised: Option<SafeMark>,
    /// Something was written after the question; the answer need not show it.
    pub(super) again: bool,
}

impl Reading {
    /// Notes what another session says that it wrote; the next read must show it.
    pub(crate) const fn promise(&mut self, mark: SafeMark) {
        self.promised = Some(mark);
    }

    /// The number of the next read that begins.
    pub(crate) const fn next_number(&self) -> u32 {
        self.newest.wrapping_add(1)
    }

    /// Whether an answer is awaited.
    pub(crate) const fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// Whether the last read failed.
    pub(crate) const fn has_failed(&self) -> bool {
        self.pause.has_failed()
    }

    /// When a read may be asked for, after one that failed.
    pub(crate) const fn rests_until_ms(&self) -> u64 {
        self.pause.until_ms()
    }

    /// Begins a read and gives its number; none while one is on its way, which is repeated then.
    pub(super) const fn begin(&mut self, since: Marks) -> Option<u32> {
        if let Some(read) = &mut self.under_way {
            read.again = true;
            return None;
        }
        self.newest = self.newest.wrapping_add(1);
        self.under_way = Some(Read {
            since,
            promised: self.promised.take(),
            again: false,
        });
        Some(self.newest)
    }

    /// The answer to a read came; none if nobody waits for it any more.
    pub(crate) const fn end(&mut self, number: u32) -> Option<Read> {
        if number == self.newest {
            self.under_way.take()
        } else {
            None
        }
    }

    /// Takes no answer until [`release`](Self::release): both safes are being replaced.
    pub(super) const fn hold(&mut self) {
        self.held = Some(false);
    }

    /// Whether an answer that came now is not taken; it is remembered that one came.
    pub(super) const fn is_held(&mut self) -> bool {
        match &mut self.held {
            Some(came) => {
                *came = true;
                true
            }
            None => false,
        }
    }

    /// Takes answers again; returns whether one came meanwhile.
    pub(super) fn release(&mut self) -> bool {
        self.held.take().unwrap_or(false)
    }

    /// No answer came: the next read must show what this one had to.
    pub(crate) fn unanswered(&mut self) {
        let promised = self.under_way.take().and_then(|read| read.promised);
        self.promised = self.promised.take().or(promised);
    }

    /// Nobody waits for an answer any more.
    pub(crate) const fn forget(&mut self) {
        self.under_way = None;
    }
}

impl Read {
    /// Whether this answer may rightly show less than what is known by now: it left the server before
    /// what was learnt since.
    pub(super) fn overtaken(&self, now: &Marks, offered: &Marks) -> bool {
        let older = offered.safe.version < now.safe.version
            || offered.prekeys.version < now.prekeys.version;
        older && self.since.check(offered).is_ok()
    }
}
