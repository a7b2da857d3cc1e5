//! The replay record: which messages of an epoch were shown.
//!
//! Specification: `docs/protocol/messages.md#replay-record`.

use std::collections::BTreeMap;

use super::{EpochId, EpochPath, EpochRecord, MAX_MESSAGES};
use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::UserId;

/// The most epochs in a record: 565 kB, so that a safe always fits into what a server takes.
const MAX_ENTRIES: usize = 8_192;
/// The most epochs of one sender in a record; an epoch has up to 50 messages.
const MAX_OF_SENDER: usize = 256;

/// The private half that an epoch's messages depend on; the record lives as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyRef {
    /// Which kind of pair.
    pub path: EpochPath,
    /// Its id: of the session pair, the one-time pair or the last-resort pair.
    pub id: u32,
}

/// The record of one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReplayEntry {
    /// Whose private half decides how long the record is kept.
    pub key: KeyRef,
    /// The epoch's bucket.
    pub bucket: u64,
    /// Bit `i` is set once the message with counter `i` was shown.
    pub marks: u64,
}

/// Marks per sender and epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplayMap {
    entries: BTreeMap<(UserId, EpochId), ReplayEntry>,
}

/// Why a message is not to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// It was shown before.
    #[error("this message was shown before; acknowledge it and show nothing")]
    Replayed,
    /// The counter is outside an epoch.
    #[error("the message's counter is above the limit of an epoch; discard it")]
    CounterTooHigh,
    /// The record is full, or the sender's part of it; showing more would make replays possible.
    #[error("too many epochs are open; sign in again after older ones have expired")]
    Full,
}

impl ReplayMap {
    /// Whether the message at `counter` may be shown.
    pub fn check(&self, epoch: impl Into<EpochRecord>, counter: u8) -> Result<(), ReplayError> {
        let bit = bit(counter)?;
        let key = key(&epoch.into());
        match self.entries.get(&key) {
            Some(entry) if entry.marks & bit != 0 => Err(ReplayError::Replayed),
            None if self.is_full_for(key.0) => Err(ReplayError::Full),
            _ => Ok(()),
        }
    }

    /// Returns whether no further epoch of this sender is taken.
    fn is_full_for(&self, sender: UserId) -> bool {
        let theirs = (sender, EpochId([0; 32]))..=(sender, EpochId([u8::MAX; 32]));
        self.entries.len() >= MAX_ENTRIES || self.entries.range(theirs).count() >= MAX_OF_SENDER
    }

    /// Marks the message at `counter` as shown; only after its tag verified.
    pub fn mark(&mut self, epoch: impl Into<EpochRecord>, counter: u8) -> Result<(), ReplayError> {
        let epoch = epoch.into();
        self.check(epoch, counter)?;
        let fresh = ReplayEntry {
            key: epoch.key,
            bucket: epoch.bucket,
            marks: 0,
        };
        self.entries.entry(key(&epoch)).or_insert(fresh).marks |= bit(counter)?;
        Ok(())
    }

    /// Other senders whose messages were shown under the private half that this epoch depends on.
    pub fn others_under(&self, epoch: &EpochRecord) -> impl Iterator<Item = &UserId> {
        let (key, sender) = (epoch.key, epoch.sender.user_id);
        self.entries
            .iter()
            .filter(move |((user_id, _), entry)| entry.key == key && *user_id != sender)
            .map(|((user_id, _), _)| user_id)
    }

    /// Forgets the epochs whose private half is gone.
    pub fn retain(&mut self, mut keep: impl FnMut(&KeyRef) -> bool) {
        self.entries.retain(|_, entry| keep(&entry.key));
    }

    /// How many epochs it knows.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All entries.
    pub fn iter(&self) -> impl Iterator<Item = (&UserId, &EpochId, &ReplayEntry)> {
        self.entries
            .iter()
            .map(|((user_id, epoch_id), entry)| (user_id, epoch_id, entry))
    }

    /// Joins two records: marks are OR-ed.
    pub fn merge(&mut self, other: &Self) {
        for (key, theirs) in &other.entries {
            self.entries
                .entry(*key)
                .and_modify(|ours| {
                    let marks = ours.marks | theirs.marks;
                    // The rest is a function of the epoch; the larger is kept so that the
                    // order of merging never matters.
                    *ours = (*ours).max(*theirs);
                    ours.marks = marks;
                })
                .or_insert(*theirs);
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.len32(self.entries.len());
        for ((user_id, epoch_id), entry) in &self.entries {
            writer
                .raw(user_id.as_bytes())
                .raw(&epoch_id.0)
                .u8(entry.key.path as u8)
                .u32(entry.key.id)
                .u64(entry.bucket)
                .u64(entry.marks);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut entries = BTreeMap::new();
        let mut last = None;
        // No bound: merges of full records may leave any number.
        for _ in 0..reader.u32()? {
            let key = (
                UserId::from_bytes(*reader.array()?),
                EpochId(*reader.array()?),
            );
            if last.is_some_and(|last| last >= key) {
                return Err(DecodeError::NotCanonical);
            }
            last = Some(key);
            let entry = ReplayEntry {
                key: KeyRef {
                    path: EpochPath::read(reader)?,
                    id: reader.u32()?,
                },
                bucket: reader.u64()?,
                marks: reader.u64()?,
            };
            entries.insert(key, entry);
        }
        Ok(Self { entries })
    }
}

fn key(epoch: &EpochRecord) -> (UserId, EpochId) {
    (epoch.sender.user_id, epoch.epoch_id)
}

fn bit(counter: u8) -> Result<u64, ReplayError> {
    if counter >= MAX_MESSAGES {
        return Err(ReplayError::CounterTooHigh);
    }
    Ok(1 << counter)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
