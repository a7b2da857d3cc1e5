//! What one socket is to be told of messages for its live session, and what was pushed to it.
//!
//! Specification: `docs/protocol/messages.md#pushed-messages`.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ephemeral::{MessageId, WaitingItem};
use tokio::sync::Notify;

/// The most messages that are pushed to a socket and neither acknowledged nor returned.
const MOST_PUSHED: usize = 8;

/// The most messages that a socket is still to be told of before it is disconnected.
const MOST_DUE: usize = 512;

/// What to do about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Claim it for the socket's live session, and push it.
    Push(WaitingItem),
    /// Say that it can be claimed.
    Announce(WaitingItem),
}

/// The messages of a socket that asked for delivery, in the order in which they became claimable.
#[derive(Default)]
pub struct Deliveries {
    state: Mutex<State>,
    woken: Notify,
}

#[derive(Default)]
struct State {
    /// Each with whether it was just posted.
    due: VecDeque<(WaitingItem, bool)>,
    /// Claimed for the socket, and neither acknowledged nor returned.
    pushed: Vec<MessageId>,
}

impl Deliveries {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a message can be claimed; returns `false` if too many are noted.
    pub(super) fn note(&self, item: WaitingItem, is_new: bool) -> bool {
        let mut state = self.lock();
        if state.due.len() >= MOST_DUE {
            return false;
        }
        state.due.push_back((item, is_new));
        drop(state);
        self.woken.notify_one();
        true
    }

    /// Waits until a message is noted.
    pub(crate) async fn ready(&self) {
        while self.lock().due.is_empty() {
            self.woken.notified().await;
        }
    }

    /// Takes the next message.
    ///
    /// It is pushed if it was just posted, does not burn, and there is room. What returned from a claim is
    /// announced alone: the client may hold it. A message to be pushed takes its room at once.
    pub(crate) fn next(&self) -> Option<Due> {
        let mut state = self.lock();
        let (item, is_new) = state.due.pop_front()?;
        if state.due.is_empty() {
            state.due = VecDeque::new();
        }
        let has_room = state.pushed.len() < MOST_PUSHED;
        if !is_new || item.burn_on_read || !has_room {
            return Some(Due::Announce(item));
        }
        state.pushed.push(item.id);
        Some(Due::Push(item))
    }

    /// Makes room: the claim of a message has ended, or was not won.
    pub(crate) fn settle(&self, id: MessageId) {
        self.lock().pushed.retain(|pushed| *pushed != id);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ephemeral::{LiveId, Target, UserId};
    use futures_util::FutureExt;

    use super::*;

    fn item(n: u8) -> WaitingItem {
        let account = UserId::from_bytes([1; 16]);
        let live = LiveId::from_bytes([2; 16]);
        WaitingItem {
            id: MessageId::from_bytes([n; 16]),
            poster: UserId::from_bytes([3; 16]),
            burn_on_read: false,
            size: 1,
            expires_at: 1,
            target: Target::Live { account, live },
        }
    }

    #[test]
    fn eight_are_pushed_and_each_that_is_settled_makes_room_for_one() {
        let deliveries = Deliveries::default();
        for n in 0..10 {
            assert!(deliveries.note(item(n), true));
        }
        for n in 0..8 {
            assert_eq!(deliveries.next(), Some(Due::Push(item(n))));
        }
        assert_eq!(deliveries.next(), Some(Due::Announce(item(8))));
        deliveries.settle(item(8).id);
        assert_eq!(deliveries.next(), Some(Due::Announce(item(9))));
        deliveries.settle(item(3).id);
        for n in 10..12 {
            assert!(deliveries.note(item(n), true));
        }
        assert_eq!(deliveries.next(), Some(Due::Push(item(10))));
        assert_eq!(deliveries.next(), Some(Due::Announce(item(11))));
        assert_eq!(deliveries.next(), None);
    }

    #[test]
    fn what_burns_and_what_returned_is_announced_in_its_place() {
        let deliveries = Deliveries::default();
        let burns = WaitingItem {
            burn_on_read: true,
            ..item(1)
        };
        for (item, is_new) in [(item(0), true), (burns, true), (item(2), false)] {
            assert!(deliveries.note(item, is_new));
        }
        assert_eq!(deliveries.next(), Some(Due::Push(item(0))));
        assert_eq!(deliveries.next(), Some(Due::Announce(burns)));
        assert_eq!(deliveries.next(), Some(Due::Announce(item(2))));
    }

    #[test]
    fn whoever_waits_is_woken_and_what_nobody_takes_is_bounded() {
        let deliveries = Deliveries::default();
        let mut ready = Box::pin(deliveries.ready());
        assert!(ready.as_mut().now_or_never().is_none());
        assert!(deliveries.note(item(0), true));
        assert!(ready.now_or_never().is_some());
        for _ in 1..512 {
            assert!(deliveries.note(item(0), true));
        }
        assert!(!deliveries.note(item(0), true));
        while deliveries.next().is_some() {}
        assert!(deliveries.ready().now_or_never().is_none());
        assert_eq!(deliveries.lock().due.capacity(), 0);
    }
}
