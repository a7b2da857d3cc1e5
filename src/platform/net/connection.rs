//! What the stream and the handlers of one connection share.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use ambient::{Entropy, OsEntropy};

use super::intake::Intake;
use super::outlet::{KEY_BYTES, Outlet};

/// The bodies on their way past the dispatcher; one worker thread owns a connection.
#[derive(Clone)]
pub(super) struct Connection(Rc<RefCell<Passing>>);

/// Bodies in both directions.
pub(super) struct Passing {
    pub(super) intake: Intake,
    pub(super) outlet: Outlet,
    /// Whoever reads the stream, while something is held back from it.
    pub(super) reader: Option<Waker>,
    /// Whether the dispatcher has handed the connection over.
    pub(super) handed_over: bool,
    /// Whoever waits for more of a connection that was handed over.
    listener: Option<Waker>,
    /// Whether nothing more comes on a connection that was handed over.
    over: bool,
}

impl Passing {
    /// Waits for more of a connection that was handed over; ready if nothing more comes.
    pub(super) fn poll_over<T>(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if self.over {
            return Poll::Ready(None);
        }
        self.listener = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Wakes whoever waits for more of a connection that was handed over.
    pub(super) fn came(&mut self, over: bool) {
        self.over |= over;
        if let Some(listener) = self.listener.take() {
            listener.wake();
        }
    }
}

impl Connection {
    /// Begins with nonces that no client can guess.
    pub(super) fn new() -> io::Result<Self> {
        let mut key = [0; KEY_BYTES];
        OsEntropy.fill(&mut key).map_err(io::Error::other)?;
        Ok(Self(Rc::new(RefCell::new(Passing {
            intake: Intake::new(),
            outlet: Outlet::new(key),
            reader: None,
            handed_over: false,
            listener: None,
            over: false,
        }))))
    }

    /// Looks at what passes. Not reentrant: nothing called inside may come back here.
    ///
    /// Whoever waits to read is woken when nothing has to be held back any longer.
    pub(super) fn with<R>(&self, look: impl FnOnce(&mut Passing) -> R) -> R {
        let (result, woken) = {
            let mut passing = self.0.borrow_mut();
            let result = look(&mut passing);
            let free = passing.reader.is_some() && passing.intake.may_read();
            (result, if free { passing.reader.take() } else { None })
        };
        if let Some(waker) = woken {
            waker.wake();
        }
        result
    }
}
