//! Rate limits, the same for HTTP and the WebSocket.

mod guesses;
mod refusals;

use std::time::Duration;

use ephemeral::{Attempt, Ephemeral, Key, Rule, TooSoon, Unreachable, UserId};

use crate::app::Problem;
use crate::app::origin::ClientIp;
use crate::config::Config;

pub use guesses::Guesser;
use guesses::{Guesses, guesses};
pub(crate) use refusals::note;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

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
    /// Links begun.
    Link = "link",
    /// Public keys of services asked for.
    ServiceKeyLookup = "service-key-look-up",
    /// Sockets held.
    Sockets = "sockets",
    /// What waits in the vault for one sender.
    Quota = "quota",
}

/// Makes the rule of a limit: so many attempts at once, and as many in this time.
const fn rule(limit: Limit, burst: u32, per: Duration) -> Rule {
    Rule {
        name: limit.name(),
        burst,
        per,
        growing: false,
    }
}

/// The rules of the server, over the plane that counts.
pub struct Limits {
    plane: Ephemeral,
    sign_ins: Guesses,
    recoveries: Guesses,
    reauthentications: Guesses,
    registration: Rule,
    registration_check: Rule,
    lookup: Rule,
    service_key_lookup: Rule,
    claim: Rule,
    message: Rule,
    link: Rule,
    change: Rule,
    administration: Rule,
    new_people: Rule,
}

impl Limits {
    /// Makes the rules with the configured rates.
    pub fn new(config: &Config, plane: Ephemeral) -> Self {
        let guesses = config.sign_ins_per_minute;
        let check = rule(Limit::RegistrationCheck, guesses, MINUTE);
        let administration = config.administration_per_minute;
        Self {
            plane,
            sign_ins: guesses!("sign-in", guesses),
            recoveries: guesses!("recovery", guesses),
            reauthentications: guesses!("re-authentication", guesses),
            registration: rule(Limit::Registration, config.registrations_per_hour, HOUR),
            registration_check: check,
            lookup: rule(Limit::Lookup, config.lookups_per_minute, MINUTE),
            service_key_lookup: rule(Limit::ServiceKeyLookup, config.lookups_per_minute, MINUTE),
            claim: rule(Limit::Claim, config.claims_per_minute, MINUTE),
            message: rule(Limit::Message, config.messages_per_minute, MINUTE),
            link: rule(Limit::Link, config.links_per_minute, MINUTE),
            change: rule(Limit::Change, config.changes_per_hour, HOUR),
            administration: rule(Limit::Administration, administration, MINUTE),
            new_people: rule(Limit::NewPeople, config.new_people_per_hour, HOUR),
        }
    }

    /// Somebody tries to prove a secret; each kind of secret has counts of its own.
    ///
    /// Known and unknown accounts are counted alike.
    pub async fn guess(&self, limit: Limit, guesser: &Guesser) -> Result<(), Problem> {
        let guesses = match limit {
            Limit::Recovery => &self.recoveries,
            Limit::Reauthentication => &self.reauthentications,
            _ => &self.sign_ins,
        };
        self.take(limit, &guesses.attempts(guesser)).await
    }

    /// A registration begins.
    pub async fn registration(&self, from: ClientIp) -> Result<(), Problem> {
        let key = Key::with_network(&[], from.network());
        self.count(Limit::Registration, self.registration, key)
            .await
    }

    /// Somebody asks whether a registration would be taken.
    pub async fn registration_check(&self, from: ClientIp) -> Result<(), Problem> {
        let key = Key::with_network(&[], from.network());
        self.count(Limit::RegistrationCheck, self.registration_check, key)
            .await
    }

    /// An account looks another one up.
    pub async fn lookup(&self, account: [u8; 16]) -> Result<(), Problem> {
        self.count(Limit::Lookup, self.lookup, Key::of(&account, &[]))
            .await
    }

    /// Somebody asks for public keys of a service.
    pub async fn service_key_lookup(&self, from: ClientIp) -> Result<(), Problem> {
        let key = Key::with_network(&[], from.network());
        self.count(Limit::ServiceKeyLookup, self.service_key_lookup, key)
            .await
    }

    /// An account asks for somebody's bundles or a prekey.
    pub async fn claim(&self, account: [u8; 16]) -> Result<(), Problem> {
        self.count(Limit::Claim, self.claim, Key::of(&account, &[]))
            .await
    }

    /// An account posts a message.
    pub async fn message(&self, account: [u8; 16]) -> Result<(), Problem> {
        self.count(Limit::Message, self.message, Key::of(&account, &[]))
            .await
    }

    /// An account begins to open a link, which costs the server more than any frame.
    pub async fn link(&self, account: [u8; 16]) -> Result<(), Problem> {
        self.count(Limit::Link, self.link, Key::of(&account, &[]))
            .await
    }

    /// An account makes a change that the audit log keeps.
    pub async fn change(&self, account: [u8; 16]) -> Result<(), Problem> {
        self.count(Limit::Change, self.change, Key::of(&account, &[]))
            .await
    }

    /// An administrator asks for something that is theirs alone.
    pub async fn administration(&self, account: [u8; 16]) -> Result<(), Problem> {
        let key = Key::of(&account, &[]);
        self.count(Limit::Administration, self.administration, key)
            .await
    }

    /// An account writes to others: how many it begins to write to within an hour is limited.
    pub async fn writes_to(&self, from: UserId, to: &[UserId]) -> Result<(), Problem> {
        let limits = self.plane.limits();
        let written = limits.writes_to(from, to, self.new_people).await?;
        written.map_err(|too_soon| over(Limit::NewPeople, too_soon))
    }

    /// Returns those who have not written to the reader of late: for them the reader is a stranger, who
    /// has room for a few messages only.
    pub async fn never_wrote_to(
        &self,
        reader: UserId,
        accounts: &[UserId],
    ) -> Result<Vec<UserId>, Unreachable> {
        self.plane.limits().never_wrote_to(reader, accounts).await
    }

    async fn count(&self, limit: Limit, rule: Rule, key: Key) -> Result<(), Problem> {
        self.take(limit, &[Attempt { rule, key }]).await
    }

    async fn take(&self, limit: Limit, attempts: &[Attempt]) -> Result<(), Problem> {
        let taken = self.plane.limits().take(attempts).await?;
        taken.map_err(|too_soon| over(limit, too_soon))
    }
}

fn over(limit: Limit, TooSoon(wait): TooSoon) -> Problem {
    Problem::over(limit, wait.as_secs() + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ambient::{Ambient, ManualClock};
    use futures_util::FutureExt;
    use std::net::IpAddr;
    use std::sync::Arc;

    #[test]
    fn a_limit_closes_after_its_burst_and_opens_again_with_time() {
        let clock = ManualClock::at(1_000_000);
        let ambient = Ambient::new(clock.clone(), Arc::new(ambient::OsEntropy));
        let config = Config {
            lookups_per_minute: 3,
            ..Config::default()
        };
        let limits = Limits::new(&config, plane(ambient));
        for _ in 0..3 {
            ask(limits.lookup([1; 16])).unwrap();
        }
        let refusal = ask(limits.lookup([1; 16])).unwrap_err();
        assert_eq!(refusal.code().status(), 429);
        assert!(refusal.seconds().is_some_and(|seconds| seconds > 0));
        ask(limits.lookup([2; 16])).unwrap();
        clock.advance_ms(21_000);
        ask(limits.lookup([1; 16])).unwrap();
        assert!(ask(limits.lookup([1; 16])).is_err());
    }

    fn plane(ambient: Ambient) -> Ephemeral {
        Ephemeral::memory(ephemeral::Config::default(), ambient)
    }

    /// Memory answers at once.
    fn ask<T>(answer: impl Future<Output = T>) -> T {
        answer.now_or_never().unwrap()
    }

    fn limits(sign_ins_per_minute: u32) -> (Limits, Arc<ManualClock>) {
        let clock = ManualClock::at(1_000_000);
        let ambient = Ambient::new(clock.clone(), Arc::new(ambient::OsEntropy));
        let config = Config {
            sign_ins_per_minute,
            ..Config::default()
        };
        (Limits::new(&config, plane(ambient)), clock)
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
                let _ = ask(limits.guess(Limit::SignIn, &stranger(1, network)));
            }
            clock.advance_ms(1_000);
        }
        // What one of them may by now, the first takes.
        let _ = ask(limits.guess(Limit::SignIn, &stranger(1, 98)));
        assert!(ask(limits.guess(Limit::SignIn, &stranger(1, 99))).is_err());
        ask(limits.guess(Limit::SignIn, &known)).unwrap();
        // Its own guesses are counted all the same.
        let more = (0..5).filter(|_| ask(limits.guess(Limit::SignIn, &known)).is_ok());
        assert_eq!(more.count(), 4);
    }

    #[test]
    fn a_stranger_elsewhere_is_not_locked_out_by_one_who_guesses() {
        let (limits, clock) = limits(5);
        for _ in 0..600 {
            let _ = ask(limits.guess(Limit::SignIn, &stranger(1, 1)));
            clock.advance_ms(1_000);
        }
        ask(limits.guess(Limit::SignIn, &stranger(1, 2))).unwrap();
    }

    #[test]
    fn guesses_from_many_networks_are_bounded_together_and_cost_more_and_more() {
        let (limits, clock) = limits(5);
        let mut passed = 0;
        for second in 0..3_600_u32 {
            let network = (second % 250) as u8;
            passed += u32::from(ask(limits.guess(Limit::SignIn, &stranger(1, network))).is_ok());
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
            passed += u32::from(ask(limits.guess(Limit::SignIn, &device)).is_ok());
            clock.advance_ms(1_000);
        }
        assert!((15..150).contains(&passed), "{passed}");
    }

    #[test]
    fn one_device_alone_does_not_take_what_the_others_of_its_account_may() {
        let (limits, clock) = limits(5);
        for _ in 0..600 {
            let _ = ask(limits.guess(Limit::SignIn, &known(1)));
            clock.advance_ms(1_000);
        }
        ask(limits.guess(Limit::SignIn, &known(2))).unwrap();
    }

    #[test]
    fn sign_in_recovery_and_reauthentication_are_counted_apart() {
        let (limits, _) = limits(1);
        for limit in [Limit::SignIn, Limit::Recovery, Limit::Reauthentication] {
            ask(limits.guess(limit, &stranger(1, 1))).unwrap();
            assert!(ask(limits.guess(limit, &stranger(1, 1))).is_err());
        }
    }
}
