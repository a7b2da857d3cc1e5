//! How many people an account may begin to write to.
//!
//! Only clients know who is a contact. The server sees that an account writes to one that it had no exchange
//! with recently, and limits those beginnings.

use dashmap::DashMap;
use governor::clock::Clock as _;
use sha3::{Digest, Sha3_256};
use zeroize::Zeroizing;

use crate::config::Config;
use ambient::Ambient;

use super::clock::Injected;
use super::{Keyed, TooSoon, keyed, per_hour};

/// Seconds after which a pair of accounts counts as strangers again.
const REMEMBERED: u64 = 86_400;

/// Seconds for which it is remembered that one account wrote to another: a day more than a message
/// waits at most.
const ANSWERED: u64 = 8 * 86_400;

/// Limits whom accounts begin to write to; either one's message makes the pair known for a day.
///
/// It is also known, in each direction, who has written to whom: somebody to whom the recipient never
/// wrote has room for a few messages only. Receipts count, which clients send to contacts by themselves.
///
/// Pairs are kept as keyed hashes in memory only, and the key is drawn at each start.
pub(super) struct Strangers {
    key: Zeroizing<[u8; 32]>,
    known: DashMap<[u8; 16], u64>,
    wrote: DashMap<[u8; 16], u64>,
    beginnings: Keyed<[u8; 16]>,
}

impl Strangers {
    pub(super) fn new(config: &Config, ambient: &Ambient, clock: &Injected) -> Self {
        let quota = per_hour(config.new_people_per_hour);
        Self {
            key: Zeroizing::new(ambient.random()),
            known: DashMap::new(),
            wrote: DashMap::new(),
            beginnings: keyed(quota, clock),
        }
    }

    /// `from` writes to `to` at this time.
    pub(super) fn writes(
        &self,
        from: [u8; 16],
        to: [u8; 16],
        clock: &Injected,
    ) -> Result<(), TooSoon> {
        if from == to {
            return Ok(());
        }
        let now = clock.now().as_secs();
        let pair = self.hash(from.min(to), from.max(to));
        let is_known = |last: u64| last + REMEMBERED > now;
        if !self.known.get(&pair).is_some_and(|last| is_known(*last)) {
            self.beginnings
                .check_key(&from)
                .map_err(|not_until| TooSoon::from(&not_until, clock))?;
        }
        self.known.insert(pair, now);
        self.wrote.insert(self.hash(from, to), now);
        Ok(())
    }

    /// Whether `from` has written to `to` since the server started and within the time remembered.
    pub(super) fn has_written(&self, from: [u8; 16], to: [u8; 16], clock: &Injected) -> bool {
        let now = clock.now().as_secs();
        let last = self.wrote.get(&self.hash(from, to));
        last.is_some_and(|last| *last + ANSWERED > now)
    }

    /// Forgets the pairs that are strangers again.
    pub(super) fn forget_idle(&self, clock: &Injected) {
        let now = clock.now().as_secs();
        self.known.retain(|_, last| *last + REMEMBERED > now);
        self.wrote.retain(|_, last| *last + ANSWERED > now);
        self.beginnings.retain_recent();
    }

    fn hash(&self, a: [u8; 16], b: [u8; 16]) -> [u8; 16] {
        let mut hasher = Sha3_256::new();
        hasher.update(self.key.as_slice());
        hasher.update(a);
        hasher.update(b);
        let hash: [u8; 32] = hasher.finalize().into();
        let mut short = [0; 16];
        short.copy_from_slice(&hash[..16]);
        short
    }
}
