//! Rate limits, the same for HTTP and the WebSocket.

mod clock;
mod growing;
mod guesses;
mod refusals;
mod strangers;

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{NotUntil, Quota, RateLimiter};

use crate::app::Problem;
use crate::app::origin::ClientIp;
use crate::config::Config;
use ambient::Ambient;

use clock::Injected;
pub use guesses::Guesser;
use guesses::Guesses;
pub(crate) use refusals::note;
use strangers::Strangers;

type Keyed<K> = RateLimiter<K, DashMapStateStore<K>, Injected, NoOpMiddleware<Duration>>;

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// A limit.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Limit {
            $($(#[$doc])* $name,)+
        }

        impl Limit {
            /// Returns its name in the audit log.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

limits! {
    /// Sign-ins begun.
    SignIn = "sign-in",
    /// Recoveries begun.
    Recovery = "recovery",
    /// Re-authentications begun.
    Reauthentication = "re-authentication",
    /// Registrations begun.
    Registration = "registration",
    /// Questions whether a registration would be taken.
    RegistrationCheck = "registration-check",
    /// People looked up.
    Lookup = "look-up",
    /// Bundles and prekeys asked for.
    Claim = "claim",
    /// Messages posted.
    Message = "message",
    /// People whom an account begins to write to.
    NewPeople = "new-people",
    /// Changes of an account that the audit log keeps.
    Change = "change",
    /// Requests of an administrator.
    Administration = "administration",
    /// Sockets held.
    Sockets = "sockets",
    /// What waits in the vault for one sender.
    Quota = "quota",
}

/// When something may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TooSoon(Duration);

impl TooSoon {
    fn from(not_until: &NotUntil<Duration>, clock: &Injected) -> Self {
        Self(not_until.wait_time_from(clock.now()))
    }

    fn over(self, limit: Limit) -> Problem {
        Problem::over(limit, self.0.as_secs() + 1)
    }
}

/// Every limiter of the server.
pub struct Limits {
    clock: Injected,
    sign_ins: Guesses,
    recoveries: Guesses,
    reauthentications: Guesses,
    registration: Keyed<IpAddr>,
    registration_check: Keyed<IpAddr>,
    lookup: Keyed<[u8; 16]>,
    claim: Keyed<[u8; 16]>,
    message: Keyed<[u8; 16]>,
    change: Keyed<[u8; 16]>,
    administration: Keyed<[u8; 16]>,
    strangers: Strangers,
}

impl Limits {
    /// Makes the limiters with the configured rates.
    pub fn new(config: &Config, ambient: &Ambient) -> Self {
        let clock = Injected::new(ambient.clone());
        let guesses = || Guesses::new(config.sign_ins_per_minute, &clock);
        Self {
            sign_ins: guesses(),
            recoveries: guesses(),
            reauthentications: guesses(),
            registration: keyed(per_hour(config.registrations_per_hour), &clock),
            registration_check: keyed(per_minute(config.sign_ins_per_minute), &clock),
            lookup: keyed(per_minute(config.lookups_per_minute), &clock),
            claim: keyed(per_minute(config.claims_per_minute), &clock),
            message: keyed(per_minute(config.messages_per_minute), &clock),
            change: keyed(per_hour(config.changes_per_hour), &clock),
            administration: keyed(per_minute(config.administration_per_minute), &clock),
            strangers: Strangers::new(config, ambient, &clock),
            clock,
        }
    }

    /// Somebody tries to prove a secret; each kind of secret has counts of its own.
    ///
    /// Known and unknown accounts are counted alike.
    pub fn guess(&self, limit: Limit, guesser: &Guesser) -> Result<(), Problem> {
        let guesses = match limit {
            Limit::Recovery => &self.recoveries,
            Limit::Reauthentication => &self.reauthentications,
            _ => &self.sign_ins,
        };
        guesses
            .begin(guesser, &self.clock)
            .map_err(|too_soon| too_soon.over(limit))
    }

    /// A registration begins.
    pub fn registration(&self, from: ClientIp) -> Result<(), Problem> {
        self.check(Limit::Registration, &self.registration, &from.network())
    }

    /// Somebody asks whether a registration would be taken.
    pub fn registration_check(&self, from: ClientIp) -> Result<(), Problem> {
        self.check(
            Limit::RegistrationCheck,
            &self.registration_check,
            &from.network(),
        )
    }

    /// An account looks another one up.
    pub fn lookup(&self, account: [u8; 16]) -> Result<(), Problem> {
        self.check(Limit::Lookup, &self.lookup, &account)
    }

    /// An account asks for somebody's bundles or a prekey.
    pub fn claim(&self, account: [u8; 16]) -> Result<(), Problem> {
        self.check(Limit::Claim, &self.claim, &account)
    }

    /// An account posts a message.
    pub fn message(&self, account: [u8; 16]) -> Result<(), Problem> {
        self.check(Limit::Message, &self.message, &account)
    }

    /// An account makes a change that the audit log keeps.
    pub fn change(&self, account: [u8; 16]) -> Result<(), Problem> {
        self.check(Limit::Change, &self.change, &account)
    }

    /// An administrator asks for something that is theirs alone.
    pub fn administration(&self, account: [u8; 16]) -> Result<(), Problem> {
        self.check(Limit::Administration, &self.administration, &account)
    }

    /// An account writes to another: how many it begins to write to within an hour is limited.
    pub fn writes_to(&self, from: [u8; 16], to: [u8; 16]) -> Result<(), Problem> {
        self.strangers
            .writes(from, to, &self.clock)
            .map_err(|too_soon| too_soon.over(Limit::NewPeople))
    }

    /// Whether an account has written to another one of late.
    pub fn has_written(&self, from: [u8; 16], to: [u8; 16]) -> bool {
        self.strangers.has_written(from, to, &self.clock)
    }

    /// Forgets keys whose limits are fully recovered.
    pub fn forget_idle(&self) {
        self.sign_ins.forget_idle();
        self.recoveries.forget_idle();
        self.reauthentications.forget_idle();
        self.registration.retain_recent();
        self.registration_check.retain_recent();
        self.lookup.retain_recent();
        self.claim.retain_recent();
        self.message.retain_recent();
        self.change.retain_recent();
        self.administration.retain_recent();
        self.strangers.forget_idle(&self.clock);
    }

    fn check<K: Hash + Eq + Clone>(
        &self,
        limit: Limit,
        limiter: &Keyed<K>,
        key: &K,
    ) -> Result<(), Problem> {
        limiter
            .check_key(key)
            .map_err(|not_until| TooSoon::from(&not_until, &self.clock).over(limit))
    }
}

fn keyed<K: Hash + Eq + Clone>(quota: Quota, clock: &Injected) -> Keyed<K> {
    RateLimiter::new(quota, DashMapStateStore::default(), clock.clone())
}

fn per_minute(n: u32) -> Quota {
    Quota::per_minute(at_least_one(n))
}

fn per_hour(n: u32) -> Quota {
    Quota::per_hour(at_least_one(n))
}

fn at_least_one(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ambient::ManualClock;
    use std::sync::Arc;

    #[test]
    fn a_limit_closes_after_its_burst_and_opens_again_with_time() {
        let clock = ManualClock::at(1_000_000);
        let ambient = Ambient::new(clock.clone(), Arc::new(ambient::OsEntropy));
        let config = Config {
            lookups_per_minute: 3,
            ..Config::default()
        };
        let limits = Limits::new(&config, &ambient);
        for _ in 0..3 {
            limits.lookup([1; 16]).unwrap();
        }
        let refusal = limits.lookup([1; 16]).unwrap_err();
        assert_eq!(refusal.code().status(), 429);
        assert!(refusal.seconds().is_some_and(|seconds| seconds > 0));
        limits.lookup([2; 16]).unwrap();
        clock.advance_ms(21_000);
        limits.lookup([1; 16]).unwrap();
        assert!(limits.lookup([1; 16]).is_err());
    }

    fn limits(sign_ins_per_minute: u32) -> (Limits, Arc<ManualClock>) {
        let clock = ManualClock::at(1_000_000);
        let ambient = Ambient::new(clock.clone(), Arc::new(ambient::OsEntropy));
        let config = Config {
            sign_ins_per_minute,
            ..Config::default()
        };
        (Limits::new(&config, &ambient), clock)
    }

    fn stranger(account: u8, network: u8) -> Guesser {
        Guesser::Stranger {
            account: [account; 32],
            network: IpAddr::from([192, 0, 2, network]),
        }
    }

    fn known(device: u8) -> Guesser {
        Guesser::Known {
            account: [1; 16],
            device: [device; 32],
        }
    }

    #[test]
    fn a_known_device_gets_through_whatever_strangers_do() {
        let (limits, clock) = limits(5);
        let known = known(1);
        for _ in 0..600 {
            for network in 0..10 {
                let _ = limits.guess(Limit::SignIn, &stranger(1, network));
            }
            clock.advance_ms(1_000);
        }
        // What one of them may by now, the first takes.
        let _ = limits.guess(Limit::SignIn, &stranger(1, 98));
        assert!(limits.guess(Limit::SignIn, &stranger(1, 99)).is_err());
        limits.guess(Limit::SignIn, &known).unwrap();
        // Its own guesses are counted all the same.
        let more = (0..5).filter(|_| limits.guess(Limit::SignIn, &known).is_ok());
        assert_eq!(more.count(), 4);
    }

    #[test]
    fn a_stranger_elsewhere_is_not_locked_out_by_one_who_guesses() {
        let (limits, clock) = limits(5);
        for _ in 0..600 {
            let _ = limits.guess(Limit::SignIn, &stranger(1, 1));
            clock.advance_ms(1_000);
        }
        limits.guess(Limit::SignIn, &stranger(1, 2)).unwrap();
    }

    #[test]
    fn guesses_from_many_networks_are_bounded_together_and_cost_more_and_more() {
        let (limits, clock) = limits(5);
        let mut passed = 0;
        for second in 0..3_600_u32 {
            let network = (second % 250) as u8;
            passed += u32::from(limits.guess(Limit::SignIn, &stranger(1, network)).is_ok());
            clock.advance_ms(1_000);
        }
        // Three times five at once, then fewer and fewer: about one in a minute at last.
        assert!((15..150).contains(&passed), "{passed}");
    }

    #[test]
    fn many_devices_of_an_account_are_bounded_together_and_cost_more_and_more() {
        let (limits, clock) = limits(5);
        let mut passed = 0;
        for second in 0..3_600_u32 {
            let device = known((second % 250) as u8);
            passed += u32::from(limits.guess(Limit::SignIn, &device).is_ok());
            clock.advance_ms(1_000);
        }
        assert!((15..150).contains(&passed), "{passed}");
    }

    #[test]
    fn one_device_alone_does_not_take_what_the_others_of_its_account_may() {
        let (limits, clock) = limits(5);
        for _ in 0..600 {
            let _ = limits.guess(Limit::SignIn, &known(1));
            clock.advance_ms(1_000);
        }
        limits.guess(Limit::SignIn, &known(2)).unwrap();
    }

    #[test]
    fn sign_in_recovery_and_reauthentication_are_counted_apart() {
        let (limits, _) = limits(1);
        for limit in [Limit::SignIn, Limit::Recovery, Limit::Reauthentication] {
            limits.guess(limit, &stranger(1, 1)).unwrap();
            assert!(limits.guess(limit, &stranger(1, 1)).is_err());
        }
    }
}
