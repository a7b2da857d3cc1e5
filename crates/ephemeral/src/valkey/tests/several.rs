//! Several nodes: accounts are spread over them, and a part that is lost is a part.

use std::time::Duration;

use super::*;
use crate::{ClaimError, LeaseError, MessageState, Rule, Unreachable};

/// Keeps engines for as long as they are used.
struct Two {
    engines: [servers::Valkey; 2],
    prefix: String,
}

impl Two {
    fn start() -> Self {
        Self {
            engines: [servers::Valkey::start(), servers::Valkey::start()],
            prefix: prefix(),
        }
    }

    fn instance(&self) -> Bench {
        let [one, other] = &self.engines;
        instance(&[one, other], &self.prefix)
    }
}

/// A poster whose messages lie at each of the nodes.
fn posters(two: &Two) -> [UserId; 2] {
    let names = two
        .engines
        .each_ref()
        .map(|it| format!("127.0.0.1:{}", it.port()));
    let at = |node: usize| {
        let accounts = (1..=255_u8).map(|n| UserId::from_bytes([n; 16]));
        let names = || names.iter().map(String::as_str);
        let mut found = accounts
            .filter(|account| crate::valkey::place::place(names(), account.as_bytes()) == node);
        found.next().unwrap()
    };
    [at(0), at(1)]
}

fn post(b: &Bench, poster: UserId, new: NewMessage) {
    let room = b.vault.reserve(poster, 4096, 4).unwrap();
    b.vault.put(room, new).unwrap();
}

#[test]
fn a_reader_finds_and_acknowledges_what_lies_at_every_node() {
    let two = Two::start();
    let b = two.instance();
    let [one, other] = posters(&two);
    let reader = UserId::from_bytes([0xFF; 16]);
    for (n, poster) in [(1, one), (2, other), (3, other)] {
        post(&b, poster, message(n, true, &[Target::Account(reader)]));
    }
    assert_eq!(b.vault.stats().messages, 3);
    let waiting = b.vault.waiting_for(reader, None).into_iter();
    let waiting: Vec<_> = waiting.map(|item| (item.id, item.poster)).collect();
    let in_turns = [
        (message_id(1), one),
        (message_id(2), other),
        (message_id(3), other),
    ];
    assert_eq!(waiting, in_turns);
    for n in 1..4 {
        let id = message_id(n);
        let claim = b.vault.claim(id, reader, None).unwrap();
        assert_eq!(claim.body.expose(), b"sealed body");
        assert_eq!(claim.slot.expose(), b"sealed slot");
        assert!(b.vault.extend(id, reader, &claim.token).is_ok());
        assert!(b.vault.acknowledge(id, reader, &claim.token).is_ok());
        let again = b.vault.acknowledge(id, reader, &claim.token);
        assert_eq!(again, Err(LeaseError::Gone));
        assert!(matches!(
            b.vault.claim(id, reader, None),
            Err(ClaimError::Gone)
        ));
    }
    assert!(b.is_pristine());
}

#[test]
fn one_id_at_two_nodes_is_two_messages_of_which_each_is_read_once() {
    let two = Two::start();
    let b = two.instance();
    let [one, other] = posters(&two);
    let reader = UserId::from_bytes([0xFF; 16]);
    for poster in [one, other] {
        post(&b, poster, message(1, true, &[Target::Account(reader)]));
    }
    let first = b.vault.claim(message_id(1), reader, None).unwrap();
    let ended = b.vault.acknowledge(message_id(1), reader, &first.token);
    assert!(ended.is_ok());
    assert_eq!(b.vault.stats().messages, 1);
    let second = b.vault.claim(message_id(1), reader, None).unwrap();
    let ended = b.vault.acknowledge(message_id(1), reader, &second.token);
    assert!(ended.is_ok() && b.is_pristine());
}

#[test]
fn a_node_that_is_lost_takes_its_own_part_with_it_and_no_other() {
    let mut two = Two::start();
    let b = two.instance();
    let [one, other] = posters(&two);
    let reader = UserId::from_bytes([0xFF; 16]);
    post(&b, one, message(1, false, &[Target::Account(reader)]));
    post(&b, other, message(2, false, &[Target::Account(reader)]));
    let boot = || wait(b.vault.plane.drawn().boot_id()).ok();
    let before = boot().unwrap();
    two.engines[0].kill();
    // What lies at the other one can be read; of what may lie here nobody knows.
    assert!(b.vault.claim(message_id(2), reader, None).is_ok());
    let unknown = wait(b.vault.plane.vault().claim(message_id(1), reader, None));
    assert_eq!(unknown.err(), Some(Unreachable));
    let listed = wait(b.vault.plane.vault().waiting_for(reader, None));
    assert_eq!(listed.err(), Some(Unreachable));
    two.engines[0].start_again();
    let asked = || wait(b.vault.plane.vault().stats()).ok();
    assert_eq!(servers::until("the node", asked).messages, 1);
    let status = |poster, n| b.vault.status(poster, &[message_id(n)])[0].state;
    assert_eq!(status(one, 1), MessageState::Unknown);
    assert_eq!(status(other, 2), MessageState::Claimed);
    assert_eq!(boot().unwrap(), before, "the rest of the plane lives on");
    two.engines[1].kill();
    two.engines[0].start_again();
    // Nobody knows whether the other one has begun anew.
    servers::until("the silence", || boot().is_none().then_some(()));
    two.engines[1].start_again();
    let after = servers::until("the boot id", boot);
    assert_ne!(after, before, "nothing of it is left");
}

#[test]
fn the_last_instance_wipes_every_node_that_is_there_when_it_stops() {
    let mut two = Two::start();
    let b = two.instance();
    let [one, other] = posters(&two);
    for (n, poster) in [(1, one), (2, other)] {
        post(&b, poster, message(n, false, &[Target::Account(BOB)]));
    }
    two.engines[0].kill();
    let wiped = wait(b.vault.plane.vault().wipe_all());
    assert_eq!(wiped, Err(Unreachable), "of one of them nobody knows");
    let left = two.engines[1].ask(&["KEYS", "*:b:*"]);
    assert!(left.starts_with("*0"), "{left}");
}

#[test]
fn who_wrote_to_whom_is_known_whichever_node_asks() {
    let two = Two::start();
    let b = two.instance();
    let [one, other] = posters(&two);
    let rule = crate::Rule {
        name: "people",
        burst: 1,
        per: MINUTE,
        growing: false,
    };
    let limits = b.vault.plane.limits();
    let writes = |from, to| b.vault.wait(limits.writes_to(from, &[to], rule));
    let strange = |reader, from| b.vault.wait(limits.never_wrote_to(reader, &[from]));
    for (from, to) in [(one, other), (other, one)] {
        assert_eq!(strange(to, from), [from]);
        assert!(writes(from, to).is_ok(), "the second one answers");
        assert!(strange(to, from).is_empty());
    }
    assert!(writes(other, BOB).is_ok(), "the answer was no beginning");
    assert!(writes(one, BOB).is_err());
}

#[test]
fn a_large_bucket_is_not_empty_for_an_instance_whose_clock_is_behind() {
    let (engine, prefix) = (engine(), prefix());
    let (ahead, behind) = (instance(&[&engine], &prefix), instance(&[&engine], &prefix));
    ahead.clock.advance(Duration::from_millis(5));
    let large = Rule {
        name: "large",
        burst: 4_000_000_000,
        per: MINUTE,
        growing: false,
    };
    for b in [&ahead, &behind, &ahead] {
        assert_eq!(b.take(&[(large, 1)]), Ok(()));
    }
}
