//! A new identity, and signing out everywhere else, without a network.

use client::Command;
use client::command::SettingsChange;
use client::event::{Event, MessageState, MessageView, Phase};
use client::id::{ConversationId, MessageId};
use client::testing::{PASSPHRASE, World};
use protocol::envelope::Submission;

fn renew(world: &mut World, tab: usize) {
    let passphrase = PASSPHRASE.into();
    world.command(tab, Command::NewIdentity { passphrase });
    assert!(world.tab(tab).events.contains(&Event::IdentityReplaced));
    assert_eq!(world.phase(tab), Phase::Unlocked);
}

fn groups(world: &mut World, tab: usize, chat: ConversationId) -> Vec<String> {
    world.command(tab, Command::SafetyNumber { chat });
    let found = world
        .tab(tab)
        .events
        .iter()
        .rev()
        .find_map(|event| match event {
            Event::SafetyNumber { groups, .. } => Some(groups.clone()),
            _ => None,
        });
    found.unwrap()
}

#[test]
fn after_a_new_identity_a_contact_can_read_and_is_asked_before_writing() {
    let mut world = World::default();
    let f = world.acquainted();
    world.command(
        f.alice,
        Command::SetVerified {
            chat: f.to_bob,
            verified: true,
        },
    );
    let before = groups(&mut world, f.alice, f.to_bob);
    renew(&mut world, f.bob);

    world.say(f.bob, f.to_alice, "it is still me");
    let heard = world.texts(f.alice, f.to_bob);
    assert_eq!(heard.last().unwrap(), "it is still me");
    let chat = world.chats(f.alice)[0].clone();
    assert!(chat.key_changed && !chat.verified);

    let held = world.say(f.alice, f.to_bob, "is it?");
    assert_eq!(
        world.message(f.alice, held).unwrap().state,
        MessageState::Held
    );
    assert!(!world.texts(f.bob, f.to_alice).contains(&"is it?".into()));
    let after = groups(&mut world, f.alice, f.to_bob);
    assert_ne!(before, after);
    assert_eq!(after, groups(&mut world, f.bob, f.to_alice));

    world.command(f.alice, Command::AcceptChangedKey { chat: f.to_bob });
    assert_eq!(world.texts(f.bob, f.to_alice).last().unwrap(), "is it?");
    assert!(!world.chats(f.alice)[0].key_changed);
    world.advance(4_000);
    world.say(f.bob, f.to_alice, "it is");
    assert_eq!(world.texts(f.alice, f.to_bob).last().unwrap(), "it is");
    assert_eq!(world.refusals(f.bob), Vec::<String>::new());
}

#[test]
fn somebody_who_only_writes_finds_the_changed_key_before_the_message_is_sent() {
    let mut world = World::default();
    let f = world.acquainted();
    renew(&mut world, f.bob);
    let before = world.server.messages.len();
    let held = world.say(f.alice, f.to_bob, "hello?");
    assert_eq!(
        world.message(f.alice, held).unwrap().state,
        MessageState::Held
    );
    assert_eq!(world.refusals(f.alice), ["swapped-key"]);
    assert!(world.chats(f.alice)[0].key_changed);
    assert_eq!(world.server.messages.len(), before);
}

#[test]
fn the_new_identity_keeps_contacts_and_opens_what_waits_after_signing_in_again() {
    let mut world = World::default();
    let f = world.acquainted();
    let number = |world: &World| {
        let bob = world.server.user("bob");
        world.server.accounts[&bob].batch.head.batch_number
    };
    let old = number(&world);
    renew(&mut world, f.bob);
    assert_eq!(number(&world), old + 1);
    // What is changed afterwards is written under the new key.
    world.command(
        f.bob,
        Command::SetSettings(SettingsChange {
            receipts: Some(false),
            ..SettingsChange::default()
        }),
    );
    assert_eq!(world.phase(f.bob), Phase::Unlocked);
    world.close(f.bob);
    world.advance(4_000);
    world.say(f.alice, f.to_bob, "while you were away");
    world.command(f.alice, Command::AcceptChangedKey { chat: f.to_bob });
    let again = world.sign_in("bob");
    assert_eq!(world.chats(again)[0].handle, "alice");
    assert_eq!(world.texts(again, f.to_alice), ["while you were away"]);
    assert_eq!(world.refusals(again), Vec::<String>::new());
    world.say(again, f.to_alice, "here");
    assert_eq!(world.texts(f.alice, f.to_bob).last().unwrap(), "here");
}

#[test]
fn the_recovery_key_still_opens_the_account_after_a_new_identity() {
    let mut world = World::default();
    let (alice, key) = world.register("alice");
    renew(&mut world, alice);
    let tab = world.browser();
    world.command(
        tab,
        Command::Recover {
            handle: "alice".into(),
            recovery_key: key.as_str().into(),
            passphrase: "third".into(),
        },
    );
    assert!(!world.recovery_key(tab).is_empty());
}

#[test]
fn another_browser_of_the_account_locks_and_opens_again_with_the_passphrase() {
    let mut world = World::default();
    let f = world.acquainted();
    let second = world.sign_in("bob");
    renew(&mut world, f.bob);
    assert_eq!(world.phase(second), Phase::Locked);
    world.command(
        second,
        Command::Unlock {
            passphrase: PASSPHRASE.into(),
        },
    );
    assert_eq!(world.phase(second), Phase::Unlocked);
    assert_eq!(
        groups(&mut world, second, f.to_alice),
        groups(&mut world, f.bob, f.to_alice)
    );
    world.say(second, f.to_alice, "from the second");
    let heard = world.texts(f.alice, f.to_bob);
    assert_eq!(heard.last().unwrap(), "from the second");
}

#[test]
fn without_the_passphrase_the_identity_stays() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let user = world.server.user("alice");
    let before = world.server.accounts[&user].public_keys.clone();
    world.command(
        alice,
        Command::NewIdentity {
            passphrase: "wrong".into(),
        },
    );
    assert_eq!(world.failures(alice), ["wrong-passphrase"]);
    assert_eq!(world.server.accounts[&user].public_keys, before);
    assert!(!world.tab(alice).events.contains(&Event::IdentityReplaced));
    renew(&mut world, alice);
    assert_ne!(world.server.accounts[&user].public_keys, before);
}

#[test]
fn signing_out_everywhere_else_replaces_the_safe_key_and_keeps_the_passphrase() {
    let mut world = World::default();
    let f = world.acquainted();
    let second = world.sign_in("bob");
    // This server does not end the other session itself: its key opens nothing all the same.
    let passphrase = PASSPHRASE.into();
    world.command(f.bob, Command::RevokeOtherSessions { passphrase });
    assert_eq!(world.failures(f.bob), Vec::<String>::new());
    let told = &world.tab(f.bob).events;
    assert!(told.iter().any(|e| matches!(e, Event::Sessions { .. })));
    assert!(!told.contains(&Event::PassphraseChanged));
    let change = || {
        Command::SetSettings(SettingsChange {
            receipts: Some(false),
            ..SettingsChange::default()
        })
    };
    world.command(f.bob, change());
    assert_eq!(world.phase(f.bob), Phase::Unlocked);
    world.command(second, change());
    assert_eq!(world.phase(second), Phase::Locked);
    let third = world.sign_in("bob");
    assert_eq!(world.phase(third), Phase::Unlocked);
    assert_eq!(world.chats(third).len(), 1);
}

#[test]
fn signing_out_everywhere_else_needs_the_passphrase() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    world.command(
        alice,
        Command::RevokeOtherSessions {
            passphrase: "wrong".into(),
        },
    );
    assert_eq!(world.failures(alice), ["wrong-passphrase"]);
}

/// The body of the message that was posted under an id.
fn posted(world: &World, id: MessageId) -> Option<Submission> {
    let sent = world.server.traffic.iter();
    sent.filter_map(|bytes| Submission::decode(bytes).ok())
        .find(|sent| sent.message_id.as_bytes() == id.as_bytes())
}

/// The message with this text as a tab shows it last.
fn said(world: &mut World, tab: usize, chat: ConversationId, text: &str) -> MessageView {
    world.command(tab, Command::OpenChat { chat });
    let last = world
        .tab(tab)
        .events
        .iter()
        .rev()
        .find_map(|event| match event {
            Event::Conversation { messages, .. } => Some(messages.clone()),
            _ => None,
        });
    let is = |view: &MessageView| view.text.as_ref().is_some_and(|t| t.expose() == text);
    last.unwrap().into_iter().find(is).unwrap()
}

#[test]
fn a_message_that_crosses_with_the_new_identity_is_held_and_goes_out_anew_when_that_is_accepted() {
    let mut world = World::default();
    let f = world.friends();
    let one = world.say(f.alice, f.to_bob, "one");
    world.show(f.bob, f.to_alice, vec![one]);
    renew(&mut world, f.bob);
    // What was fetched of him is still fresh, so that these are sealed to the old keys.
    let crossed = world.say(f.alice, f.to_bob, "crossed");
    let second = world.say(f.alice, f.to_bob, "and once more");
    for id in [crossed, second] {
        assert_eq!(
            world.message(f.alice, id).unwrap().state,
            MessageState::Held
        );
    }
    let sealed = posted(&world, crossed).unwrap();
    assert!(world.chats(f.alice)[0].key_changed);
    assert!(world.refusals(f.alice).contains(&"swapped-key".into()));
    // However long the person thinks about it.
    world.advance(25 * 3_600_000);
    assert_eq!(
        world.message(f.alice, crossed).unwrap().state,
        MessageState::Held
    );
    assert_eq!(world.texts(f.bob, f.to_alice), ["one"]);

    world.command(f.alice, Command::AcceptChangedKey { chat: f.to_bob });
    let heard = world.texts(f.bob, f.to_alice);
    assert_eq!(heard, ["one", "crossed", "and once more"]);
    assert_eq!(
        world.texts(f.alice, f.to_bob),
        ["one", "crossed", "and once more"]
    );
    // Another message under another key, not the same one for other eyes.
    assert_eq!(world.message(f.alice, crossed), None);
    let anew = said(&mut world, f.alice, f.to_bob, "crossed");
    assert_ne!(anew.id, crossed);
    assert_eq!(anew.tag.as_deref(), Some("tag of crossed"));
    assert_ne!(posted(&world, anew.id).unwrap().body, sealed.body);
    let there = said(&mut world, f.bob, f.to_alice, "crossed");
    assert_eq!(there.warnings, Vec::<String>::new());
    world.show(f.bob, f.to_alice, vec![there.id]);
    world.advance(3_000);
    assert_eq!(
        world.message(f.alice, anew.id).unwrap().state,
        MessageState::Read
    );
}

#[test]
fn a_message_that_waits_for_somebody_away_is_held_once_their_new_identity_cannot_open_it() {
    let mut world = World::default();
    let f = world.acquainted();
    let second = world.sign_in("bob");
    world.close(f.bob);
    world.close(second);
    world.advance(4_000);
    let id = world.say(f.alice, f.to_bob, "while you were away");
    let kept = world.server.messages.clone();
    world.server.messages.clear();
    let bob = world.sign_in("bob");
    renew(&mut world, bob);
    world.server.messages = kept;
    world.cut(bob);
    world.advance(60_000);
    let view = world.message(f.alice, id).unwrap();
    assert_eq!(view.state, MessageState::Held);
    world.command(f.alice, Command::AcceptChangedKey { chat: f.to_bob });
    assert_eq!(world.texts(bob, f.to_alice), ["while you were away"]);
}

#[test]
fn an_answer_to_a_request_is_not_lost_when_keys_changed_in_between() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    world.command(
        alice,
        Command::RequestContact {
            handle: "bob".into(),
            greeting: "hello".into(),
        },
    );
    renew(&mut world, alice);
    world.advance(4_000);
    let chat = world.id("alice");
    world.command(bob, Command::AcceptRequest { chat });
    world.advance(3_000);
    assert_eq!(world.chats(alice)[0].relation, "requested");
    assert!(world.chats(bob)[0].key_changed);
    world.command(bob, Command::AcceptChangedKey { chat });
    world.advance(3_000);
    assert_eq!(world.chats(alice)[0].relation, "contact");
}
