//! A private prekey and the times that decide when it is destroyed.
//!
//! Specification: `docs/protocol/accounts.md#prekey-safe`.

use crate::codec::{DecodeError, Reader, Writer};
use crate::epoch::OLDEST_EPOCH_SECS;
use crate::prekeys::{LEAF_LIFE_SECS, LeafKind, PairSecrets};

/// How long a private half is kept after it was replaced or first used: eight days.
pub const KEEP_SECS: u64 = OLDEST_EPOCH_SECS;
/// How long a used one-time pair must have been quiet: ten minutes.
pub const QUIET_SECS: u64 = 600;

/// A private pair with what decides its end. Times are unix seconds.
#[derive(Debug, PartialEq, Eq)]
pub struct PrekeyEntry {
    /// One-time or last-resort.
    pub kind: LeafKind,
    /// The batch it was published in.
    pub batch_number: u32,
    /// When it was made.
    pub created_at: u64,
    /// The private halves.
    pub pair: PairSecrets,
    /// When the server took a newer batch.
    pub replaced_at: Option<u64>,
    /// When a message under it was first opened.
    pub first_opened: Option<u64>,
    /// When a message under it was last opened.
    pub last_opened: Option<u64>,
    /// Latest end of the buckets of its epochs.
    pub epoch_end: Option<u64>,
}

impl PrekeyEntry {
    pub(super) fn new(
        kind: LeafKind,
        batch_number: u32,
        created_at: u64,
        pair: PairSecrets,
    ) -> Self {
        Self {
            kind,
            batch_number,
            created_at,
            pair,
            replaced_at: None,
            first_opened: None,
            last_opened: None,
            epoch_end: None,
        }
    }

    /// Returns whether it has to be destroyed at `now`, given whether the server lists something waiting or
    /// claimed under it.
    pub(super) fn is_due(&self, now: u64, in_use: bool) -> bool {
        let past = |since: Option<u64>, after: u64| {
            since.is_some_and(|since| now >= since.saturating_add(after))
        };
        if past(self.replaced_at, KEEP_SECS)
            || past(Some(self.created_at), LEAF_LIFE_SECS + KEEP_SECS)
        {
            return true;
        }
        self.kind == LeafKind::OneTime
            && (past(self.first_opened, KEEP_SECS)
                || (!in_use
                    && past(self.last_opened, QUIET_SECS)
                    && past(self.epoch_end, QUIET_SECS)))
    }

    pub(super) fn opened(&mut self, epoch_end: u64, now: u64) {
        self.first_opened = earlier(self.first_opened, Some(now));
        self.last_opened = self.last_opened.max(Some(now));
        self.epoch_end = self.epoch_end.max(Some(epoch_end));
    }

    pub(super) fn merge(&mut self, other: Self) {
        if self.pair == other.pair {
            self.replaced_at = earlier(self.replaced_at, other.replaced_at);
            self.first_opened = earlier(self.first_opened, other.first_opened);
            self.last_opened = self.last_opened.max(other.last_opened);
            self.epoch_end = self.epoch_end.max(other.epoch_end);
        } else if other.order() > self.order() {
            // Two tabs drew the same id for different pairs: one of them has to be redrawn.
            *self = other;
        }
    }

    fn order(&self) -> (u64, u32, [u8; 32]) {
        let public = *self.pair.agreement.public().as_bytes();
        (self.created_at, self.batch_number, public)
    }

    pub(super) const MIN_LEN: usize = 1 + 4 + 8 + PairSecrets::LEN + 4;

    pub(super) fn write(&self, writer: &mut Writer) {
        writer
            .u8(self.kind as u8)
            .u32(self.batch_number)
            .u64(self.created_at);
        self.pair.write(writer);
        for time in [
            self.replaced_at,
            self.first_opened,
            self.last_opened,
            self.epoch_end,
        ] {
            writer.bool(time.is_some());
            if let Some(time) = time {
                writer.u64(time);
            }
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let kind = LeafKind::read(reader)?;
        let batch_number = reader.u32()?;
        let created_at = reader.u64()?;
        let pair = PairSecrets::read(reader)?;
        let mut time = || {
            Ok::<_, DecodeError>(if reader.bool("time")? {
                Some(reader.u64()?)
            } else {
                None
            })
        };
        Ok(Self {
            kind,
            batch_number,
            created_at,
            pair,
            replaced_at: time()?,
            first_opened: time()?,
            last_opened: time()?,
            epoch_end: time()?,
        })
    }
}

fn earlier(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
