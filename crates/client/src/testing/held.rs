//! A message in the server's memory.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Whether it was claimed for a session that did not ask.
    pub pushed: bool,
    /// The session that claimed it, and whether it was about to show it.
    pub by: Option<(LiveId, bool)>,
    /// Since when the session that it is for is not connected, unix milliseconds.
    pub left_ms: Option<u64>,
    /// Reported as not opening; waits for a replacement.
    pub dead: bool,
}

impl HeldSlot {
    /// Whether a claim of it holds.
    pub(super) fn is_claimed(&self, now_ms: u64) -> bool {
        self.claim.is_some_and(|(_, until)| until > now_ms)
    }
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
    /// Accounts of which a session has read it.
    pub read_by: BTreeSet<UserId>,
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

    /// Gives back what a session has claimed and not shown; gives the targets.
    pub(super) fn give_back(&mut self, user: &UserId, live: &LiveId) -> Vec<Target> {
        let mut returned = Vec::new();
        for (target, slot) in &mut self.slots {
            let shown = slot.by.filter(|(by, _)| by == live).map(|(_, shown)| shown);
            let Some(shown) = shown.filter(|_| target.account() == user) else {
                continue;
            };
            if slot.claim.is_some() && !(self.burn && shown) {
                slot.claim = None;
                returned.push(*target);
            }
        }
        returned
    }

    /// Whether only sessions that are gone could open it for an account, and none has read it.
    pub(super) fn is_stranded_for(&self, user: &UserId) -> bool {
        let mut own = self
            .slots
            .iter()
            .filter(|(to, _)| to.account() == user)
            .peekable();
        self.poster != *user
            && !self.read_by.contains(user)
            && own.peek().is_some()
            && own.all(|(_, slot)| slot.left_ms.is_some())
    }
}
