//! A contact who writes under the id of somebody else's message: it stays what it was.

use std::cell::RefCell;
use std::rc::Rc;

use client::Command;
use client::event::MessageState;
use client::id::{ConversationId, MessageId};
use client::testing::{Friends, Reply, World};
use protocol::envelope::{Content, Target};
use protocol::identity::AccountSecrets;
use protocol::ids::UserId;

use super::forge::{Forged, deliver, live_target, mid, stolen};
use super::nothing_refused;

/// What becomes of the message under the borrowed id.
#[derive(Debug, Clone, Copy)]
enum Ends {
    Burns,
    Expires,
    IsRemoved,
}

/// Bob has mallory for a contact too.
fn with_mallory(world: &mut World, f: &Friends) -> (UserId, AccountSecrets, ConversationId) {
    let (mallory, secrets) = world.server.plant("mallory");
    let (handle, greeting) = ("mallory".into(), "".into());
    world.command(f.bob, Command::RequestContact { handle, greeting });
    let to_mallory = world.id("mallory");
    (mallory, secrets, to_mallory)
}

/// A text under an id, for bob's tab, which comes to its end there.
fn comes_and_ends(
    world: &mut World,
    f: &Friends,
    (from, secrets, chat): (UserId, &AccountSecrets, ConversationId),
    id: MessageId,
    ends: Ends,
) {
    let bob = world.server.user("bob");
    let target = live_target(world, f.bob, &bob);
    let mut forged = Forged::new(world, Content::text("mine"), id);
    forged.burn = matches!(ends, Ends::Burns);
    forged.life_secs = if matches!(ends, Ends::Expires) {
        5
    } else {
        3_600
    };
    let submission = forged.seal(world, from, secrets, &target);
    world.server.post_as(from, &submission.encode());
    world.settle();
    let message = *world.ids(f.bob, chat).last().unwrap();
    match ends {
        Ends::Burns => {
            world.command(f.bob, Command::Reveal { chat, message });
            world.show(f.bob, chat, vec![message]);
            let messages = vec![message];
            world.command(f.bob, Command::Hide { chat, messages });
        }
        Ends::Expires => world.advance(6_500),
        Ends::IsRemoved => {
            let everywhere = false;
            world.command(
                f.bob,
                Command::Delete {
                    chat,
                    message,
                    everywhere,
                },
            );
        }
    }
    let state = world.message(f.bob, message).map(|view| view.state);
    let expected = match ends {
        Ends::Burns => Some(MessageState::Burned),
        Ends::Expires => Some(MessageState::Expired),
        Ends::IsRemoved => None,
    };
    assert_eq!(state, expected, "{ends:?}");
}

#[test]
fn what_is_on_its_way_goes_on_when_a_contact_writes_under_its_id() {
    for in_its_chat in [false, true] {
        for ends in [Ends::Burns, Ends::Expires, Ends::IsRemoved] {
            let mut world = World::default();
            let f = world.friends();
            let said = world.say(f.bob, f.to_alice, "ten");
            let (mallory, mallorys, to_mallory) = with_mallory(&mut world, &f);
            let alice = world.server.user("alice");
            let alices = stolen(&mut world, "alice");
            world.advance(4_000);
            // Alice's tab is gone, and the server has not noticed.
            world.tabs[f.alice] = None;
            let before: Vec<_> = world.server.messages.keys().copied().collect();
            world.edit(f.bob, f.to_alice, said, "eleven");
            let mut now = world.server.messages.keys().copied();
            let edit = now.find(|id| !before.contains(id)).unwrap();
            let id = edit;
            // The server tells the id, and makes room for another message under it.
            let held = world.server.messages.remove(&edit).unwrap();
            let by = if in_its_chat {
                (alice, &alices, f.to_alice)
            } else {
                (mallory, &mallorys, to_mallory)
            };
            comes_and_ends(&mut world, &f, by, id, ends);
            world.server.messages.insert(edit, held);
            world.advance(12_000);
            // Nobody has read it in ten seconds: bob's client has given it to the account.
            let slots = &world.server.messages[&edit].slots;
            let waiting = Target::Account { account: alice };
            assert!(slots.contains_key(&waiting), "{in_its_chat} {ends:?}");
            let again = world.sign_in("alice");
            assert_eq!(world.texts(again, f.to_bob).last().unwrap(), "eleven");
        }
    }
}

/// A busy session forgets which ids it has finished.
fn forgets_ids(world: &mut World, tab: usize) {
    for number in 0..4_200_u16 {
        let mut id = [0xee; 16];
        id[..2].copy_from_slice(&number.to_be_bytes());
        let id = MessageId::from_bytes(id).to_string();
        let frame = serde_json::json!({"t": "acked", "id": id});
        world.server.push(tab, Reply::Text(frame));
    }
    world.settle();
}

#[test]
fn an_unread_message_is_not_acknowledged_when_another_under_its_id_goes() {
    for removed in [false, true] {
        let mut world = World::default();
        let f = world.acquainted();
        let (mallory, mallorys, to_mallory) = with_mallory(&mut world, &f);
        let alice = world.server.user("alice");
        let alices = stolen(&mut world, "alice");
        let id = MessageId::from_bytes([1; 16]);
        let tab = f.bob;
        deliver(
            &mut world,
            tab,
            mallory,
            &mallorys,
            Content::text("mine"),
            id,
        );
        world.show(tab, to_mallory, vec![id]);
        assert!(!world.server.messages.contains_key(&mid(id)));
        forgets_ids(&mut world, tab);
        deliver(&mut world, tab, alice, &alices, Content::text("three"), id);
        assert_eq!(world.texts(tab, f.to_alice), ["one", "two", "three"]);
        if removed {
            world.command(tab, Command::RemoveContact { chat: to_mallory });
        } else {
            let message_id = mid(id);
            let delete = Content::Delete { message_id };
            deliver(
                &mut world,
                tab,
                mallory,
                &mallorys,
                delete,
                MessageId::from_bytes([2; 16]),
            );
            let gone = world.message(tab, id).unwrap();
            assert_eq!(gone.state, MessageState::Deleted);
        }
        assert!(world.server.messages.contains_key(&mid(id)), "{removed}");
        assert_eq!(world.texts(tab, f.to_alice), ["one", "two", "three"]);
        // It is acknowledged once it was read and its receipt is on its way.
        let ids = world.ids(tab, f.to_alice);
        world.show(tab, f.to_alice, ids);
        world.advance(1_500);
        assert!(!world.server.messages.contains_key(&mid(id)));
        nothing_refused(&world, tab);
    }
}

#[test]
fn the_id_of_a_message_that_was_taken_away_is_free_for_another() {
    let mut world = World::default();
    let f = world.acquainted();
    let (mallory, mallorys, chat) = with_mallory(&mut world, &f);
    let alice = world.server.user("alice");
    let alices = stolen(&mut world, "alice");
    let (tab, id) = (f.bob, MessageId::from_bytes([1; 16]));
    let text = Content::text("mine");
    deliver(&mut world, tab, mallory, &mallorys, text, id);
    world.show(tab, chat, vec![id]);
    let (message, everywhere) = (id, false);
    world.command(
        tab,
        Command::Delete {
            chat,
            message,
            everywhere,
        },
    );
    forgets_ids(&mut world, tab);
    deliver(&mut world, tab, alice, &alices, Content::text("three"), id);
    assert_eq!(world.ids(tab, f.to_alice).last(), Some(&id));
}

#[test]
fn what_is_deleted_answers_nothing_that_a_contact_wrote_under_its_id() {
    let mut world = World::default();
    let f = world.friends();
    let alice = world.server.user("alice");
    let alices = stolen(&mut world, "alice");
    let (tab, chat) = (f.bob, f.to_alice);
    let message = world.say(tab, chat, "mine");
    world.show(f.alice, f.to_bob, vec![message]);
    world.advance(5_000);
    assert!(!world.server.messages.contains_key(&mid(message)));
    forgets_ids(&mut world, tab);
    let text = Content::text("under your id");
    deliver(&mut world, tab, alice, &alices, text, message);
    assert_eq!(world.texts(tab, chat).len(), 2);
    let everywhere = false;
    let delete = Command::Delete {
        chat,
        message,
        everywhere,
    };
    world.command(tab, delete);
    assert!(world.server.messages.contains_key(&mid(message)));
    assert_eq!(world.texts(tab, chat), ["under your id"]);
}

#[test]
fn the_servers_word_on_a_change_says_nothing_of_a_text_under_its_id() {
    let mut world = World::default();
    let f = world.friends();
    let alice = world.server.user("alice");
    let alices = stolen(&mut world, "alice");
    let (tab, chat) = (f.bob, f.to_alice);
    let said = world.say(tab, chat, "ten");
    world.advance(4_000);
    let before: Vec<_> = world.server.messages.keys().copied().collect();
    let held_back = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&held_back);
    world.server.tamper = Some(Box::new(move |to, reply| {
        let taken = matches!(&reply, Reply::Text(frame) if frame["t"] == "sent");
        if to == tab && taken {
            noted.borrow_mut().push(reply);
            return Vec::new();
        }
        vec![reply]
    }));
    // Alice's tab is gone, and the server has not noticed.
    world.tabs[f.alice] = None;
    world.edit(tab, chat, said, "eleven");
    let mut now = world.server.messages.keys().copied();
    let edit = now.find(|id| !before.contains(id)).unwrap();
    let id = edit;
    let held = world.server.messages.remove(&edit).unwrap();
    let text = Content::text("under its id");
    deliver(&mut world, tab, alice, &alices, text, id);
    let name = *world.ids(tab, chat).last().unwrap();
    let before = world.message(tab, name).unwrap();
    assert_eq!(before.state, MessageState::Unread);
    world.server.messages.insert(edit, held);
    world.server.tamper = None;
    for reply in held_back.take() {
        world.server.push(tab, reply);
    }
    world.settle();
    assert_eq!(world.message(tab, name).unwrap(), before);
    nothing_refused(&world, tab);
}
