//! Answers of the server that are late, lost, or no.

use client::Command;
use client::event::MessageState;
use client::testing::{Friends, Reply, World};
use protocol::envelope::Submission;
use protocol::ids::MessageId;
use protocol::link::FRAME_SIZES;
use serde_json::json;

use super::asked_for_keys;

fn mid(id: MessageId) -> MessageId {
    MessageId::from_bytes(*id.as_bytes())
}

/// Whether a reply answers a submission.
fn answers_a_submission(reply: &Reply) -> bool {
    match reply {
        Reply::Text(frame) => frame["t"] == "sent" || frame["re"] == "send",
        _ => false,
    }
}

/// No answer to a submission reaches a tab any more.
fn unanswered(world: &mut World, tab: usize) {
    world.server.tamper = Some(Box::new(move |to, reply| {
        if to == tab && answers_a_submission(&reply) {
            Vec::new()
        } else {
            vec![reply]
        }
    }));
}

/// The server answers some questions for keys with a code.
fn keys_refused(world: &mut World, handle: &str, status: u16, code: &'static str, times: usize) {
    let asked = format!("POST /users/{}/bundles", world.id(handle));
    let mut left = times;
    world.server.tamper = Some(Box::new(move |_, reply| match reply {
        Reply::Json { request, .. } if request == asked && left > 0 => {
            left -= 1;
            let body = json!({"code": code, "detail": "", "retry_after": 2});
            vec![Reply::Json {
                request,
                status,
                body,
            }]
        }
        other => vec![other],
    }));
}

fn delete(world: &mut World, f: &Friends, message: MessageId, everywhere: bool) {
    let chat = f.to_bob;
    world.command(
        f.alice,
        Command::Delete {
            chat,
            message,
            everywhere,
        },
    );
}

#[test]
fn a_message_that_gets_no_answer_is_given_to_the_server_four_times_and_then_called_not_sent() {
    let mut world = World::default();
    let f = world.acquainted();
    world.close(f.bob);
    unanswered(&mut world, f.alice);
    let id = world.say(f.alice, f.to_bob, "three");
    world.advance(31_900);
    let given = world.server.traffic.iter();
    let given = given.filter_map(|bytes| Submission::decode(bytes).ok());
    let given = given.filter(|given| given.message_id == mid(id)).count();
    assert_eq!(given, 4);
    let state = world.message(f.alice, id).unwrap().state;
    assert_eq!(state, MessageState::Sending);
    world.advance(200);
    let view = world.message(f.alice, id).unwrap();
    assert_eq!(view.state, MessageState::Failed);
    assert_eq!(view.failure.as_deref(), Some("offline"));
}

#[test]
fn what_deletes_a_message_does_not_overtake_it() {
    for arrives in [false, true] {
        let mut world = World::default();
        let f = world.acquainted();
        world.close(f.bob);
        world.advance(4_000);
        unanswered(&mut world, f.alice);
        let long = "regretted ".repeat(2_000);
        let id = world.say(f.alice, f.to_bob, &long);
        // It was lost, and is on its way once more.
        world.server.messages.remove(&mid(id)).unwrap();
        world.held_up = Some("POST /messages/sealed");
        world.advance(9_000);
        world.server.tamper = None;
        let before = world.server.messages.len();
        delete(&mut world, &f, id, true);
        world.advance(1_000);
        assert_eq!(world.server.messages.len(), before, "it waits");
        if arrives {
            world.arrive();
            assert_eq!(world.server.messages.len(), before + 2);
        } else {
            // Whatever became of it.
            world.advance(40_000);
            assert_eq!(world.server.messages.len(), before + 1);
            continue;
        }
        let bob = world.sign_in("bob");
        let texts = world.texts(bob, f.to_alice);
        assert!(!texts.contains(&long), "{texts:?}");
    }
}

#[test]
fn what_deletes_a_message_follows_it_on_the_socket_without_waiting_for_an_answer() {
    let mut world = World::default();
    let f = world.acquainted();
    world.close(f.bob);
    world.advance(4_000);
    unanswered(&mut world, f.alice);
    let before = world.server.messages.len();
    let id = world.say(f.alice, f.to_bob, "regretted");
    delete(&mut world, &f, id, true);
    assert_eq!(world.server.messages.len(), before + 2);
}

#[test]
fn keys_for_copies_that_are_not_given_out_delay_nothing() {
    for (status, code) in [(429, "too-many-requests"), (403, "forbidden")] {
        let mut world = World::default();
        let f = world.acquainted();
        keys_refused(&mut world, "alice", status, code, usize::MAX);
        let alice = world.id("alice");
        let before = asked_for_keys(&world, alice);
        for text in ["three", "four"] {
            world.say(f.alice, f.to_bob, text);
        }
        assert_eq!(
            world.texts(f.bob, f.to_alice),
            ["one", "two", "three", "four"]
        );
        assert_eq!(asked_for_keys(&world, alice) - before, 1);
    }
}

#[test]
fn a_recipients_keys_that_are_refused_for_good_end_the_message_with_the_reason() {
    let mut world = World::default();
    let f = world.acquainted();
    keys_refused(&mut world, "bob", 403, "forbidden", usize::MAX);
    let id = world.say(f.alice, f.to_bob, "three");
    let view = world.message(f.alice, id).unwrap();
    assert_eq!(view.state, MessageState::Failed);
    assert_eq!(view.failure.as_deref(), Some("forbidden"));
}

#[test]
fn nobody_asks_again_for_keys_for_what_was_taken_back() {
    for taken_back in [false, true] {
        let mut world = World::default();
        let f = world.acquainted();
        keys_refused(&mut world, "bob", 429, "too-many-requests", 1);
        let before = asked_for_keys(&world, f.to_bob);
        let id = world.say(f.alice, f.to_bob, "three");
        if taken_back {
            delete(&mut world, &f, id, false);
        }
        world.advance(5_000);
        let asked = asked_for_keys(&world, f.to_bob) - before;
        assert_eq!(asked == 1, taken_back, "{asked}");
    }
}

#[test]
fn a_message_that_is_gone_when_it_gets_another_slot_is_asked_about_and_said_to_have_vanished() {
    let mut world = World::default();
    world.server.delivers = false;
    let f = world.acquainted();
    // Bob's tab hangs: the server still believes it is live.
    world.tabs[f.bob] = None;
    let id = world.say(f.alice, f.to_bob, "three");
    world.server.messages.remove(&mid(id)).unwrap();
    world.advance(9_000);
    let state = world.message(f.alice, id).unwrap().state;
    assert_eq!(state, MessageState::Waiting);
    world.advance(2_000);
    let view = world.message(f.alice, id).unwrap();
    assert_eq!((view.state, view.by_server), (MessageState::Vanished, true));
}

#[test]
fn a_socket_with_nobody_at_its_other_end_is_given_up_before_what_went_into_it_is() {
    let mut world = World::default();
    let f = world.acquainted();
    // A ping has just been answered.
    world.cut(f.alice);
    world.advance(2_000);
    let tab = f.alice;
    world.server.tamper_link = Some(Box::new(move |to, message| {
        let lost = to == tab && FRAME_SIZES.contains(&message.len());
        if lost { Vec::new() } else { vec![message] }
    }));
    let id = world.say(f.alice, f.to_bob, "three");
    world.advance(15_900);
    let state = world.message(f.alice, id).unwrap().state;
    assert_eq!(state, MessageState::Sending);
    world.server.tamper_link = None;
    world.advance(2_000);
    let state = world.message(f.alice, id).unwrap().state;
    assert_ne!(state, MessageState::Sending);
    assert_eq!(
        world.texts(f.bob, f.to_alice).last().map(String::as_str),
        Some("three")
    );
}
