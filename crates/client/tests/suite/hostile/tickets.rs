//! Bodies under tickets that were changed, and tickets that nobody asked for.

use client::event::MessageState;
use client::id::MessageId;
use client::testing::{Friends, Reply, SeededRng, World};
use protocol::envelope::Submission;
use protocol::link::{Direction, Ticket};
use serde_json::json;

use super::{nothing_refused, refused};

/// Bytes of a whole chunk as it is sealed.
const CHUNK_LEN: usize = 16_384 + 16;

fn long() -> String {
    "long ".repeat(8_000)
}

fn posts(world: &World) -> usize {
    let log = world.server.log.iter();
    log.filter(|line| line.starts_with("POST /messages"))
        .count()
}

fn state(world: &World, f: &Friends, id: MessageId) -> (MessageState, Option<String>) {
    let view = world.message(f.alice, id).unwrap();
    (view.state, view.failure)
}

#[test]
fn a_parcel_that_was_changed_on_the_way_is_not_opened_and_is_fetched_again() {
    let attacks: [fn(&mut Vec<u8>); 6] = [
        |body| body[0] ^= 1,
        |body| body[CHUNK_LEN] ^= 1,
        |body| body.truncate(body.len() - 1),
        |body| body.truncate(CHUNK_LEN),
        |body| body.push(0),
        |body| body[..2 * CHUNK_LEN].rotate_left(CHUNK_LEN),
    ];
    for (number, attack) in attacks.into_iter().enumerate() {
        let mut world = World::default();
        let f = world.acquainted();
        let mut left = 1;
        world.server.tamper = Some(Box::new(move |_, mut reply| {
            if let Reply::Octets { body, .. } = &mut reply
                && left > 0
            {
                left -= 1;
                attack(body);
            }
            vec![reply]
        }));
        world.say_with(f.alice, f.to_bob, &long(), None, Some(3_600));
        assert!(refused(&world, f.bob, "broken-link"), "{number}");
        assert_eq!(world.texts(f.bob, f.to_alice), ["one", "two"], "{number}");
        world.advance(60_000);
        assert_eq!(world.texts(f.bob, f.to_alice).len(), 3, "{number}");
    }
}

#[test]
fn a_ticket_that_nobody_asked_for_sends_nothing() {
    let mut world = World::default();
    let f = world.acquainted();
    let rng = &mut SeededRng::new(7);
    for (direction, len) in [(Direction::Up, 20_000), (Direction::Down, 20_000)] {
        let ticket = Ticket::issue(rng, direction, len).encode().to_vec();
        world.server.push(f.alice, Reply::Binary(ticket));
        world.settle();
    }
    assert_eq!(posts(&world), 0);
    assert_eq!(world.refusals(f.alice), ["malformed", "malformed"]);
}

#[test]
fn a_ticket_of_another_length_or_direction_sends_nothing_and_another_one_is_asked_for() {
    for longer in [true, false] {
        let mut world = World::default();
        let f = world.acquainted();
        let mut left = 1;
        world.server.tamper = Some(Box::new(move |tab, reply| match &reply {
            Reply::Binary(bytes) if tab == f.alice && left > 0 => {
                let Ok(ticket) = Ticket::decode(bytes) else {
                    return vec![reply];
                };
                left -= 1;
                let (direction, more) = match longer {
                    true => (Direction::Up, 1),
                    false => (Direction::Down, 0),
                };
                let rng = &mut SeededRng::new(7);
                let other = Ticket::issue(rng, direction, ticket.body_len() + more);
                vec![Reply::Binary(other.encode().to_vec())]
            }
            _ => vec![reply],
        }));
        world.say(f.alice, f.to_bob, &long());
        assert_eq!(posts(&world), 0);
        assert_eq!(world.refusals(f.alice), ["malformed"]);
        world.advance(9_000);
        assert_eq!(posts(&world), 1);
        assert_eq!(world.texts(f.bob, f.to_alice).last(), Some(&long()));
    }
}

#[test]
fn a_large_parcel_without_a_ticket_to_fetch_it_is_claimed_again() {
    let mut world = World::default();
    let f = world.acquainted();
    let mut left = 1;
    world.server.tamper = Some(Box::new(move |_, mut reply| {
        if let Reply::Text(frame) = &mut reply
            && frame["t"] == "claimed_large"
            && left > 0
        {
            left -= 1;
            let rng = &mut SeededRng::new(7);
            let up = Ticket::issue(rng, Direction::Up, 20_000).encode().to_vec();
            frame["ticket"] = json!(api::Blob::from(up));
        }
        vec![reply]
    }));
    world.say_with(f.alice, f.to_bob, &long(), None, Some(3_600));
    assert!(refused(&world, f.bob, "malformed"));
    world.advance(60_000);
    assert_eq!(world.texts(f.bob, f.to_alice).last(), Some(&long()));
}

#[test]
fn a_ticket_that_is_over_is_followed_by_another_one_and_the_message_arrives_once() {
    let mut world = World::default();
    let f = world.acquainted();
    world.held_up = Some("POST /messages/sealed");
    let id = world.say(f.alice, f.to_bob, &long());
    world.server.forget_tickets();
    world.arrive();
    assert_eq!(state(&world, &f, id), (MessageState::Sending, None));
    world.advance(9_000);
    assert_eq!(posts(&world), 2);
    assert_eq!(world.texts(f.bob, f.to_alice).len(), 3);
    nothing_refused(&world, f.bob);
}

#[test]
fn a_ticket_that_is_refused_ends_the_message_or_puts_it_off() {
    for (code, put_off) in [("quota", false), ("too-many-requests", true)] {
        let mut world = World::default();
        let f = world.acquainted();
        let mut left = 1;
        world.server.tamper = Some(Box::new(move |tab, reply| match &reply {
            Reply::Binary(bytes) if tab == f.alice && left > 0 && Ticket::decode(bytes).is_ok() => {
                left -= 1;
                vec![Reply::Text(
                    json!({"t": "refused", "re": "ticket", "code": code,
                    "detail": "", "retry_after": 5}),
                )]
            }
            _ => vec![reply],
        }));
        let id = world.say(f.alice, f.to_bob, &long());
        assert_eq!(posts(&world), 0);
        world.advance(6_000);
        let arrived = world.texts(f.bob, f.to_alice).len() == 3;
        assert_eq!(arrived, put_off, "{code}");
        if !put_off {
            let failed = (MessageState::Failed, Some("quota".to_owned()));
            assert_eq!(state(&world, &f, id), failed);
        }
    }
}

/// What bodies hold is refused, and the refusal names no message.
fn refuse_unnamed(world: &mut World, tab: usize, re: &'static str) {
    world.server.tamper = Some(Box::new(move |to, reply| match &reply {
        Reply::Text(frame) if to == tab && frame["t"] == "sent" => {
            vec![Reply::Text(json!({"t": "refused", "re": re, "id": null,
                "code": "malformed-request", "detail": "", "retry_after": null}))]
        }
        _ => vec![reply],
    }));
}

/// How often a message was given to the server.
fn given(world: &World, id: MessageId) -> usize {
    let traffic = world.server.traffic.iter();
    let given = traffic.filter_map(|bytes| Submission::decode(bytes).ok());
    let same = |it: &Submission| it.message_id.as_bytes() == id.as_bytes();
    given.filter(same).count()
}

#[test]
fn a_body_that_is_refused_for_its_content_is_not_given_again() {
    let malformed = (MessageState::Failed, Some("malformed-request".to_owned()));
    for (text, re, at_once) in [
        (long(), "send", true),
        (long(), "frame", false),
        ("short".to_owned(), "frame", false),
    ] {
        let mut world = World::default();
        let f = world.acquainted();
        world.advance(4_000);
        refuse_unnamed(&mut world, f.alice, re);
        let id = world.say(f.alice, f.to_bob, &text);
        assert_eq!(state(&world, &f, id) == malformed, at_once);
        world.advance(60_000);
        assert_eq!(state(&world, &f, id), malformed);
        assert_eq!(given(&world, id), 1, "{re}");
    }
}

#[test]
fn of_several_bodies_those_that_are_taken_are_not_called_refused() {
    let mut world = World::default();
    let f = world.acquainted();
    world.advance(4_000);
    world.held_up = Some("POST /messages/sealed");
    let first = world.say(f.alice, f.to_bob, &long());
    let second = world.say(f.alice, f.to_bob, &long());
    let refused = json!({"t": "refused", "re": "send", "id": null,
        "code": "malformed-request", "detail": "", "retry_after": null});
    world.server.push(f.alice, Reply::Text(refused));
    world.settle();
    assert_eq!(state(&world, &f, first), (MessageState::Sending, None));
    world.arrive();
    world.advance(9_000);
    for id in [first, second] {
        assert_eq!(state(&world, &f, id).1, None);
    }
    assert_eq!(world.texts(f.bob, f.to_alice).len(), 4);
}

#[test]
fn a_list_that_nobody_asked_for_is_passed_over() {
    let mut world = World::default();
    let f = world.acquainted();
    let waiting = json!([{"id": MessageId::from_bytes([9; 16]).to_string(), "burn": false, "size": 1,
        "expires_at": 4_102_444_800_u64, "target": "live",
        "from": MessageId::from_bytes([0xee; 16]).to_string()}]);
    let list = json!({"t": "listed", "waiting": waiting, "more": false});
    let before = world.server.traffic.len();
    world.server.push(f.bob, Reply::Text(list));
    world.settle();
    assert_eq!(world.server.traffic.len(), before + 1, "it claims nothing");
    nothing_refused(&world, f.bob);
}
