//! Bounds of the vault.

use std::time::Duration;

/// Bounds what the vault holds and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// How long a claim may stay unacknowledged.
    pub lease: Duration,
    /// The shortest life that a sender may give.
    pub shortest_life: Duration,
    /// The longest life that a sender may give.
    pub longest_life: Duration,
    /// The largest message in bytes, body and slots together.
    pub message_bytes: u64,
    /// The most slots that a message may have.
    pub slots_per_message: usize,
    /// The most messages that one posting account may have waiting; fewer as the vault fills.
    pub account_messages: u64,
    /// The most bytes that one posting account may have waiting, counted as [`cost`](crate::cost)
    /// does; fewer as the vault fills.
    pub account_bytes: u64,
    /// The most messages held in total.
    pub total_messages: u64,
    /// The most bytes held in total, counted as [`cost`](crate::cost) does.
    pub total_bytes: u64,
    /// The most fates of ended messages remembered in total, about 120 bytes each.
    pub tombstones: usize,
    /// The most fates of ended messages remembered for one posting account.
    pub account_tombstones: usize,
}

impl Default for Config {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            lease: Duration::from_secs(30),
            shortest_life: Duration::from_secs(5),
            longest_life: Duration::from_secs(7 * 24 * 3600),
            message_bytes: 4 * MIB,
            slots_per_message: 64,
            account_messages: 10_000,
            account_bytes: 64 * MIB,
            total_messages: 1_000_000,
            total_bytes: 1024 * MIB,
            tombstones: 16_384,
            account_tombstones: 256,
        }
    }
}
