//! What is read under keys that are not the pinned ones, or under none that the server shows.

use client::id::MessageId;
use client::testing::{Reply, SeededRng, World};
use protocol::envelope::Content;
use protocol::identity::AccountSecrets;
use protocol::ids::UserId;

use super::forge::{deliver, mid, stolen, swap_keys};
use super::{nothing_refused, refused};

fn id(byte: u8) -> MessageId {
    MessageId::from_bytes([byte; 16])
}

/// How much of an account was given to the server for another.
fn posted(world: &World, from: &UserId, to: &UserId) -> usize {
    let held = world.server.messages.values();
    let theirs = held.filter(|held| held.poster == *from);
    theirs
        .filter(|held| held.slots.keys().any(|slot| slot.account() == to))
        .count()
}

#[test]
fn what_was_read_under_other_keys_is_confirmed_to_nobody() {
    for swapped in [false, true] {
        let mut world = World::default();
        let f = world.acquainted();
        let [alice, bob] = ["alice", "bob"].map(|handle| world.server.user(handle));
        let genuine = stolen(&mut world, "bob");
        world.close(f.bob);
        world.advance(20_000);
        let (sender, public) = if swapped {
            let (fake, public) = swap_keys(&mut world, &bob, 5);
            (fake, Some(public))
        } else {
            (genuine, None)
        };
        let text = Content::text("have you read this?");
        deliver(&mut world, f.alice, bob, &sender, text, id(1));
        // It is read when the pinned keys are back, so that nothing holds a receipt up.
        if let Some(public) = public {
            world.server.accounts.get_mut(&bob).unwrap().public_keys = public;
        }
        world.advance(4_000);
        world.say(f.alice, f.to_bob, "who is it?");
        world.advance(20_000);
        assert!(!world.chats(f.alice)[0].key_changed);
        let before = posted(&world, &alice, &bob);
        world.show(f.alice, f.to_bob, vec![id(1)]);
        world.advance(20_000);
        let confirmed = posted(&world, &alice, &bob) > before;
        assert_eq!(confirmed, !swapped);
    }
}

#[test]
fn a_message_under_keys_that_the_server_does_not_show_is_refused_and_one_of_nobody_is_not() {
    for gone in [false, true] {
        let mut world = World::default();
        let f = world.acquainted();
        let bob = world.server.user("bob");
        let other = AccountSecrets::generate(&mut SeededRng::new(99));
        if gone {
            let path = format!("GET /users/{}", f.to_bob);
            world.server.tamper = Some(Box::new(move |_, mut reply| {
                if let Reply::Json {
                    request,
                    status,
                    body,
                } = &mut reply
                    && *request == path
                {
                    *status = 404;
                    *body = serde_json::json!({"code": "no-such-user"});
                }
                vec![reply]
            }));
        }
        let text = Content::text("it is me");
        deliver(&mut world, f.alice, bob, &other, text, id(1));
        assert!(world.message(f.alice, id(1)).is_none());
        assert_eq!(refused(&world, f.alice, "swapped-key"), !gone);
        let held = &world.server.messages[&mid(id(1))];
        assert_eq!(held.slots.values().all(|slot| slot.dead), !gone);
    }
}

#[test]
fn an_answer_without_a_name_leaves_the_name() {
    let mut world = World::default();
    let f = world.acquainted();
    let bob = world.server.user("bob");
    let genuine = stolen(&mut world, "bob");
    for (n, alias, shown) in [(1, "Bob", "Bob"), (2, "", "Bob"), (3, "Rob", "Rob")] {
        let content = Content::Accept {
            handle: "bob".into(),
            alias: alias.into(),
        };
        deliver(&mut world, f.alice, bob, &genuine, content, id(n));
        assert_eq!(world.chats(f.alice)[0].alias, shown);
        assert_eq!(world.chats(f.alice)[0].relation, "contact");
    }
    nothing_refused(&world, f.alice);
}
