//! Numbers of a server that are as high as they can be.

use client::command::{Burn, Command};
use client::testing::{Reply, World};

use super::server_says;

#[test]
fn a_lease_without_end_is_only_a_long_one() {
    let mut world = World::default();
    let f = world.acquainted();
    let id = world.say_with(f.alice, f.to_bob, "burns", Some(Burn::OnRead), None);
    world.server.tamper = Some(Box::new(move |_, mut reply| {
        if let Reply::Text(frame) = &mut reply
            && frame["t"] == "extended"
        {
            frame["lease_ms"] = u64::MAX.into();
        }
        vec![reply]
    }));
    let message = id;
    let chat = f.to_alice;
    world.command(f.bob, Command::Reveal { chat, message });
    let text = world.message(f.bob, id).unwrap().text;
    assert_eq!(text.unwrap().expose(), "burns");
}

#[test]
fn times_without_end_stop_nothing() {
    let mut world = World::default();
    let f = world.acquainted();
    world.server.tamper = Some(Box::new(move |_, mut reply| {
        if let Reply::Text(frame) = &mut reply
            && frame["expires_at"].is_u64()
        {
            frame["expires_at"] = u64::MAX.into();
        }
        vec![reply]
    }));
    world.say(f.alice, f.to_bob, "one");
    world.advance(2_000);
    server_says(&mut world, |_| u64::MAX);
    world.cut(f.bob);
    world.cut(f.alice);
    world.advance(60_000);
    world.say(f.alice, f.to_bob, "two");
    world.advance(60_000);
    world.server.tamper = None;
    world.cut(f.bob);
    world.cut(f.alice);
    world.advance(60_000);
    world.say(f.alice, f.to_bob, "three");
    world.advance(2_000);
    let heard = world.texts(f.bob, f.to_alice);
    assert!(heard.contains(&"three".to_owned()), "{heard:?}");
}
