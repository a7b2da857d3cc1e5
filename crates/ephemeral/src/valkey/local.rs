//! The connections of this instance.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Connection, UserId};

/// Connections by account, and those that left while their node was away.
#[derive(Default)]
pub(super) struct Local {
    accounts: Mutex<HashMap<UserId, Vec<Connection>>>,
    unsaid: Mutex<Vec<Connection>>,
}

impl Local {
    fn all(&self) -> MutexGuard<'_, HashMap<UserId, Vec<Connection>>> {
        let accounts = self.accounts.lock();
        accounts.unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the nodes were not told that a connection left.
    pub(super) fn note_unsaid(&self, connection: Connection) {
        let unsaid = self.unsaid.lock();
        unsaid
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
    }

    /// Takes those of which the nodes were not told.
    pub(super) fn take_unsaid(&self) -> Vec<Connection> {
        let unsaid = self.unsaid.lock();
        std::mem::take(&mut *unsaid.unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn add(&self, connection: Connection) {
        let mut all = self.all();
        all.entry(connection.account).or_default().push(connection);
    }

    pub(super) fn remove(&self, connection: &Connection) {
        let mut all = self.all();
        if let Some(of_account) = all.get_mut(&connection.account) {
            of_account.retain(|other| other != connection);
            if of_account.is_empty() {
                all.remove(&connection.account);
            }
        }
    }

    pub(super) fn accounts(&self) -> Vec<UserId> {
        self.all().keys().copied().collect()
    }

    pub(super) fn connections(&self) -> Vec<Connection> {
        self.all().values().flatten().copied().collect()
    }
}
