#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod claiming;
mod erasing;
mod events;
mod fates;
mod interleavings;
mod limits;
mod model;
mod posting;
mod presence;
mod turns;
mod types;
mod upkeep;
mod waiting;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::memory::platform::{Native, Platform};
use crate::{
    Ciphertext, Config, LiveId, MessageId, NewMessage, NewSlot, PutError, PutOutcome, Target,
    UserId, Vault,
};
use ambient::{Entropy, EntropyError, ManualClock};

pub(crate) const START_MS: u64 = 1_800_000_000_000;

/// Never gives the same bytes twice.
pub(crate) struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let count = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        for (byte, count) in bytes.iter_mut().zip(count.iter().cycle()) {
            *byte = *count;
        }
        Ok(())
    }
}

pub(crate) struct Bench<P: Platform = Native> {
    pub(crate) vault: Vault<P>,
    pub(crate) clock: Arc<ManualClock>,
}

pub(crate) fn bench() -> Bench {
    bench_with(Config::default())
}

pub(crate) fn bench_with<P: Platform>(config: Config) -> Bench<P> {
    let clock = ManualClock::at_ms(START_MS);
    let entropy = Arc::new(Counting(AtomicU64::new(1)));
    let vault = Vault::on_platform(config, clock.clone(), entropy);
    Bench { vault, clock }
}

pub(crate) const ALICE: UserId = UserId::from_bytes([0xA; 16]);
pub(crate) const BOB: UserId = UserId::from_bytes([0xB; 16]);
pub(crate) const CAROL: UserId = UserId::from_bytes([0xC; 16]);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const LEASE: Duration = Duration::from_secs(30);

pub(crate) fn message_id(n: u64) -> MessageId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    MessageId::from_bytes(bytes)
}

pub(crate) fn live(n: u8) -> LiveId {
    LiveId::from_bytes([n; 16])
}

pub(crate) fn to_live(account: UserId, n: u8) -> Target {
    Target::Live {
        account,
        live: live(n),
    }
}

pub(crate) fn slot(target: Target) -> NewSlot {
    NewSlot {
        target,
        prekey: None,
        bytes: Ciphertext::copy_of(b"sealed slot"),
    }
}

pub(crate) fn message(n: u64, burn_on_read: bool, targets: &[Target]) -> NewMessage {
    NewMessage {
        id: message_id(n),
        life: MINUTE,
        burn_on_read,
        slots: targets.iter().copied().map(slot).collect(),
        body: Ciphertext::copy_of(b"sealed body"),
    }
}

impl<P: Platform> Bench<P> {
    /// Posts as Alice.
    pub(crate) fn post(&self, message: NewMessage) -> Result<PutOutcome, PutError> {
        let reservation = self.vault.reserve(ALICE, 4096, 64).unwrap();
        self.vault.put(reservation, message)
    }

    /// Says whether nothing at all is left of any message.
    pub(crate) fn is_pristine(&self) -> bool {
        let stats = self.vault.stats();
        stats.messages == 0
            && stats.bytes == 0
            && stats.next_expiry.is_none()
            && self.vault.leaves() == (0, 0, 0, 0)
    }
}
