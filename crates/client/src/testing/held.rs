//! A message in the server's memory.

use std::collections::BTreeMap;

use protocol::envelope::Target;
use protocol::ids::{LiveId, UserId};

/// How long a claim lasts, milliseconds.
pub(super) const LEASE_MS: u64 = 30_000;

/// One slot.
#[derive(Debug, Clone)]
pub struct HeldSlot {
    /// The prekey it was made with.
    pub prekey: Option<u32>,
    /// The sealed slot.
    pub bytes: Vec<u8>,
    /// Token and end of the claim, unix milliseconds.
    pub claim: Option<([u8; 16], u64)>,
    /// Reported as not opening; waits for a replacement.
    pub dead: bool,
}

/// One message.
#[derive(Debug, Clone)]
pub struct Held {
    /// Who posted it.
    pub poster: UserId,
    /// One reader, then nothing.
    pub burn: bool,
    /// Unix seconds.
    pub expires_at: u64,
    /// By target.
    pub slots: BTreeMap<Target, HeldSlot>,
    /// The sealed body.
    pub body: Vec<u8>,
    /// Order of arrival.
    pub order: u64,
}

impl Held {
    /// The target that a session would claim.
    pub(super) fn target_for(&self, user: &UserId, live: &LiveId) -> Option<Target> {
        let own = Target::Live {
            account: *user,
            live_id: *live,
        };
        let account = Target::Account { account: *user };
        [own, account]
            .into_iter()
            .find(|target| self.slots.get(target).is_some_and(|slot| !slot.dead))
    }

    /// Whether some session of the account has a claim that holds.
    pub(super) fn taken_by(&self, user: &UserId, now_ms: u64) -> bool {
        self.slots.iter().any(|(target, slot)| {
            target.account() == user && slot.claim.is_some_and(|(_, until)| until > now_ms)
        })
    }
}
