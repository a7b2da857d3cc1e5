//! A KEK in memory, for a limited time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ambient::Clock;

use crate::remote::error::{RemoteError, Trouble};
use crate::remote::service::fingerprint;
use crate::secret::Kek;
use crate::stanza::ProviderTag;

/// A KEK, or why it is not there.
pub(super) struct Held {
    tag: ProviderTag,
    life: Duration,
    clock: Arc<dyn Clock>,
    fingerprint: [u8; 32],
    state: Mutex<State>,
}

struct State {
    /// The key, and until when it may be used.
    key: Option<(Arc<Kek>, Duration)>,
    /// What the service said last, unless it opened the key.
    trouble: Option<RemoteError>,
}

impl Held {
    /// Holds a key that the service opened, and was asked for at `asked`.
    pub(super) fn new(
        tag: ProviderTag,
        kek: Kek,
        asked: Duration,
        life: Duration,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            tag,
            life,
            clock,
            fingerprint: fingerprint(&kek),
            state: Mutex::new(State {
                key: Some((Arc::new(kek), asked.saturating_add(life))),
                trouble: None,
            }),
        }
    }

    /// The key, or why there is none.
    pub(super) fn key(&self) -> Result<Arc<Kek>, RemoteError> {
        let mut state = self.state();
        state.forget_at(self.clock.monotonic());
        if let Some((kek, _)) = &state.key {
            return Ok(Arc::clone(kek));
        }
        let ran_out = || RemoteError::new(self.tag, Trouble::RanOut, "");
        Err(state.trouble.clone().unwrap_or_else(ran_out))
    }

    /// Takes the key that the service opened again; an error if it is another one.
    pub(super) fn opened(&self, kek: Kek, asked: Duration) -> Result<(), RemoteError> {
        if fingerprint(&kek) != self.fingerprint {
            return Err(RemoteError::new(self.tag, Trouble::OtherKey, ""));
        }
        let mut state = self.state();
        state.key = Some((Arc::new(kek), asked.saturating_add(self.life)));
        state.trouble = None;
        Ok(())
    }

    /// Notes what the service said; wipes the key if it does not give it any more. Returns whether
    /// it is news.
    pub(super) fn refused(&self, error: RemoteError) -> bool {
        let mut state = self.state();
        state.forget_at(self.clock.monotonic());
        if error.trouble().is_final() {
            state.key = None;
        }
        let before = state.trouble.replace(error.clone());
        before.is_none_or(|before| before.trouble() != error.trouble())
    }

    /// Wipes a key whose time is over; returns the end of one that stays.
    pub(super) fn sweep(&self) -> Option<Duration> {
        let mut state = self.state();
        state.forget_at(self.clock.monotonic());
        state.key.as_ref().map(|(_, end)| *end)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget_at(&mut self, now: Duration) {
        self.key.take_if(|(_, end)| *end <= now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ambient::ManualClock;

    const LIFE: Duration = Duration::from_secs(300);

    fn kek(byte: u8) -> Kek {
        Kek::from_slice(&[byte; 32]).unwrap()
    }

    fn held() -> (Held, Arc<ManualClock>) {
        let clock = ManualClock::at(1_000);
        let now = clock.monotonic();
        let tag = ProviderTag::HASHICORP_VAULT;
        (Held::new(tag, kek(7), now, LIFE, clock.clone()), clock)
    }

    fn error(trouble: Trouble) -> RemoteError {
        RemoteError::new(ProviderTag::HASHICORP_VAULT, trouble, "for the test")
    }

    fn gone(held: &Held) -> Trouble {
        held.key().map(drop).unwrap_err().trouble()
    }

    #[test]
    fn a_key_is_held_for_its_time_however_often_it_is_used() {
        let (held, clock) = held();
        for _ in 0..300 {
            assert_eq!(held.key().unwrap().expose(), &[7; 32]);
            clock.advance_ms(1_000);
        }
        assert_eq!(gone(&held), Trouble::RanOut);
    }

    #[test]
    fn a_sweep_wipes_a_key_that_nobody_asks_for() {
        let (held, clock) = held();
        let weak = Arc::downgrade(&held.key().unwrap());
        assert_eq!(held.sweep(), Some(clock.monotonic() + LIFE));
        assert!(weak.upgrade().is_some());
        clock.advance(LIFE);
        assert_eq!(held.sweep(), None);
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn what_passes_leaves_the_key_to_the_end_of_its_time_and_what_is_final_does_not() {
        let passing = [Trouble::Unreachable, Trouble::Slow, Trouble::Throttled];
        for trouble in passing.into_iter().chain([Trouble::Failing, Trouble::Odd]) {
            let (held, clock) = held();
            assert!(held.refused(error(trouble)));
            assert!(!held.refused(error(trouble)), "it is no news");
            assert!(held.key().is_ok(), "{trouble:?}");
            clock.advance(LIFE);
            assert_eq!(gone(&held), trouble, "it says why");
        }
        for trouble in [
            Trouble::Denied,
            Trouble::Disabled,
            Trouble::Missing,
            Trouble::WrongContext,
            Trouble::OtherKey,
        ] {
            let (held, _clock) = held();
            assert!(held.refused(error(trouble)));
            assert_eq!(gone(&held), trouble);
        }
    }

    #[test]
    fn a_key_that_is_opened_again_is_used_again_and_another_one_is_not() {
        let (held, clock) = held();
        held.refused(error(Trouble::Disabled));
        let asked = clock.monotonic();
        clock.advance_ms(2_000);
        held.opened(kek(7), asked).unwrap();
        assert!(held.key().is_ok());
        clock.advance(LIFE - Duration::from_secs(2));
        assert_eq!(gone(&held), Trouble::RanOut, "it counts from the question");
        let other = held.opened(kek(8), clock.monotonic()).unwrap_err();
        assert_eq!(other.trouble(), Trouble::OtherKey);
        assert_eq!(gone(&held), Trouble::RanOut);
    }
}
