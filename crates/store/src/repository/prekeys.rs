//! Prekeys: publishing, claiming, pruning.

use async_trait::async_trait;

use crate::audit::AuditEvent;
use crate::engine::prekeys::{PackedBatch, StockRow};
use crate::engine::{Acting, Changes};
use crate::fault::Fault;
use crate::prekeys::{Claim, ClaimedLeaf, MAX_LEAVES, NewBatch, Prekeys, PublishError, Stock};
use crate::repository::Repository;
use crate::repository::prekey_rows::LeafReader;
use api::ids::UserId;

/// Rows that one call of the pruning takes.
const PRUNED_PAIRS: usize = 500;
const PRUNED_BATCHES: usize = 8;

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
        let batch = PackedBatch::new(batch);
        let stock = batch.stock();
        self.record(Acting::Server, batch.weight(), audit, move |tx| {
            if !replace_pair(tx.rows, &user, &batch)? {
                return Err(PublishError::NoSuchUser);
            }
            if let Err(stored) = batch.publish(tx.rows, &user)? {
                return Err(PublishError::StaleBatch {
                    found: batch.batch.batch_number,
                    stored,
                });
            }
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
            Claim::LastResort => self.read(move |rows| rows.last_resort(&user, now)).await,
            Claim::OneTime => {
                self.write(0, move |tx| match one_time(tx.rows, &user, now)? {
                    Some(claimed) => Ok(Some(claimed)),
                    None => tx.rows.last_resort(&user, now),
                })
                .await
            }
        }
    }

    async fn prekey_stock(&self, user: UserId, now: u64) -> Result<Option<Stock>, Fault> {
        let row = self.read(move |rows| rows.stock(&user)).await?;
        Ok(row.map(|row| Stock {
            one_time: if row.expires_at > now { row.left() } else { 0 },
            batch_number: row.batch_number,
            last_resort_created_at: row.created_at,
            expires_at: row.expires_at,
        }))
    }

    async fn prune_prekeys(&self, now: u64) -> Result<u64, Fault> {
        self.write(0, move |tx| {
            tx.rows.prune_prekeys(now, PRUNED_PAIRS, PRUNED_BATCHES)
        })
        .await
    }
}

/// Keeps the last-resort pair's halves with the public keys; `false` without such an account.
pub(crate) fn replace_pair(
    rows: &dyn Changes,
    user: &UserId,
    batch: &PackedBatch,
) -> Result<bool, Fault> {
    let batch = &batch.batch;
    rows.set_last_resort_pair(user, &batch.signed_prekey, &batch.quantum_public_key)
}

impl StockRow {
    fn left(&self) -> u32 {
        self.leaf_count.saturating_sub(self.next_leaf)
    }
}

/// Takes the next leaf that was never handed out; `None` when there is none.
fn one_time(rows: &dyn Changes, user: &UserId, now: u64) -> Result<Option<ClaimedLeaf>, Fault> {
    let stock = rows.stock(user)?.filter(|stock| stock.expires_at > now);
    let Some(mut stock) = stock.filter(|stock| stock.left() > 0) else {
        return Ok(None);
    };
    let Some(batch) = rows.batch(user)? else {
        return Ok(None);
    };
    let reader = LeafReader::open(&*batch.leaves, user)?;
    let mut claimed = None;
    while claimed.is_none() && stock.left() > 0 {
        let leaf = stock.next_leaf;
        stock.next_leaf += 1;
        let prekey_id = reader.prekey_id(leaf as usize)?;
        if rows.claim_pair(user, prekey_id, now, stock.expires_at)? {
            claimed = Some((leaf, prekey_id));
        }
    }
    rows.set_next_leaf(user, stock.next_leaf)?;
    let Some((leaf, prekey_id)) = claimed else {
        return Ok(None);
    };
    Ok(Some(ClaimedLeaf {
        batch_number: stock.batch_number,
        index: batch.first_index + leaf,
        prekey_id,
        leaf: reader.leaf(leaf as usize)?,
        last_resort: false,
        stock: stock.left(),
        head: batch.head,
        tree: batch.tree,
    }))
}
