//! The vault against a simple model: a list of messages, searched from the start, with the rules of
//! the contract written out one after the other.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;
use crate::{ClaimError, ClaimToken, LeaseError};

const ACCOUNTS: [UserId; 3] = [ALICE, BOB, CAROL];

#[derive(Debug, Clone)]
enum Step {
    Post {
        id: u64,
        burn: bool,
        life_secs: u64,
        targets: Vec<Target>,
    },
    Claim {
        id: u64,
        account: usize,
        session: Option<u8>,
    },
    Acknowledge(usize),
    Extend(usize),
    CannotOpen(usize),
    AddSlot {
        id: u64,
        target: Target,
    },
    Advance(u64),
    Purge,
    Forget(usize),
    Leave(usize, u8),
    Return(usize, u8),
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        (0..3_usize).prop_map(|a| Target::Account(ACCOUNTS[a])),
        (0..3_usize, 1..3_u8).prop_map(|(a, n)| to_live(ACCOUNTS[a], n)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let id = 0..6_u64;
    let session = prop_oneof![Just(None), (1..4_u8).prop_map(Some)];
    prop_oneof![
        9 => (id.clone(), any::<bool>(), 5..90_u64, prop::collection::vec(target(), 1..4))
            .prop_map(|(id, burn, life_secs, mut targets)| {
                targets.sort_unstable();
                targets.dedup();
                Step::Post { id, burn, life_secs, targets }
            }),
        24 => (id.clone(), 0..3_usize, session)
            .prop_map(|(id, account, session)| Step::Claim { id, account, session }),
        12 => (0..8_usize).prop_map(Step::Acknowledge),
        3 => (0..8_usize).prop_map(Step::Extend),
        3 => (0..8_usize).prop_map(Step::CannotOpen),
        6 => (id, target()).prop_map(|(id, target)| Step::AddSlot { id, target }),
        9 => (1..9_000_u64).prop_map(Step::Advance),
        3 => Just(Step::Purge),
        1 => (0..3_usize).prop_map(Step::Forget),
        4 => (0..3_usize, 1..4_u8).prop_map(|(who, n)| Step::Leave(who, n)),
        3 => (0..3_usize, 1..4_u8).prop_map(|(who, n)| Step::Return(who, n)),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Reading {
        claim: usize,
        until: u64,
        by: Option<u8>,
        shown: bool,
    },
    Unopenable,
    Over,
}

#[derive(Debug)]
struct Message {
    id: u64,
    burn: bool,
    expires: u64,
    slots: Vec<(Target, State)>,
    /// Sessions that are away, each since when.
    away: Vec<(Target, u64)>,
}

impl Message {
    fn was_read_by(&self, who: UserId) -> bool {
        let mut slots = self.slots.iter();
        slots.any(|(t, s)| t.account() == who && *s == State::Over)
    }

    fn give_back(&mut self, who: UserId, n: u8) {
        for (target, state) in &mut self.slots {
            if let State::Reading { by, shown, .. } = *state
                && target.account() == who
                && by == Some(n)
                && !(self.burn && shown)
            {
                *state = State::Waiting;
            }
        }
    }
}

#[derive(Default)]
struct Model {
    now: u64,
    messages: Vec<Message>,
    /// Ids that may not be used again: a run is shorter than fates are remembered.
    used: Vec<u64>,
    /// Every claim ever won: its message, account and token.
    claims: Vec<(u64, UserId, ClaimToken)>,
    /// Nothing is taken to or from these.
    erased: Vec<UserId>,
}

impl Model {
    fn settle(&mut self) {
        let now = self.now;
        for message in &mut self.messages {
            for (_, state) in &mut message.slots {
                if let State::Reading { until, .. } = *state
                    && until <= now
                {
                    *state = State::Waiting;
                }
                if matches!(state, State::Waiting | State::Unopenable) && message.expires <= now {
                    *state = State::Over;
                }
            }
            for (target, since) in message.away.clone() {
                let read = message.was_read_by(target.account());
                let slot = message.slots.iter_mut().find(|(t, _)| *t == target);
                if let Some((_, state @ (State::Waiting | State::Unopenable))) = slot
                    && read
                    && since + 60_000 <= now
                {
                    *state = State::Over;
                }
            }
        }
        self.messages
            .retain(|m| m.slots.iter().any(|(_, s)| *s != State::Over));
    }

    fn is_erased(&self, targets: &[Target]) -> bool {
        let mut accounts = targets.iter().map(Target::account).chain([ALICE]);
        accounts.any(|account| self.erased.contains(&account))
    }

    fn forget(&mut self, who: UserId) {
        self.erased.push(who);
        for (target, state) in self.messages.iter_mut().flat_map(|m| &mut m.slots) {
            if who == ALICE || target.account() == who {
                *state = State::Over;
            }
        }
        self.settle();
    }

    fn find(&mut self, id: u64) -> Option<&mut Message> {
        self.messages.iter_mut().find(|m| m.id == id)
    }

    fn post(&mut self, id: u64, burn: bool, life: u64, targets: &[Target]) -> bool {
        if self.used.contains(&id) || self.is_erased(targets) {
            return false;
        }
        let expires = self.now + life * 1000;
        let slots = targets.iter().map(|t| (*t, State::Waiting)).collect();
        self.used.push(id);
        self.messages.push(Message {
            id,
            burn,
            expires,
            slots,
            away: Vec::new(),
        });
        true
    }

    fn choose(&self, message: &Message, who: UserId, of: Option<u8>) -> Result<usize, ClaimError> {
        let slots = &message.slots;
        if !slots.iter().any(|(t, _)| t.account() == who) {
            return Err(ClaimError::NotForYou);
        }
        let reading = slots
            .iter()
            .any(|(t, s)| t.account() == who && matches!(s, State::Reading { .. }));
        if self.now >= message.expires {
            return Err(if reading {
                ClaimError::Taken
            } else {
                ClaimError::Gone
            });
        }
        if message.burn && reading {
            return Err(ClaimError::Taken);
        }
        let at = |target| slots.iter().position(|(t, _)| *t == target);
        let own = of.and_then(|n| at(to_live(who, n)));
        let shared = at(Target::Account(who));
        let pick = match (own, shared) {
            (Some(own), Some(shared)) if slots[own].1 == State::Unopenable => shared,
            (Some(own), _) => own,
            (None, Some(shared)) => shared,
            (None, None) => return Err(ClaimError::NotForYou),
        };
        match slots[pick].1 {
            State::Waiting => Ok(pick),
            State::Reading { .. } => Err(ClaimError::Taken),
            State::Unopenable | State::Over => Err(ClaimError::Gone),
        }
    }

    fn claim(&mut self, id: u64, who: UserId, of: Option<u8>) -> Result<Target, ClaimError> {
        let message = self.messages.iter().find(|m| m.id == id);
        let pick = self.choose(message.ok_or(ClaimError::Gone)?, who, of)?;
        let (claim, until) = (self.claims.len(), self.now + 30_000);
        let slot = &mut self.find(id).unwrap().slots[pick];
        slot.1 = State::Reading {
            claim,
            until,
            by: of,
            shown: false,
        };
        Ok(slot.0)
    }

    fn reading(&mut self, claim: usize) -> Result<(&mut Message, usize), LeaseError> {
        let id = self.claims[claim].0;
        let message = self.find(id).ok_or(LeaseError::Gone)?;
        let mine = |s: &State| matches!(s, State::Reading { claim: of, .. } if *of == claim);
        let slot = message.slots.iter().position(|(_, s)| mine(s));
        Ok((message, slot.ok_or(LeaseError::StaleClaim)?))
    }

    fn acknowledge(&mut self, claim: usize) -> Result<(), LeaseError> {
        let who = self.claims[claim].1;
        let (message, slot) = self.reading(claim)?;
        let to_self = message.slots.iter().all(|(t, _)| t.account() == ALICE);
        if message.burn && (who != ALICE || to_self) {
            message.slots.iter_mut().for_each(|(_, s)| *s = State::Over);
        } else {
            message.slots[slot].1 = State::Over;
            for (target, state) in &mut message.slots {
                if *target == Target::Account(who) {
                    *state = State::Over;
                }
            }
        }
        Ok(())
    }

    fn extend(&mut self, claim: usize) -> Result<Duration, LeaseError> {
        let now = self.now;
        let (message, slot) = self.reading(claim)?;
        let until = (now + 30_000).min(message.expires + 30_000);
        if let State::Reading {
            until: end, shown, ..
        } = &mut message.slots[slot].1
        {
            (*end, *shown) = (until, true);
        }
        Ok(Duration::from_millis(until - now))
    }

    fn leave(&mut self, who: UserId, n: u8) {
        let (now, own) = (self.now, to_live(who, n));
        for message in &mut self.messages {
            message.give_back(who, n);
            let mut slots = message.slots.iter();
            let open = slots.any(|(t, s)| *t == own && *s != State::Over);
            if open && message.away.iter().all(|(t, _)| *t != own) {
                message.away.push((own, now));
            }
        }
    }

    fn come_back(&mut self, who: UserId, n: u8) {
        for message in &mut self.messages {
            message.give_back(who, n);
            message.away.retain(|(t, _)| *t != to_live(who, n));
        }
    }

    fn stranded(&self, who: UserId) -> Vec<MessageId> {
        let stranded = |m: &&Message| {
            let mut own = m
                .slots
                .iter()
                .filter(|(t, _)| t.account() == who)
                .peekable();
            who != ALICE
                && self.now < m.expires
                && own.peek().is_some()
                && own.all(|(t, s)| *s != State::Over && m.away.iter().any(|(a, _)| a == t))
        };
        let found = self.messages.iter().filter(stranded);
        found.map(|m| message_id(m.id)).collect()
    }

    fn add_slot(&mut self, id: u64, target: Target) -> bool {
        if self.is_erased(&[target]) {
            return false;
        }
        let Some(message) = self.find(id) else {
            return false;
        };
        match message.slots.iter_mut().find(|(t, _)| *t == target) {
            Some((_, state @ (State::Waiting | State::Unopenable))) => {
                *state = State::Waiting;
                message.away.retain(|(t, _)| *t != target);
            }
            Some(_) => {}
            None => message.slots.push((target, State::Waiting)),
        }
        true
    }
}

fn run(open: Open, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let b = bench(open);
    let mut model = Model::default();
    for step in steps {
        model.settle();
        match step {
            Step::Post {
                id,
                burn,
                life_secs,
                targets,
            } => {
                let mut new = message(id, burn, &targets);
                new.life = Duration::from_secs(life_secs);
                prop_assert_eq!(
                    b.post(new).is_ok(),
                    model.post(id, burn, life_secs, &targets)
                );
            }
            Step::Claim {
                id,
                account,
                session,
            } => {
                let who = ACCOUNTS[account];
                let expected = model.claim(id, who, session);
                match b.vault.claim(message_id(id), who, session.map(live)) {
                    Ok(claim) => {
                        prop_assert_eq!(Ok(claim.target), expected);
                        model.claims.push((id, who, claim.token));
                    }
                    Err(error) => prop_assert_eq!(Err(error), expected),
                }
            }
            Step::Acknowledge(n) | Step::Extend(n) | Step::CannotOpen(n)
                if n >= model.claims.len() => {}
            Step::Acknowledge(n) => {
                let (id, who, token) = model.claims[n].clone();
                let done = b.vault.acknowledge(message_id(id), who, &token).map(|_| ());
                prop_assert_eq!(done, model.acknowledge(n));
            }
            Step::Extend(n) => {
                let (id, who, token) = model.claims[n].clone();
                prop_assert_eq!(b.vault.extend(message_id(id), who, &token), model.extend(n));
            }
            Step::CannotOpen(n) => {
                let (id, who, token) = model.claims[n].clone();
                let expected = model.reading(n).map(|(message, slot)| {
                    message.slots[slot].1 = State::Unopenable;
                });
                prop_assert_eq!(b.vault.cannot_open(message_id(id), who, &token), expected);
            }
            Step::AddSlot { id, target } => {
                let added = b.vault.add_slots(message_id(id), ALICE, vec![slot(target)]);
                prop_assert_eq!(added.is_ok(), model.add_slot(id, target));
            }
            Step::Advance(ms) => {
                b.clock.advance(Duration::from_millis(ms));
                model.now += ms;
            }
            Step::Purge => {
                b.vault.purge_due(usize::MAX);
                prop_assert_eq!(b.vault.stats().messages, model.messages.len() as u64);
            }
            Step::Forget(account) => {
                b.vault.forget_account(ACCOUNTS[account]);
                model.forget(ACCOUNTS[account]);
            }
            Step::Leave(account, n) => {
                b.vault.session_left(ACCOUNTS[account], live(n));
                model.leave(ACCOUNTS[account], n);
            }
            Step::Return(account, n) => {
                b.vault.session_back(ACCOUNTS[account], live(n));
                model.come_back(ACCOUNTS[account], n);
            }
        }
        compare_waiting(&b, &mut model)?;
    }
    b.clock.advance(Duration::from_secs(200));
    b.vault.purge_due(usize::MAX);
    prop_assert!(b.is_pristine());
    Ok(())
}

fn compare_waiting(b: &Bench, model: &mut Model) -> Result<(), TestCaseError> {
    model.settle();
    for who in ACCOUNTS {
        for n in 1..3 {
            let waiting = b.vault.waiting_for(who, Some(live(n)));
            let waiting: Vec<_> = waiting.iter().map(|item| (item.id, item.target)).collect();
            let of = |m: &Message| {
                let slot = model.choose(m, who, Some(n)).ok()?;
                Some((message_id(m.id), m.slots[slot].0))
            };
            let expected: Vec<_> = model.messages.iter().filter_map(of).collect();
            prop_assert_eq!(waiting, expected);
        }
        let stranded = b.vault.stranded_for(who).into_iter();
        let stranded: Vec<_> = stranded.map(|(id, _)| id).collect();
        prop_assert_eq!(stranded, model.stranded(who));
    }
    Ok(())
}

pub(crate) fn the_vault_does_what_the_model_does(open: Open, runs: u32) {
    let config = ProptestConfig {
        cases: runs,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let steps = prop::collection::vec(step(), 1..60);
    let outcome = TestRunner::new(config).run(&steps, |steps| run(open, steps));
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
}
