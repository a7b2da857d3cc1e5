//! Frames of a link, its renewal, and tickets.

use proptest::prelude::*;
use protocol::link::client::{ClientLink, Received};
use protocol::link::server::ServerLink;
use protocol::link::{
    Direction, END_AFTER_FRAMES, END_AFTER_SECS, FRAME_SIZES, LinkError, MAX_PAYLOAD,
    RENEW_AFTER_FRAMES, RENEW_AFTER_SECS, RENEW_LEAST_SECS, Ticket, sealed_len,
};

use crate::link::{Instance, exchange, linked};
use crate::support::{NOW, SeededRng};

fn link(rng: &mut SeededRng) -> (ClientLink, ServerLink) {
    let at = &mut Instance::new(rng);
    let (active, server) = linked(rng, at);
    (active.link, server)
}

/// Renews with data under way in both directions.
fn renew(rng: &mut SeededRng, now: u64, client: &mut ClientLink, server: &mut ServerLink) {
    let mut ask = client.renew(rng, now).unwrap();
    assert_eq!(client.renew(rng, now), Err(LinkError::OutOfOrder));
    let mut before_answer = client.seal(now, b"one").unwrap();
    let Received::Renewal(Some(mut answer)) = server.receive(rng, now, &mut ask).unwrap() else {
        panic!("the server answers");
    };
    let mut after_answer = server.seal(now, b"two").unwrap();
    let data = server.receive(rng, now, &mut before_answer).unwrap();
    assert_eq!(data, Received::Data(b"one"));
    let Received::Renewal(Some(mut last)) = client.receive(now, &mut answer).unwrap() else {
        panic!("the client switches");
    };
    let data = client.receive(now, &mut after_answer).unwrap();
    assert_eq!(data, Received::Data(b"two"));
    let mut fresh = client.seal(now, b"three").unwrap();
    let switched = server.receive(rng, now, &mut last).unwrap();
    assert_eq!(switched, Received::Renewal(None));
    let data = server.receive(rng, now, &mut fresh).unwrap();
    assert_eq!(data, Received::Data(b"three"));
}

#[test]
fn a_link_is_renewed_inside_itself_while_data_is_under_way() {
    let rng = &mut SeededRng::new(1);
    let (mut client, mut server) = link(rng);
    let mut now = NOW;
    for _ in 0..3 {
        assert!(!client.wants_renewal(now));
        now += RENEW_AFTER_SECS;
        assert!(client.wants_renewal(now));
        renew(rng, now, &mut client, &mut server);
    }
    assert!(!client.wants_renewal(now));
}

#[test]
fn a_link_is_renewed_after_a_thousand_frames_and_ends_after_two_thousand() {
    let rng = &mut SeededRng::new(2);
    let (mut client, mut server) = link(rng);
    for _ in 0..RENEW_AFTER_FRAMES {
        assert!(!client.wants_renewal(NOW));
        exchange(rng, &mut client, &mut server);
    }
    assert!(client.wants_renewal(NOW));
    for _ in RENEW_AFTER_FRAMES..END_AFTER_FRAMES {
        exchange(rng, &mut client, &mut server);
    }
    assert_eq!(client.seal(NOW, b"x"), Err(LinkError::Ended));
    assert_eq!(server.seal(NOW, b"x"), Err(LinkError::Ended));
}

#[test]
fn a_link_that_was_not_renewed_in_time_ends() {
    let rng = &mut SeededRng::new(3);
    let (mut client, mut server) = link(rng);
    let mut frame = client.seal(NOW, b"x").unwrap();
    let late = NOW + END_AFTER_SECS;
    let refused = server.receive(rng, late, &mut frame);
    assert_eq!(refused, Err(LinkError::Ended));
    assert_eq!(server.seal(NOW, b"x"), Err(LinkError::Ended));
    assert!(client.seal(late - 1, b"x").is_ok());
    assert_eq!(client.seal(late, b"x"), Err(LinkError::Ended));
}

#[test]
fn the_same_payload_never_gives_the_same_frame() {
    let rng = &mut SeededRng::new(4);
    let (mut client, mut server) = link(rng);
    let mut frames: Vec<Vec<u8>> = (0..3).map(|_| client.seal(NOW, b"same").unwrap()).collect();
    frames.extend((0..3).map(|_| server.seal(NOW, b"same").unwrap()));
    let all = frames.len();
    frames.sort();
    frames.dedup();
    assert_eq!(frames.len(), all);
}

#[test]
fn frames_have_seven_sizes_and_the_longest_payload_fits() {
    let rng = &mut SeededRng::new(5);
    let (mut client, mut server) = link(rng);
    for len in [0, 1, 237, 238, 493, 494, 1_005, 1_006, MAX_PAYLOAD] {
        let payload = vec![7; len];
        let mut frame = client.seal(NOW, &payload).unwrap();
        let fitting = FRAME_SIZES.into_iter().find(|size| *size >= len + 19);
        assert_eq!(Some(frame.len()), fitting);
        let received = server.receive(rng, NOW, &mut frame).unwrap();
        assert_eq!(received, Received::Data(&payload));
    }
    let refused = client.seal(NOW, &[0; MAX_PAYLOAD + 1]);
    assert_eq!(refused, Err(LinkError::TooLong));
    // What was never sealed has cost no key.
    exchange(rng, &mut client, &mut server);
}

fn sealed_body(ticket: Ticket, body: &[u8]) -> Vec<Vec<u8>> {
    let mut sealer = ticket.into_sealer();
    let (mut chunks, mut rest) = (Vec::new(), body);
    while let Some(len) = sealer.next_len() {
        let (chunk, after) = rest.split_at(len);
        chunks.push(sealer.seal(chunk).unwrap());
        rest = after;
    }
    assert!(rest.is_empty());
    chunks
}

fn pair_of_tickets(rng: &mut SeededRng, len: usize) -> (Ticket, Ticket) {
    let ticket = Ticket::issue(rng, Direction::Up, len as u64);
    let other = Ticket::decode(&ticket.encode()).unwrap();
    assert_eq!(ticket, other);
    (ticket, other)
}

#[test]
fn a_body_under_a_ticket_arrives_whole() {
    let rng = &mut SeededRng::new(6);
    for len in [0, 1, 16_383, 16_384, 16_385, 50_000] {
        let body: Vec<u8> = (0..len).map(|index| index as u8).collect();
        let (send, receive) = pair_of_tickets(rng, len);
        let chunks = sealed_body(send, &body);
        let total: usize = chunks.iter().map(Vec::len).sum();
        assert_eq!(total as u64, sealed_len(len as u64));
        let mut opener = receive.into_opener();
        let mut read = Vec::new();
        for mut chunk in chunks {
            assert!(!opener.is_whole());
            assert_eq!(opener.next_len(), Some(chunk.len()));
            read.extend_from_slice(opener.open(&mut chunk).unwrap());
        }
        assert!(opener.is_whole() && read == body);
        assert_eq!(opener.next_len(), None);
    }
}

#[test]
fn a_cut_swapped_or_changed_body_is_not_whole() {
    let rng = &mut SeededRng::new(7);
    let body = vec![3; 40_000];
    type Change = fn(&mut Vec<Vec<u8>>);
    let changes: [Change; 4] = [
        |chunks| chunks.swap(0, 1),
        |chunks| chunks[1][5] ^= 1,
        |chunks| chunks.truncate(2),
        |chunks| chunks[2].truncate(100),
    ];
    for change in changes {
        let (send, receive) = pair_of_tickets(rng, body.len());
        let mut chunks = sealed_body(send, &body);
        change(&mut chunks);
        let mut opener = receive.into_opener();
        let all = chunks.iter_mut().all(|chunk| opener.open(chunk).is_ok());
        assert!(!opener.is_whole(), "{all}");
    }
    let (_, empty) = pair_of_tickets(rng, 0);
    let mut empty = empty.into_opener();
    assert!(empty.open(&mut [0; 15]).is_err() && !empty.is_whole());
    // The control, and one ticket's chunks are not another's.
    let (send, receive) = pair_of_tickets(rng, body.len());
    let mut chunks = sealed_body(send, &body);
    let (_, other) = pair_of_tickets(rng, body.len());
    let mut stranger = other.into_opener();
    assert_eq!(
        stranger.open(&mut chunks[0].clone()),
        Err(LinkError::BadSeal)
    );
    let mut opener = receive.into_opener();
    assert!(chunks.iter_mut().all(|chunk| opener.open(chunk).is_ok()));
    assert!(opener.is_whole());
}

#[derive(Debug, Clone)]
enum Step {
    Up(Vec<u8>),
    Down(Vec<u8>),
    Renew,
    Later(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let payload = prop::collection::vec(any::<u8>(), 0..600);
    let step = prop_oneof![
        4 => payload.clone().prop_map(Step::Up),
        4 => payload.prop_map(Step::Down),
        1 => Just(Step::Renew),
        1 => (0..60_u64).prop_map(Step::Later),
    ];
    prop::collection::vec(step, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_is_sent_in_whatever_order_arrives(steps in steps()) {
        let rng = &mut SeededRng::new(8);
        let (mut client, mut server) = link(rng);
        let (mut now, mut renewed) = (NOW, NOW);
        for step in steps {
            match step {
                Step::Up(payload) => {
                    let mut frame = client.seal(now, &payload).unwrap();
                    let received = server.receive(rng, now, &mut frame).unwrap();
                    prop_assert_eq!(received, Received::Data(&payload));
                }
                Step::Down(payload) => {
                    let mut frame = server.seal(now, &payload).unwrap();
                    let received = client.receive(now, &mut frame).unwrap();
                    prop_assert_eq!(received, Received::Data(&payload));
                }
                Step::Renew => {
                    now = now.max(renewed + RENEW_LEAST_SECS);
                    renewed = now;
                    renew(rng, now, &mut client, &mut server);
                }
                Step::Later(seconds) => now = (now + seconds).min(renewed + END_AFTER_SECS - 1),
            }
        }
    }

    #[test]
    fn a_changed_frame_ends_the_link(at in 0..256_usize, bit in 0..8_u8) {
        let rng = &mut SeededRng::new(9);
        let (mut client, mut server) = link(rng);
        let mut frame = client.seal(NOW, b"payload").unwrap();
        frame[at] ^= 1 << bit;
        let refused = server.receive(rng, NOW, &mut frame);
        prop_assert_eq!(refused, Err(LinkError::BadSeal));
        prop_assert_eq!(server.seal(NOW, b"x"), Err(LinkError::Ended));
    }
}
