//! Requests, safety numbers, names and blocks, without a network.

mod found;
mod invites;
mod lookups;
mod pins;

use client::Command;
use client::command::SettingsChange;
use client::event::{Event, MessageState};
use client::testing::World;

fn numbers(world: &World, tab: usize) -> Vec<String> {
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

fn ask(handle: &str) -> Command {
    Command::RequestContact {
        handle: handle.into(),
        greeting: "hello".into(),
    }
}

#[test]
fn a_stranger_lands_in_requests_with_greeting_and_survives_a_reload() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    world.command(alice, ask("bob"));
    let request = &world.requests(bob)[0];
    assert_eq!(
        (request.handle.as_str(), request.greeting.expose()),
        ("alice", "hello")
    );
    assert!(world.chats(bob).is_empty());
    assert_eq!(world.chats(alice)[0].relation, "requested");
    let bob = world.reload(bob);
    world.advance(40_000);
    assert_eq!(world.requests(bob)[0].greeting.expose(), "hello");
    world.command(
        bob,
        Command::AcceptRequest {
            chat: world.id("alice"),
        },
    );
    world.advance(3_000);
    assert_eq!(world.chats(alice)[0].relation, "contact");
    // What was said with it is the first text of the chat, on both sides.
    let (to_alice, to_bob) = (world.id("alice"), world.id("bob"));
    assert_eq!(world.texts(bob, to_alice), ["hello"]);
    assert_eq!(world.texts(alice, to_bob), ["hello"]);
    let said = world.ids(alice, to_bob)[0];
    assert_eq!(
        world.server.messages.len(),
        1,
        "it was not shown in the chat"
    );
    world.show(bob, to_alice, vec![said]);
    world.advance(3_000);
    assert!(world.server.messages.is_empty());
    assert_eq!(
        world.message(alice, said).unwrap().state,
        MessageState::Read
    );
}

#[test]
fn two_who_ask_each_other_at_the_same_time_see_both_first_lines() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    let (to_alice, to_bob) = (world.id("alice"), world.id("bob"));
    // Neither has heard of the other's question when asking.
    world.cut(bob);
    world.command(bob, ask("alice"));
    world.command(alice, ask("bob"));
    for tab in [alice, bob] {
        assert_eq!(world.chats(tab)[0].relation, "requested");
    }
    world.advance(40_000);
    for (tab, chat) in [(alice, to_bob), (bob, to_alice)] {
        assert_eq!(world.chats(tab)[0].relation, "contact");
        assert_eq!(world.texts(tab, chat), ["hello", "hello"]);
        assert_eq!(world.refusals(tab), Vec::<String>::new());
    }
}

#[test]
fn a_first_line_that_nobody_read_goes_with_its_time_and_can_be_asked_again() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    let to_bob = world.id("bob");
    world.command(alice, ask("bob"));
    assert_eq!(world.requests(bob)[0].greeting.expose(), "hello");
    let said = world.ids(alice, to_bob)[0];
    // To who asked, refusing looks the same.
    let (carol, _) = world.register("carol");
    let (to_alice, to_carol) = (world.id("alice"), world.id("carol"));
    world.command(alice, ask("carol"));
    world.command(carol, Command::RefuseRequest { chat: to_alice });
    let refused = world.ids(alice, to_carol)[0];
    world.close(carol);
    world.advance(8 * 86_400_000);
    for id in [said, refused] {
        assert_eq!(
            world.message(alice, id).unwrap().state,
            MessageState::Expired
        );
    }
    for request in world.requests(bob) {
        assert_eq!(
            request.greeting.expose(),
            "",
            "it is not kept past its time"
        );
    }
    world.command(
        alice,
        Command::SendAgain {
            chat: to_bob,
            message: said,
        },
    );
    world.advance(4_000);
    assert_eq!(world.requests(bob)[0].greeting.expose(), "hello");
    for chat in world.chats(alice) {
        assert_eq!(chat.relation, "requested");
    }
}

#[test]
fn a_refused_request_is_gone_and_its_sender_is_told_nothing() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    world.command(alice, ask("bob"));
    world.command(
        bob,
        Command::RefuseRequest {
            chat: world.id("alice"),
        },
    );
    world.advance(3_000);
    assert!(world.requests(bob).is_empty());
    assert!(world.server.messages.is_empty());
    assert_eq!(world.chats(alice)[0].relation, "requested");
    let to_bob = world.id("bob");
    let said = world.ids(alice, to_bob)[0];
    assert_eq!(
        world.message(alice, said).unwrap().state,
        MessageState::Waiting
    );
    // It is not asked again on its own.
    world.server.restart();
    world.advance(60_000);
    assert!(world.server.messages.is_empty());
}

#[test]
fn whether_somebody_is_there_is_not_shown_before_they_answer_and_is_afterwards() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    let (to_alice, to_bob) = (world.id("alice"), world.id("bob"));
    world.command(alice, ask("bob"));
    let said = world.ids(alice, to_bob)[0];
    let more = world.say(alice, to_bob, "are you there?");
    world.advance(3_000);
    assert_eq!(world.requests(bob).len(), 1, "it has arrived");
    for id in [said, more] {
        let state = world.message(alice, id).unwrap().state;
        assert_eq!(state, MessageState::Waiting);
    }
    // Without receipts the server's word is all there is.
    world.command(
        bob,
        Command::SetSettings(SettingsChange {
            receipts: Some(false),
            ..SettingsChange::default()
        }),
    );
    world.command(bob, Command::AcceptRequest { chat: to_alice });
    world.show(bob, to_alice, vec![said, more]);
    world.advance(3_000);
    for id in [said, more] {
        let view = world.message(alice, id).unwrap();
        assert_eq!(view.state, MessageState::Delivered);
        assert!(view.by_server);
    }
}

#[test]
fn nothing_of_a_blocked_person_is_shown_until_they_are_unblocked() {
    let mut world = World::default();
    let f = world.friends();
    world.command(f.bob, Command::Block { chat: f.to_alice });
    let unheard = world.say(f.alice, f.to_bob, "unheard");
    assert!(world.chats(f.bob).is_empty());
    world.advance(3_000);
    let state = world.message(f.alice, unheard).unwrap().state;
    assert_ne!(
        state,
        client::event::MessageState::Read,
        "alice is not told"
    );
    world.command(f.bob, Command::Unblock { chat: f.to_alice });
    world.advance(4_000);
    world.say(f.alice, f.to_bob, "heard");
    assert_eq!(world.texts(f.bob, f.to_alice), ["heard"]);
}

#[test]
fn both_people_see_the_same_safety_number_and_a_scan_marks_verified() {
    let mut world = World::default();
    let f = world.friends();
    world.command(f.alice, Command::SafetyNumber { chat: f.to_bob });
    world.command(f.bob, Command::SafetyNumber { chat: f.to_alice });
    let seen = numbers(&world, f.alice);
    assert_eq!(seen.len(), 12);
    assert!(seen.iter().all(|group| group.len() == 5));
    assert_eq!(seen, numbers(&world, f.bob));
    let scan = |scanned: String| Command::CheckScan {
        chat: f.to_bob,
        scanned,
    };
    world.command(f.alice, scan("00000 ".repeat(12)));
    assert!(!world.chats(f.alice)[0].verified);
    world.command(f.alice, scan(seen.join(" ")));
    assert!(world.chats(f.alice)[0].verified);
    let elsewhere = world.sign_in("alice");
    assert!(world.chats(elsewhere)[0].verified);
}

#[test]
fn names_and_handles_that_cannot_be_are_told_without_asking_the_server() {
    let mut world = World::default();
    let tab = world.browser();
    let check = |handle: &str, alias: &str| Command::CheckRegistration {
        handle: handle.into(),
        alias: alias.into(),
        setup: None,
        invite: None,
    };
    let asked = world.server.log.len();
    world.command(tab, check("a b", ""));
    world.command(tab, check("alice", "A\u{202e}lice"));
    world.command(tab, check(&"a".repeat(33), ""));
    assert_eq!(
        world.failures(tab),
        ["bad-handle", "bad-alias", "bad-handle"]
    );
    assert_eq!(world.server.log.len(), asked);
    world.command(tab, check(" @alice", "Alice \u{1f469}\u{200d}\u{1f680}"));
    assert_eq!(
        world.tab(tab).events.last(),
        Some(&Event::RegistrationChecked)
    );
}

#[test]
fn a_changed_name_reaches_the_people_one_knows_and_nobody_else() {
    let mut world = World::default();
    let f = world.friends();
    let (carol, _) = world.register("carol");
    world.command(f.alice, ask("carol"));
    let alias = "Alice \u{1f469}\u{200d}\u{1f680}";
    world.command(
        f.alice,
        Command::SetAlias {
            alias: format!("  {alias} "),
        },
    );
    world.advance(3_000);
    assert_eq!(world.chats(f.bob)[0].alias, alias);
    assert_ne!(world.requests(carol)[0].alias, alias);
    // Also somebody who was away.
    world.close(f.bob);
    world.command(
        f.alice,
        Command::SetAlias {
            alias: "Liddell".into(),
        },
    );
    world.advance(3_000);
    let bob = world.sign_in("bob");
    world.advance(3_000);
    assert_eq!(world.chats(bob)[0].alias, "Liddell");
    world.command(
        f.alice,
        Command::SetAlias {
            alias: "\u{202e}".into(),
        },
    );
    assert_eq!(world.failures(f.alice), ["bad-alias"]);
}

#[test]
fn two_people_who_ask_each_other_are_contacts_at_once() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    world.command(alice, ask("bob"));
    world.command(bob, ask("alice"));
    world.advance(3_000);
    assert_eq!(world.chats(alice)[0].relation, "contact");
    assert_eq!(world.chats(bob)[0].relation, "contact");
}
