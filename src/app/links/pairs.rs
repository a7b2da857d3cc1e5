//! The link pairs of this instance: one for each bucket, made ahead, gone when they are over.
//!
//! Specification: `docs/protocol/link.md#link-pairs`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ambient::{Ambient, LockedSecret};
use api::ids::BootId;
use protocol::boot::BootSigningKey;
use protocol::epoch::{BUCKET_SECS, bucket_of};
use protocol::link::{InstanceId, LinkPair, SignedHello};

/// Seconds before a bucket begins in which its pair is made.
const AHEAD_SECS: u64 = 60;

/// A pair whose private halves lie in locked memory.
pub(super) struct HeldPair {
    public: Arc<SignedHello>,
    private: LockedSecret,
}

impl HeldPair {
    /// The hello that begins each socket.
    pub(super) fn hello(&self) -> &[u8] {
        self.public.bytes()
    }

    /// The pair, for as long as one open is answered.
    pub(super) fn join(&self) -> LinkPair {
        LinkPair::join(Arc::clone(&self.public), &self.private.bytes())
    }
}

/// The pairs that are good now, by bucket, and what signs the next.
pub(super) struct Pairs {
    signing: Arc<LockedSecret>,
    instance: InstanceId,
    ambient: Ambient,
    made: Mutex<Made>,
}

/// Pairs by bucket, of one boot id.
struct Made {
    boot: BootId,
    pairs: BTreeMap<u64, Arc<HeldPair>>,
}

impl Pairs {
    pub(super) fn new(key: &BootSigningKey, boot: BootId, ambient: Ambient) -> Self {
        Self {
            signing: Arc::new(LockedSecret::copy_of(&*key.to_bytes())),
            instance: InstanceId(ambient.random()),
            ambient,
            made: Mutex::new(Made {
                boot,
                pairs: BTreeMap::new(),
            }),
        }
    }

    /// Makes pairs of another boot id from now on.
    pub(super) fn begin_anew(&self, boot: BootId) {
        let pairs = BTreeMap::new();
        *self.made() = Made { boot, pairs };
    }

    /// The pair of the present bucket; makes it where it was not made ahead.
    pub(super) async fn current(&self) -> Arc<HeldPair> {
        let bucket = bucket_of(self.ambient.now());
        let made = self.made().pairs.get(&bucket).map(Arc::clone);
        match made {
            Some(pair) => pair,
            None => self.make(bucket).await,
        }
    }

    /// The injected time.
    pub(super) fn now(&self) -> u64 {
        self.ambient.now()
    }

    /// Drops what is over.
    pub(super) fn sweep(&self, now: u64) {
        self.made()
            .pairs
            .retain(|_, pair| !pair.public.is_over(now));
    }

    /// Makes the pair of the present bucket, and of the next where it begins soon.
    pub(super) async fn prepare(&self) {
        let now = self.now();
        for bucket in [bucket_of(now), bucket_of(now.saturating_add(AHEAD_SECS))] {
            let is_made = self.made().pairs.contains_key(&bucket);
            if !is_made {
                self.make(bucket).await;
            }
        }
    }

    /// Makes a pair on a thread that may take its time; the first one that is there counts.
    async fn make(&self, bucket: u64) -> Arc<HeldPair> {
        let (signing, ambient) = (Arc::clone(&self.signing), self.ambient.clone());
        let (boot, instance) = (self.made().boot, self.instance);
        let generate = move || {
            let key = BootSigningKey::from_bytes(&signing.bytes());
            let pair = LinkPair::generate(&mut ambient.rng(), &key, boot, instance, bucket);
            let (public, private) = pair.split();
            Arc::new(HeldPair {
                public,
                private: LockedSecret::copy_of(&*private),
            })
        };
        let again = generate.clone();
        let pair = match tokio::task::spawn_blocking(generate).await {
            Ok(pair) => pair,
            // The runtime shuts down, and whoever waits must still be answered.
            Err(_) => again(),
        };
        let mut made = self.made();
        if made.boot != boot {
            // The client finds that it is over, and asks again.
            return pair;
        }
        Arc::clone(made.pairs.entry(bucket).or_insert(pair))
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A pair is made before its bucket, and only one ahead.
const _: () = assert!(AHEAD_SECS < BUCKET_SECS);
