//! What an attacker on the way, a thief or another server makes of a link: nothing.

use api::ids::SessionId;
use proptest::prelude::*;
use protocol::boot::BootSigningKey;
use protocol::ids::LiveId;
use protocol::link::client::{Account, Opening};
use protocol::link::server::{self, Open, Place, Read};
use protocol::link::{
    Hello, LinkError, MAX_PSKS_OF_SESSION, Psk, RENEW_LEAST_FRAMES, RENEW_LEAST_SECS, Ticket,
};

use crate::link::{Instance, ORIGIN, SESSION, exchange, linked, linked_again, open_account};
use crate::support::{ALICE, BOB, NOW, Person, SeededRng};

/// Up to the proof, which is returned beside the server's state.
fn proving(rng: &mut SeededRng, at: &mut Instance, by: &Person) -> (server::Answered, Vec<u8>) {
    let (opening, open) = open_account(rng, at);
    let (answered, opened) = at.answer(rng, &open).unwrap();
    let (_, proof) = opening.prove(rng, &opened, &by.party()).unwrap();
    (answered, proof)
}

fn claimed(answered: server::Answered, proof: &[u8]) -> Result<Box<server::Claimed>, LinkError> {
    match answered.read(proof)? {
        Read::Account(claimed) => Ok(claimed),
        Read::Ready(_) => panic!("no account was proven"),
    }
}

#[test]
fn a_hello_of_another_servers_key_is_refused() {
    let rng = &mut SeededRng::new(1);
    let at = Instance::new(rng);
    let other = Instance::new(rng);
    let hello = Hello::decode(other.pair.hello()).unwrap();
    assert_eq!(
        hello.verify(&at.server, NOW).err(),
        Some(LinkError::OtherServer)
    );
    // Nor does it help to write the pinned fingerprint into it.
    let mut bytes = other.pair.hello().to_vec();
    bytes[3..67].copy_from_slice(at.server.fingerprint());
    let hello = Hello::decode(&bytes).unwrap();
    assert_eq!(
        hello.verify(&at.server, NOW).err(),
        Some(LinkError::BadSignature)
    );
}

#[test]
fn an_open_for_an_old_pair_or_after_its_time_is_refused() {
    let rng = &mut SeededRng::new(2);
    let key = BootSigningKey::generate(rng);
    let server = key.sign(rng, [1; 16], NOW).server_key(None).unwrap();
    let old = Instance::with_key(rng, &key, server.clone());
    let mut new = Instance::with_key(rng, &key, server);
    let (_, open) = open_account(rng, &old);
    let refused = new.answer(rng, &open).err();
    assert_eq!(refused, Some(LinkError::OtherHello));
    let (_, open) = open_account(rng, &new);
    new.now = NOW + 600;
    assert_eq!(new.answer(rng, &open).err(), Some(LinkError::OtherTime));
}

#[test]
fn a_replayed_open_and_proof_open_nothing() {
    let rng = &mut SeededRng::new(3);
    let at = &mut Instance::new(rng);
    let (opening, open) = open_account(rng, at);
    let (first, opened) = at.answer(rng, &open).unwrap();
    let (_, proof) = opening.prove(rng, &opened, &ALICE.party()).unwrap();
    let (again, _) = at.answer(rng, &open).unwrap();
    assert_eq!(again.read(&proof).err(), Some(LinkError::BadSeal));
    assert!(first.read(&proof).is_ok(), "the control");
}

#[test]
fn an_answer_of_another_origin_or_link_is_refused() {
    let rng = &mut SeededRng::new(4);
    let at = &mut Instance::new(rng);
    let (opening, open) = open_account(rng, at);
    let place = Place {
        origin: "https://other.example",
        ..at.place(&SESSION)
    };
    let open = Open::decode(&open).unwrap();
    let (_, opened) = server::answer(rng, &place, &open, None).unwrap();
    let refused = opening.prove(rng, &opened, &ALICE.party()).err();
    assert_eq!(refused, Some(LinkError::BadSeal));
    let (opening, _) = open_account(rng, at);
    let (_, other) = open_account(rng, at);
    let (_, opened) = at.answer(rng, &other).unwrap();
    let refused = opening.prove(rng, &opened, &ALICE.party()).err();
    assert_eq!(refused, Some(LinkError::BadSeal));
}

#[test]
fn an_open_for_another_session_than_the_cookies_is_refused() {
    let rng = &mut SeededRng::new(5);
    let at = &mut Instance::new(rng);
    let (_, open) = open_account(rng, at);
    let open = Open::decode(&open).unwrap();
    let other = SessionId::from_bytes([0x52; 32]);
    for session in [Some(&other), None] {
        let place = Place {
            session,
            ..at.place(&SESSION)
        };
        let refused = server::answer(rng, &place, &open, None).err();
        assert_eq!(refused, Some(LinkError::OtherSession));
    }
    assert!(
        server::answer(rng, &at.place(&SESSION), &open, None).is_ok(),
        "the control"
    );
}

#[test]
fn whoever_stole_the_cookie_and_not_the_account_keys_has_no_link() {
    let rng = &mut SeededRng::new(6);
    let at = &mut Instance::new(rng);
    // With an account of their own.
    let (answered, proof) = proving(rng, at, &BOB);
    let refused = claimed(answered, &proof).unwrap();
    let refused = refused.verify(&ALICE.user_id, &BOB.keys).err();
    assert_eq!(refused, Some(LinkError::OtherAccount));
    // With the name of the account and keys of their own.
    let mut thief = Person::new(99);
    thief.user_id = ALICE.user_id;
    let (answered, proof) = proving(rng, at, &thief);
    let refused = claimed(answered, &proof).unwrap();
    let refused = refused.verify(&ALICE.user_id, &ALICE.keys).err();
    assert_eq!(refused, Some(LinkError::OtherAccount));
    // With name and public keys of the account and a signature of their own.
    let public = Person {
        keys: ALICE.keys.clone(),
        ..Person::new(98)
    };
    let public = Person {
        user_id: ALICE.user_id,
        ..public
    };
    let (answered, proof) = proving(rng, at, &public);
    let refused = claimed(answered, &proof).unwrap();
    let refused = refused.verify(&ALICE.user_id, &ALICE.keys).err();
    assert_eq!(refused, Some(LinkError::BadSignature));
    // The control.
    let (answered, proof) = proving(rng, at, &ALICE);
    let ready = claimed(answered, &proof).unwrap();
    assert!(ready.verify(&ALICE.user_id, &ALICE.keys).is_ok());
}

#[test]
fn a_pre_shared_key_is_good_once_for_one_live_session_and_until_it_is_forgotten() {
    let rng = &mut SeededRng::new(7);
    let at = &mut Instance::new(rng);
    let (active, _) = linked(rng, at);
    let psk = active.psk.unwrap();
    let hello = at.hello();
    let (opening, open) =
        Opening::with_psk(rng, &hello, ORIGIN, SESSION, ALICE.live_id, psk).unwrap();
    let (_, opened) = at.answer(rng, &open).unwrap();
    assert!(opening.confirm(&opened).is_ok(), "the control");
    assert_eq!(at.answer(rng, &open).err(), Some(LinkError::UnknownPsk));

    // The name of a newer key does not open with an older one.
    let (active, _) = linked(rng, at);
    let old = active.psk.unwrap();
    let (newer, _) = linked(rng, at);
    assert_eq!(
        linked_again(rng, at, old).err(),
        Some(LinkError::UnknownPsk)
    );
    let (newest, _) = linked_again(rng, at, newer.psk.unwrap()).unwrap();
    at.psks.forget_session(&SESSION);
    let refused = linked_again(rng, at, newest.psk.unwrap()).err();
    assert_eq!(refused, Some(LinkError::UnknownPsk));
    // A link that is open keeps its key; one that ended keeps it for a while.
    let (active, _) = linked(rng, at);
    at.psks.sweep(u64::MAX);
    let (active, _) = linked_again(rng, at, active.psk.unwrap()).unwrap();
    at.psks
        .left(&SESSION, &ALICE.live_id, &at.kept.unwrap(), NOW + 10);
    at.psks.sweep(NOW + 9);
    let (active, _) = linked_again(rng, at, active.psk.unwrap()).unwrap();
    at.psks
        .left(&SESSION, &ALICE.live_id, &at.kept.unwrap(), NOW + 10);
    at.psks.sweep(NOW + 10);
    let refused = linked_again(rng, at, active.psk.unwrap()).err();
    assert_eq!(refused, Some(LinkError::UnknownPsk));
    // A link that another replaced takes the newer key along no more than its own.
    let (_, _) = linked(rng, at);
    let replaced = at.kept.unwrap();
    let (active, _) = linked(rng, at);
    at.psks.left(&SESSION, &ALICE.live_id, &replaced, NOW + 10);
    at.psks.sweep(NOW + 10);
    assert!(linked_again(rng, at, active.psk.unwrap()).is_ok());
    at.psks.forget_session(&SESSION);
    let (active, _) = linked(rng, at);
    at.psks.forget_session(&SESSION);
    let refused = linked_again(rng, at, active.psk.unwrap()).err();
    assert_eq!(refused, Some(LinkError::UnknownPsk));
}

#[test]
fn a_session_that_has_too_many_pre_shared_keys_loses_the_one_that_ends_first() {
    let rng = &mut SeededRng::new(70);
    let at = &mut Instance::new(rng);
    let (first, _) = linked(rng, at);
    let mut lives = Vec::new();
    for _ in 0..MAX_PSKS_OF_SESSION {
        let live = LiveId::random(rng);
        lives.push((live, linked_as(rng, at, live)));
        at.psks.left(
            &SESSION,
            &live,
            &at.kept.unwrap(),
            NOW + 100 - lives.len() as u64,
        );
    }
    assert!(
        linked_again(rng, at, first.psk.unwrap()).is_ok(),
        "its link is open"
    );
    let (last, mine) = lives.pop().unwrap();
    assert!(
        known_as(rng, at, last, mine).is_ok(),
        "the newest is never the one"
    );
    let (gone, mine) = lives.pop().unwrap();
    let refused = known_as(rng, at, gone, mine).err();
    assert_eq!(refused, Some(LinkError::UnknownPsk));
    let (kept, mine) = lives.swap_remove(0);
    assert!(known_as(rng, at, kept, mine).is_ok());
}

/// Alice opens a link for another live session; gives what it leaves.
fn linked_as(rng: &mut SeededRng, at: &mut Instance, live: LiveId) -> Psk {
    let (opening, open) = Opening::for_account(rng, &at.hello(), ORIGIN, SESSION, live).unwrap();
    let (answered, opened) = at.answer(rng, &open).unwrap();
    let (proving, proof) = opening.prove(rng, &opened, &ALICE.party()).unwrap();
    let ready = claimed(answered, &proof).unwrap();
    let activated = ready
        .verify(&ALICE.user_id, &ALICE.keys)
        .unwrap()
        .activate(NOW);
    at.kept = Some(at.psks.keep(activated.known.unwrap()));
    proving.active(NOW, &activated.active).unwrap().psk.unwrap()
}

/// Alice opens it again with that.
fn known_as(
    rng: &mut SeededRng,
    at: &mut Instance,
    live: LiveId,
    psk: Psk,
) -> Result<(), LinkError> {
    let (_, open) = Opening::with_psk(rng, &at.hello(), ORIGIN, SESSION, live, psk)?;
    at.answer(rng, &open).map(drop)
}

#[test]
fn a_pre_shared_key_of_another_live_session_opens_nothing() {
    let rng = &mut SeededRng::new(8);
    let at = &mut Instance::new(rng);
    let (active, _) = linked(rng, at);
    let psk = active.psk.unwrap();
    let (_, open) = Opening::with_psk(rng, &at.hello(), ORIGIN, SESSION, BOB.live_id, psk).unwrap();
    assert_eq!(at.answer(rng, &open).err(), Some(LinkError::UnknownPsk));
}

#[test]
fn a_reordered_repeated_or_missing_frame_ends_the_link() {
    let rng = &mut SeededRng::new(9);
    for taken in [[1, 0], [0, 0], [1, 2]] {
        let at = &mut Instance::new(rng);
        let (mut active, mut server) = linked(rng, at);
        let frames: Vec<Vec<u8>> = (0..3_u8)
            .map(|index| active.link.seal(NOW, &[index]).unwrap())
            .collect();
        let taken = taken.map(|index| server.receive(rng, NOW, &mut frames[index].clone()).is_ok());
        assert!(taken.contains(&false), "{taken:?}");
        let next = server.receive(rng, NOW, &mut frames[2].clone()).err();
        assert_eq!(next, Some(LinkError::Ended));
    }
}

#[test]
fn a_frame_of_another_link_direction_or_size_ends_the_link() {
    let rng = &mut SeededRng::new(10);
    for kind in 0..4 {
        let at = &mut Instance::new(rng);
        let (mut one, mut server) = linked(rng, at);
        let (mut other, _) = linked(rng, at);
        exchange(rng, &mut one.link, &mut server);
        let mut frame = match kind {
            0 => other.link.seal(NOW, b"x").unwrap(),
            1 => server.seal(NOW, b"x").unwrap(),
            2 => vec![0; 300],
            _ => Vec::new(),
        };
        assert!(server.receive(rng, NOW, &mut frame).is_err());
        let mut right = one.link.seal(NOW, b"x").unwrap();
        let refused = server.receive(rng, NOW, &mut right).err();
        assert_eq!(refused, Some(LinkError::Ended));
    }
}

#[test]
fn the_answer_to_another_links_renewal_ends_the_link() {
    let rng = &mut SeededRng::new(11);
    let at = &mut Instance::new(rng);
    let (mut active, mut server) = linked(rng, at);
    let now = NOW + RENEW_LEAST_SECS;
    let mut ask = active.link.renew(rng, now).unwrap();
    server.receive(rng, now, &mut ask).unwrap();
    // The answer of another link's renewal is no frame of this one.
    let (mut third, mut side) = linked(rng, at);
    let mut ask = third.link.renew(rng, now).unwrap();
    let server::Received::Renewal(Some(mut answer)) = side.receive(rng, now, &mut ask).unwrap()
    else {
        panic!("the server answers");
    };
    assert_eq!(
        active.link.receive(NOW, &mut answer).err(),
        Some(LinkError::BadSeal)
    );
    assert_eq!(active.link.seal(NOW, b"x").err(), Some(LinkError::Ended));
}

#[test]
fn a_renewal_right_after_another_ends_the_link() {
    let rng = &mut SeededRng::new(13);
    for (secs, frames, taken) in [
        (0, 0, false),
        (RENEW_LEAST_SECS - 1, RENEW_LEAST_FRAMES - 2, false),
        (RENEW_LEAST_SECS, 0, true),
        (0, RENEW_LEAST_FRAMES, true),
    ] {
        let at = &mut Instance::new(rng);
        let (mut active, mut server) = linked(rng, at);
        let now = NOW + secs;
        for _ in 0..frames {
            let mut frame = active.link.seal(now, b"x").unwrap();
            server.receive(rng, now, &mut frame).unwrap();
        }
        let mut ask = active.link.renew(rng, now).unwrap();
        let answered = server.receive(rng, now, &mut ask);
        assert_eq!(answered.is_ok(), taken, "{secs} {frames}");
        if !taken {
            assert_eq!(answered.err(), Some(LinkError::OutOfOrder));
            assert_eq!(server.seal(now, b"x").err(), Some(LinkError::Ended));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_changed_message_of_the_handshake_is_taken(which in 0..4_usize, at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let rng = &mut SeededRng::new(12);
        let here = &mut Instance::new(rng);
        let changed = |index: usize, bytes: &mut Vec<u8>| {
            if which == index {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
        };
        let taken = (|| {
            let mut hello = here.pair.hello().to_vec();
            changed(0, &mut hello);
            let hello = Hello::decode(&hello)?.verify(&here.server, NOW)?;
            let (opening, mut open) =
                Opening::<Account>::for_account(rng, &hello, ORIGIN, SESSION, ALICE.live_id)?;
            changed(1, &mut open);
            let (answered, mut opened) = here.answer(rng, &open)?;
            changed(2, &mut opened);
            let (proving, mut proof) = opening.prove(rng, &opened, &ALICE.party())?;
            changed(3, &mut proof);
            let ready = claimed(answered, &proof)?.verify(&ALICE.user_id, &ALICE.keys)?;
            let mut active = ready.activate(NOW).active;
            let last = active.len() - 1;
            active[at.index(last)] ^= 1 << bit;
            proving.active(NOW, &active).map(drop)
        })();
        prop_assert!(taken.is_err());
    }

    #[test]
    fn whatever_arrives_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..4_000), kind in 0x60..0x69_u8) {
        let mut bytes = bytes;
        if let [first, second, third, ..] = bytes.as_mut_slice() {
            (*first, *second, *third) = (kind, 1, 1);
        }
        if let Ok(hello) = Hello::decode(&bytes) {
            prop_assert_eq!(hello.encode(), bytes.clone());
        }
        if let Ok(ticket) = Ticket::decode(&bytes) {
            prop_assert_eq!(ticket.encode().to_vec(), bytes.clone());
        }
        drop(Open::decode(&bytes));
    }
}
