//! What the stream and the handlers of one connection share.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::task::Waker;

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
