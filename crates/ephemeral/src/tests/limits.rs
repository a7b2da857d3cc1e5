//! Attempts, and who has written to whom.

use super::*;
use crate::{Attempt, Key, Rule, TooSoon};

const HOUR: Duration = Duration::from_secs(3_600);

/// Three a minute.
const RULE: Rule = Rule {
    name: "three",
    burst: 3,
    per: MINUTE,
    growing: false,
};

const GROWING: Rule = Rule {
    name: "growing",
    growing: true,
    ..RULE
};

const PEOPLE: Rule = Rule {
    name: "people",
    burst: 2,
    per: HOUR,
    growing: false,
};

impl Bench {
    /// Takes attempts by rules and keys.
    pub(crate) fn take(&self, attempts: &[(Rule, u8)]) -> Result<(), TooSoon> {
        let attempt = |&(rule, key): &(Rule, u8)| Attempt {
            rule,
            key: Key::of(&[key], &[]),
        };
        let attempts: Vec<_> = attempts.iter().map(attempt).collect();
        self.vault.wait(self.vault.plane.limits().take(&attempts))
    }

    fn writes_to(&self, from: UserId, to: &[UserId]) -> Result<(), TooSoon> {
        let limits = self.vault.plane.limits();
        self.vault.wait(limits.writes_to(from, to, PEOPLE))
    }

    fn never_wrote_to(&self, reader: UserId, accounts: &[UserId]) -> Vec<UserId> {
        let limits = self.vault.plane.limits();
        self.vault.wait(limits.never_wrote_to(reader, accounts))
    }

    /// Attempts each second for an hour; returns how many were allowed.
    fn allowed_in_an_hour(&self, rule: Rule) -> usize {
        let allowed = (0..3_600).filter(|_| {
            self.clock.advance(Duration::from_secs(1));
            self.take(&[(rule, 1)]).is_ok()
        });
        allowed.count()
    }
}

pub(crate) fn a_bucket_closes_after_its_burst_and_opens_again_with_time(open: Open) {
    let b = bench(open);
    for _ in 0..3 {
        b.take(&[(RULE, 1)]).unwrap();
    }
    let third = Duration::from_secs(20);
    assert_eq!(b.take(&[(RULE, 1)]), Err(TooSoon(third)));
    b.take(&[(RULE, 2)]).unwrap();
    let other = Rule {
        name: "another",
        ..RULE
    };
    b.take(&[(other, 1)]).unwrap();
    let millisecond = Duration::from_millis(1);
    b.clock.advance(third - millisecond);
    assert_eq!(b.take(&[(RULE, 1)]), Err(TooSoon(millisecond)));
    b.clock.advance(millisecond);
    b.take(&[(RULE, 1)]).unwrap();
    assert_eq!(b.take(&[(RULE, 1)]), Err(TooSoon(third)));
    b.clock.advance(MINUTE);
    for _ in 0..3 {
        b.take(&[(RULE, 1)]).unwrap();
    }
    assert!(b.take(&[(RULE, 1)]).is_err());
}

pub(crate) fn attempts_are_counted_up_to_the_first_that_is_refused(open: Open) {
    let b = bench(open);
    for _ in 0..3 {
        b.take(&[(RULE, 2)]).unwrap();
    }
    assert!(b.take(&[(RULE, 1), (RULE, 2), (RULE, 3)]).is_err());
    b.take(&[(RULE, 1)]).unwrap();
    b.take(&[(RULE, 1)]).unwrap();
    assert!(b.take(&[(RULE, 1)]).is_err(), "the first was counted");
    for _ in 0..3 {
        b.take(&[(RULE, 3)]).unwrap();
    }
}

pub(crate) fn attempts_cost_more_and_more_until_an_hour_has_passed_without_one(open: Open) {
    let b = bench(open);
    // At once three, then twenty seconds each, then forty, and at last a minute.
    let burst = (0..3).filter(|_| b.take(&[(GROWING, 1)]).is_ok()).count();
    assert_eq!(burst, 3);
    assert_eq!(b.take(&[(GROWING, 1)]), Err(TooSoon(MINUTE * 2 / 3)));
    let allowed = b.allowed_in_an_hour(GROWING);
    assert!((55..65).contains(&allowed), "{allowed}");
    assert!(b.allowed_in_an_hour(RULE) > 175);
    // Only attempts that were allowed keep the price up.
    b.clock.advance(HOUR);
    let burst = (0..4).filter(|_| b.take(&[(GROWING, 1)]).is_ok()).count();
    assert_eq!(burst, 3);
}

pub(crate) fn keys_are_forgotten_when_their_bucket_is_full_and_no_price_is_up(open: Open) {
    let b = bench(open);
    let tidy = || b.vault.wait(b.vault.plane.tidy());
    b.take(&[(RULE, 1)]).unwrap();
    b.take(&[(GROWING, 2)]).unwrap();
    tidy();
    assert!(b.take(&[(RULE, 1)]).is_ok() && b.take(&[(RULE, 1)]).is_ok());
    assert!(b.take(&[(RULE, 1)]).is_err(), "it was not forgotten early");
    b.clock.advance(MINUTE);
    tidy();
    assert!(b.is_pristine());
    for _ in 0..3 {
        b.take(&[(GROWING, 1)]).unwrap();
    }
    b.clock.advance(HOUR - Duration::from_millis(1));
    tidy();
    assert!(!b.is_pristine());
    b.clock.advance(Duration::from_millis(1));
    tidy();
    assert!(b.is_pristine());
}

pub(crate) fn an_account_begins_to_write_to_a_few_people_and_pairs_stay_known_for_a_day(
    open: Open,
) {
    let b = bench(open);
    let people: Vec<_> = (1..6).map(|n| UserId::from_bytes([n; 16])).collect();
    b.writes_to(ALICE, &[ALICE, ALICE]).unwrap();
    b.writes_to(ALICE, &people[..2]).unwrap();
    assert!(b.writes_to(ALICE, &people[1..3]).is_err());
    b.writes_to(ALICE, &people[..2]).unwrap();
    // Whoever is written to may answer.
    let refused = [people[0], people[1], people[2]];
    assert_eq!(b.writes_to(people[2], &[BOB, CAROL]), Ok(()));
    assert_eq!(b.never_wrote_to(ALICE, &refused), refused);
    b.writes_to(people[0], &[ALICE]).unwrap();
    assert_eq!(b.never_wrote_to(ALICE, &refused), refused[1..]);
    b.clock.advance(HOUR * 24);
    b.writes_to(ALICE, &people[..2]).unwrap();
    assert!(
        b.writes_to(ALICE, &people[2..3]).is_err(),
        "strangers again"
    );
}

pub(crate) fn it_is_known_for_eight_days_who_wrote_to_whom(open: Open) {
    let b = bench(open);
    b.writes_to(BOB, &[ALICE]).unwrap();
    assert_eq!(b.never_wrote_to(BOB, &[ALICE]), [ALICE], "only one of two");
    b.clock.advance(HOUR * 24 * 8 - Duration::from_secs(1));
    b.vault.wait(b.vault.plane.tidy());
    assert!(b.never_wrote_to(ALICE, &[BOB]).is_empty());
    b.clock.advance(Duration::from_secs(1));
    assert_eq!(b.never_wrote_to(ALICE, &[BOB]), [BOB]);
    b.vault.wait(b.vault.plane.tidy());
    assert!(b.is_pristine());
}
