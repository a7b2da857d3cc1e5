//! Guesses at the secrets of accounts: how many there may be, and from whom.

use std::net::IpAddr;

use super::clock::Injected;
use super::growing::Growing;
use super::{Keyed, TooSoon, keyed, per_minute};

/// How many times as many strangers together may try one account as one of them may.
const TOGETHER: u32 = 3;

/// Who tries to prove a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guesser {
    /// A session of the account, or a device from which somebody signed in to it before; the bytes
    /// name account and device. What others do never counts against it.
    Known([u8; 32]),
    /// Anybody else.
    Stranger {
        /// Names the account, whether it exists or not.
        account: [u8; 32],
        /// Where it comes from.
        network: IpAddr,
    },
}

/// Limits the guesses at one kind of secret.
///
/// Strangers are counted by network, by network and account together, and by account alone; the last
/// bounds what comes from many networks. Each attempt beyond the first ones of an hour costs more.
pub(super) struct Guesses {
    by_network: Keyed<IpAddr>,
    by_both: Growing<([u8; 32], IpAddr)>,
    by_account: Growing<[u8; 32]>,
    by_device: Growing<[u8; 32]>,
}

impl Guesses {
    /// Lets each of them guess `burst` times at once and as often a minute.
    pub(super) fn new(burst: u32, clock: &Injected) -> Self {
        Self {
            by_network: keyed(per_minute(burst), clock),
            by_both: Growing::new(burst, clock),
            by_account: Growing::new(burst.saturating_mul(TOGETHER), clock),
            by_device: Growing::new(burst, clock),
        }
    }

    /// Counts one attempt.
    pub(super) fn begin(&self, guesser: &Guesser, clock: &Injected) -> Result<(), TooSoon> {
        match guesser {
            Guesser::Known(device) => self.by_device.take(device),
            Guesser::Stranger { account, network } => {
                self.by_network
                    .check_key(network)
                    .map_err(|not_until| TooSoon::from(&not_until, clock))?;
                self.by_both.take(&(*account, *network))?;
                self.by_account.take(account)
            }
        }
    }

    /// Forgets the keys that are as if they had never been seen.
    pub(super) fn forget_idle(&self) {
        self.by_network.retain_recent();
        self.by_both.forget_idle();
        self.by_account.forget_idle();
        self.by_device.forget_idle();
    }
}
