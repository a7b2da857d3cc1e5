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
    turns: DashMap<(SessionId, UserId), Arc<Mutex<()>>>,
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
        let of = (session, recipient);
        let turn = Arc::clone(&self.turns.entry(of).or_default());
        // Whoever asks at the same time waits here and is given the same prekey.
        let mine = turn.lock().await;
        let claimer = Claimer {
            session,
            account: claimer,
            recipient,
        };
        let given = self.take(store, &claimer, now).await;
        drop(mine);
        // The table has one of them, and this the other: nobody waits.
        self.turns
            .remove_if(&of, |_, turn| Arc::strong_count(turn) <= 2);
        given
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
