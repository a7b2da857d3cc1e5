//! Everything that becomes due, in one ordered set.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{MessageId, UserId};

/// Something that becomes due; at most one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// Open the socket again.
    Reconnect,
    /// Show the server that the socket lives.
    Ping,
    /// A new five-minute bucket begins.
    Bucket,
    /// Look after prekeys: stock, rotation, destruction.
    Prekeys,
    /// The idle time is over: lock.
    IdleLock,
    /// Send the receipts that were collected.
    Receipts,
    /// Write the safe again after a failed try.
    SafeRetry,
    /// Read both safes again after a failed try.
    SafeReread,
    /// The recovery key of a registration or recovery was not confirmed in time.
    Confirmation,
    /// The claim under way was not answered.
    Claim,
    /// Ask again for keys of people.
    Lookups,
    /// Ask again for the whole list of what waits.
    List,
    /// A live message was not read: add a waiting slot.
    Fallback(MessageId),
    /// The message's time is over.
    Expire(MessageId),
    /// The text burns, or burns at its reader.
    Burn(MessageId),
    /// No receipt came of a message that was taken for good.
    Untold(MessageId),
    /// Try a send again.
    Resend(MessageId),
    /// Ask for somebody's bundles again.
    Bundles(UserId),
    /// Look at a message again that another session had taken.
    Retry(MessageId),
    /// A message that is missing before others counts as lost from now on.
    Gaps,
    /// Messages that no session of ours can open count as lost from now on.
    Stranded,
}

/// Deadlines in unix milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    at: BTreeMap<Timer, u64>,
    order: BTreeSet<(u64, Timer)>,
}

impl Timers {
    /// Sets or moves a deadline.
    pub(crate) fn set(&mut self, timer: Timer, at_ms: u64) {
        self.cancel(timer);
        self.at.insert(timer, at_ms);
        self.order.insert((at_ms, timer));
    }

    /// Sets a deadline unless an earlier one is set.
    pub(crate) fn set_earlier(&mut self, timer: Timer, at_ms: u64) {
        let set_ms = self.at.get(&timer).copied();
        self.set(timer, set_ms.map_or(at_ms, |set_ms| set_ms.min(at_ms)));
    }

    /// Forgets a deadline.
    pub(crate) fn cancel(&mut self, timer: Timer) {
        if let Some(at) = self.at.remove(&timer) {
            self.order.remove(&(at, timer));
        }
    }

    /// Whether it is set.
    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.at.contains_key(&timer)
    }

    /// Whether its time has come.
    pub(crate) fn is_due(&self, timer: Timer, now_ms: u64) -> bool {
        self.at.get(&timer).is_some_and(|at| *at <= now_ms)
    }

    /// Takes one that is due.
    pub(crate) fn due(&mut self, now_ms: u64) -> Option<Timer> {
        let (at, timer) = *self.order.first()?;
        if at > now_ms {
            return None;
        }
        self.cancel(timer);
        Some(timer)
    }

    /// The next deadline.
    pub(crate) fn next(&self) -> Option<u64> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Moves all deadlines towards the past, with a clock that was set back.
    pub(crate) fn shift_back(&mut self, by_ms: u64) {
        for at in self.at.values_mut() {
            *at = at.saturating_sub(by_ms);
        }
        self.order = self.at.iter().map(|(timer, at)| (*at, *timer)).collect();
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.at.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{Timer, Timers};

    #[test]
    fn a_moved_deadline_fires_once_at_its_new_time() {
        let mut timers = Timers::default();
        timers.set(Timer::Ping, 10);
        timers.set(Timer::Ping, 20);
        timers.set(Timer::Bucket, 15);
        assert_eq!(timers.next(), Some(15));
        assert_eq!(timers.due(12), None);
        assert_eq!(timers.due(30), Some(Timer::Bucket));
        assert_eq!(timers.due(30), Some(Timer::Ping));
        assert_eq!(timers.due(30), None);
    }

    #[test]
    fn deadlines_move_with_a_clock_that_is_set_back() {
        let mut timers = Timers::default();
        timers.set(Timer::Ping, 1_000);
        timers.shift_back(900);
        assert_eq!(timers.due(99), None);
        assert_eq!(timers.due(100), Some(Timer::Ping));
    }

    #[test]
    fn set_earlier_never_moves_a_deadline_back() {
        let mut timers = Timers::default();
        timers.set_earlier(Timer::Receipts, 10);
        timers.set_earlier(Timer::Receipts, 20);
        assert_eq!(timers.next(), Some(10));
        timers.set_earlier(Timer::Receipts, 5);
        assert_eq!(timers.next(), Some(5));
        timers.cancel(Timer::Receipts);
        assert!(!timers.is_set(Timer::Receipts));
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn nothing_is_due_after_a_clear() {
        let mut timers = Timers::default();
        timers.set(Timer::Ping, 10);
        timers.set(Timer::Bucket, 15);
        timers.clear();
        assert!(!timers.is_set(Timer::Ping) && !timers.is_set(Timer::Bucket));
        assert_eq!((timers.next(), timers.due(20)), (None, None));
    }
}
