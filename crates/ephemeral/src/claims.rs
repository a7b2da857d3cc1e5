//! The trait of claimed prekeys: a repeated claim within a bucket of time gets the same prekey, and
//! each account's claims are limited.

use crate::{Answer, SessionId, UserId};

/// Seconds of a bucket of time.
pub(crate) const BUCKET_SECS: u64 = 300;

/// Seconds of a day.
pub(crate) const DAY_SECS: u64 = 86_400;

/// The most one-time prekeys of one account that another account may claim in a day.
pub(crate) const PER_DAY: u32 = 25;

/// Who asks for a prekey of whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimer {
    /// The session that asks.
    pub session: SessionId,
    /// Its account.
    pub account: UserId,
    /// Whose prekey.
    pub recipient: UserId,
}

/// What somebody who asks for a prekey gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entitlement {
    /// The prekey that the session was given in this bucket of time.
    Given(Vec<u8>),
    /// A one-time prekey.
    OneTime,
    /// The prekey of last resort: the account has claimed as many as it may in a day.
    LastResort,
}

/// Remembers claims for as long as a repeated claim must get the same answer.
pub trait Claims: Send + Sync {
    /// Returns what a claimer gets now.
    fn entitlement(&self, claimer: &Claimer) -> Answer<'_, Entitlement>;

    /// Remembers what a claimer was given, unless something was given at the same time; returns what
    /// the claimer is to have. A one-time prekey counts toward the day's.
    fn given(&self, claimer: &Claimer, prekey: Vec<u8>, one_time: bool) -> Answer<'_, Vec<u8>>;

    /// Forgets claims on an identity that was replaced.
    fn forget_recipient(&self, recipient: UserId) -> Answer<'_, ()>;

    /// Forgets claims on an erased account, and claims that it made.
    fn forget_claimer(&self, account: UserId, sessions: &[SessionId]) -> Answer<'_, ()>;
}
