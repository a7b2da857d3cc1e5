//! Claims, and what the token of a claim allows.

use std::sync::Arc;
use std::time::Duration;

use crate::memory::message::{Held, SlotState};
use crate::memory::platform::Platform;
use crate::memory::vault::Vault;
use crate::{
    Acknowledged, Claim, ClaimError, ClaimToken, Event, LeaseError, LiveId, MessageId, UserId,
};

impl<P: Platform> Vault<P> {
    /// Claims a message for one reader.
    ///
    /// A live session gets its own slot if there is one, otherwise that of the account; a reader
    /// without a live session gets that of the account. Of several that race, exactly one wins.
    pub fn claim(
        &self,
        id: MessageId,
        account: UserId,
        live: Option<LiveId>,
    ) -> Result<Claim, ClaimError> {
        let now_ms = self.clock.now_ms();
        let lease_ms = self.lease_ms();
        let mut token = [0; 16];
        self.entropy
            .fill(&mut token)
            .map_err(|_| ClaimError::NoEntropy)?;
        let token = ClaimToken::from_bytes(token);
        self.transition(id, now_ms, |held, events| {
            let index = held.claimable(account, live, now_ms)?;
            held.claim(index, live, token.clone(), now_ms + lease_ms, events);
            parcel(held, index, token, lease_ms).ok_or(ClaimError::Gone)
        })
        .unwrap_or(Err(ClaimError::Gone))
    }

    /// Hands out a claimed message again to the holder of its token, for a reader that was told of
    /// its claim on one connection and fetches over another.
    pub fn fetch(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
    ) -> Result<Claim, LeaseError> {
        let now_ms = self.clock.now_ms();
        self.with_claim(id, account, token, now_ms, |held, index, _| {
            let left_ms = match held.slots[index].state {
                SlotState::Claimed { until_ms, .. } => until_ms.saturating_sub(now_ms),
                _ => 0,
            };
            parcel(held, index, token.clone(), left_ms).ok_or(LeaseError::StaleClaim)
        })?
    }

    /// Extends a lease; returns how long it runs from now.
    pub fn extend(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
    ) -> Result<Duration, LeaseError> {
        let now_ms = self.clock.now_ms();
        let lease_ms = self.lease_ms();
        self.with_claim(id, account, token, now_ms, |held, index, _| {
            Duration::from_millis(held.extend(index, now_ms, lease_ms))
        })
    }

    /// Ends a claim as read, and wipes: the slot, or the whole message when it burns on reading or
    /// no other slot is left.
    pub fn acknowledge(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
    ) -> Result<Acknowledged, LeaseError> {
        let now_ms = self.clock.now_ms();
        self.with_claim(id, account, token, now_ms, |held, index, events| {
            let burned = held.acknowledge(index, events);
            Acknowledged { burned }
        })
    }

    /// Ends a claim as unreadable; the slot is wiped and the poster may replace it.
    pub fn cannot_open(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
    ) -> Result<(), LeaseError> {
        let now_ms = self.clock.now_ms();
        self.with_claim(id, account, token, now_ms, |held, index, events| {
            held.cannot_open(index, events);
        })
    }

    fn with_claim<R>(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
        now_ms: u64,
        change: impl FnOnce(&mut Held, usize, &mut Vec<Event>) -> R,
    ) -> Result<R, LeaseError> {
        self.transition(id, now_ms, |held, events| {
            let index = held.claimed_by(account, token, now_ms)?;
            Ok(change(held, index, events))
        })
        .unwrap_or(Err(LeaseError::Gone))
    }
}

fn parcel(held: &Held, index: usize, token: ClaimToken, lease_ms: u64) -> Option<Claim> {
    let slot = held.slots.get(index)?;
    Some(Claim {
        token,
        lease: Duration::from_millis(lease_ms),
        target: slot.target,
        burn_on_read: held.burn_on_read,
        expires_at: held.expires_ms / 1000,
        slot: Arc::clone(slot.bytes.as_ref()?),
        body: Arc::clone(&held.body),
    })
}
