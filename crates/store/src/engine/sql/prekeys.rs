//! Statements about `prekey_stock`, `prekey_batches` and `prekeys`; leaves are read piece by piece.

use crate::classes::Public;
use crate::engine::Answer;
use crate::engine::place::{at, many};
use crate::engine::prekeys::{BatchRow, PackedBatch, PrekeyChanges, PrekeyRows, StockRow};
use crate::engine::sql::{Hold, Sql};
use crate::prekeys::ClaimedLeaf;
use api::ids::UserId;

impl<D: Sql> PrekeyRows for D {
    fn stock(&self, user: &UserId) -> Answer<Option<StockRow>> {
        let sql = format!(
            "SELECT batch_number, leaf_count, next_leaf, created_at, expires_at
             FROM prekey_stock WHERE user_id = ?1{}",
            self.hold(Hold::Alone)
        );
        self.one(
            at("prekey_stock", user.as_bytes()),
            &sql,
            &[&user.as_bytes()],
            |row| {
                Ok(StockRow {
                    batch_number: row.get(0)?,
                    leaf_count: row.get(1)?,
                    next_leaf: row.get(2)?,
                    created_at: row.get(3)?,
                    expires_at: row.get(4)?,
                })
            },
        )
    }

    fn batch(&self, user: &UserId) -> Answer<Option<BatchRow<'_>>> {
        let place = at("prekey_batches", user.as_bytes());
        let found = self.one(
            place,
            "SELECT number, first_index, head, tree FROM prekey_batches WHERE user_id = ?1",
            &[&user.as_bytes()],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )?;
        let Some((number, first_index, head, tree)) = found else {
            return Ok(None);
        };
        let leaves = self.pieces(place, ("prekey_batches", "leaves"), number)?;
        Ok(Some(BatchRow {
            first_index,
            head,
            tree,
            leaves,
        }))
    }

    fn last_resort(&self, user: &UserId, now: u64) -> Answer<Option<ClaimedLeaf>> {
        let id = user.as_bytes();
        self.one(
            at("prekey_batches", id),
            "SELECT s.batch_number, b.head, b.tree, b.last_resort_index, b.last_resort_id,
                 b.last_resort,
                 CASE WHEN s.leaf_count > s.next_leaf THEN s.leaf_count - s.next_leaf ELSE 0 END
             FROM prekey_stock s JOIN prekey_batches b USING (user_id)
             WHERE user_id = ?1 AND s.expires_at > ?2",
            &[&id, &now],
            |row| {
                Ok(ClaimedLeaf {
                    batch_number: row.get(0)?,
                    head: row.get(1)?,
                    tree: row.get(2)?,
                    index: row.get(3)?,
                    prekey_id: row.get(4)?,
                    leaf: row.get(5)?,
                    last_resort: true,
                    stock: row.get(6)?,
                })
            },
        )
    }
}

impl<D: Sql> PrekeyChanges for D {
    fn publish_batch(
        &self,
        user: &UserId,
        packed: &PackedBatch,
        stock: &StockRow,
    ) -> Answer<Result<(), u64>> {
        let batch = &packed.batch;
        let id = user.as_bytes();
        let place = at("prekey_stock", id);
        let taken = self.execute(
            place,
            "INSERT INTO prekey_stock (user_id, batch_number, leaf_count, next_leaf, created_at,
                 expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (user_id) DO UPDATE SET batch_number = excluded.batch_number,
                 leaf_count = excluded.leaf_count, next_leaf = excluded.next_leaf,
                 created_at = excluded.created_at, expires_at = excluded.expires_at
             WHERE excluded.batch_number > prekey_stock.batch_number",
            &[
                &id,
                &stock.batch_number,
                &stock.leaf_count,
                &stock.next_leaf,
                &stock.created_at,
                &stock.expires_at,
            ],
        )?;
        if taken == 0 {
            let stored = "SELECT batch_number FROM prekey_stock WHERE user_id = ?1";
            return Ok(Err(self.number(place, stored, &[&id])?));
        }
        self.run(
            at("prekey_batches", id),
            "INSERT INTO prekey_batches (user_id, last_resort_id, last_resort_index, first_index,
                 head, tree, last_resort, leaves) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (user_id) DO UPDATE SET last_resort_id = excluded.last_resort_id,
                 last_resort_index = excluded.last_resort_index,
                 first_index = excluded.first_index, head = excluded.head,
                 tree = excluded.tree, last_resort = excluded.last_resort,
                 leaves = excluded.leaves",
            &[
                &id,
                &batch.last_resort.prekey_id,
                &batch.last_resort_index,
                &batch.first_index,
                &Public(&batch.head),
                &Public(&batch.tree),
                &Public(&batch.last_resort.bytes),
                &Public(&packed.leaves),
            ],
        )?;
        Ok(Ok(()))
    }

    fn claim_pair(&self, user: &UserId, prekey_id: u32, now: u64, expires_at: u64) -> Answer<bool> {
        let id = user.as_bytes();
        self.changed(
            at("prekeys", id),
            "INSERT INTO prekeys (user_id, prekey_id, claimed_at, expires_at)
             VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            &[&id, &prekey_id, &now, &expires_at],
        )
    }

    fn set_next_leaf(&self, user: &UserId, next_leaf: u32) -> Answer {
        let sql = "UPDATE prekey_stock SET next_leaf = ?1 WHERE user_id = ?2";
        let id = user.as_bytes();
        self.run(at("prekey_stock", id), sql, &[&next_leaf, &id])
    }

    fn prune_prekeys(&self, now: u64, pairs: usize, batches: usize) -> Answer<u64> {
        let pairs = self.execute(
            many("prekeys"),
            "DELETE FROM prekeys WHERE (user_id, prekey_id) IN
                 (SELECT user_id, prekey_id FROM prekeys WHERE expires_at <= ?1 LIMIT ?2)",
            &[&now, &pairs],
        )?;
        let batches = self.execute(
            many("prekey_batches"),
            "DELETE FROM prekey_batches WHERE user_id IN
                 (SELECT s.user_id FROM prekey_stock s JOIN prekey_batches USING (user_id)
                  WHERE s.expires_at <= ?1 LIMIT ?2)",
            &[&now, &batches],
        )?;
        Ok(pairs + batches)
    }

    fn withdraw_all_prekeys(&self) -> Answer {
        for (table, sql) in [
            ("prekey_batches", "DELETE FROM prekey_batches"),
            ("prekeys", "DELETE FROM prekeys"),
            (
                "prekey_stock",
                "UPDATE prekey_stock SET next_leaf = leaf_count WHERE next_leaf <> leaf_count",
            ),
        ] {
            self.run(many(table), sql, &[])?;
        }
        self.run(
            many("public_keys"),
            "UPDATE public_keys SET signed_prekey = ?1, quantum_public_key = ?1
             WHERE length(signed_prekey) > 0 OR length(quantum_public_key) > 0",
            &[&Public([].as_slice())],
        )
    }
}
