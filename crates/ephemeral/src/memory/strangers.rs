//! Who has written to whom of late.
//!
//! Only clients know who is a contact. The server sees that an account writes to one that it had no exchange
//! with recently.

use ambient::Ambient;
use dashmap::DashMap;
use sha3::{Digest, Sha3_256};
use zeroize::Zeroizing;

use crate::UserId;

/// Seconds after which a pair of accounts counts as strangers again.
const REMEMBERED: u64 = 86_400;

/// Seconds for which it is remembered that one account wrote to another: a day more than a message
/// waits at most.
const ANSWERED: u64 = 8 * 86_400;

/// Remembers pairs of accounts; either one's message makes the pair known for a day.
///
/// It is also known, in each direction, who has written to whom. Receipts count, which clients send to
/// contacts by themselves.
///
/// Pairs are kept as keyed hashes, and the key is drawn at each start.
pub(super) struct Strangers {
    key: Zeroizing<[u8; 32]>,
    known: DashMap<[u8; 16], u64>,
    wrote: DashMap<[u8; 16], u64>,
}

impl Strangers {
    pub(super) fn new(ambient: &Ambient) -> Self {
        Self {
            key: Zeroizing::new(ambient.random()),
            known: DashMap::new(),
            wrote: DashMap::new(),
        }
    }

    /// `from` writes to `to` at this time; strangers only when `begin` allows it.
    pub(super) fn writes<E>(
        &self,
        from: UserId,
        to: UserId,
        now: u64,
        begin: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        if from == to {
            return Ok(());
        }
        let pair = self.hash(from.min(to), from.max(to));
        let is_known = |last: u64| last + REMEMBERED > now;
        if !self.known.get(&pair).is_some_and(|last| is_known(*last)) {
            begin()?;
        }
        self.known.insert(pair, now);
        self.wrote.insert(self.hash(from, to), now);
        Ok(())
    }

    /// Whether `from` has written to `to` within the time remembered.
    pub(super) fn has_written(&self, from: UserId, to: UserId, now: u64) -> bool {
        let last = self.wrote.get(&self.hash(from, to));
        last.is_some_and(|last| *last + ANSWERED > now)
    }

    /// Forgets the pairs that are strangers again.
    pub(super) fn tidy(&self, now: u64) {
        self.known.retain(|_, last| *last + REMEMBERED > now);
        self.wrote.retain(|_, last| *last + ANSWERED > now);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.known.len() + self.wrote.len()
    }

    fn hash(&self, a: UserId, b: UserId) -> [u8; 16] {
        let mut hasher = Sha3_256::new();
        hasher.update(self.key.as_slice());
        hasher.update(a.as_bytes());
        hasher.update(b.as_bytes());
        let hash: [u8; 32] = hasher.finalize().into();
        let mut short = [0; 16];
        short.copy_from_slice(&hash[..16]);
        short
    }
}
