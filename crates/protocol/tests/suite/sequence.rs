use protocol::envelope::{
    BodyHash, Content, Order, SequenceCounter, SequenceError, SequenceTracker, SlotContent,
    message_link, seal_body,
};
use protocol::ids::MessageId;

use crate::support::{ALICE, BOB, SeededRng, content};

struct Message {
    id: MessageId,
    hash: BodyHash,
    content: SlotContent,
}

fn conversation(count: u64) -> Vec<Message> {
    let rng = &mut SeededRng::new(1);
    let mut counter = SequenceCounter::default();
    (0..count)
        .map(|_| {
            let body = seal_body(rng, &Content::text("x"), None).unwrap();
            let (sequence, previous) = counter.stamp();
            let mut content = content(&ALICE, &BOB, &body, sequence);
            content.previous = previous;
            let id = MessageId::random(rng);
            counter.sent(&id, &body.hash, &content);
            Message {
                id,
                hash: body.hash,
                content,
            }
        })
        .collect()
}

fn observe(tracker: &mut SequenceTracker, message: &Message) -> Result<Order, SequenceError> {
    tracker.observe(&message.id, &message.hash, &message.content)
}

#[test]
fn messages_in_order_follow_each_other() {
    let messages = conversation(100);
    let mut tracker = SequenceTracker::default();
    assert_eq!(
        observe(&mut tracker, &messages[0]),
        Ok(Order::First { missing: 0 })
    );
    for message in &messages[1..] {
        assert_eq!(observe(&mut tracker, message), Ok(Order::Next));
    }
}

#[test]
fn a_dropped_message_leaves_a_gap_and_a_late_one_fills_it() {
    let messages = conversation(6);
    let mut tracker = SequenceTracker::default();
    observe(&mut tracker, &messages[1]).unwrap();
    assert_eq!(
        observe(&mut tracker, &messages[4]),
        Ok(Order::Gap { missing: 2 })
    );
    assert_eq!(observe(&mut tracker, &messages[2]), Ok(Order::Late));
    assert_eq!(observe(&mut tracker, &messages[3]), Ok(Order::Late));
    assert_eq!(observe(&mut tracker, &messages[5]), Ok(Order::Next));
    let mut fresh = SequenceTracker::default();
    assert_eq!(
        observe(&mut fresh, &messages[3]),
        Ok(Order::First { missing: 3 })
    );
}

#[test]
fn a_repeated_number_and_a_broken_link_are_refused() {
    let messages = conversation(4);
    let mut tracker = SequenceTracker::default();
    observe(&mut tracker, &messages[0]).unwrap();
    assert_eq!(
        observe(&mut tracker, &messages[0]),
        Err(SequenceError::Repeated)
    );
    // The same second message, but following another first one.
    let mut forged = conversation(4).swap_remove(1);
    forged.content.previous = [9; 32];
    assert_eq!(
        observe(&mut tracker, &forged),
        Err(SequenceError::BrokenLink)
    );
    observe(&mut tracker, &messages[2]).unwrap();
    let mut late = conversation(4).swap_remove(1);
    late.content.sent_at += 1;
    assert_eq!(observe(&mut tracker, &late), Err(SequenceError::BrokenLink));
    assert_eq!(observe(&mut tracker, &messages[1]), Ok(Order::Late));
}

/// The first message of another session of the same sender, behind this one.
fn resumed(before: &Message) -> Message {
    let mut counter = SequenceCounter::default();
    counter.sent(&before.id, &before.hash, &before.content);
    let (link, end) = counter.last().unwrap();
    let (sequence, previous) = SequenceCounter::resumed(link, end).stamp();
    let mut first = conversation(1).swap_remove(0);
    first.content.session = BOB.live_id;
    (first.content.sequence, first.content.previous) = (sequence, previous);
    first
}

#[test]
fn the_first_message_of_a_session_follows_the_last_one_of_the_session_before() {
    let messages = conversation(3);
    let next = resumed(&messages[2]);
    assert_eq!(next.content.sequence, 1);
    let mut tracker = SequenceTracker::default();
    for message in &messages {
        observe(&mut tracker, message).unwrap();
    }
    assert_eq!(
        observe(&mut tracker, &next),
        Ok(Order::First { missing: 0 })
    );

    // The last one was dropped.
    let mut tracker = SequenceTracker::default();
    observe(&mut tracker, &messages[1]).unwrap();
    assert_eq!(
        observe(&mut tracker, &next),
        Ok(Order::Detached { met: true })
    );
    // Whoever has seen nothing cannot know.
    assert_eq!(
        observe(&mut SequenceTracker::default(), &next),
        Ok(Order::Detached { met: false })
    );
}

#[test]
fn a_message_tells_when_those_before_it_end() {
    let rng = &mut SeededRng::new(2);
    let mut counter = SequenceCounter::default();
    let body = seal_body(rng, &Content::text("x"), None).unwrap();
    let now = content(&ALICE, &BOB, &body, 1).sent_at;
    assert_eq!(counter.earlier_ends(now).end(1, now), now, "there is none");
    let lives: Vec<u32> = (1..=10)
        .map(|n| if n == 2 { 9_000 } else { n * 10 })
        .collect();
    for life in &lives {
        let mut content = content(&ALICE, &BOB, &body, 1);
        content.life_secs = *life;
        counter.sent(&MessageId::random(rng), &body.hash, &content);
    }
    let ends = counter.earlier_ends(now + 5);
    for (back, life) in (1..=7).zip(lives.iter().rev()) {
        assert_eq!(ends.end(back, now + 5), now + u64::from(*life));
    }
    // All before those end with the one that lives longest.
    for back in [8, 9, 10, u64::MAX] {
        assert_eq!(ends.end(back, now + 5), now + 9_000);
    }
    // What was over when it was sent is over.
    let later = counter.earlier_ends(now + 5_000);
    assert_eq!(later.end(1, now + 5_000), now + 5_000);
}

#[test]
fn sessions_and_conversations_are_counted_apart_and_typing_not_at_all() {
    let mut tracker = SequenceTracker::default();
    let one = conversation(1).swap_remove(0);
    observe(&mut tracker, &one).unwrap();
    let mut elsewhere = conversation(1).swap_remove(0);
    elsewhere.content.session = BOB.live_id;
    assert_eq!(
        observe(&mut tracker, &elsewhere),
        Ok(Order::First { missing: 0 })
    );
    let mut typing = conversation(1).swap_remove(0);
    typing.content.sequence = 0;
    for _ in 0..2 {
        assert_eq!(observe(&mut tracker, &typing), Ok(Order::Uncounted));
    }
}

#[test]
fn the_link_is_the_same_for_every_recipient_of_a_message() {
    let mut message = conversation(1).swap_remove(0);
    let before = message_link(&message.id, &message.hash, &message.content);
    message.content.safe_mark = Some(protocol::safe::SafeMark::of(1, b"x"));
    assert_eq!(
        before,
        message_link(&message.id, &message.hash, &message.content)
    );
    message.content.burn_on_read = false;
    assert_ne!(
        before,
        message_link(&message.id, &message.hash, &message.content)
    );
}
