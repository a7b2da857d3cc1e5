//! How many people an account may begin to write to.
//!
//! Who has a contact and who is a stranger only clients know. What the server sees is that an account
//! writes to one that it had nothing to do with of late; those beginnings are what is limited.

use dashmap::DashMap;
use governor::clock::Clock as _;
use sha3::{Digest, Sha3_256};
use zeroize::Zeroizing;

use crate::clock::Ambient;
use crate::config::Config;

use super::clock::Injected;
use super::{Keyed, TooSoon, keyed, per_hour};

/// Seconds after which a pair of accounts counts as strangers again.
const REMEMBERED: u64 = 86_400;

/// Limits whom accounts begin to write to; either one's message makes the pair known for a day.
///
/// Pairs are kept as keyed hashes in memory only, and the key is drawn at each start.
pub(super) struct Strangers {
    key: Zeroizing<[u8; 32]>,
    known: DashMap<[u8; 16], u64>,
    beginnings: Keyed<[u8; 16]>,
}

impl Strangers {
    pub(super) fn new(config: &Config, ambient: &Ambient, clock: &Injected) -> Self {
        let quota = per_hour(config.new_people_per_hour);
        Self {
            key: Zeroizing::new(ambient.random()),
            known: DashMap::new(),
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
        let pair = self.pair(from, to);
        if let Some(mut last) = self.known.get_mut(&pair)
            && *last + REMEMBERED > now
        {
            *last = now;
            return Ok(());
        }
        self.beginnings
            .check_key(&from)
            .map_err(|not_until| TooSoon::from(&not_until, clock))?;
        self.known.insert(pair, now);
        Ok(())
    }

    /// Forgets the pairs that are strangers again.
    pub(super) fn forget_idle(&self, clock: &Injected) {
        let now = clock.now().as_secs();
        self.known.retain(|_, last| *last + REMEMBERED > now);
        self.beginnings.retain_recent();
    }

    /// The same for both directions.
    fn pair(&self, a: [u8; 16], b: [u8; 16]) -> [u8; 16] {
        let mut hasher = Sha3_256::new();
        hasher.update(self.key.as_slice());
        hasher.update(a.min(b));
        hasher.update(a.max(b));
        let hash: [u8; 32] = hasher.finalize().into();
        let mut pair = [0; 16];
        pair.copy_from_slice(&hash[..16]);
        pair
    }
}
