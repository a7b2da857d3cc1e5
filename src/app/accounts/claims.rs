//! Claims prekeys: who asks at the same time is given the same one.
//!
//! Specification: `docs/protocol/messages.md#fetching-keys-to-write-to`.

use std::sync::Arc;

use dashmap::DashMap;
use ephemeral::{Claimer, Entitlement, Ephemeral};
use store::{Claim, SessionId, Store, UserId};
use tokio::sync::Mutex;

use super::tree::Tree;
use crate::app::Problem;

/// Claims prekeys, over what the plane remembers of claims.
pub struct Claims {
    plane: Ephemeral,
    /// Claims under way.
    turns: Turns,
}

type Turns = DashMap<(SessionId, UserId), Arc<Mutex<()>>>;

/// A claim under way; the last of those that are the same leaves nothing in the table.
struct Turn<'a> {
    turns: &'a Turns,
    of: (SessionId, UserId),
    lock: Arc<Mutex<()>>,
}

impl<'a> Turn<'a> {
    fn of(turns: &'a Turns, of: (SessionId, UserId)) -> Self {
        let lock = Arc::clone(&turns.entry(of).or_default());
        Self { turns, of, lock }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        drop(std::mem::take(&mut self.lock));
        // Only the table has it: nobody waits.
        self.turns
            .remove_if(&self.of, |_, lock| Arc::strong_count(lock) == 1);
    }
}

impl Claims {
    /// Takes the plane.
    pub fn new(plane: Ephemeral) -> Self {
        Self {
            plane,
            turns: DashMap::new(),
        }
    }

    /// Claims an encoded prekey of `recipient`, or returns the one that was claimed in this bucket.
    ///
    /// Returns `None` if the recipient has no valid batch.
    pub async fn claim(
        &self,
        store: &Store,
        session: SessionId,
        claimer: UserId,
        recipient: UserId,
        now: u64,
    ) -> Result<Option<Vec<u8>>, Problem> {
        let turn = Turn::of(&self.turns, (session, recipient));
        // Whoever asks at the same time waits here and is given the same prekey.
        let _mine = turn.lock.lock().await;
        let claimer = Claimer {
            session,
            account: claimer,
            recipient,
        };
        self.take(store, &claimer, now).await
    }

    async fn take(
        &self,
        store: &Store,
        claimer: &Claimer,
        now: u64,
    ) -> Result<Option<Vec<u8>>, Problem> {
        let claims = self.plane.claims();
        let kind = match claims.entitlement(claimer).await? {
            Entitlement::Given(prekey) => return Ok(Some(prekey)),
            Entitlement::OneTime => Claim::OneTime,
            Entitlement::LastResort => Claim::LastResort,
        };
        let row = store.claim_prekey(claimer.recipient, kind, now).await?;
        let Some((prekey, row)) = row.and_then(|row| Some((Tree::claimed(&row)?, row))) else {
            return Ok(None);
        };
        let given = claims.given(claimer, prekey, !row.last_resort);
        Ok(Some(given.await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_claim_that_ends_or_is_given_up_leaves_no_turn() {
        let turns = Turns::default();
        let of = (SessionId::from_bytes([1; 32]), UserId::from_bytes([2; 16]));
        let (one, other) = (Turn::of(&turns, of), Turn::of(&turns, of));
        assert!(Arc::ptr_eq(&one.lock, &other.lock));
        drop(one);
        assert_eq!(turns.len(), 1, "somebody waits");
        drop(other);
        assert!(turns.is_empty());
    }
}
