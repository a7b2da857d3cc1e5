//! Quotas: what each posting account and all of them together hold or have reserved.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::platform::{Lock, Native, Platform};
use crate::{AccountId, Config, Full};

#[derive(Default, Clone, Copy)]
struct Usage {
    messages: u64,
    bytes: u64,
}

/// Sums messages and bytes, by posting account and in total.
pub(crate) struct Ledger {
    accounts: HashMap<AccountId, Usage>,
    total: Usage,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            accounts: HashMap::new(),
            total: Usage::default(),
        }
    }

    /// Charges an account, or nothing at all when that would break a quota.
    pub(crate) fn charge(
        &mut self,
        config: &Config,
        account: AccountId,
        messages: u64,
        bytes: u64,
        retry_after: Duration,
    ) -> Result<(), Full> {
        let total = Usage {
            messages: self.total.messages.saturating_add(messages),
            bytes: self.total.bytes.saturating_add(bytes),
        };
        let own = self.accounts.get(&account).copied().unwrap_or_default();
        let own = Usage {
            messages: own.messages.saturating_add(messages),
            bytes: own.bytes.saturating_add(bytes),
        };
        if own.messages > config.account_messages || own.bytes > config.account_bytes {
            return Err(Full::Account { retry_after });
        }
        if total.messages > config.total_messages || total.bytes > config.total_bytes {
            return Err(Full::Vault { retry_after });
        }
        self.total = total;
        self.accounts.insert(account, own);
        Ok(())
    }

    /// Takes a charge back.
    pub(crate) fn refund(&mut self, account: AccountId, messages: u64, bytes: u64) {
        self.total.messages = self.total.messages.saturating_sub(messages);
        self.total.bytes = self.total.bytes.saturating_sub(bytes);
        if let Some(own) = self.accounts.get_mut(&account) {
            own.messages = own.messages.saturating_sub(messages);
            own.bytes = own.bytes.saturating_sub(bytes);
            if own.messages == 0 && own.bytes == 0 {
                self.accounts.remove(&account);
            }
        }
    }

    pub(crate) fn total(&self) -> (u64, u64) {
        (self.total.messages, self.total.bytes)
    }

    #[cfg(test)]
    pub(crate) fn accounts(&self) -> usize {
        self.accounts.len()
    }

    pub(crate) fn shrink(&mut self) {
        self.accounts.shrink_to_fit();
    }
}

/// Room for one message, given back when it is dropped unused.
pub struct Reservation<P: Platform = Native> {
    pub(crate) ledger: Arc<P::Lock<Ledger>>,
    pub(crate) poster: AccountId,
    pub(crate) bytes: u64,
    pub(crate) spent: bool,
}

impl<P: Platform> Reservation<P> {
    /// Returns the account that reserved.
    pub fn poster(&self) -> AccountId {
        self.poster
    }

    /// Returns the bytes reserved.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl<P: Platform> Drop for Reservation<P> {
    fn drop(&mut self) {
        if !self.spent {
            self.ledger
                .with(|ledger| ledger.refund(self.poster, 1, self.bytes));
        }
    }
}
