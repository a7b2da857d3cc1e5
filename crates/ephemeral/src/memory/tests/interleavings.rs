//! Explores interleavings of the real code on locks that a scheduler controls.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::sync::Mutex;
use shuttle::thread;

use super::*;
use crate::memory::platform::{After, Key, Lock, Table};
use crate::{ClaimError, ClaimToken};

struct Scheduled;

impl Platform for Scheduled {
    type Lock<T: Send + 'static> = Mutex<T>;
    type Table<K: Key, V: Send + Sync + 'static> = Mutex<HashMap<K, V>>;
}

impl<T: Send> Lock<T> for Mutex<T> {
    fn new(value: T) -> Self {
        Mutex::new(value)
    }

    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.lock().unwrap())
    }
}

impl<K: Key, V: Send + Sync + 'static> Table<K, V> for Mutex<HashMap<K, V>> {
    fn new() -> Self {
        Mutex::new(HashMap::new())
    }

    fn insert<E>(
        &self,
        key: K,
        mut value: V,
        admit: impl FnOnce(&mut V) -> Result<(), E>,
    ) -> Result<(), Option<E>> {
        let mut map = self.lock().unwrap();
        if map.contains_key(&key) {
            return Err(None);
        }
        admit(&mut value).map_err(Some)?;
        map.insert(key, value);
        Ok(())
    }

    fn upsert(&self, key: K, make: impl FnOnce() -> V, f: impl FnOnce(&mut V)) {
        f(self.lock().unwrap().entry(key).or_insert_with(make));
    }

    fn update<R>(&self, key: &K, f: impl FnOnce(&mut V) -> (R, After)) -> Option<(R, Option<V>)> {
        let mut map = self.lock().unwrap();
        let (result, after) = f(map.get_mut(key)?);
        let removed = if after == After::Remove {
            map.remove(key)
        } else {
            None
        };
        Some((result, removed))
    }

    fn read<R>(&self, key: &K, f: impl FnOnce(&V) -> R) -> Option<R> {
        self.lock().unwrap().get(key).map(f)
    }

    fn keys(&self) -> Vec<K> {
        self.lock().unwrap().keys().copied().collect()
    }

    fn shrink(&self) {}
}

const SCHEDULES: usize = 1000;

fn race(threads: Vec<Box<dyn FnOnce() + Send>>) {
    let handles: Vec<_> = threads.into_iter().map(thread::spawn).collect();
    for handle in handles {
        handle.join().unwrap();
    }
}

#[test]
fn of_three_sessions_that_race_for_a_burning_message_exactly_one_wins() {
    let scenario = || {
        let b: Arc<Bench<Scheduled>> = Arc::new(bench_with(Config::default()));
        let targets = [to_live(BOB, 1), to_live(BOB, 2), Target::Account(BOB)];
        b.post(message(1, true, &targets)).unwrap();
        let wins = Arc::new(AtomicUsize::new(0));
        let reader = |n: u8| {
            let (b, wins) = (Arc::clone(&b), Arc::clone(&wins));
            Box::new(move || {
                if let Ok(claim) = b.vault.claim(message_id(1), BOB, Some(live(n))) {
                    wins.fetch_add(1, Ordering::SeqCst);
                    b.vault
                        .acknowledge(message_id(1), BOB, &claim.token)
                        .unwrap();
                }
            }) as Box<dyn FnOnce() + Send>
        };
        race(vec![reader(1), reader(2), reader(3)]);
        assert_eq!(wins.load(Ordering::SeqCst), 1);
        assert!(b.is_pristine());
    };
    shuttle::check_random(scenario, SCHEDULES);
    shuttle::check_pct(scenario, SCHEDULES, 3);
}

/// The control of the test above: looking and taking in two steps lets two readers win, and the
/// scheduler finds it.
#[test]
fn a_claim_that_checks_and_then_acts_is_caught() {
    let scenario = || {
        let b: Arc<Bench<Scheduled>> = Arc::new(bench_with(Config::default()));
        b.post(message(1, true, &[to_live(BOB, 1), to_live(BOB, 2)]))
            .unwrap();
        let wins = Arc::new(AtomicUsize::new(0));
        let reader = |n: u8| {
            let (b, wins) = (Arc::clone(&b), Arc::clone(&wins));
            Box::new(move || {
                if broken_claim(&b.vault, live(n), n) {
                    wins.fetch_add(1, Ordering::SeqCst);
                }
            }) as Box<dyn FnOnce() + Send>
        };
        race(vec![reader(1), reader(2)]);
        assert_eq!(wins.load(Ordering::SeqCst), 1);
    };
    let caught = catch_unwind(AssertUnwindSafe(|| {
        shuttle::check_random(scenario, SCHEDULES)
    }));
    assert!(
        caught.is_err(),
        "the race was not found: the exploration proves nothing"
    );
}

fn broken_claim(vault: &Vault<Scheduled>, of: LiveId, n: u8) -> bool {
    let now_ms = START_MS;
    let found = vault
        .messages
        .read(&message_id(1), |held| held.claimable(BOB, Some(of), now_ms));
    let Some(Ok(index)) = found else {
        return false;
    };
    vault.transition(message_id(1), now_ms, |held, events| {
        let token = ClaimToken::from_bytes([n; 16]);
        held.claim(index, Some(of), token, now_ms + 30_000, events);
    });
    true
}

#[test]
fn claiming_acknowledging_expiring_and_purging_at_once_never_wins_twice_and_never_leaks() {
    let scenario = || {
        let b: Arc<Bench<Scheduled>> = Arc::new(bench_with(Config::default()));
        b.post(message(1, true, &[Target::Account(BOB)])).unwrap();
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let reader = || {
            let (b, acknowledged) = (Arc::clone(&b), Arc::clone(&acknowledged));
            Box::new(move || match b.vault.claim(message_id(1), BOB, None) {
                Ok(claim) => {
                    thread::yield_now();
                    if b.vault
                        .acknowledge(message_id(1), BOB, &claim.token)
                        .is_ok()
                    {
                        acknowledged.fetch_add(1, Ordering::SeqCst);
                    }
                }
                Err(error) => assert!(matches!(error, ClaimError::Taken | ClaimError::Gone)),
            }) as Box<dyn FnOnce() + Send>
        };
        let purger = {
            let b = Arc::clone(&b);
            Box::new(move || {
                b.clock.advance(LEASE);
                b.vault.purge_due(10);
                thread::yield_now();
                b.clock.advance(LEASE);
                b.vault.purge_due(10);
            }) as Box<dyn FnOnce() + Send>
        };
        race(vec![reader(), reader(), purger]);
        assert!(acknowledged.load(Ordering::SeqCst) <= 1);
        b.clock.advance(MINUTE + LEASE);
        b.vault.purge_due(10);
        assert!(b.is_pristine());
    };
    shuttle::check_random(scenario, SCHEDULES);
    shuttle::check_pct(scenario, SCHEDULES, 4);
}

#[test]
fn a_session_that_leaves_while_it_reads_gives_back_or_has_read_and_one_reader_wins() {
    let scenario = || {
        let b: Arc<Bench<Scheduled>> = Arc::new(bench_with(Config::default()));
        b.post(message(1, true, &[to_live(BOB, 1), Target::Account(BOB)]))
            .unwrap();
        let wins = Arc::new(AtomicUsize::new(0));
        let reader = |n: u8| {
            let (b, wins) = (Arc::clone(&b), Arc::clone(&wins));
            Box::new(move || {
                if let Ok(claim) = b.vault.claim(message_id(1), BOB, Some(live(n))) {
                    if b.vault.extend(message_id(1), BOB, &claim.token).is_err() {
                        return;
                    }
                    thread::yield_now();
                    // Whoever was allowed to show it has read it, whatever became of its session.
                    b.vault
                        .acknowledge(message_id(1), BOB, &claim.token)
                        .unwrap();
                    wins.fetch_add(1, Ordering::SeqCst);
                }
            }) as Box<dyn FnOnce() + Send>
        };
        let leaver = {
            let b = Arc::clone(&b);
            Box::new(move || {
                b.vault.session_left(BOB, live(1));
                thread::yield_now();
                b.vault.session_back(BOB, live(1));
            }) as Box<dyn FnOnce() + Send>
        };
        race(vec![reader(1), reader(2), leaver]);
        assert!(wins.load(Ordering::SeqCst) <= 1);
        b.clock.advance(MINUTE + LEASE);
        b.vault.purge_due(10);
        assert!(b.is_pristine());
    };
    shuttle::check_random(scenario, SCHEDULES);
    shuttle::check_pct(scenario, SCHEDULES, 3);
}

#[test]
fn whatever_is_posted_claimed_or_added_while_an_account_is_erased_is_wiped_or_refused() {
    for erased in [ALICE, BOB] {
        let scenario = move || {
            let b: Arc<Bench<Scheduled>> = Arc::new(bench_with(Config::default()));
            b.post(message(1, true, &[to_live(BOB, 1)])).unwrap();
            let poster = {
                let b = Arc::clone(&b);
                Box::new(move || {
                    let slots = vec![slot(Target::Account(BOB))];
                    let _added_or_gone = b.vault.add_slots(message_id(1), ALICE, slots);
                    let _taken_or_not = b.post(message(2, false, &[Target::Account(BOB)]));
                }) as Box<dyn FnOnce() + Send>
            };
            let reader = {
                let b = Arc::clone(&b);
                Box::new(move || {
                    if let Ok(claim) = b.vault.claim(message_id(1), BOB, Some(live(1))) {
                        thread::yield_now();
                        let _burned_or_gone = b.vault.acknowledge(message_id(1), BOB, &claim.token);
                    }
                }) as Box<dyn FnOnce() + Send>
            };
            let eraser = {
                let b = Arc::clone(&b);
                Box::new(move || {
                    b.vault.forget_account(erased);
                }) as Box<dyn FnOnce() + Send>
            };
            race(vec![poster, reader, eraser]);
            assert!(b.is_pristine());
        };
        shuttle::check_random(scenario, SCHEDULES);
        shuttle::check_pct(scenario, SCHEDULES, 3);
    }
}

#[test]
fn adding_slots_while_the_message_burns_leaves_nothing_behind() {
    let scenario = || {
        let b: Arc<Bench<Scheduled>> = Arc::new(bench_with(Config::default()));
        b.post(message(1, true, &[to_live(BOB, 1)])).unwrap();
        let poster = {
            let b = Arc::clone(&b);
            Box::new(move || {
                let slots = vec![slot(Target::Account(BOB)), slot(Target::Account(CAROL))];
                let _added_or_gone = b.vault.add_slots(message_id(1), ALICE, slots);
                let _duplicate = b.post(message(1, true, &[Target::Account(CAROL)]));
            }) as Box<dyn FnOnce() + Send>
        };
        let reader = {
            let b = Arc::clone(&b);
            Box::new(move || {
                let claim = b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
                b.vault
                    .acknowledge(message_id(1), BOB, &claim.token)
                    .unwrap();
            }) as Box<dyn FnOnce() + Send>
        };
        let looker = {
            let b = Arc::clone(&b);
            Box::new(move || {
                b.vault.waiting_for(CAROL, None);
                b.vault.status(ALICE, &[message_id(1)]);
            }) as Box<dyn FnOnce() + Send>
        };
        race(vec![poster, reader, looker]);
        assert!(b.is_pristine());
    };
    shuttle::check_random(scenario, SCHEDULES);
    shuttle::check_pct(scenario, SCHEDULES, 3);
}
