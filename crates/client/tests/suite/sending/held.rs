//! Keys that change, a server that restarts, and contacts that are removed, while something is on its way.

use client::Command;
use client::command::ChatChange;
use client::event::MessageState;
use client::id::ConversationId;
use client::testing::{PASSPHRASE, World};
use protocol::envelope::Submission;
use protocol::ids::MessageId;

fn renew(world: &mut World, tab: usize) {
    let passphrase = PASSPHRASE.into();
    world.command(tab, Command::NewIdentity { passphrase });
}

fn swapped(world: &World, tab: usize) -> usize {
    let refused = world.refusals(tab).into_iter();
    refused.filter(|code| code == "swapped-key").count()
}

fn state(world: &World, tab: usize, id: MessageId) -> MessageState {
    world.message(tab, id).unwrap().state
}

/// How many submissions for an account were given to the server.
fn given_for(world: &World, chat: ConversationId) -> usize {
    let sent = world.server.traffic.iter();
    sent.filter_map(|bytes| Submission::decode(bytes).ok())
        .filter(|sent| {
            let mut accounts = sent.slots.iter().map(|slot| slot.target.account());
            accounts.any(|account| *account == chat.peer())
        })
        .count()
}

#[test]
fn changes_that_were_held_go_out_in_the_order_in_which_they_were_made() {
    let mut world = World::default();
    let f = world.acquainted();
    let id = world.ids(f.alice, f.to_bob)[0];
    renew(&mut world, f.bob);
    world.say(f.alice, f.to_bob, "three");
    for n in 0..8 {
        world.edit(f.alice, f.to_bob, id, &n.to_string());
    }
    world.say(f.alice, f.to_bob, "four");
    assert_eq!(world.texts(f.bob, f.to_alice), ["one", "two"]);
    world.command(f.alice, Command::AcceptChangedKey { chat: f.to_bob });
    let texts = world.texts(f.bob, f.to_alice);
    assert_eq!(texts, ["7", "two", "three", "four"]);
}

#[test]
fn what_nobody_could_open_is_not_missed_when_it_goes_out_anew() {
    for lost in [&["three"][..], &["three", "four"]] {
        let mut world = World::default();
        world.server.delivers = false;
        let f = world.acquainted();
        let ids: Vec<MessageId> = lost
            .iter()
            .map(|text| {
                // Bob's tab hears nothing of it.
                world.server.tamper = Some(Box::new(|_, reply| {
                    if reply.announces() {
                        Vec::new()
                    } else {
                        vec![reply]
                    }
                }));
                let id = world.say(f.alice, f.to_bob, text);
                world.server.tamper = None;
                let mid = MessageId::from_bytes(*id.as_bytes());
                world.server.messages.remove(&mid).unwrap();
                id
            })
            .collect();
        // The server shows other keys for a while.
        let (mallory, _) = world.server.plant("mallory");
        let bob = world.server.user("bob");
        let others = world.server.accounts[&mallory].public_keys.clone();
        let shown = &mut world.server.accounts.get_mut(&bob).unwrap().public_keys;
        let own = std::mem::replace(shown, others);
        world.advance(12_000);
        for id in ids {
            assert_eq!(state(&world, f.alice, id), MessageState::Held);
        }
        world.server.accounts.get_mut(&bob).unwrap().public_keys = own;
        world.advance(400_000);
        world.say(f.alice, f.to_bob, "five");
        world.advance(4_000);
        let texts = world.texts(f.bob, f.to_alice);
        assert_eq!(texts, [&["one", "two"], lost, &["five"]].concat());
        for id in world.ids(f.bob, f.to_alice) {
            let warnings = world.message(f.bob, id).unwrap().warnings;
            assert_eq!(warnings, Vec::<String>::new());
        }
        assert_eq!(world.refusals(f.bob), Vec::<String>::new());
    }
}

#[test]
fn a_new_name_is_not_held_for_somebody_whose_keys_changed() {
    let mut world = World::default();
    let f = world.acquainted();
    renew(&mut world, f.bob);
    world.say(f.alice, f.to_bob, "three");
    let alias = "Alice B.".to_owned();
    world.command(f.alice, Command::SetAlias { alias });
    world.advance(4_000);
    let before = given_for(&world, f.to_bob);
    world.command(f.alice, Command::AcceptChangedKey { chat: f.to_bob });
    world.advance(4_000);
    assert_eq!(given_for(&world, f.to_bob) - before, 1, "the text alone");
}

#[test]
fn changed_keys_are_told_once_and_again_when_they_change_again() {
    let mut world = World::default();
    let f = world.acquainted();
    for changes in 1..=2 {
        renew(&mut world, f.bob);
        for _ in 0..2 {
            world.say(f.alice, f.to_bob, "hello?");
            world.advance(400_000);
            world.say(f.alice, f.to_bob, "hello?");
            world.advance(10_000);
            assert_eq!(swapped(&world, f.alice), changes);
        }
    }
}

#[test]
fn a_restart_of_the_server_takes_what_its_recipient_does_not_have() {
    for (receipts, expected) in [
        (true, MessageState::Delivered),
        (false, MessageState::Vanished),
    ] {
        let mut world = World::default();
        let f = world.acquainted();
        let change = ChatChange {
            receipts: Some(receipts),
            ..ChatChange::default()
        };
        let chat = f.to_alice;
        world.command(f.bob, Command::SetChat { chat, change });
        world.advance(4_000);
        let id = world.say(f.alice, f.to_bob, "three");
        world.advance(3_000);
        let view = world.message(f.alice, id).unwrap();
        assert_eq!(view.state, MessageState::Delivered);
        assert_eq!(view.by_server, !receipts);
        // Bob's tab does not give it back before.
        world.tabs[f.bob] = None;
        world.server.restart();
        world.settle();
        world.advance(20_000);
        assert_eq!(state(&world, f.alice, id), expected);
    }
}

#[test]
fn removing_a_contact_takes_back_what_waits_for_them_and_nothing_else() {
    let mut world = World::default();
    let f = world.acquainted();
    let (carol, _) = world.register("carol");
    world.befriend(f.alice, carol, "carol");
    let to_carol = world.id("carol");
    world.network = false;
    world.cut(f.alice);
    world.say(f.alice, f.to_bob, "never mind");
    world.say(f.alice, to_carol, "hello");
    let said = world.ids(f.alice, to_carol)[0];
    world.edit(f.alice, to_carol, said, "hi");
    let chat = f.to_bob;
    world.command(f.alice, Command::RemoveContact { chat });
    let before = given_for(&world, f.to_bob);
    world.network = true;
    world.advance(60_000);
    assert_eq!(given_for(&world, f.to_bob), before);
    let to_alice = f.to_alice;
    assert_eq!(world.texts(carol, to_alice), ["hi"]);
}
