//! The trait of rate limits.

use core::net::IpAddr;
use std::time::Duration;

use crate::{Answer, UserId};

/// A bucket for each key: it holds `burst` attempts and refills within `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Tells it from every other rule.
    pub name: &'static str,
    /// Attempts at once; at least one.
    pub burst: u32,
    /// The time in which an empty bucket fills.
    pub per: Duration,
    /// Whether twice as much of the bucket goes with each attempt after the first `burst`, four times
    /// as much after twice as many, and so on up to sixteen times, until an hour has passed without
    /// one.
    pub growing: bool,
}

/// Whose attempts are counted: an account, a network, a hash, or two of them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u8; Self::LEN]);

impl Key {
    const LEN: usize = 48;

    /// Joins two parts, of 48 bytes together at most; those of one rule have the same lengths.
    pub fn of(first: &[u8], second: &[u8]) -> Self {
        let mut key = [0; Self::LEN];
        for (place, byte) in key.iter_mut().zip(first.iter().chain(second)) {
            *place = *byte;
        }
        Self(key)
    }

    /// Returns the bytes.
    pub(crate) fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Joins something with a network.
    pub fn with_network(first: &[u8], network: IpAddr) -> Self {
        // An address of the older kind has a form of its own among the newer ones.
        let network = match network {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        Self::of(first, &network.octets())
    }
}

/// One attempt to be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The rule.
    pub rule: Rule,
    /// Whose attempt.
    pub key: Key,
}

/// Too many attempts; when there may be another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts; try again in {} s", .0.as_secs() + 1)]
pub struct TooSoon(pub Duration);

/// Counts attempts, and who writes to whom.
pub trait RateLimits: Send + Sync {
    /// Counts attempts one after the other, up to the first that is refused; a refused one is not
    /// counted.
    fn take(&self, attempts: &[Attempt]) -> Answer<'_, Result<(), TooSoon>>;

    /// Notes that an account writes to others. One to which it did not write within a day, nor was
    /// written to, is an attempt of `beginnings`.
    fn writes_to(
        &self,
        from: UserId,
        to: &[UserId],
        beginnings: Rule,
    ) -> Answer<'_, Result<(), TooSoon>>;

    /// Returns those of the accounts that have not written to the reader within eight days, which is a
    /// day more than a message waits at most.
    fn never_wrote_to(&self, reader: UserId, accounts: &[UserId]) -> Answer<'_, Vec<UserId>>;
}
