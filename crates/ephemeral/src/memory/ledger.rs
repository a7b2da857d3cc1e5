//! Quotas: what each posting account and all of them together hold or have reserved.

use std::collections::HashMap;
use std::time::Duration;

use crate::memory::platform::Lock;
use crate::reservation::Refund;
use crate::{Config, Full, UserId};

/// Returns how much of a vault that holds `used` one account may hold: half of what is free in an
/// empty one, and less the fuller it is.
///
/// It shrinks with the square of what is free. If a hundred accounts take all that they may, one after
/// the other, the last one still finds room; with a constant fraction it would not.
fn share(used: u64, total: u64) -> u64 {
    let free = u128::from(total.saturating_sub(used));
    let share = free * free / (2 * u128::from(total.max(1)));
    u64::try_from(share).unwrap_or(u64::MAX)
}

#[derive(Default, Clone, Copy)]
struct Usage {
    messages: u64,
    bytes: u64,
}

impl Usage {
    fn plus(self, messages: u64, bytes: u64) -> Self {
        Self {
            messages: self.messages.saturating_add(messages),
            bytes: self.bytes.saturating_add(bytes),
        }
    }

    fn is_within(self, messages: u64, bytes: u64) -> bool {
        self.messages <= messages && self.bytes <= bytes
    }
}

/// Sums messages and bytes, by posting account and in total.
pub(crate) struct Ledger {
    accounts: HashMap<UserId, Usage>,
    total: Usage,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            accounts: HashMap::new(),
            total: Usage::default(),
        }
    }

    /// Charges an account; charges nothing if that would exceed a quota.
    pub(crate) fn charge(
        &mut self,
        config: &Config,
        account: UserId,
        messages: u64,
        bytes: u64,
        retry_after: Duration,
    ) -> Result<(), Full> {
        let total = self.total.plus(messages, bytes);
        let held = self.accounts.get(&account).copied().unwrap_or_default();
        let own = held.plus(messages, bytes);
        if !own.is_within(config.account_messages, config.account_bytes) {
            return Err(Full::Account { retry_after });
        }
        if !total.is_within(config.total_messages, config.total_bytes) {
            return Err(Full::Vault { retry_after });
        }
        let messages = share(self.total.messages, config.total_messages);
        let bytes = share(self.total.bytes, config.total_bytes);
        if !own.is_within(messages.max(1), bytes) {
            return Err(match held.messages {
                0 => Full::Vault { retry_after },
                _ => Full::Account { retry_after },
            });
        }
        self.total = total;
        self.accounts.insert(account, own);
        Ok(())
    }

    /// Refunds a charge.
    pub(crate) fn refund(&mut self, account: UserId, messages: u64, bytes: u64) {
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

impl<L: Lock<Ledger>> Refund for L {
    fn refund(&self, poster: UserId, bytes: u64) {
        self.with(|ledger| ledger.refund(poster, 1, bytes));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const ALICE: UserId = UserId::from_bytes([0xA; 16]);

    fn charge(ledger: &mut Ledger, messages: u64, bytes: u64) -> Result<(), Full> {
        let config = Config {
            account_bytes: 2000,
            ..Config::default()
        };
        ledger.charge(&config, ALICE, messages, bytes, Duration::ZERO)
    }

    #[test]
    fn an_account_may_hold_half_of_an_empty_vault_and_less_by_the_square_of_what_is_free() {
        assert_eq!(share(0, 1000), 500);
        assert_eq!(share(100, 1000), 405);
        assert_eq!(share(500, 1000), 125);
        assert_eq!(share(900, 1000), 5);
        assert_eq!((share(1000, 1000), share(1001, 1000)), (0, 0));
        assert_eq!(share(0, u64::MAX), u64::MAX / 2);
        assert_eq!(share(0, 0), 0);
    }

    #[test]
    fn what_is_charged_for_added_slots_counts_although_the_message_is_given_back_first() {
        let mut ledger = Ledger::new();
        charge(&mut ledger, 1, 600).unwrap();
        charge(&mut ledger, 0, 1000).unwrap();
        ledger.refund(ALICE, 1, 600);
        let full = Full::Account {
            retry_after: Duration::ZERO,
        };
        assert_eq!(charge(&mut ledger, 1, 1001), Err(full));
        assert_eq!(charge(&mut ledger, 1, 1000), Ok(()));
        ledger.refund(ALICE, 1, 2000);
        assert_eq!((ledger.total(), ledger.accounts()), ((0, 0), 0));
    }
}
