//! Chains of messages beyond one session: how far back they are remembered, who is met in them, and
//! where the next session goes on.

use protocol::envelope::{
    BodyHash, Content, Conversation, Order, SequenceCounter, SequenceError, SequenceTracker,
    SlotContent, seal_body,
};
use protocol::ids::{GroupId, MessageId};

use crate::support::{ALICE, BOB, MALLORY, NOW, Person, SeededRng, content};

struct Message {
    id: MessageId,
    content: SlotContent,
}

const BODY: BodyHash = BodyHash([4; 32]);
const GROUP: Conversation = Conversation::Group {
    id: GroupId::from_bytes([8; 16]),
};

fn message(from: &Person, sequence: u64, previous: [u8; 32]) -> Message {
    let rng = &mut SeededRng::new(sequence);
    let body = seal_body(rng, &Content::Sync, None).unwrap();
    let mut content = content(from, &BOB, &body, sequence);
    content.previous = previous;
    Message {
        id: MessageId::random(rng),
        content,
    }
}

fn chain(count: u64) -> Vec<Message> {
    let mut counter = SequenceCounter::default();
    let next = |_| {
        let (sequence, previous) = counter.stamp();
        let message = message(&ALICE, sequence, previous);
        counter.sent(&message.id, &BODY, &message.content);
        message
    };
    (0..count).map(next).collect()
}

fn observe(tracker: &mut SequenceTracker, message: &Message) -> Result<Order, SequenceError> {
    tracker.observe(&message.id, &BODY, &message.content)
}

#[test]
fn sixty_four_messages_of_a_chain_are_remembered() {
    let messages = chain(65);
    let mut tracker = SequenceTracker::default();
    for message in &messages[..64] {
        observe(&mut tracker, message).unwrap();
    }
    let repeated =
        |tracker: &SequenceTracker, index: usize| observe(&mut tracker.clone(), &messages[index]);
    assert_eq!(repeated(&tracker, 0), Err(SequenceError::Repeated));
    observe(&mut tracker, &messages[64]).unwrap();
    assert_eq!(repeated(&tracker, 1), Err(SequenceError::Repeated));
    assert_eq!(repeated(&tracker, 0), Ok(Order::Late), "no longer");
}

#[test]
fn a_number_at_the_end_of_its_range_is_an_order_like_any_other() {
    let mut tracker = SequenceTracker::default();
    let last = message(&ALICE, u64::MAX, [0; 32]);
    let missing = u64::MAX - 1;
    assert_eq!(observe(&mut tracker, &last), Ok(Order::First { missing }));
    let before = message(&ALICE, 5, [0; 32]);
    assert_eq!(observe(&mut tracker, &before), Ok(Order::Late));
    assert_eq!(observe(&mut tracker, &last), Err(SequenceError::Repeated));
}

#[test]
fn a_gap_is_as_wide_as_what_is_missing() {
    let tenth = message(&ALICE, 10, [9; 32]);
    for (number, previous, order) in [
        (11, link(&tenth), Order::Next),
        (12, [0; 32], Order::Gap { missing: 1 }),
        (13, [0; 32], Order::Gap { missing: 2 }),
        (8, [0; 32], Order::Late),
        (1, [0; 32], Order::Late),
    ] {
        let mut tracker = SequenceTracker::default();
        observe(&mut tracker, &tenth).unwrap();
        let other = message(&ALICE, number, previous);
        assert_eq!(observe(&mut tracker, &other), Ok(order), "{number}");
    }
}

fn link(message: &Message) -> [u8; 32] {
    protocol::envelope::message_link(&message.id, &BODY, &message.content)
}

#[test]
fn only_the_same_sender_in_the_same_conversation_was_met() {
    let detached = |content: fn(&mut SlotContent)| {
        let mut seen = message(&ALICE, 1, [0; 32]);
        content(&mut seen.content);
        let mut tracker = SequenceTracker::default();
        observe(&mut tracker, &seen).unwrap();
        let mut next = message(&ALICE, 1, [7; 32]);
        next.content.session = BOB.live_id;
        observe(&mut tracker, &next)
    };
    let met = |met| Ok(Order::Detached { met });
    assert_eq!(detached(|_| ()), met(true));
    assert_eq!(detached(|seen| seen.conversation = GROUP), met(false));
    assert_eq!(detached(|seen| seen.sender = MALLORY.user_id), met(false));
}

#[test]
fn a_session_resumes_only_behind_a_message_of_the_same_sender_and_conversation() {
    let resumed = |content: fn(&mut SlotContent)| {
        let mut seen = message(&ALICE, 1, [0; 32]);
        content(&mut seen.content);
        let mut tracker = SequenceTracker::default();
        observe(&mut tracker, &seen).unwrap();
        let mut next = message(&ALICE, 1, link(&seen));
        next.content.session = BOB.live_id;
        observe(&mut tracker, &next)
    };
    assert_eq!(resumed(|_| ()), Ok(Order::First { missing: 0 }));
    let unseen = Ok(Order::Detached { met: false });
    assert_eq!(resumed(|seen| seen.conversation = GROUP), unseen);
    assert_eq!(resumed(|seen| seen.sender = MALLORY.user_id), unseen);
}

#[test]
fn a_counter_tells_its_last_message_and_when_that_ends() {
    let mut counter = SequenceCounter::default();
    assert_eq!(counter.last(), None);
    assert_eq!(counter.stamp(), (1, [0; 32]));
    let mut message = message(&ALICE, 1, [0; 32]);
    message.content.life_secs = 90;
    counter.sent(&message.id, &BODY, &message.content);
    assert_eq!(counter.last(), Some((link(&message), NOW + 90)));
    assert_eq!(counter.stamp(), (2, link(&message)));

    let resumed = SequenceCounter::resumed(link(&message), NOW + 90);
    assert_eq!(resumed.last(), counter.last());
    assert_eq!(resumed.stamp(), (1, link(&message)));
    assert_eq!(resumed.earlier_ends(NOW).end(1, NOW), NOW + 90);
}
