//! The time: by this device, by the server, and the last one that the key safe has seen.
//!
//! A server's word moves the time at which things are exchanged with it. It never moves what is
//! stored by more than an hour above this device's clock, so that a server whose clock was wrong for a
//! minute leaves nothing behind when it was put right.
//!
//! Specification: `docs/protocol.md#time`.

mod question;

/// Clocks that are further apart than this disagree, seconds.
pub(crate) const TOLERANCE_SECS: u64 = 3_600;
/// Smaller differences come from whole seconds and from the network, milliseconds.
const UNNOTICED_MS: u64 = 1_500;

/// What is known of the time, beside the device's clock.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// Server's clock minus this device's, milliseconds.
    offset_ms: i64,
    /// For how long this core has run: the steps of the device's clock that went forward, milliseconds.
    elapsed_ms: u64,
    /// The last time that the key safe has seen, unix seconds, unless the person said that it is wrong.
    seen_secs: u64,
    corrected: bool,
}

/// The key safe has seen a time that neither clock has reached. All unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Conflict {
    pub(crate) seen: u64,
    pub(crate) server: u64,
    pub(crate) device: u64,
}

impl Clock {
    /// The device's clock went on.
    pub(crate) const fn went_on(&mut self, by_ms: u64) {
        self.elapsed_ms = self.elapsed_ms.saturating_add(by_ms);
    }

    /// The device's clock was put back; the server's did not change.
    pub(crate) fn put_back(&mut self, by_ms: u64) {
        let back = i64::try_from(by_ms).unwrap_or(i64::MAX);
        self.offset_ms = self.offset_ms.saturating_add(back);
    }

    /// The server said what time it is; gives how far that is from the device's clock, seconds.
    pub(crate) fn told(&mut self, server_secs: u64, device_ms: u64) -> u64 {
        let server_ms = i64::try_from(server_secs.saturating_mul(1_000)).unwrap_or(i64::MAX);
        let own_ms = i64::try_from(device_ms).unwrap_or(i64::MAX);
        let offset = server_ms.saturating_sub(own_ms);
        let apart_ms = offset.unsigned_abs();
        self.offset_ms = if apart_ms < UNNOTICED_MS { 0 } else { offset };
        apart_ms / 1_000
    }

    /// The key safe was opened; it has seen this time.
    pub(crate) const fn opened(&mut self, seen_secs: u64) {
        self.seen_secs = seen_secs;
        self.corrected = false;
    }

    /// The keys are gone, and what they had seen.
    pub(crate) const fn closed(&mut self) {
        self.opened(0);
    }

    /// The person says that the time which the key safe has seen is wrong.
    pub(crate) const fn correct(&mut self) {
        self.seen_secs = 0;
        self.corrected = true;
    }

    /// This core's own running time, milliseconds. It never goes back.
    pub(crate) const fn elapsed_ms(&self) -> u64 {
        self.elapsed_ms
    }

    /// This device's clock minus the server's, seconds.
    pub(crate) const fn skew_secs(&self) -> i64 {
        self.offset_ms.saturating_neg() / 1_000
    }

    /// Server time, unix milliseconds.
    pub(crate) const fn server_ms(&self, device_ms: u64) -> u64 {
        device_ms.saturating_add_signed(self.offset_ms)
    }

    /// Server time, at most an hour above this device's clock, unix milliseconds.
    pub(crate) fn shown_ms(&self, device_ms: u64) -> u64 {
        let most = device_ms.saturating_add(TOLERANCE_SECS * 1_000);
        self.server_ms(device_ms).min(most)
    }

    /// This device's milliseconds at a server second.
    pub(crate) const fn device_ms(&self, server_secs: u64) -> u64 {
        server_secs
            .saturating_mul(1_000)
            .saturating_add_signed(self.offset_ms.saturating_neg())
    }

    /// The time for what is exchanged, unix seconds: the server's, but not more than an hour below the
    /// last one that the key safe has seen.
    pub(crate) fn now(&self, device_ms: u64) -> u64 {
        let floor = self.seen_secs.saturating_sub(TOLERANCE_SECS);
        (self.server_ms(device_ms) / 1_000).max(floor)
    }

    /// The time for what is stored, unix seconds: at most an hour above this device's clock.
    pub(crate) fn stamp(&self, device_ms: u64) -> u64 {
        let most = (device_ms / 1_000).saturating_add(TOLERANCE_SECS);
        self.now(device_ms).min(most)
    }

    /// What a key safe that has seen `before` has seen from now on.
    pub(crate) fn seen_next(&self, before: u64, device_ms: u64) -> u64 {
        let stamp = self.stamp(device_ms);
        if self.corrected {
            stamp
        } else {
            before.max(stamp)
        }
    }

    /// Whether the key safe has seen a time that neither clock has reached: only the person can say
    /// whether this device's clock is wrong.
    pub(crate) fn conflict(&self, device_ms: u64) -> Option<Conflict> {
        let conflict = Conflict {
            seen: self.seen_secs,
            server: self.server_ms(device_ms) / 1_000,
            device: device_ms / 1_000,
        };
        let later = conflict.server.max(conflict.device);
        (conflict.seen > later.saturating_add(TOLERANCE_SECS)).then_some(conflict)
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, Conflict, TOLERANCE_SECS};

    const DEVICE: u64 = 1_800_000_000;
    const DEVICE_MS: u64 = DEVICE * 1_000;
    const DAY: u64 = 86_400;

    #[test]
    fn what_one_account_has_seen_says_nothing_to_the_next() {
        let mut clock = Clock::default();
        clock.opened(DEVICE + 10 * DAY);
        assert!(clock.now(DEVICE_MS) > DEVICE && clock.conflict(DEVICE_MS).is_some());
        clock.closed();
        assert_eq!(clock.now(DEVICE_MS), DEVICE);
        assert!(clock.conflict(DEVICE_MS).is_none());
    }

    #[test]
    fn what_is_stored_is_at_most_an_hour_above_this_devices_clock() {
        for (server, stored) in [
            (DEVICE, DEVICE),
            (DEVICE + 600, DEVICE + 600),
            (DEVICE + DAY, DEVICE + TOLERANCE_SECS),
            (u64::MAX, DEVICE + TOLERANCE_SECS),
            (DEVICE - DAY, DEVICE - DAY),
            (0, 0),
        ] {
            let mut clock = Clock::default();
            clock.told(server, DEVICE_MS);
            assert_eq!(clock.stamp(DEVICE_MS), stored, "{server}");
            assert_eq!(clock.shown_ms(DEVICE_MS), stored * 1_000, "{server}");
            assert_eq!(clock.seen_next(0, DEVICE_MS), stored);
            assert_eq!(
                clock.seen_next(DEVICE + 5 * DAY, DEVICE_MS),
                DEVICE + 5 * DAY
            );
        }
    }

    #[test]
    fn time_does_not_go_more_than_an_hour_below_what_the_safe_has_seen() {
        let mut clock = Clock::default();
        clock.opened(DEVICE);
        clock.told(DEVICE - DAY, DEVICE_MS);
        assert_eq!(clock.now(DEVICE_MS), DEVICE - TOLERANCE_SECS);
        assert_eq!(clock.conflict(DEVICE_MS), None, "the device has reached it");
        clock.told(DEVICE - 60, DEVICE_MS);
        assert_eq!(clock.now(DEVICE_MS), DEVICE - 60, "clocks differ a little");
    }

    #[test]
    fn a_time_that_neither_clock_has_reached_is_asked_about_until_it_is_corrected() {
        let mut clock = Clock::default();
        let seen = DEVICE + 30 * DAY;
        clock.opened(seen);
        let conflict = Conflict {
            seen,
            server: DEVICE,
            device: DEVICE,
        };
        assert_eq!(clock.conflict(DEVICE_MS), Some(conflict));
        assert_eq!(clock.seen_next(seen, DEVICE_MS), seen, "nobody has decided");
        clock.correct();
        assert_eq!(clock.conflict(DEVICE_MS), None);
        assert_eq!(clock.now(DEVICE_MS), DEVICE);
        assert_eq!(clock.seen_next(seen, DEVICE_MS), DEVICE);
        // A server that agrees with the safe says that this device's clock is behind.
        clock.opened(seen);
        clock.told(seen, DEVICE_MS);
        assert_eq!(clock.conflict(DEVICE_MS), None);
        assert_eq!(clock.stamp(DEVICE_MS), DEVICE + TOLERANCE_SECS);
    }

    #[test]
    fn an_hour_above_both_clocks_is_no_question_and_a_second_more_is_one() {
        for (above, asked) in [(TOLERANCE_SECS, false), (TOLERANCE_SECS + 1, true)] {
            let mut clock = Clock::default();
            clock.opened(DEVICE + above);
            assert_eq!(clock.conflict(DEVICE_MS).is_some(), asked, "{above}");
        }
    }

    #[test]
    fn a_difference_of_the_way_over_the_wire_is_none_and_a_larger_one_is_told_in_seconds() {
        for (server, device_ms, apart_secs, server_ms) in [
            (DEVICE, DEVICE_MS, 0, DEVICE_MS),
            (DEVICE, DEVICE_MS + 999, 0, DEVICE_MS + 999),
            (DEVICE, DEVICE_MS + 1_499, 1, DEVICE_MS + 1_499),
            (DEVICE + 2, DEVICE_MS + 501, 1, DEVICE_MS + 501),
            (DEVICE, DEVICE_MS + 1_500, 1, DEVICE_MS),
            (DEVICE + 2, DEVICE_MS + 500, 1, DEVICE_MS + 2_000),
            (DEVICE + DAY, DEVICE_MS, DAY, DEVICE_MS + DAY * 1_000),
            (DEVICE - DAY, DEVICE_MS, DAY, DEVICE_MS - DAY * 1_000),
        ] {
            let mut clock = Clock::default();
            let case = (server, device_ms);
            assert_eq!(clock.told(server, device_ms), apart_secs, "{case:?}");
            assert_eq!(clock.server_ms(device_ms), server_ms, "{case:?}");
        }
    }

    #[test]
    fn elapsed_time_knows_no_server_and_no_way_back() {
        let mut clock = Clock::default();
        clock.went_on(5_000);
        clock.told(0, DEVICE_MS);
        clock.put_back(60_000);
        clock.told(u64::MAX, DEVICE_MS);
        assert_eq!(clock.elapsed_ms(), 5_000);
        clock.went_on(u64::MAX);
        assert_eq!(clock.elapsed_ms(), u64::MAX);
    }

    #[test]
    fn a_clock_that_is_put_back_leaves_the_servers_time_as_it_is() {
        let mut clock = Clock::default();
        clock.told(DEVICE + 7_200, DEVICE_MS);
        let before = clock.server_ms(DEVICE_MS);
        clock.put_back(600_000);
        assert_eq!(clock.server_ms(DEVICE_MS - 600_000), before);
        assert_eq!(clock.device_ms(before / 1_000), DEVICE_MS - 600_000);
    }
}
