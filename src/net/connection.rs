//! What the stream and the handlers of one connection share.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use vault::{Entropy, OsEntropy};

use super::intake::Intake;
use super::outlet::{NONCE_BYTES, Outlet};

/// The bodies on their way past the dispatcher; one worker thread owns a connection.
#[derive(Clone)]
pub(super) struct Connection(Rc<RefCell<Passing>>);

/// Bodies in both directions.
pub(super) struct Passing {
    pub(super) intake: Intake,
    pub(super) outlet: Outlet,
}

impl Connection {
    /// Begins with a nonce that no client can guess.
    pub(super) fn new() -> io::Result<Self> {
        let mut nonce = [0; NONCE_BYTES];
        OsEntropy.fill(&mut nonce).map_err(io::Error::other)?;
        Ok(Self(Rc::new(RefCell::new(Passing {
            intake: Intake::new(),
            outlet: Outlet::new(nonce),
        }))))
    }

    /// Looks at what passes. Not reentrant: nothing called inside may come back here.
    pub(super) fn with<R>(&self, look: impl FnOnce(&mut Passing) -> R) -> R {
        look(&mut self.0.borrow_mut())
    }
}
