//! Secrets, used tokens, given prekeys and halves of resume wraps.

use std::collections::HashSet;

use zeroize::Zeroizing;

use super::*;
use crate::{Claimer, Entitlement, SessionId};

const DAY: Duration = Duration::from_secs(86_400);
const BUCKET: Duration = Duration::from_secs(300);

fn session(n: u8) -> SessionId {
    SessionId::from_bytes([n; 32])
}

fn claimer(n: u8) -> Claimer {
    Claimer {
        session: session(n),
        account: ALICE,
        recipient: BOB,
    }
}

impl Bench {
    fn use_up(&self, nonce: u8, expires_at: u64) -> bool {
        let tokens = self.vault.plane.tokens();
        self.vault.wait(tokens.use_up(&[nonce; 24], expires_at))
    }

    fn entitlement(&self, claimer: Claimer) -> Entitlement {
        let claims = self.vault.plane.claims();
        self.vault.wait(claims.entitlement(&claimer))
    }

    fn give(&self, claimer: Claimer, prekey: u8, one_time: bool) -> Vec<u8> {
        let claims = self.vault.plane.claims();
        self.vault
            .wait(claims.given(&claimer, vec![prekey], one_time))
    }

    fn half(&self, n: u8) -> Option<Vec<u8>> {
        let halves = self.vault.plane.resume_halves();
        let half = self.vault.wait(halves.half(session(n)));
        half.map(|half| half.to_vec())
    }

    fn keep(&self, n: u8, half: u8, until: u64) {
        let halves = self.vault.plane.resume_halves();
        let half = Zeroizing::new(vec![half; 32]);
        self.vault.wait(halves.keep(session(n), half, until));
    }

    fn tidy(&self) {
        self.vault.wait(self.vault.plane.tidy());
    }
}

pub(crate) fn secrets_are_drawn_once_and_differ(open: Open) {
    let b = bench(open);
    let drawn = b.vault.plane.drawn();
    let all = || {
        let boot = b.vault.wait(drawn.boot_id());
        let key = b.vault.wait(drawn.token_key());
        let setup = b.vault.wait(drawn.setup_secret());
        [boot.as_bytes().to_vec(), key.to_vec(), setup.to_vec()]
    };
    assert_eq!(all(), all());
    let different: HashSet<_> = all().into_iter().collect();
    assert_eq!(different.len(), 3);
}

pub(crate) fn a_token_is_used_once_and_its_use_is_forgotten_when_it_would_not_open(open: Open) {
    let b = bench(open);
    let now = START_MS / 1000;
    assert!(b.use_up(1, now + 60));
    assert!(!b.use_up(1, now + 60));
    assert!(b.use_up(2, now + 90));
    b.clock.advance(MINUTE - Duration::from_millis(1));
    b.tidy();
    assert!(!b.use_up(1, now + 60));
    b.clock.advance(MINUTE);
    b.tidy();
    assert!(b.is_pristine());
}

pub(crate) fn a_repeated_claim_gets_the_same_prekey_until_its_bucket_is_over(open: Open) {
    let b = bench(open);
    assert_eq!(b.entitlement(claimer(1)), Entitlement::OneTime);
    assert_eq!(b.give(claimer(1), 7, true), [7]);
    assert_eq!(b.entitlement(claimer(1)), Entitlement::Given(vec![7]));
    assert_eq!(b.give(claimer(1), 8, true), [7], "it lost the race");
    assert_eq!(b.entitlement(claimer(2)), Entitlement::OneTime);
    b.clock.advance(BUCKET);
    assert_eq!(b.entitlement(claimer(1)), Entitlement::OneTime);
    assert_eq!(b.give(claimer(1), 9, true), [9]);
    b.clock.advance(DAY);
    b.tidy();
    assert!(b.is_pristine());
}

pub(crate) fn an_account_takes_25_one_time_prekeys_of_another_in_a_day(open: Open) {
    let b = bench(open);
    for n in 0..25 {
        assert_eq!(b.entitlement(claimer(n)), Entitlement::OneTime, "{n}");
        b.give(claimer(n), n, true);
        b.give(claimer(100 + n), n, false);
    }
    assert_eq!(b.entitlement(claimer(50)), Entitlement::LastResort);
    let other = Claimer {
        account: CAROL,
        ..claimer(50)
    };
    assert_eq!(b.entitlement(other), Entitlement::OneTime);
    b.clock.advance(DAY);
    assert_eq!(b.entitlement(claimer(50)), Entitlement::OneTime);
}

pub(crate) fn claims_on_a_new_identity_and_of_an_erased_account_are_forgotten(open: Open) {
    let b = bench(open);
    b.give(claimer(1), 7, true);
    let claims = b.vault.plane.claims();
    b.vault.wait(claims.forget_recipient(CAROL));
    assert_eq!(b.entitlement(claimer(1)), Entitlement::Given(vec![7]));
    b.vault.wait(claims.forget_recipient(BOB));
    assert_eq!(b.entitlement(claimer(1)), Entitlement::OneTime);
    b.give(claimer(1), 7, true);
    b.vault.wait(claims.forget_claimer(ALICE, &[session(2)]));
    assert_eq!(b.entitlement(claimer(1)), Entitlement::Given(vec![7]));
    b.vault.wait(claims.forget_claimer(ALICE, &[session(1)]));
    assert_eq!(b.entitlement(claimer(1)), Entitlement::OneTime);
    b.give(claimer(1), 7, true);
    b.vault.wait(claims.forget_claimer(BOB, &[]));
    assert!(b.is_pristine());
}

pub(crate) fn a_half_is_kept_until_it_is_erased_or_its_session_is_over(open: Open) {
    let b = bench(open);
    let now = START_MS / 1000;
    b.keep(1, 7, now + 60);
    b.keep(2, 8, now + 60);
    b.keep(1, 9, now + 60);
    assert_eq!(b.half(1), Some(vec![9; 32]));
    let halves = b.vault.plane.resume_halves();
    b.vault.wait(halves.erase(&[session(1), session(3)]));
    assert_eq!((b.half(1), b.half(2)), (None, Some(vec![8; 32])));
    b.clock.advance(MINUTE);
    assert_eq!(b.half(2), None);
    b.tidy();
    assert!(b.is_pristine());
}
