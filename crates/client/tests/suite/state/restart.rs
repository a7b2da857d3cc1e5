//! "Vanished in a restart" is told only of a restart that the server has signed.

use client::command::Burn;
use client::event::MessageState;
use client::testing::{Reply, World};

#[test]
fn a_server_that_does_not_know_a_message_any_more_has_not_restarted() {
    let mut world = World::default();
    let f = world.acquainted();
    world.close(f.bob);
    world.advance(4_000);
    let id = world.say(f.alice, f.to_bob, "wait here");
    let seen = |world: &World| {
        let view = world.message(f.alice, id).unwrap();
        (view.state, view.by_server)
    };
    assert_eq!(seen(&world), (MessageState::Waiting, false));
    world.server.tamper = Some(Box::new(|_, mut reply| {
        if let Reply::Text(frame) = &mut reply
            && frame["t"] == "status"
        {
            for state in frame["states"].as_array_mut().unwrap() {
                state["state"] = "unknown".into();
            }
        }
        vec![reply]
    }));
    world.cut(f.alice);
    world.advance(60_000);
    assert_eq!(seen(&world), (MessageState::Vanished, true), "its word");
    world.server.tamper = None;
    world.server.restart();
    world.advance(60_000);
    assert_eq!(
        seen(&world),
        (MessageState::Vanished, false),
        "it is signed"
    );
}

#[test]
fn what_nobody_had_opened_before_a_restart_is_gone_and_what_was_read_stays() {
    let mut world = World::default();
    let f = world.acquainted();
    let id = world.say_with(f.alice, f.to_bob, "unopened", Some(Burn::OnRead), None);
    assert!(world.message(f.bob, id).unwrap().sealed);
    world.server.restart();
    world.advance(60_000);
    let view = world.message(f.bob, id).unwrap();
    assert_eq!((view.state, view.sealed), (MessageState::Gone, false));
    assert!(view.by_server && view.text.is_none());
    assert_eq!(world.texts(f.bob, f.to_alice), ["one", "two"]);
}
