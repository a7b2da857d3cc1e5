//! Contents of the prekey safe.
//!
//! Specification: `docs/protocol/accounts.md#prekey-safe`.

use std::collections::{BTreeMap, BTreeSet};

use super::prekey_entry::KEEP_SECS;
use super::{PrekeyEntry, SafeMark, bound};
use crate::codec::{DecodeError, Reader, Writer};
use crate::epoch::{
    BUCKET_SECS, EpochError, EpochPath, EpochRecord, Handshake, ReceiverPairs, ReplayError,
    ReplayMap,
};
use crate::prekeys::{LEAF_LIFE_SECS, LeafKind, PrekeyBatch};
use crate::suite::ObjectType;

const MAX_ENTRIES: usize = 65_536;
/// How long a destroyed id is kept: longer than any tab can hold the pair.
const TOMBSTONE_SECS: u64 = LEAF_LIFE_SECS + 2 * KEEP_SECS;

/// Private halves of prekeys; never part of a backup.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PrekeySafe {
    entries: BTreeMap<u32, PrekeyEntry>,
    /// Destroyed ids with the time of their end.
    destroyed: BTreeMap<u32, u64>,
    /// Replay marks of one-time epochs.
    pub replay: ReplayMap,
    /// The newest key safe known when this was written; an older one is refused.
    pub safe_mark: Option<SafeMark>,
}

impl PrekeySafe {
    /// Adds a fresh batch's private halves. Commit the safe before uploading the batch.
    pub fn add_batch(&mut self, batch: PrekeyBatch) -> crate::prekeys::SignedBatch {
        let head = &batch.signed.head;
        for (id, kind, pair) in batch.secrets {
            let entry = PrekeyEntry::new(kind, head.batch_number, head.created_at, pair);
            self.entries.insert(id, entry);
        }
        batch.signed
    }

    /// Notes that the server took a batch: every older one is replaced from now on.
    pub fn published(&mut self, batch_number: u32, now: u64) {
        for entry in self.entries.values_mut() {
            if entry.batch_number < batch_number {
                entry.replaced_at.get_or_insert(now);
            }
        }
    }

    /// Ids that a new batch must not draw again.
    pub fn taken_ids(&self) -> BTreeSet<u32> {
        self.entries
            .keys()
            .chain(self.destroyed.keys())
            .copied()
            .collect()
    }

    /// One entry.
    pub fn get(&self, id: u32) -> Option<&PrekeyEntry> {
        self.entries.get(&id)
    }

    /// All entries.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &PrekeyEntry)> {
        self.entries.iter().map(|(id, entry)| (*id, entry))
    }

    /// The newest batch that it holds private halves of.
    pub fn newest_batch(&self) -> Option<u32> {
        self.entries.values().map(|entry| entry.batch_number).max()
    }

    /// The private pairs that a handshake names.
    pub fn pairs_for(&self, handshake: &Handshake) -> Result<ReceiverPairs<'_>, EpochError> {
        if handshake.path() == EpochPath::Live {
            return Err(EpochError::UnknownKey);
        }
        let signed = self.pair(handshake.signed_id(), LeafKind::LastResort)?;
        let one_time = handshake
            .one_time_id()
            .map(|id| self.pair(id, LeafKind::OneTime))
            .transpose()?;
        Ok(ReceiverPairs { signed, one_time })
    }

    fn pair(&self, id: u32, kind: LeafKind) -> Result<&crate::prekeys::PairSecrets, EpochError> {
        match self.entries.get(&id) {
            Some(entry) if entry.kind == kind => Ok(&entry.pair),
            _ if self.destroyed.contains_key(&id) => Err(EpochError::DestroyedKey),
            _ => Err(EpochError::UnknownKey),
        }
    }

    /// Marks a message of a one-time epoch as shown and notes the opening.
    pub fn opened(
        &mut self,
        epoch: impl Into<EpochRecord>,
        counter: u8,
        now: u64,
    ) -> Result<(), ReplayError> {
        let epoch = epoch.into();
        self.replay.mark(epoch, counter)?;
        self.used(&epoch, now);
        Ok(())
    }

    /// Whether an epoch depends on a one-time pair under which nothing was opened yet.
    pub fn is_unused(&self, epoch: &EpochRecord) -> bool {
        one_time_of(epoch)
            .and_then(|id| self.entries.get(&id))
            .is_some_and(|entry| entry.first_opened.is_none())
    }

    /// Notes that a message of a one-time epoch was opened, without a mark.
    pub fn used(&mut self, epoch: &EpochRecord, now: u64) {
        let id = one_time_of(epoch);
        if let Some(entry) = id.and_then(|id| self.entries.get_mut(&id)) {
            let end = epoch.bucket.saturating_add(1).saturating_mul(BUCKET_SECS);
            entry.opened(end, now);
        }
    }

    /// Ids that have to be destroyed, given those that the server lists as waiting or leased.
    pub fn due(&self, now: u64, in_use: &[u32]) -> Vec<u32> {
        self.entries
            .iter()
            .filter(|(id, entry)| entry.is_due(now, in_use.contains(id)))
            .map(|(id, _)| *id)
            .collect()
    }

    /// Destroys private halves and forgets their replay marks.
    pub fn destroy(&mut self, ids: &[u32], now: u64) {
        for id in ids {
            if self.entries.remove(id).is_some() {
                self.destroyed.insert(*id, now);
            }
        }
        self.destroyed
            .retain(|_, at| now < at.saturating_add(TOMBSTONE_SECS));
        let entries = &self.entries;
        self.replay.retain(|key| entries.contains_key(&key.id));
    }

    /// Joins what two tabs wrote: destroyed wins over present, replay marks are OR-ed.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        for (id, at) in other.destroyed {
            let ours = self.destroyed.entry(id).or_insert(at);
            *ours = at.max(*ours);
        }
        for (id, theirs) in other.entries {
            match self.entries.get_mut(&id) {
                Some(ours) => ours.merge(theirs),
                None => {
                    self.entries.insert(id, theirs);
                }
            }
        }
        let destroyed = &self.destroyed;
        self.entries.retain(|id, _| !destroyed.contains_key(id));
        self.replay.merge(&other.replay);
        self.replay.retain(|key| !destroyed.contains_key(&key.id));
        self.safe_mark = self.safe_mark.max(other.safe_mark);
        self
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer
            .header(ObjectType::PrekeySafeContents)
            .len32(self.entries.len());
        for (id, entry) in &self.entries {
            writer.u32(*id);
            entry.write(writer);
        }
        writer.len32(self.destroyed.len());
        for (id, at) in &self.destroyed {
            writer.u32(*id).u64(*at);
        }
        self.replay.write(writer);
        bound::write_mark(self.safe_mark.as_ref(), writer);
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.header(ObjectType::PrekeySafeContents)?;
        let count = reader.count32(MAX_ENTRIES, 4 + PrekeyEntry::MIN_LEN)?;
        let mut entries = BTreeMap::new();
        for _ in 0..count {
            let id = next_id(&mut reader, entries.last_key_value().map(|(id, _)| *id))?;
            entries.insert(id, PrekeyEntry::read(&mut reader)?);
        }
        let count = reader.count32(16 * MAX_ENTRIES, 12)?;
        let mut destroyed = BTreeMap::new();
        for _ in 0..count {
            let id = next_id(&mut reader, destroyed.last_key_value().map(|(id, _)| *id))?;
            if entries.contains_key(&id) {
                return Err(DecodeError::InvalidValue(
                    "prekey both present and destroyed",
                ));
            }
            destroyed.insert(id, reader.u64()?);
        }
        let replay = ReplayMap::read(&mut reader)?;
        let safe_mark = bound::read_mark(&mut reader)?;
        reader.finish()?;
        Ok(Self {
            entries,
            destroyed,
            replay,
            safe_mark,
        })
    }
}

fn one_time_of(epoch: &EpochRecord) -> Option<u32> {
    let key = epoch.key;
    (key.path == EpochPath::OneTime).then_some(key.id)
}

fn next_id(reader: &mut Reader<'_>, last: Option<u32>) -> Result<u32, DecodeError> {
    let id = reader.u32()?;
    if last.is_some_and(|last| last >= id) {
        return Err(DecodeError::NotCanonical);
    }
    Ok(id)
}
