//! The frames that wait to be written to one socket.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

/// The most frames that wait for a slow client before it is disconnected.
const QUEUE: usize = 512;

/// A frame to be written.
#[derive(Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// JSON.
    Text(String),
    /// A parcel.
    Binary(Bytes),
    /// A frame of the WebSocket itself, encoded.
    Encoded(Bytes),
}

impl Outgoing {
    fn is_message(&self) -> bool {
        !matches!(self, Self::Encoded(_))
    }
}

impl Waiting {
    /// Takes the next frame that may go.
    fn next(&mut self) -> Option<Outgoing> {
        let kept = self.held && !self.over && self.frames.front()?.is_message();
        match kept {
            false => self.frames.pop_front(),
            true => {
                let at = self.frames.iter().position(|frame| !frame.is_message())?;
                self.frames.remove(at)
            }
        }
    }
}

/// A queue with any number of senders and one writer. It takes no memory while it is empty.
#[derive(Default)]
pub struct Outbox(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    frames: VecDeque<Outgoing>,
    over: bool,
    /// Whether messages wait until the first of them is there.
    held: bool,
    /// Whether the writer took a frame since [`Outbox::is_stuck`] was asked last.
    moved: bool,
    writer: Option<Waker>,
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps messages back until [`Outbox::begin`]: others than the first may be there before it.
    pub(super) fn hold(&self) {
        self.lock().held = true;
    }

    /// Lets messages go, after the first one.
    pub(crate) fn begin(&self, first: Option<Outgoing>) {
        let mut waiting = self.lock();
        waiting.held = false;
        if !waiting.over {
            let at = waiting.frames.iter().position(Outgoing::is_message);
            let at = at.unwrap_or(waiting.frames.len());
            first
                .into_iter()
                .for_each(|first| waiting.frames.insert(at, first));
        }
        let writer = waiting.writer.take();
        drop(waiting);
        if let Some(writer) = writer {
            writer.wake();
        }
    }

    /// Queues a frame; returns `false` if too many wait.
    pub(super) fn push(&self, frame: Outgoing) -> bool {
        self.push_below(QUEUE, frame)
    }

    /// Queues a frame that may be left out, unless many wait.
    pub(crate) fn offer(&self, frame: Outgoing) {
        self.push_below(QUEUE / 2, frame);
    }

    fn push_below(&self, most: usize, frame: Outgoing) -> bool {
        let mut waiting = self.lock();
        if waiting.over {
            return true;
        }
        if waiting.frames.len() >= most {
            return false;
        }
        waiting.frames.push_back(frame);
        let writer = waiting.writer.take();
        drop(waiting);
        if let Some(writer) = writer {
            writer.wake();
        }
        true
    }

    /// Drops what waits; nothing is written but a last frame. Only the first end counts.
    pub(crate) fn end(&self, last: Option<Outgoing>) {
        let mut waiting = self.lock();
        if waiting.over {
            return;
        }
        waiting.over = true;
        waiting.frames = last.into_iter().collect();
        let writer = waiting.writer.take();
        drop(waiting);
        if let Some(writer) = writer {
            writer.wake();
        }
    }

    /// Returns whether frames wait and none was taken since the last call.
    pub(crate) fn is_stuck(&self) -> bool {
        let mut waiting = self.lock();
        !std::mem::take(&mut waiting.moved) && !waiting.frames.is_empty()
    }

    /// Takes the next frame; `None` is the end.
    pub(crate) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Outgoing>> {
        let mut waiting = self.lock();
        let Some(frame) = waiting.next() else {
            if waiting.over {
                return Poll::Ready(None);
            }
            if waiting.frames.is_empty() {
                waiting.frames = VecDeque::new();
            }
            waiting.writer = Some(cx.waker().clone());
            return Poll::Pending;
        };
        waiting.moved = true;
        Poll::Ready(Some(frame))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(std::sync::atomic::AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }

    fn text(text: &str) -> Outgoing {
        Outgoing::Text(text.to_owned())
    }

    #[test]
    fn frames_come_in_their_order_and_the_writer_is_woken_for_the_first() {
        let (outbox, woken) = (Outbox::default(), Arc::new(Woken::default()));
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        assert!(outbox.poll_next(&mut cx).is_pending());
        assert!(outbox.push(text("a")) && outbox.push(text("b")));
        assert_eq!(woken.0.load(std::sync::atomic::Ordering::SeqCst), 1);
        for wanted in ["a", "b"] {
            assert_eq!(outbox.poll_next(&mut cx), Poll::Ready(Some(text(wanted))));
        }
        assert!(outbox.poll_next(&mut cx).is_pending());
        assert_eq!(outbox.lock().frames.capacity(), 0);
    }

    #[test]
    fn what_is_full_says_so_and_leaves_out_what_may_be_left_out() {
        let outbox = Outbox::default();
        for _ in 0..QUEUE {
            outbox.offer(text("ping"));
        }
        assert_eq!(outbox.lock().frames.len(), QUEUE / 2);
        for _ in QUEUE / 2..QUEUE {
            assert!(outbox.push(text("frame")));
        }
        assert!(!outbox.push(text("one too many")));
    }

    #[test]
    fn an_end_drops_what_waits_and_is_reached_after_a_last_frame() {
        let outbox = Outbox::default();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(outbox.push(text("unwritten")));
        outbox.end(Some(text("last")));
        outbox.end(None);
        assert!(outbox.push(text("too late")));
        assert_eq!(outbox.poll_next(&mut cx), Poll::Ready(Some(text("last"))));
        assert_eq!(outbox.poll_next(&mut cx), Poll::Ready(None));
    }

    #[test]
    fn the_first_message_goes_before_others_that_were_there_earlier() {
        let encoded = || Outgoing::Encoded(Bytes::from_static(b"handshake"));
        let outbox = Outbox::default();
        let mut cx = Context::from_waker(Waker::noop());
        outbox.hold();
        for frame in [encoded(), text("early"), encoded()] {
            assert!(outbox.push(frame));
        }
        for _ in 0..2 {
            assert_eq!(outbox.poll_next(&mut cx), Poll::Ready(Some(encoded())));
        }
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        assert!(
            outbox
                .poll_next(&mut Context::from_waker(&waker))
                .is_pending()
        );
        assert!(outbox.push(encoded()));
        outbox.begin(Some(text("hello")));
        assert_eq!(woken.0.load(std::sync::atomic::Ordering::SeqCst), 1);
        for wanted in [text("hello"), text("early"), encoded()] {
            assert_eq!(outbox.poll_next(&mut cx), Poll::Ready(Some(wanted)));
        }
        outbox.hold();
        assert!(outbox.push(text("unwritten")));
        outbox.end(None);
        outbox.begin(Some(text("too late")));
        assert_eq!(outbox.poll_next(&mut cx), Poll::Ready(None));
    }

    #[test]
    fn a_writer_is_stuck_that_took_nothing_between_two_looks() {
        let outbox = Outbox::default();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(!outbox.is_stuck());
        outbox.push(text("a"));
        outbox.push(text("b"));
        assert!(outbox.poll_next(&mut cx).is_ready());
        assert!(!outbox.is_stuck());
        assert!(outbox.is_stuck());
        assert!(outbox.poll_next(&mut cx).is_ready());
        assert!(!outbox.is_stuck() && !outbox.is_stuck());
    }
}
