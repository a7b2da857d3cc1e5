//! Unwrapped DEKs, kept for a short time.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use crate::secret::Dek;
use ambient::Clock;
use ambient::LockedKey;

/// The key of an entry: a hash of the wrapped DEK and its associated data.
pub(super) type Id = [u8; 32];

/// Keeps a limited number of DEKs for a limited time, then wipes them.
///
/// A use does not lengthen the time of a DEK, so that the loss of a token is noticed.
pub(super) struct DekCache {
    inner: Arc<Inner>,
    // After `inner`: it wakes the sweeper, which then finds nothing left to sweep, and ends.
    sweeper: Sweeper,
}

struct Inner {
    life: Duration,
    limit: usize,
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    deks: HashMap<Id, Dek>,
    /// Ends of the entries; all live equally long, so they are in order.
    order: VecDeque<(Duration, Id)>,
}

struct Sweeper(Thread);

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.0.unpark();
    }
}

impl DekCache {
    /// `None` when nothing may be kept, or no thread could be started to wipe it.
    pub(super) fn new(life: Duration, limit: usize, clock: Arc<dyn Clock>) -> Option<Self> {
        if life.is_zero() || limit == 0 {
            return None;
        }
        let inner = Inner {
            life,
            limit,
            clock,
            kept: Mutex::default(),
        };
        Self::start(Arc::new(inner)).map(|(cache, _)| cache)
    }

    /// Starts the thread that wipes.
    fn start(inner: Arc<Inner>) -> Option<(Self, JoinHandle<()>)> {
        let weak = Arc::downgrade(&inner);
        let thread = std::thread::Builder::new()
            .name("dek-cache".to_owned())
            .spawn(move || sweep(&weak))
            .ok()?;
        let sweeper = Sweeper(thread.thread().clone());
        Some((Self { inner, sweeper }, thread))
    }

    pub(super) fn get(&self, id: &Id) -> Option<Dek> {
        let mut kept = self.inner.kept();
        kept.forget_until(self.inner.clock.monotonic());
        let dek = kept.deks.get(id)?;
        Some(Dek(LockedKey::copy_of(dek.expose())))
    }

    pub(super) fn put(&self, id: Id, dek: &Dek) {
        let now = self.inner.clock.monotonic();
        let mut kept = self.inner.kept();
        kept.forget_until(now);
        if kept.deks.contains_key(&id) {
            return;
        }
        if kept.order.len() >= self.inner.limit {
            kept.forget_first();
        }
        let was_empty = kept.order.is_empty();
        kept.deks.insert(id, Dek(LockedKey::copy_of(dek.expose())));
        kept.order
            .push_back((now.saturating_add(self.inner.life), id));
        drop(kept);
        if was_empty {
            self.sweeper.0.unpark();
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        let kept = self.inner.kept();
        assert_eq!(kept.deks.len(), kept.order.len());
        kept.deks.len()
    }
}

impl Inner {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wipes expired entries; returns the time until the next one expires.
    fn sweep(&self) -> Option<Duration> {
        let now = self.clock.monotonic();
        let mut kept = self.kept();
        kept.forget_until(now);
        let (next, _) = kept.order.front()?;
        Some(next.saturating_sub(now))
    }
}

impl Kept {
    fn forget_until(&mut self, now: Duration) {
        while self.order.front().is_some_and(|(end, _)| *end <= now) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, id)) = self.order.pop_front() {
            self.deks.remove(&id);
        }
    }
}

fn sweep(cache: &Weak<Inner>) {
    while let Some(wait) = cache.upgrade().map(|cache| cache.sweep()) {
        match wait {
            Some(wait) => std::thread::park_timeout(wait),
            None => std::thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use ambient::{ManualClock, Stopwatch, SystemClock};

    use super::*;

    fn cache(seconds: u64, limit: usize) -> (DekCache, Arc<ManualClock>) {
        let clock = ManualClock::at(0);
        let life = Duration::from_secs(seconds);
        let cache = DekCache::new(life, limit, clock.clone()).unwrap();
        (cache, clock)
    }

    fn dek(byte: u8) -> Dek {
        Dek::from_slice(&[byte; 32]).unwrap()
    }

    #[test]
    fn a_key_is_kept_for_its_time_however_often_it_is_used() {
        let (cache, clock) = cache(300, 8);
        cache.put([1; 32], &dek(7));
        for _ in 0..299 {
            clock.advance_ms(1_000);
            assert_eq!(cache.get(&[1; 32]).unwrap().expose(), &[7; 32]);
            cache.put([1; 32], &dek(7));
        }
        clock.advance_ms(1_000);
        assert!(cache.get(&[1; 32]).is_none());
        assert_eq!(cache.len(), 0);
    }

    #[test]
    fn the_oldest_makes_room() {
        let (cache, clock) = cache(300, 3);
        for byte in 1..=5 {
            clock.advance_ms(1_000);
            cache.put([byte; 32], &dek(byte));
        }
        assert_eq!(cache.len(), 3);
        assert!(cache.get(&[2; 32]).is_none());
        assert_eq!(cache.get(&[3; 32]).unwrap().expose(), &[3; 32]);
        assert_eq!(cache.get(&[5; 32]).unwrap().expose(), &[5; 32]);
    }

    #[test]
    fn a_sweep_wipes_what_nobody_asks_for_and_knows_when_to_come_again() {
        let (cache, clock) = cache(300, 8);
        assert_eq!(cache.inner.sweep(), None);
        cache.put([1; 32], &dek(1));
        clock.advance_ms(100_000);
        cache.put([2; 32], &dek(2));
        assert_eq!(cache.inner.sweep(), Some(Duration::from_secs(200)));
        clock.advance_ms(200_000);
        assert_eq!(cache.inner.sweep(), Some(Duration::from_secs(100)));
        assert_eq!(cache.len(), 1);
        clock.advance_ms(100_000);
        assert_eq!(cache.inner.sweep(), None);
        assert_eq!(cache.len(), 0);
    }

    #[test]
    fn the_sweeper_works_by_itself_and_ends_with_the_cache() {
        let inner = Inner {
            life: Duration::from_millis(20),
            limit: 8,
            clock: Arc::new(SystemClock::start()),
            kept: Mutex::default(),
        };
        let (cache, thread) = DekCache::start(Arc::new(inner)).unwrap();
        cache.put([1; 32], &dek(1));
        let begun = Stopwatch::start(Arc::new(SystemClock::start()));
        let soon = || begun.elapsed() < Duration::from_secs(60);
        // Only the sweeper forgets here: nothing else looks at the clock.
        while cache.len() > 0 && soon() {
            std::thread::yield_now();
        }
        assert_eq!(cache.len(), 0);
        drop(cache);
        while !thread.is_finished() && soon() {
            std::thread::yield_now();
        }
        assert!(thread.is_finished(), "it waits for a cache that is gone");
    }

    #[test]
    fn nothing_is_kept_for_no_time() {
        let clock = ManualClock::at(0);
        assert!(DekCache::new(Duration::ZERO, 8, clock.clone()).is_none());
        assert!(DekCache::new(Duration::from_secs(1), 0, clock).is_none());
    }
}
