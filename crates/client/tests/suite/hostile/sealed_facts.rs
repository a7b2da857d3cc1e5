//! What a message says of itself under its seal: its end, its keys, and what others can make of it.

use client::event::{Event, MessageState};
use client::id::MessageId;
use client::testing::World;
use protocol::envelope::{Content, Submission};
use protocol::ids::UserId;

use super::forge::{Forged, deliver, prekey_target, stolen};
use super::{nothing_refused, refused};

fn id(byte: u8) -> MessageId {
    MessageId::from_bytes([byte; 16])
}

fn notices(world: &World, tab: usize) -> Vec<String> {
    let events = world.tab(tab).events.iter();
    let notices = events.filter_map(|event| match event {
        Event::Notice { code, .. } => Some(code.clone()),
        _ => None,
    });
    notices.collect()
}

#[test]
fn a_text_that_comes_after_its_life_is_never_shown() {
    let mut world = World::default();
    let f = world.acquainted();
    let alice = world.server.user("alice");
    let bob = world.server.user("bob");
    let secrets = stolen(&mut world, "alice");
    let mut late = Forged::new(&world, Content::text("for one minute"), id(1));
    late.life_secs = 60;
    late.sent_at -= 61;
    let target = super::forge::live_target(&world, f.bob, &bob);
    let mut submission = late.seal(&world, alice, &secrets, &target);
    // The server keeps it for longer than it was made for.
    submission.life_secs = 3_600;
    world.server.post_as(alice, &submission.encode());
    world.settle();
    let mut told = Vec::new();
    for event in &world.tab(f.bob).events {
        if let Event::Message { message, .. } = event
            && message.id == id(1)
        {
            told.push((message.state, message.text.clone()));
        }
    }
    assert_eq!(told, [(MessageState::Expired, None)]);
    // Control: in its time it is shown.
    let content = Content::text("for an hour");
    deliver(&mut world, f.bob, alice, &secrets, content, id(2));
    assert!(world.message(f.bob, id(2)).unwrap().text.is_some());
    nothing_refused(&world, f.bob);
}

#[test]
fn an_edit_that_comes_after_its_life_changes_nothing() {
    let mut world = World::default();
    let f = world.acquainted();
    let alice = world.server.user("alice");
    let secrets = stolen(&mut world, "alice");
    deliver(
        &mut world,
        f.bob,
        alice,
        &secrets,
        Content::text("a"),
        id(1),
    );
    let bob = world.server.user("bob");
    let target = super::forge::live_target(&world, f.bob, &bob);
    let edit = Content::Edit {
        message_id: super::forge::mid(id(1)),
        text: "b".into(),
    };
    let mut late = Forged::new(&world, edit, id(2));
    late.life_secs = 60;
    late.sent_at -= 61;
    let mut submission = late.seal(&world, alice, &secrets, &target);
    submission.life_secs = 3_600;
    world.server.post_as(alice, &submission.encode());
    world.settle();
    assert_eq!(world.texts(f.bob, f.to_alice).last().unwrap(), "a");
}

/// Seals a text under the last resort, or under a one-time pair, and lets it arrive.
fn under_prekey(
    world: &mut World,
    sender: UserId,
    secrets: &protocol::identity::AccountSecrets,
    one_time: Option<u32>,
    message: MessageId,
) {
    let bob = world.server.user("bob");
    let target = prekey_target(world, &bob, one_time);
    let forged = Forged::new(world, Content::text("hello"), message);
    let submission = forged.seal(world, sender, secrets, &target);
    world.server.post_as(sender, &submission.encode());
    world.settle();
}

#[test]
fn only_a_contact_under_pinned_keys_says_that_the_server_holds_keys_back() {
    let mut world = World::default();
    let f = world.acquainted();
    world.advance(700_000);
    let (mallory, mallorys) = world.server.plant("mallory");
    under_prekey(&mut world, mallory, &mallorys, None, id(1));
    assert_eq!(notices(&world, f.bob), Vec::<String>::new());
    let alice = world.server.user("alice");
    let alices = stolen(&mut world, "alice");
    under_prekey(&mut world, alice, &alices, None, id(2));
    assert_eq!(notices(&world, f.bob), ["last-resort-used"]);
}

#[test]
fn a_one_time_pair_that_two_people_have_is_noticed() {
    for shown in [false, true] {
        let mut world = World::default();
        let f = world.acquainted();
        let bob = world.server.user("bob");
        let alice = world.server.user("alice");
        let alices = stolen(&mut world, "alice");
        let (mallory, mallorys) = world.server.plant("mallory");
        let pairs = world.server.accounts[&bob].unclaimed.clone();
        under_prekey(&mut world, alice, &alices, Some(pairs[0]), id(1));
        if shown {
            world.show(f.bob, f.to_alice, vec![id(1)]);
            world.advance(2_000);
        }
        // Control: alice once more, and mallory under a pair of their own.
        under_prekey(&mut world, alice, &alices, Some(pairs[0]), id(2));
        under_prekey(&mut world, mallory, &mallorys, Some(pairs[1]), id(3));
        assert_eq!(notices(&world, f.bob), Vec::<String>::new());
        under_prekey(&mut world, mallory, &mallorys, Some(pairs[0]), id(4));
        assert_eq!(notices(&world, f.bob), ["prekey-shared"]);
    }
}

#[test]
fn a_shared_one_time_pair_makes_a_message_no_better_than_one_under_the_last_resort() {
    let mut world = World::default();
    let f = world.acquainted();
    let bob = world.server.user("bob");
    let alice = world.server.user("alice");
    let alices = stolen(&mut world, "alice");
    let (mallory, mallorys) = world.server.plant("mallory");
    let pair = Some(world.server.accounts[&bob].unclaimed[0]);
    under_prekey(&mut world, mallory, &mallorys, pair, id(1));
    under_prekey(&mut world, alice, &alices, pair, id(2));
    let warnings = world.message(f.bob, id(2)).unwrap().warnings;
    assert_eq!(warnings, ["last-resort"]);
}

/// The answer to a slot in which one bit was turned.
fn answer_to_a_turned_bit(at: usize) -> Vec<String> {
    let mut world = World::default();
    let f = world.acquainted();
    let alice = world.server.user("alice");
    let bob = world.server.user("bob");
    let secrets = stolen(&mut world, "alice");
    let target = super::forge::live_target(&world, f.bob, &bob);
    let forged = Forged::new(&world, Content::text("hello"), id(1));
    let mut submission: Submission = forged.seal(&world, alice, &secrets, &target);
    let slot = &mut submission.slots[0].bytes;
    let at = if at == 0 { slot.len() - 1 } else { at };
    slot[at] ^= 1;
    let from = world.server.traffic.len();
    world.server.post_as(alice, &submission.encode());
    world.settle();
    assert!(
        refused(&world, f.bob, "moved-slot"),
        "{:?}",
        world.refusals(f.bob)
    );
    let sent = world.server.traffic[from..].iter();
    let frames = sent.filter_map(|bytes| serde_json::from_slice::<serde_json::Value>(bytes).ok());
    let answers = frames.filter(|frame| frame["t"] == "cannot_open" || frame["t"] == "ack");
    answers.map(|frame| frame["t"].to_string()).collect()
}

#[test]
fn a_bad_hint_and_a_bad_slot_get_the_same_answer() {
    // Inside the hint, which ends the handshake before the counter; and the slot's tag.
    let hint = 3 + 1_716 - 10;
    let answer = answer_to_a_turned_bit(hint);
    assert_eq!(answer.len(), 1);
    assert_eq!(answer, answer_to_a_turned_bit(0));
}

#[test]
fn a_stranger_raises_no_alarm_about_the_order_of_messages() {
    let mut world = World::default();
    let f = world.acquainted();
    let bob = world.server.user("bob");
    let alice = world.server.user("alice");
    let alices = stolen(&mut world, "alice");
    let (mallory, mallorys) = world.server.plant("mallory");
    let senders = [(mallory, mallorys, [1, 2], 0), (alice, alices, [3, 4], 1)];
    for (sender, secrets, bytes, told) in senders {
        // Two messages with one number.
        for byte in bytes {
            let target = super::forge::live_target(&world, f.bob, &bob);
            let mut forged = Forged::new(&world, Content::text("hello"), id(byte));
            forged.sequence = 2;
            let submission = forged.seal(&world, sender, &secrets, &target);
            world.server.post_as(sender, &submission.encode());
            world.settle();
        }
        assert_eq!(world.refusals(f.bob).len(), told);
    }
    assert_eq!(world.refusals(f.bob), ["replayed"]);
}
