//! Limits of guesses at the secrets of accounts.

use std::net::IpAddr;

use super::clock::Injected;
use super::growing::Growing;
use super::{Keyed, TooSoon, keyed, per_minute};

/// All strangers together, and all known devices together, may try one account this many times as often as
/// one of them.
const TOGETHER: u32 = 3;

/// Who tries to prove a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guesser {
    /// A session of the account, or a device from which somebody signed in to it before. What strangers
    /// do never counts against it.
    Known {
        /// Names the account.
        account: [u8; 16],
        /// Names the device or the session among those of the account.
        device: [u8; 32],
    },
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
/// bounds what comes from many networks. Known devices are counted one by one and all those of an account
/// together, so that somebody who can sign in makes no more records of it by being many devices. Each attempt beyond the first ones of an hour costs more.
pub(super) struct Guesses {
    by_network: Keyed<IpAddr>,
    by_both: Growing<([u8; 32], IpAddr)>,
    by_account: Growing<[u8; 32]>,
    by_device: Growing<([u8; 16], [u8; 32])>,
    by_owner: Growing<[u8; 16]>,
}

impl Guesses {
    /// Lets each of them guess `burst` times at once and as often a minute.
    pub(super) fn new(burst: u32, clock: &Injected) -> Self {
        Self {
            by_network: keyed(per_minute(burst), clock),
            by_both: Growing::new(burst, clock),
            by_account: Growing::new(burst.saturating_mul(TOGETHER), clock),
            by_device: Growing::new(burst, clock),
            by_owner: Growing::new(burst.saturating_mul(TOGETHER), clock),
        }
    }

    /// Counts one attempt.
    pub(super) fn begin(&self, guesser: &Guesser, clock: &Injected) -> Result<(), TooSoon> {
        match guesser {
            Guesser::Known { account, device } => {
                self.by_device.take(&(*account, *device))?;
                self.by_owner.take(account)
            }
            Guesser::Stranger { account, network } => {
                self.by_network
                    .check_key(network)
                    .map_err(|not_until| TooSoon::from(&not_until, clock))?;
                self.by_both.take(&(*account, *network))?;
                self.by_account.take(account)
            }
        }
    }

    /// Forgets keys whose limits are fully recovered.
    pub(super) fn forget_idle(&self) {
        self.by_network.retain_recent();
        self.by_both.forget_idle();
        self.by_account.forget_idle();
        self.by_device.forget_idle();
        self.by_owner.forget_idle();
    }
}
