//! Several sessions of one account: what is said in one is in all that are there.

use client::testing::World;

#[test]
fn a_session_that_has_just_come_has_all_that_is_said_in_another_from_then_on() {
    let mut world = World::default();
    let f = world.acquainted();
    // What is fetched for this one serves for some seconds.
    world.say(f.alice, f.to_bob, "before");
    let second = world.sign_in("alice");
    let id = world.say(f.alice, f.to_bob, "the firts draft");
    assert_eq!(world.texts(second, f.to_bob), ["the firts draft"]);
    world.edit(f.alice, f.to_bob, id, "the first draft");
    assert_eq!(world.texts(second, f.to_bob), ["the first draft"]);

    // A reload ends its keys and makes others.
    let second = world.reload(second);
    world.say(f.alice, f.to_bob, "after the reload");
    assert_eq!(world.texts(second, f.to_bob), ["after the reload"]);
    assert!(world.failures(f.alice).is_empty());
}

#[test]
fn an_answer_from_before_a_session_came_is_not_taken_for_all_that_are_there() {
    let mut world = World::default();
    let f = world.acquainted();
    let own = format!("POST /users/{}/bundles", world.id("alice"));
    world.slow = Some(own.leak());
    world.say(f.alice, f.to_bob, "while it came");
    let second = world.sign_in("alice");
    world.arrive();
    assert_eq!(world.texts(second, f.to_bob), ["while it came"]);
    assert_eq!(
        world.texts(f.bob, f.to_alice).last().unwrap(),
        "while it came"
    );
}

#[test]
fn sessions_that_stay_cost_no_further_questions() {
    let mut world = World::default();
    let f = world.acquainted();
    world.sign_in("alice");
    let asked = |world: &World| {
        let own = format!("POST /users/{}/bundles", world.id("alice"));
        world.server.log.iter().filter(|line| **line == own).count()
    };
    let before = asked(&world);
    for text in ["three", "four", "five"] {
        world.say(f.alice, f.to_bob, text);
    }
    assert_eq!(asked(&world), before + 1);
}
