//! When somebody's keys are asked for: again after a time, and no more once nothing needs them.

use std::cell::Cell;
use std::rc::Rc;

use client::id::ConversationId;
use client::testing::{Friends, Reply, World};
use serde_json::json;

fn asked(world: &World, id: ConversationId) -> usize {
    let path = format!("GET /users/{id}");
    let log = world.server.log.iter();
    log.filter(|line| **line == path).count()
}

#[test]
fn keys_that_were_shown_serve_for_five_minutes() {
    for (ms, again) in [(299_999, 0), (300_000, 1)] {
        let mut world = World::default();
        let f = world.friends();
        // Bob's last answer about Alice comes now: she reads it, and no second slot is made.
        world.advance(20_000);
        let id = world.say(f.bob, f.to_alice, "hello");
        world.show(f.alice, f.to_bob, vec![id]);
        world.server.log.clear();
        world.advance(ms);
        assert_eq!(asked(&world, f.to_alice), 0);
        world.say(f.alice, f.to_bob, "and hello");
        assert_eq!(world.texts(f.bob, f.to_alice), ["hello", "and hello"]);
        assert_eq!(asked(&world, f.to_alice), again, "{ms}");
    }
}

/// Bob signs in to a message of Alice, whose keys cannot be had: the first answer says so, and from
/// then on there are none until the test says so. Gives his tab and the switch.
fn unanswered() -> (World, Friends, usize, Rc<Cell<bool>>) {
    let mut world = World::default();
    let f = world.friends();
    world.close(f.bob);
    world.advance(20_000);
    world.say(f.alice, f.to_bob, "hello");
    let answers = Rc::new(Cell::new(false));
    let answered = Rc::clone(&answers);
    let tab = world.tabs.len();
    let path = format!("GET /users/{}", f.to_alice);
    let mut first = true;
    world.server.tamper = Some(Box::new(move |to, mut reply| {
        if let Reply::Json {
            request,
            status,
            body,
        } = &mut reply
            && to == tab
            && *request == path
            && !answered.get()
        {
            if !std::mem::take(&mut first) {
                return Vec::new();
            }
            *status = 503;
            *body = json!({"code": "unavailable", "retry_after": 5});
        }
        vec![reply]
    }));
    world.server.log.clear();
    let bob = world.sign_in("bob");
    assert_eq!(bob, tab);
    (world, f, bob, answers)
}

#[test]
fn a_look_up_without_an_answer_is_given_ten_seconds_before_it_is_made_again() {
    let (mut world, f, bob, answers) = unanswered();
    for (ms, times) in [(4_900, 1), (200, 2), (9_800, 2), (10_000, 3)] {
        world.advance(ms);
        assert_eq!(asked(&world, f.to_alice), times, "{ms}");
    }
    answers.set(true);
    world.advance(60_000);
    assert_eq!(world.texts(bob, f.to_alice), ["hello"]);
}

#[test]
fn after_a_new_connection_nobody_is_asked_about_whose_message_is_gone() {
    let (mut world, f, bob, answers) = unanswered();
    let (carol, _) = world.register("carol");
    world.sockets = false;
    world.cut(bob);
    world.server.messages.clear();
    answers.set(true);
    world.advance(5_000);
    world.sockets = true;
    world.advance(60_000);
    world.server.log.clear();
    world.command(carol, super::ask("bob"));
    world.advance(60_000);
    assert_eq!(world.requests(bob).len(), 1);
    assert!(asked(&world, world.id("carol")) > 0);
    assert_eq!(asked(&world, f.to_alice), 0);
}
