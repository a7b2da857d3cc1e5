//! Rate limits, for each network address and for each account.

mod clock;
mod strangers;

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{NotUntil, Quota, RateLimiter};

use crate::clock::Ambient;
use crate::config::Config;
use crate::http::{ClientIp, Problem};

use clock::Injected;
use strangers::Strangers;

type Keyed<K> = RateLimiter<K, DashMapStateStore<K>, Injected, NoOpMiddleware<Duration>>;

/// Every limiter of the server.
pub struct Limits {
    clock: Injected,
    sign_in_by_address: Keyed<IpAddr>,
    sign_in_by_handle: Keyed<[u8; 32]>,
    registration: Keyed<IpAddr>,
    registration_check: Keyed<IpAddr>,
    lookup: Keyed<[u8; 16]>,
    claim: Keyed<[u8; 16]>,
    message: Keyed<[u8; 16]>,
    refusal: Keyed<IpAddr>,
    strangers: Strangers,
}

impl Limits {
    /// Makes the limiters with the configured rates.
    pub fn new(config: &Config, ambient: &Ambient) -> Self {
        let clock = Injected::new(ambient.clone());
        let minute = |n: u32| Quota::per_minute(at_least_one(n));
        Self {
            sign_in_by_address: keyed(minute(config.sign_ins_per_minute), &clock),
            sign_in_by_handle: keyed(minute(config.sign_ins_per_minute), &clock),
            registration: keyed(
                Quota::per_hour(at_least_one(config.registrations_per_hour)),
                &clock,
            ),
            registration_check: keyed(minute(config.sign_ins_per_minute), &clock),
            lookup: keyed(minute(config.lookups_per_minute), &clock),
            claim: keyed(minute(config.claims_per_minute), &clock),
            message: keyed(minute(config.messages_per_minute), &clock),
            refusal: keyed(minute(config.sign_ins_per_minute), &clock),
            strangers: Strangers::new(config, ambient, &clock),
            clock,
        }
    }

    /// A sign-in or a recovery begins, from this address and for the handle with this digest.
    ///
    /// Known and unknown handles are counted alike.
    pub fn sign_in(&self, from: ClientIp, handle: [u8; 32]) -> Result<(), Problem> {
        self.check(&self.sign_in_by_address, &from.network())?;
        self.check(&self.sign_in_by_handle, &handle)
    }

    /// A registration begins.
    pub fn registration(&self, from: ClientIp) -> Result<(), Problem> {
        self.check(&self.registration, &from.network())
    }

    /// Somebody asks whether a registration would be taken.
    pub fn registration_check(&self, from: ClientIp) -> Result<(), Problem> {
        self.check(&self.registration_check, &from.network())
    }

    /// An account looks another one up.
    pub fn lookup(&self, account: [u8; 16]) -> Result<(), Problem> {
        self.check(&self.lookup, &account)
    }

    /// An account asks for somebody's bundles or a prekey.
    pub fn claim(&self, account: [u8; 16]) -> Result<(), Problem> {
        self.check(&self.claim, &account)
    }

    /// An account posts a message.
    pub fn message(&self, account: [u8; 16]) -> Result<(), Problem> {
        self.check(&self.message, &account)
    }

    /// An account writes to another: how many it begins to write to within an hour is limited.
    pub fn writes_to(&self, from: [u8; 16], to: [u8; 16]) -> Result<(), Problem> {
        self.strangers.writes(from, to, &self.clock)
    }

    /// Returns whether one more refusal from this address may reach the audit log.
    pub fn may_audit_refusal(&self, from: ClientIp) -> bool {
        self.refusal.check_key(&from.network()).is_ok()
    }

    /// Forgets the keys that are as if they had never been seen.
    pub fn forget_idle(&self) {
        self.sign_in_by_address.retain_recent();
        self.sign_in_by_handle.retain_recent();
        self.registration.retain_recent();
        self.registration_check.retain_recent();
        self.lookup.retain_recent();
        self.claim.retain_recent();
        self.message.retain_recent();
        self.refusal.retain_recent();
        self.strangers.forget_idle(&self.clock);
    }

    fn check<K: Hash + Eq + Clone>(&self, limiter: &Keyed<K>, key: &K) -> Result<(), Problem> {
        limiter
            .check_key(key)
            .map_err(|not_until| too_soon(&not_until, &self.clock))
    }
}

fn too_soon(not_until: &NotUntil<Duration>, clock: &Injected) -> Problem {
    let wait = not_until.wait_time_from(clock.now());
    Problem::too_many(wait.as_secs() + 1)
}

fn keyed<K: Hash + Eq + Clone>(quota: Quota, clock: &Injected) -> Keyed<K> {
    RateLimiter::new(quota, DashMapStateStore::default(), clock.clone())
}

fn at_least_one(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::clock::ManualClock;
    use actix_web::ResponseError;
    use std::sync::Arc;

    #[test]
    fn a_limit_closes_after_its_burst_and_opens_again_with_time() {
        let clock = ManualClock::at(1_000_000);
        let ambient = Ambient::new(clock.clone(), Arc::new(vault::OsEntropy));
        let config = Config {
            lookups_per_minute: 3,
            ..Config::default()
        };
        let limits = Limits::new(&config, &ambient);
        for _ in 0..3 {
            limits.lookup([1; 16]).unwrap();
        }
        let refusal = limits.lookup([1; 16]).unwrap_err();
        assert_eq!(refusal.status_code().as_u16(), 429);
        assert!(
            refusal
                .error_response()
                .headers()
                .contains_key("retry-after")
        );
        limits.lookup([2; 16]).unwrap();
        clock.advance_ms(21_000);
        limits.lookup([1; 16]).unwrap();
        assert!(limits.lookup([1; 16]).is_err());
    }
}
