//! Limits of guesses at the secrets of accounts.

use std::net::IpAddr;

use ephemeral::{Attempt, Key, Rule};

/// All strangers together, and all known devices together, may try one account this many times as often as
/// one of them.
pub(super) const TOGETHER: u32 = 3;

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
    pub(super) by_network: Rule,
    pub(super) by_both: Rule,
    pub(super) by_account: Rule,
    pub(super) by_device: Rule,
    pub(super) by_owner: Rule,
}

/// Makes the rules of one kind of secret: each of them lets guess `burst` times at once and as often a
/// minute.
macro_rules! guesses {
    ($kind:literal, $burst:expr) => {{
        let rule = |name, times: u32, growing| ephemeral::Rule {
            name,
            burst: times.saturating_mul($burst.max(1)),
            per: MINUTE,
            growing,
        };
        Guesses {
            by_network: rule(concat!($kind, " by network"), 1, false),
            by_both: rule(concat!($kind, " by account and network"), 1, true),
            by_account: rule(concat!($kind, " by account"), guesses::TOGETHER, true),
            by_device: rule(concat!($kind, " by device"), 1, true),
            by_owner: rule(concat!($kind, " by owner"), guesses::TOGETHER, true),
        }
    }};
}

pub(super) use guesses;

impl Guesses {
    /// Returns what a guess counts as, one after the other.
    pub(super) fn attempts(&self, guesser: &Guesser) -> Vec<Attempt> {
        let attempt = |rule, key| Attempt { rule, key };
        match guesser {
            Guesser::Known { account, device } => vec![
                attempt(self.by_device, Key::of(account, device)),
                attempt(self.by_owner, Key::of(account, &[])),
            ],
            Guesser::Stranger { account, network } => vec![
                attempt(self.by_network, Key::with_network(&[], *network)),
                attempt(self.by_both, Key::with_network(account, *network)),
                attempt(self.by_account, Key::of(account, &[])),
            ],
        }
    }
}
