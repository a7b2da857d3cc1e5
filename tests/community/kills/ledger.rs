//! What was acknowledged under load, and what was seen meanwhile.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use crate::support::Answer;

/// A message's id.
pub(super) type Id = [u8; 16];

/// What was acknowledged, and what was seen meanwhile.
#[derive(Default)]
pub(super) struct Ledger {
    /// Handle and cookie of whoever registered.
    pub registered: RefCell<Vec<(String, String)>>,
    /// Messages that were taken, by the number of their poster.
    pub posted: RefCell<Vec<(usize, Id)>>,
    /// Messages whose reading was acknowledged.
    pub read: RefCell<BTreeSet<Id>>,
    /// Messages that a reader has in hand, by the number of the reader.
    pub held: RefCell<BTreeMap<Id, usize>>,
    /// Messages that somebody got although another had them or had read them.
    pub twice: Cell<usize>,
    /// Registrations that were refused, and what was answered.
    pub refused: RefCell<Vec<Answer>>,
    /// Posts that were refused, by their codes.
    pub not_sent: RefCell<Vec<String>>,
    /// Codes with which the sockets of posters were closed, by the number of the poster.
    pub closed: RefCell<Vec<(usize, Option<u16>)>>,
    /// How many have registered under a number.
    pub count: Cell<usize>,
    /// Posters and readers that are connected.
    pub present: Cell<usize>,
    /// Whether everybody is to stop.
    pub over: Cell<bool>,
}

impl Ledger {
    /// How many were acknowledged of registrations, messages and readings.
    pub(super) fn counts(&self) -> [usize; 3] {
        [
            self.registered.borrow().len(),
            self.posted.borrow().len(),
            self.read.borrow().len(),
        ]
    }

    /// Messages of a poster that nobody has read.
    pub(super) fn unread_of(&self, poster: usize) -> Vec<Id> {
        let (posted, read) = (self.posted.borrow(), self.read.borrow());
        let of = posted.iter().filter(|(by, _)| *by == poster);
        of.map(|(_, id)| *id)
            .filter(|id| !read.contains(id))
            .collect()
    }

    /// A reader got a message.
    pub(super) fn got(&self, id: Id, reader: usize) {
        let another = self.held.borrow_mut().insert(id, reader).is_some();
        if another || self.read.borrow().contains(&id) {
            self.twice.set(self.twice.get() + 1);
        }
    }

    /// A reader is gone with what it had in hand: others may have it now.
    pub(super) fn let_go(&self, reader: usize) {
        self.held.borrow_mut().retain(|_, by| *by != reader);
    }
}
