//! Buckets and the bounds that time puts on epochs.

use super::EpochError;

/// Length of a bucket in seconds.
pub const BUCKET_SECS: u64 = 300;
/// Messages in one epoch.
pub const MAX_MESSAGES: u8 = 50;
/// How many buckets ahead of now a handshake may be.
pub const MAX_BUCKETS_AHEAD: u64 = 12;
/// Longest life of a message: seven days in seconds.
pub const MAX_LIFE_SECS: u64 = 7 * 86_400;
/// How long an epoch on the waiting path continues while nothing of it is acknowledged.
pub const WAITING_EPOCH_SECS: u64 = 86_400;
/// Age at which a handshake is refused: the longest life after the longest waiting epoch.
pub const OLDEST_EPOCH_SECS: u64 = MAX_LIFE_SECS + WAITING_EPOCH_SECS;

/// The bucket that unix second `now` lies in.
pub fn bucket_of(now: u64) -> u64 {
    now / BUCKET_SECS
}

/// Refuses buckets too far ahead or too old.
pub(super) fn check_bucket(bucket: u64, now: u64) -> Result<(), EpochError> {
    if bucket > bucket_of(now).saturating_add(MAX_BUCKETS_AHEAD) {
        return Err(EpochError::TooFarAhead);
    }
    if bucket < bucket_of(now.saturating_sub(OLDEST_EPOCH_SECS)) {
        return Err(EpochError::TooOld);
    }
    Ok(())
}
