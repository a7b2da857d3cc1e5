//! A server that is put back from a backup, as an honest one is.

use api::ids::RestoreId;

use super::server::{Account, FakeServer};
use crate::wire::{Restored, SafeData};

/// What a backup holds of the accounts.
#[derive(Debug, Clone)]
pub struct Backup {
    accounts: std::collections::BTreeMap<protocol::ids::UserId, Account>,
    at: u64,
}

impl FakeServer {
    /// Takes a backup: prekey safes and one-time prekeys are not in it.
    #[must_use]
    pub fn back_up(&self) -> Backup {
        let mut accounts = self.accounts.clone();
        for account in accounts.values_mut() {
            account.prekey_safe = SafeData::default();
            account.unclaimed.clear();
        }
        Backup {
            accounts,
            at: self.now(),
        }
    }

    /// Puts a backup back: memory and sessions are gone, and the server says of when its state is.
    pub fn restore(&mut self, backup: Backup, epoch: u8) {
        self.restart();
        self.cookies.clear();
        self.accounts = backup.accounts;
        self.restored = Some(Restored {
            epoch: RestoreId::from_bytes([epoch; 16]),
            at: backup.at,
        });
    }
}
