//! Which words on an own message are believed, in which order: of its recipient, and of the server.

use client::Command;
use client::command::{Burn, ChatChange};
use client::event::{Event, MessageState};
use client::id::MessageId;
use client::testing::{Friends, PASSPHRASE, Reply, World};
use protocol::envelope::Submission;
use protocol::ids::UserId;
use serde_json::json;

use super::says;

fn state(world: &World, tab: usize, id: MessageId) -> (MessageState, bool) {
    let view = world.message(tab, id).unwrap();
    (view.state, view.by_server)
}

/// How often a tab was told of a message.
fn told(world: &World, tab: usize, id: MessageId) -> usize {
    let events = world.tab(tab).events.iter();
    events
        .filter(|event| matches!(event, Event::Message { message, .. } if message.id == id))
        .count()
}

fn acquainted(world: &mut World, receipts: bool) -> Friends {
    let f = world.acquainted();
    let change = ChatChange {
        receipts: Some(receipts),
        ..ChatChange::default()
    };
    let chat = f.to_alice;
    world.command(f.bob, Command::SetChat { chat, change });
    world.advance(4_000);
    f
}

/// Accounts that something was sealed to, from a point on.
fn sealed_for(world: &World, from: usize) -> Vec<UserId> {
    let sent = world.server.traffic[from..].iter();
    sent.filter_map(|bytes| Submission::decode(bytes).ok())
        .flat_map(|sent| sent.slots.into_iter())
        .map(|slot| *slot.target.account())
        .collect()
}

#[test]
fn the_servers_word_counts_until_the_recipient_says_more() {
    let (waiting, delivered) = (
        (MessageState::Waiting, false),
        (MessageState::Delivered, true),
    );
    let mut world = World::default();
    let f = acquainted(&mut world, false);
    world.close(f.bob);
    world.advance(4_000);
    let id = world.say(f.alice, f.to_bob, "three");
    for (word, expected) in [
        ("waiting", waiting),
        ("claimed", delivered),
        ("returned", waiting),
        ("returned", waiting),
        ("claimed", delivered),
        ("waiting", waiting),
        ("acknowledged", delivered),
        ("returned", delivered),
        ("waiting", delivered),
        ("claimed", delivered),
    ] {
        says(&mut world, &f, id, word, (f.to_bob, false));
        assert_eq!(state(&world, f.alice, id), expected, "{word}");
    }
}

#[test]
fn a_sealed_receipt_is_not_taken_back_by_the_server() {
    for read in [false, true] {
        let mut world = World::default();
        let f = acquainted(&mut world, true);
        let id = world.say(f.alice, f.to_bob, "three");
        if read {
            world.show(f.bob, f.to_alice, vec![id]);
        }
        world.advance(4_000);
        let expected = if read {
            MessageState::Read
        } else {
            MessageState::Delivered
        };
        assert_eq!(state(&world, f.alice, id), (expected, false));
        let before = told(&world, f.alice, id);
        for word in ["claimed", "returned", "waiting"] {
            says(&mut world, &f, id, word, (f.to_bob, false));
            assert_eq!(state(&world, f.alice, id), (expected, false), "{word}");
        }
        assert_eq!(told(&world, f.alice, id), before, "nothing is new");
        let expires = world.message(f.alice, id).unwrap().expires_at;
        assert_eq!(expires.is_none(), read);
    }
}

#[test]
fn a_receipt_of_delivery_that_comes_after_that_of_reading_changes_nothing() {
    let mut world = World::default();
    let f = acquainted(&mut world, true);
    world.swap_announcements(f.alice);
    let id = world.say(f.alice, f.to_bob, "three");
    world.advance(4_000);
    assert_eq!(state(&world, f.alice, id), (MessageState::Delivered, true));
    world.show(f.bob, f.to_alice, vec![id]);
    world.advance(4_000);
    assert_eq!(state(&world, f.alice, id), (MessageState::Read, false));
}

#[test]
fn what_arrived_while_it_was_held_is_not_sent_again() {
    for arrived in [false, true] {
        let mut world = World::default();
        let f = acquainted(&mut world, true);
        // Bob's tab hangs: the server still believes it is live.
        world.tabs[f.bob] = None;
        let id = world.say(f.alice, f.to_bob, "three");
        let elsewhere = world.sign_in("bob");
        let passphrase = PASSPHRASE.into();
        world.command(elsewhere, Command::NewIdentity { passphrase });
        world.advance(12_000);
        assert_eq!(state(&world, f.alice, id), (MessageState::Held, false));
        if arrived {
            says(&mut world, &f, id, "acknowledged", (f.to_bob, false));
            assert_eq!(state(&world, f.alice, id), (MessageState::Delivered, true));
        }
        let from = world.server.traffic.len();
        let chat = f.to_bob;
        world.command(f.alice, Command::AcceptChangedKey { chat });
        world.advance(1_000);
        let again = sealed_for(&world, from).contains(&world.server.user("bob"));
        assert_eq!(again, !arrived);
        assert_eq!(world.ids(f.alice, chat).contains(&id), arrived);
    }
}

#[test]
fn what_is_held_before_it_was_sealed_does_not_arrive_by_the_servers_word() {
    let mut world = World::default();
    let f = acquainted(&mut world, true);
    let passphrase = PASSPHRASE.into();
    world.command(f.bob, Command::NewIdentity { passphrase });
    let id = world.say(f.alice, f.to_bob, "three");
    assert_eq!(state(&world, f.alice, id), (MessageState::Held, false));
    for word in ["acknowledged", "claimed", "expired"] {
        says(&mut world, &f, id, word, (f.to_bob, false));
        assert_eq!(state(&world, f.alice, id), (MessageState::Held, false));
    }
    world.command(f.alice, Command::AcceptChangedKey { chat: f.to_bob });
    world.advance(4_000);
    let texts = world.texts(f.bob, f.to_alice);
    assert_eq!(texts.last().unwrap(), "three");
}

#[test]
fn of_a_request_the_servers_word_is_shown_when_it_is_answered() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    let (to_bob, to_alice) = (world.id("bob"), world.id("alice"));
    world.advance(4_000);
    world.command(
        alice,
        Command::RequestContact {
            handle: "bob".into(),
            greeting: "hello".into(),
        },
    );
    world.advance(4_000);
    let id = world.ids(alice, to_bob)[0];
    let f = Friends {
        alice,
        bob,
        to_bob,
        to_alice,
    };
    says(&mut world, &f, id, "acknowledged", (f.to_bob, false));
    assert_eq!(state(&world, alice, id), (MessageState::Waiting, false));
    world.command(bob, Command::AcceptRequest { chat: to_alice });
    assert_eq!(state(&world, alice, id), (MessageState::Delivered, true));
}

#[test]
fn a_greeting_is_copied_to_the_other_sessions_of_who_asks_and_an_empty_request_is_not() {
    for greeting in ["hello", ""] {
        let mut world = World::default();
        let (alice, _) = world.register("alice");
        world.register("bob");
        let second = world.sign_in("alice");
        let to_bob = world.id("bob");
        world.advance(4_000);
        let from = world.server.traffic.len();
        world.command(
            alice,
            Command::RequestContact {
                handle: "bob".into(),
                greeting: greeting.into(),
            },
        );
        let own = world.server.user("alice");
        let copied = sealed_for(&world, from).contains(&own);
        assert_eq!(copied, !greeting.is_empty());
        world.advance(4_000);
        let texts = world.texts(second, to_bob);
        assert_eq!(texts.contains(&"hello".to_owned()), copied);
    }
}

#[test]
fn typing_goes_to_nobody_who_is_away() {
    let mut world = World::default();
    let f = acquainted(&mut world, true);
    world.close(f.bob);
    world.advance(4_000);
    // Fetches a prekey, which the sign of typing does not take.
    world.say(f.alice, f.to_bob, "three");
    let from = world.server.traffic.len();
    world.command(f.alice, Command::Typing { chat: f.to_bob });
    world.advance(4_000);
    assert_eq!(sealed_for(&world, from), []);
}

#[test]
fn what_the_bounds_of_a_message_are() {
    let mut world = World::default();
    let f = world.friends();
    let longest = "x".repeat(64 * 1024);
    for (text, burn, life, failure) in [
        (longest.as_str(), None, None, None),
        ("a", Some(Burn::After(0)), None, Some("bad-burn")),
        ("b", Some(Burn::After(1)), None, None),
        ("c", Some(Burn::After(86_400)), None, None),
        ("d", Some(Burn::After(86_401)), None, Some("bad-burn")),
        ("e", None, Some(4), Some("bad-life")),
        ("f", None, Some(5), None),
        ("g", None, Some(604_801), Some("bad-life")),
    ] {
        let before = world.failures(f.alice).len();
        world.command(
            f.alice,
            Command::Send {
                chat: f.to_bob,
                text: text.into(),
                burn,
                life_secs: life,
                tag: None,
            },
        );
        let failures = world.failures(f.alice);
        let last = failures.get(before).map(String::as_str);
        assert_eq!(last, failure, "{burn:?} {life:?}");
    }
}

#[test]
fn a_chat_that_is_live_only_keeps_texts_off_the_waiting_path_and_nothing_else() {
    let mut world = World::default();
    let f = acquainted(&mut world, true);
    let old = world.ids(f.alice, f.to_bob)[0];
    let change = ChatChange {
        live_only: Some(true),
        ..ChatChange::default()
    };
    let chat = f.to_bob;
    world.command(f.alice, Command::SetChat { chat, change });
    world.close(f.bob);
    world.advance(4_000);
    let id = world.say(f.alice, chat, "three");
    assert_eq!(
        world.message(f.alice, id).unwrap().state,
        MessageState::Failed
    );
    let from = world.server.traffic.len();
    world.command(
        f.alice,
        Command::Delete {
            chat,
            message: old,
            everywhere: true,
        },
    );
    world.advance(1_000);
    assert_eq!(sealed_for(&world, from), [world.server.user("bob")]);
}

#[test]
fn what_arrived_before_the_server_said_that_it_has_it_stays_delivered() {
    for receipts in [false, true] {
        let mut world = World::default();
        let f = acquainted(&mut world, receipts);
        let alice = f.alice;
        world.server.tamper = Some(Box::new(move |tab, reply| match &reply {
            Reply::Text(frame) if tab == alice && frame["t"] == "sent" => Vec::new(),
            _ => vec![reply],
        }));
        let id = world.say(f.alice, f.to_bob, "three");
        let expected = (MessageState::Delivered, !receipts);
        world.advance(4_000);
        assert_eq!(state(&world, f.alice, id), expected);
        world.server.tamper = None;
        let expires_at = world.server.now() + 600;
        let frame = json!({"t": "sent", "id": id.to_string(), "expires_at": expires_at});
        world.server.push(f.alice, Reply::Text(frame));
        world.settle();
        assert_eq!(state(&world, f.alice, id), expected);
    }
}

#[test]
fn a_sign_of_typing_is_not_repeated_after_a_break() {
    let mut world = World::default();
    let f = acquainted(&mut world, true);
    let alice = f.alice;
    world.server.tamper = Some(Box::new(move |tab, reply| match &reply {
        Reply::Text(frame) if tab == alice && frame["t"] == "sent" => Vec::new(),
        _ => vec![reply],
    }));
    let from = world.server.traffic.len();
    world.command(f.alice, Command::Typing { chat: f.to_bob });
    world.cut(f.alice);
    world.server.tamper = None;
    world.advance(4_000);
    assert_eq!(sealed_for(&world, from), [world.server.user("bob")]);
}
