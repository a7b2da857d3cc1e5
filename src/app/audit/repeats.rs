//! Audit records of refusals and reads: listed up to a rate, and counted beyond it.
//!
//! A record that belongs to a change shares the change's transaction and is always listed; how many
//! such changes there may be is limited. What is here belongs to no change, and anybody may cause it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use serde_json::json;
use store::{AuditEvent, UserId};

use crate::config::Config;
use ambient::Ambient;

/// Seconds after which counts are written.
const WRITE_EVERY: u64 = 600;

/// All networks together may list this many times in an hour what one network may list in a minute.
const TOGETHER: u32 = 30;

/// The most pairs of kind and account with their own count.
const MAX_KINDS: usize = 32;

/// The most networks with their own count for one of these.
const MAX_NETWORKS: usize = 256;

/// The most records that wait to be written.
const MAX_PENDING: usize = 1_024;

/// Subject of a count.
type Kind = (&'static str, Option<UserId>);

/// Number of records that were not listed.
struct Counted {
    count: u64,
    first: u64,
    last: u64,
    networks: BTreeSet<IpAddr>,
}

#[derive(Default)]
struct State {
    pending: Vec<AuditEvent>,
    counted: BTreeMap<Kind, Counted>,
}

/// Decides which records are listed, and counts the others.
pub struct Repeats {
    ambient: Ambient,
    by_network: Rate<(&'static str, IpAddr)>,
    together: Rate<&'static str>,
    state: Mutex<State>,
}

impl Repeats {
    /// Lists as many records of a kind a minute, from one network, as it may begin sign-ins.
    pub fn new(config: &Config, ambient: &Ambient) -> Self {
        let each = config.sign_ins_per_minute.max(1);
        Self {
            ambient: ambient.clone(),
            by_network: Rate::new(each, Duration::from_secs(60)),
            together: Rate::new(each.saturating_mul(TOGETHER), Duration::from_secs(3_600)),
            state: Mutex::default(),
        }
    }

    /// Returns the event if it is to be listed; otherwise counts it.
    pub fn admit(&self, event: AuditEvent, network: IpAddr) -> Option<AuditEvent> {
        let now = Duration::from_millis(self.ambient.now_ms());
        let listed = self.by_network.takes((event.action, network), now)
            && self.together.takes(event.action, now);
        if listed {
            return Some(event);
        }
        self.count(&event, network);
        None
    }

    /// Lets the event be written with the next tick of the jobs, or counts it.
    pub fn note(&self, event: AuditEvent, network: IpAddr) {
        let Some(event) = self.admit(event, network) else {
            return;
        };
        let mut state = self.state();
        if state.pending.len() < MAX_PENDING {
            state.pending.push(event);
            return;
        }
        drop(state);
        self.count(&event, network);
    }

    fn count(&self, event: &AuditEvent, network: IpAddr) {
        let mut state = self.state();
        let kind = (event.action, event.user_id);
        let known = state.counted.contains_key(&kind) || state.counted.len() < MAX_KINDS;
        let kind = if known { kind } else { (event.action, None) };
        let counted = state.counted.entry(kind).or_insert(Counted {
            count: 0,
            first: event.timestamp,
            last: event.timestamp,
            networks: BTreeSet::new(),
        });
        counted.count += 1;
        counted.last = counted.last.max(event.timestamp);
        if counted.networks.len() < MAX_NETWORKS {
            counted.networks.insert(network);
        }
    }

    /// Takes what is to be written by now; with `all` also what is still being counted.
    pub fn due(&self, all: bool) -> Vec<AuditEvent> {
        let now = self.ambient.now();
        let mut state = self.state();
        let mut events = std::mem::take(&mut state.pending);
        let over = |counted: &Counted| all || now >= counted.first + WRITE_EVERY;
        let kinds: Vec<Kind> = state
            .counted
            .iter()
            .filter(|(_, counted)| over(counted))
            .map(|(kind, _)| *kind)
            .collect();
        for kind in kinds {
            let Some(counted) = state.counted.remove(&kind) else {
                continue;
            };
            let mut details = json!({
                "count": counted.count,
                "since": counted.first,
                "until": counted.last,
                "networks": counted.networks.len(),
            });
            if let (1, Some(network)) = (counted.networks.len(), counted.networks.first()) {
                details["ip"] = network.to_string().into();
            }
            events.push(AuditEvent {
                user_id: kind.1,
                action: kind.0,
                timestamp: now,
                details,
            });
        }
        events
    }

    /// Takes events back that could not be written.
    pub fn put_back(&self, events: Vec<AuditEvent>) {
        let mut state = self.state();
        let room = MAX_PENDING.saturating_sub(state.pending.len());
        state.pending.extend(events.into_iter().take(room));
    }

    /// Forgets the networks that had nothing listed of late.
    pub fn forget_idle(&self) {
        let now = Duration::from_millis(self.ambient.now_ms());
        self.by_network.forget_idle(now);
        self.together.forget_idle(now);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So many of each key in a span of time, counted anew when the span is over.
struct Rate<K: std::hash::Hash + Eq> {
    most: NonZeroU32,
    span: Duration,
    rows: DashMap<K, (Duration, u32)>,
}

impl<K: std::hash::Hash + Eq> Rate<K> {
    fn new(most: u32, span: Duration) -> Self {
        Self {
            most: NonZeroU32::new(most).unwrap_or(NonZeroU32::MIN),
            span,
            rows: DashMap::new(),
        }
    }

    fn takes(&self, key: K, now: Duration) -> bool {
        let mut row = self.rows.entry(key).or_insert((now, 0));
        if now.saturating_sub(row.0) >= self.span {
            *row = (now, 0);
        }
        row.1 = row.1.saturating_add(1);
        row.1 <= self.most.get()
    }

    fn forget_idle(&self, now: Duration) {
        self.rows
            .retain(|_, (since, _)| now.saturating_sub(*since) < self.span);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use ambient::ManualClock;

    fn repeats() -> (Repeats, Arc<ManualClock>) {
        let clock = ManualClock::at(1_000_000);
        let ambient = Ambient::new(clock.clone(), Arc::new(ambient::OsEntropy));
        let config = Config {
            sign_ins_per_minute: 2,
            ..Config::default()
        };
        (Repeats::new(&config, &ambient), clock)
    }

    fn event(repeats: &Repeats, user: Option<u8>) -> AuditEvent {
        AuditEvent {
            user_id: user.map(|user| UserId::from_bytes([user; 16])),
            action: "sign_in.failed",
            timestamp: repeats.ambient.now(),
            details: json!({}),
        }
    }

    fn network(n: u16) -> IpAddr {
        let [high, low] = n.to_be_bytes();
        IpAddr::from([10, 0, high, low])
    }

    #[test]
    fn repetitions_are_one_record_with_a_count() {
        let (repeats, clock) = repeats();
        let listed = (0..100).filter_map(|_| repeats.admit(event(&repeats, Some(1)), network(1)));
        assert_eq!(listed.count(), 2);
        assert!(repeats.due(false).is_empty(), "they are still counted");
        clock.advance_ms(600_000);
        let due = repeats.due(false);
        assert_eq!(due.len(), 1);
        assert_eq!(due[0].user_id, Some(UserId::from_bytes([1; 16])));
        assert_eq!(due[0].details["count"], 98);
        assert_eq!(due[0].details["ip"], "10.0.0.1");
        assert!(repeats.due(true).is_empty(), "written once");
    }

    #[test]
    fn records_from_many_networks_are_bounded_together() {
        let (repeats, _) = repeats();
        let listed = (0..5_000).filter_map(|n| repeats.admit(event(&repeats, None), network(n)));
        assert_eq!(listed.count(), 60);
        let due = repeats.due(true);
        assert_eq!(due.len(), 1);
        assert_eq!(due[0].details["count"], 4_940);
        assert_eq!(due[0].details["networks"], 256);
    }

    #[test]
    fn however_many_accounts_are_tried_few_records_tell_of_them() {
        let (repeats, _) = repeats();
        for n in 0..200 {
            repeats.note(event(&repeats, Some(n)), network(1));
        }
        let due = repeats.due(true);
        assert!(due.len() <= 2 + 33, "{}", due.len());
        let told: u64 = due
            .iter()
            .map(|event| event.details["count"].as_u64().unwrap_or(1))
            .sum();
        assert_eq!(told, 200, "none is lost");
    }
}
