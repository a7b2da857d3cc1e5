//! Layout of a batch in the database.
//!
//! A full batch holds a hundred leaves of 1.6 KB. As a hundred rows, each would fill half a page, with
//! an index entry of its own, and publishing would spend most of its time inserting them. So
//! the public parts of a batch are one row, written once and never updated: a directory of ids and
//! ends, then the leaves one after the other, of which a claim reads one through incremental I/O.
//! What changes is small and stands apart: `prekey_stock` counts how far the batch is handed out,
//! and `prekeys` gets a row (user, prekey id, claimed at) for each pair that was. Its primary key
//! makes a pair go once, also where a later batch lists the same pair again.

use rusqlite::Connection;

use crate::engine::sqlite::db::{Db, at};
use crate::fault::Fault;
use crate::prekeys::{Leaf, NewBatch, Stock};
use crate::sealing::classes::Public;
use api::ids::UserId;

/// Bytes of a directory entry: prekey id and end of the leaf, both `u32`.
const ENTRY: usize = 8;

/// A batch with its leaves packed.
pub(crate) struct PackedBatch {
    pub batch: NewBatch,
    leaves: Vec<u8>,
}

impl PackedBatch {
    pub(crate) fn new(mut batch: NewBatch) -> Self {
        let leaves = pack(&std::mem::take(&mut batch.one_time));
        Self { batch, leaves }
    }

    fn count(&self) -> u32 {
        self.leaves
            .first_chunk()
            .map_or(0, |count| u32::from_be_bytes(*count))
    }

    /// Estimates the bytes that the writer writes.
    pub(crate) fn weight(&self) -> usize {
        let batch = &self.batch;
        self.leaves.len()
            + batch.head.len()
            + batch.tree.len()
            + batch.last_resort.bytes.len() * 2
            + batch.quantum_public_key.len()
    }

    pub(crate) fn stock(&self) -> Stock {
        Stock {
            one_time: self.count(),
            batch_number: self.batch.batch_number,
            last_resort_created_at: self.batch.created_at,
            expires_at: self.batch.expires_at,
        }
    }

    /// Replaces the batch by this one; returns the stored number if that is not below.
    pub(crate) fn publish(&self, db: Db<'_>, user: &UserId) -> Result<Result<(), u64>, Fault> {
        let batch = &self.batch;
        let id = user.as_bytes();
        let place = at("prekey_stock", id);
        let taken = db.execute(
            place,
            "INSERT INTO prekey_stock (user_id, batch_number, leaf_count, next_leaf, created_at,
                 expires_at) VALUES (?1, ?2, ?3, 0, ?4, ?5)
             ON CONFLICT (user_id) DO UPDATE SET batch_number = excluded.batch_number,
                 leaf_count = excluded.leaf_count, next_leaf = 0,
                 created_at = excluded.created_at, expires_at = excluded.expires_at
             WHERE excluded.batch_number > prekey_stock.batch_number",
            (
                id,
                batch.batch_number,
                self.count(),
                batch.created_at,
                batch.expires_at,
            ),
        )?;
        if taken == 0 {
            let stored = "SELECT batch_number FROM prekey_stock WHERE user_id = ?1";
            return Ok(Err(db.number(place, stored, [id])?));
        }
        db.execute(
            at("prekey_batches", id),
            "INSERT INTO prekey_batches (user_id, last_resort_id, last_resort_index, first_index,
                 head, tree, last_resort, leaves) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (user_id) DO UPDATE SET last_resort_id = excluded.last_resort_id,
                 last_resort_index = excluded.last_resort_index,
                 first_index = excluded.first_index, head = excluded.head,
                 tree = excluded.tree, last_resort = excluded.last_resort,
                 leaves = excluded.leaves",
            (
                id,
                batch.last_resort.prekey_id,
                batch.last_resort_index,
                batch.first_index,
                Public(&batch.head),
                Public(&batch.tree),
                Public(&batch.last_resort.bytes),
                Public(&self.leaves),
            ),
        )?;
        Ok(Ok(()))
    }
}

fn pack(leaves: &[Leaf]) -> Vec<u8> {
    let bytes: usize = leaves.iter().map(|leaf| leaf.bytes.len()).sum();
    let mut out = Vec::with_capacity(4 + leaves.len() * ENTRY + bytes);
    out.extend_from_slice(&(leaves.len() as u32).to_be_bytes());
    let mut end = 0_u32;
    for leaf in leaves {
        end += leaf.bytes.len() as u32;
        out.extend_from_slice(&leaf.prekey_id.to_be_bytes());
        out.extend_from_slice(&end.to_be_bytes());
    }
    for leaf in leaves {
        out.extend_from_slice(&leaf.bytes);
    }
    out
}

/// The packed leaves of one batch, read piece by piece.
pub(crate) struct LeafReader<'c> {
    blob: rusqlite::blob::Blob<'c>,
    user: [u8; 16],
    count: usize,
}

impl<'c> LeafReader<'c> {
    /// Opens the leaves of the batch in this row.
    pub(crate) fn open(connection: &'c Connection, user: &UserId, row: i64) -> Result<Self, Fault> {
        let user = *user.as_bytes();
        let place = at("prekey_batches", &user);
        let blob = connection
            .blob_open("main", "prekey_batches", "leaves", row, true)
            .map_err(|error| place.fault(error))?;
        let mut reader = Self {
            blob,
            user,
            count: 0,
        };
        reader.count = reader.number(0)? as usize;
        Ok(reader)
    }

    /// The prekey id of a leaf.
    pub(crate) fn prekey_id(&self, leaf: usize) -> Result<u32, Fault> {
        self.number(4 + leaf * ENTRY)
    }

    /// The bytes of a leaf.
    pub(crate) fn leaf(&self, leaf: usize) -> Result<Vec<u8>, Fault> {
        let end_of = |leaf: usize| self.number(4 + leaf * ENTRY + 4);
        let start = if leaf == 0 { 0 } else { end_of(leaf - 1)? };
        let len = end_of(leaf)?.checked_sub(start);
        let first = 4 + self.count * ENTRY + start as usize;
        // A length is believed only as far as the stored value reaches.
        let len = len
            .map(|len| len as usize)
            .filter(|len| first + len <= self.blob.len());
        let mut bytes = vec![0; len.ok_or_else(|| self.damaged())?];
        self.read(&mut bytes, first)?;
        Ok(bytes)
    }

    fn number(&self, offset: usize) -> Result<u32, Fault> {
        let mut bytes = [0; 4];
        self.read(&mut bytes, offset)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn read(&self, bytes: &mut [u8], offset: usize) -> Result<(), Fault> {
        if offset + bytes.len() > self.blob.len() {
            return Err(self.damaged());
        }
        self.blob
            .read_at_exact(bytes, offset)
            .map_err(|error| at("prekey_batches", &self.user).fault(error))
    }

    fn damaged(&self) -> Fault {
        at("prekey_batches", &self.user).damaged("its leaves are cut short")
    }
}
