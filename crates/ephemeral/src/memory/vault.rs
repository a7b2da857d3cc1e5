//! The vault: the table of messages and the leaves around it.

mod erase;
mod lease;
mod look;
mod post;
mod presence;
mod upkeep;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::memory::forgotten::Forgotten;
use crate::memory::ledger::Ledger;
use crate::memory::message::Held;
use crate::memory::platform::{After, Lock, Native, Platform, Table};
use crate::memory::schedule::Schedule;
use crate::memory::tombstones::Tombstones;
use crate::{Config, Event, EventSink, MessageId, MessageState, Notice, UserId};
use ambient::{Clock, Entropy};

/// The messages that have a slot for one account: those of each poster in the order they were posted.
type Inbox = BTreeMap<UserId, BTreeSet<(u64, MessageId)>>;

/// The shortest time for which a fate is remembered, so that a sender who was briefly away learns it.
const FATE_MS: u64 = 600_000;

/// Holds messages in memory until they are read or expire.
///
/// Every method is short, synchronous and safe to call from any thread; see the crate's page for
/// the states and the locks.
pub struct Vault<P: Platform = Native> {
    config: Config,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    pub(crate) messages: P::Table<MessageId, Box<Held>>,
    inboxes: P::Table<UserId, Inbox>,
    schedule: P::Lock<Schedule>,
    ledger: Arc<P::Lock<Ledger>>,
    tombstones: P::Lock<Tombstones>,
    forgotten: P::Lock<Forgotten>,
    sequence: AtomicU64,
    operations: AtomicU64,
    seen_at_last_call: AtomicU64,
    freed: AtomicU64,
    sinks: RwLock<Arc<[Arc<dyn EventSink>]>>,
}

impl Vault<Native> {
    /// Makes an empty vault.
    pub fn new(config: Config, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self::on_platform(config, clock, entropy)
    }
}

impl<P: Platform> Vault<P> {
    pub(crate) fn on_platform(
        config: Config,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let tombstones = Tombstones::new(config.tombstones, config.account_tombstones);
        Self {
            config,
            clock,
            entropy,
            messages: Table::new(),
            inboxes: Table::new(),
            schedule: Lock::new(Schedule::default()),
            ledger: Arc::new(Lock::new(Ledger::new())),
            tombstones: Lock::new(tombstones),
            forgotten: Lock::new(Forgotten::default()),
            sequence: AtomicU64::new(0),
            operations: AtomicU64::new(0),
            seen_at_last_call: AtomicU64::new(0),
            freed: AtomicU64::new(0),
            sinks: RwLock::new(Arc::new([])),
        }
    }

    /// Returns the configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Adds a receiver of every later event.
    pub fn subscribe(&self, sink: Box<dyn EventSink>) {
        let mut sinks = self.sinks.write().unwrap_or_else(PoisonError::into_inner);
        *sinks = sinks.iter().cloned().chain([Arc::from(sink)]).collect();
    }

    /// Publishes events; no lock may be held.
    fn publish(&self, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        let sinks = Arc::clone(&self.sinks.read().unwrap_or_else(PoisonError::into_inner));
        for event in events {
            for sink in sinks.iter() {
                sink.publish(event);
            }
        }
    }

    /// Tells the sinks about connections; no lock may be held.
    pub(super) fn notify(&self, notice: &Notice) {
        let sinks = Arc::clone(&self.sinks.read().unwrap_or_else(PoisonError::into_inner));
        sinks.iter().for_each(|sink| sink.notify(notice));
    }

    fn lease_ms(&self) -> u64 {
        self.config.lease.as_millis() as u64
    }

    /// Makes one transition of one message: ticks it, changes it, and settles the leaves, all under
    /// its lock; then wipes and publishes outside. `None` when the message is not held or the tick
    /// ended it.
    pub(crate) fn transition<R>(
        &self,
        id: MessageId,
        now_ms: u64,
        change: impl FnOnce(&mut Held, &mut Vec<Event>) -> R,
    ) -> Option<R> {
        self.operations.fetch_add(1, Ordering::Relaxed);
        let mut events = Vec::new();
        let outcome = self.messages.update(&id, |held| {
            held.tick(now_ms, &mut events);
            let result = (!held.is_over()).then(|| change(held, &mut events));
            (result, self.settle(held, now_ms))
        });
        let result = outcome.and_then(|(result, removed)| {
            drop(removed);
            result
        });
        self.publish(&events);
        result
    }

    /// Brings schedule, index, quotas and tombstones into step with a message whose lock is held.
    fn settle(&self, held: &mut Held, now_ms: u64) -> After {
        let id = held.id;
        if held.is_over() {
            self.freed.fetch_add(held.charged, Ordering::Relaxed);
            self.schedule.with(|s| s.remove(held.scheduled_ms, id));
            for account in held.accounts() {
                self.leave_inbox(account, held);
            }
            self.ledger.with(|l| l.refund(held.poster, 1, held.charged));
            let state = if held.acknowledged {
                MessageState::Acknowledged
            } else {
                MessageState::Expired
            };
            let until_ms = held.expires_ms.max(now_ms + FATE_MS);
            self.tombstones
                .with(|t| t.insert(id, held.poster, state, until_ms));
            return After::Remove;
        }
        let due_ms = held.due_ms();
        if due_ms != held.scheduled_ms {
            self.schedule
                .with(|s| s.move_to(held.scheduled_ms, due_ms, id));
            held.scheduled_ms = due_ms;
        }
        let cost = held.cost();
        let freed = held.charged.saturating_sub(cost);
        if freed != 0 {
            self.freed.fetch_add(freed, Ordering::Relaxed);
            self.ledger.with(|l| l.refund(held.poster, 0, freed));
            held.charged = cost;
        }
        After::Keep
    }

    fn enter_inbox(&self, account: UserId, held: &Held) {
        self.inboxes.upsert(account, Inbox::new, |inbox| {
            let of_poster = inbox.entry(held.poster).or_default();
            of_poster.insert((held.sequence, held.id));
        });
    }

    fn leave_inbox(&self, account: UserId, held: &Held) {
        self.inboxes.update(&account, |inbox| {
            if let Some(of_poster) = inbox.get_mut(&held.poster) {
                of_poster.remove(&(held.sequence, held.id));
                if of_poster.is_empty() {
                    inbox.remove(&held.poster);
                }
            }
            let after = if inbox.is_empty() {
                After::Remove
            } else {
                After::Keep
            };
            ((), after)
        });
    }
}
