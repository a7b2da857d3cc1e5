//! "Vanished in a restart" is told only of a restart that the server has signed.

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
