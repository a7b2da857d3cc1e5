#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod freeing;
mod interleavings;

use std::sync::Arc;

use ambient::{Ambient, ManualClock};

use crate::memory::platform::{Native, Platform};
use crate::tests::*;
use crate::{Config, Ephemeral, LiveId, NewMessage, PutError, PutOutcome, Target, Vault};

/// The vault on locks of a kind.
pub(crate) struct Bench<P: Platform = Native> {
    pub(crate) vault: Vault<P>,
    pub(crate) clock: Arc<ManualClock>,
}

pub(crate) fn bench() -> Bench {
    bench_with(Config::default())
}

pub(crate) fn bench_with<P: Platform>(config: Config) -> Bench<P> {
    let clock = ManualClock::at_ms(START_MS);
    let entropy = Arc::new(Counting::default());
    let vault = Vault::on_platform(config, clock.clone(), entropy);
    Bench { vault, clock }
}

impl<P: Platform> Bench<P> {
    /// Posts as Alice.
    pub(crate) fn post(&self, message: NewMessage) -> Result<PutOutcome, PutError> {
        let reservation = self.vault.reserve(ALICE, 4096, 64).unwrap();
        self.vault.put(reservation, message)
    }

    /// Says whether nothing at all is left of any message.
    pub(crate) fn is_pristine(&self) -> bool {
        holds_nothing(&self.vault.stats()) && self.vault.leaves() == (0, 0, 0, 0)
    }
}

fn open(config: Config, ambient: Ambient) -> Ephemeral {
    Ephemeral::memory(config, ambient)
}

crate::tests::suite!(open, 1_000);
