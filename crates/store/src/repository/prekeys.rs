//! Prekeys over SQLite.

use async_trait::async_trait;

use crate::audit::AuditEvent;
use crate::audit::log::weight;
use crate::engine::sqlite::db::{Db, at, many};
use crate::fault::Fault;
use crate::prekeys::{Claim, ClaimedLeaf, MAX_LEAVES, NewBatch, Prekeys, PublishError, Stock};
use crate::repository::Repository;
use crate::repository::prekey_rows::{LeafReader, PackedBatch};
use crate::sealing::classes::Public;
use api::ids::UserId;

/// Rows that one call of the pruning takes.
const PRUNE_CHUNK: usize = 500;

#[async_trait]
impl Prekeys for Repository {
    async fn publish_prekeys(
        &self,
        user: UserId,
        batch: NewBatch,
        audit: Vec<AuditEvent>,
    ) -> Result<Stock, PublishError> {
        if batch.one_time.len() > MAX_LEAVES {
            return Err(PublishError::TooManyLeaves {
                found: batch.one_time.len(),
            });
        }
        let events = self.seal_events(audit).await?;
        let batch = PackedBatch::new(batch);
        let stock = batch.stock();
        self.write(batch.weight() + weight(&events), move |tx| {
            if !replace_pair(tx.db, &user, &batch)? {
                return Err(PublishError::NoSuchUser);
            }
            if let Err(stored) = batch.publish(tx.db, &user)? {
                return Err(PublishError::StaleBatch {
                    found: batch.batch.batch_number,
                    stored,
                });
            }
            tx.append(events)?;
            Ok(stock)
        })
        .await
    }

    async fn claim_prekey(
        &self,
        user: UserId,
        claim: Claim,
        now: u64,
    ) -> Result<Option<ClaimedLeaf>, Fault> {
        match claim {
            Claim::LastResort => self.read(move |db| last_resort(db, &user, now)).await,
            Claim::OneTime => {
                self.write(0, move |tx| match one_time(tx.db, &user, now)? {
                    Some(claimed) => Ok(Some(claimed)),
                    None => last_resort(tx.db, &user, now),
                })
                .await
            }
        }
    }

    async fn prekey_stock(&self, user: UserId, now: u64) -> Result<Option<Stock>, Fault> {
        let row = self.read(move |db| StockRow::find(db, &user)).await?;
        Ok(row.map(|row| Stock {
            one_time: if row.expires_at > now { row.left() } else { 0 },
            batch_number: row.batch_number,
            last_resort_created_at: row.created_at,
            expires_at: row.expires_at,
        }))
    }

    async fn prune_prekeys(&self, now: u64) -> Result<u64, Fault> {
        self.write(0, move |tx| {
            let claimed = tx.db.execute(
                many("prekeys"),
                "DELETE FROM prekeys WHERE (user_id, prekey_id) IN
                     (SELECT user_id, prekey_id FROM prekeys WHERE expires_at <= ?1 LIMIT ?2)",
                (now, PRUNE_CHUNK),
            )?;
            // The stock's row stays and keeps the batch number, which must never go back.
            let batches = tx.db.execute(
                many("prekey_batches"),
                "DELETE FROM prekey_batches WHERE user_id IN
                     (SELECT s.user_id FROM prekey_stock s JOIN prekey_batches USING (user_id)
                      WHERE s.expires_at <= ?1 LIMIT 8)",
                [now],
            )?;
            Ok((claimed + batches) as u64)
        })
        .await
    }
}

/// Keeps the last-resort pair's halves with the public keys; `false` without such an account.
pub(crate) fn replace_pair(db: Db<'_>, user: &UserId, batch: &PackedBatch) -> Result<bool, Fault> {
    let id = user.as_bytes();
    let updated = db.execute(
        at("public_keys", id),
        "UPDATE public_keys SET signed_prekey = ?1, quantum_public_key = ?2 WHERE user_id = ?3",
        (
            Public(&batch.batch.signed_prekey),
            Public(&batch.batch.quantum_public_key),
            id,
        ),
    )?;
    Ok(updated == 1)
}

struct StockRow {
    batch_number: u64,
    leaf_count: u32,
    next_leaf: u32,
    created_at: u64,
    expires_at: u64,
}

impl StockRow {
    fn find(db: Db<'_>, user: &UserId) -> Result<Option<Self>, Fault> {
        db.one(
            at("prekey_stock", user.as_bytes()),
            "SELECT batch_number, leaf_count, next_leaf, created_at, expires_at
             FROM prekey_stock WHERE user_id = ?1",
            [user.as_bytes()],
            |row| {
                Ok(Self {
                    batch_number: row.get(0)?,
                    leaf_count: row.get(1)?,
                    next_leaf: row.get(2)?,
                    created_at: row.get(3)?,
                    expires_at: row.get(4)?,
                })
            },
        )
    }

    fn left(&self) -> u32 {
        self.leaf_count.saturating_sub(self.next_leaf)
    }
}

/// Takes the next leaf that was never handed out; `None` when there is none.
fn one_time(db: Db<'_>, user: &UserId, now: u64) -> Result<Option<ClaimedLeaf>, Fault> {
    let id = user.as_bytes();
    let Some(mut stock) = StockRow::find(db, user)?.filter(|stock| stock.expires_at > now) else {
        return Ok(None);
    };
    if stock.left() == 0 {
        return Ok(None);
    }
    let Some((row, first_index, head, tree)) = db.one(
        at("prekey_batches", id),
        "SELECT number, first_index, head, tree FROM prekey_batches WHERE user_id = ?1",
        [id],
        |row| Ok((row.get(0)?, row.get::<_, u32>(1)?, row.get(2)?, row.get(3)?)),
    )?
    else {
        return Ok(None);
    };
    let reader = LeafReader::open(db.connection, user, row)?;
    let mut claimed = None;
    while claimed.is_none() && stock.left() > 0 {
        let leaf = stock.next_leaf;
        stock.next_leaf += 1;
        let prekey_id = reader.prekey_id(leaf as usize)?;
        let taken = db.execute(
            at("prekeys", id),
            "INSERT INTO prekeys (user_id, prekey_id, claimed_at, expires_at)
             VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            (id, prekey_id, now, stock.expires_at),
        )?;
        if taken == 1 {
            claimed = Some((leaf, prekey_id));
        }
    }
    db.execute(
        at("prekey_stock", id),
        "UPDATE prekey_stock SET next_leaf = ?1 WHERE user_id = ?2",
        (stock.next_leaf, id),
    )?;
    let Some((leaf, prekey_id)) = claimed else {
        return Ok(None);
    };
    Ok(Some(ClaimedLeaf {
        batch_number: stock.batch_number,
        head,
        tree,
        index: first_index + leaf,
        prekey_id,
        leaf: reader.leaf(leaf as usize)?,
        last_resort: false,
        stock: stock.left(),
    }))
}

/// Reads the last-resort leaf, which is never used up.
fn last_resort(db: Db<'_>, user: &UserId, now: u64) -> Result<Option<ClaimedLeaf>, Fault> {
    let id = user.as_bytes();
    db.one(
        at("prekey_batches", id),
        "SELECT s.batch_number, b.head, b.tree, b.last_resort_index, b.last_resort_id,
             b.last_resort, max(s.leaf_count - s.next_leaf, 0)
         FROM prekey_stock s JOIN prekey_batches b USING (user_id)
         WHERE user_id = ?1 AND s.expires_at > ?2",
        (id, now),
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
