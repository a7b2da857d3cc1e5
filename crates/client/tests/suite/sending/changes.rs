//! Changes of one's own messages: what is refused, and what a change or a second try keeps.

use client::Command;
use client::command::Burn;
use client::event::{Event, MessageState};
use client::id::ConversationId;
use client::testing::World;
use protocol::ids::MessageId;

fn mid(id: MessageId) -> MessageId {
    MessageId::from_bytes(*id.as_bytes())
}

fn again(world: &mut World, tab: usize, chat: ConversationId, message: MessageId) {
    world.command(tab, Command::SendAgain { chat, message });
}

fn delete(
    world: &mut World,
    tab: usize,
    chat: ConversationId,
    message: MessageId,
    everywhere: bool,
) {
    world.command(
        tab,
        Command::Delete {
            chat,
            message,
            everywhere,
        },
    );
}

#[test]
fn what_may_not_be_changed_says_why_and_stays_as_it_is() {
    let mut world = World::default();
    let f = world.acquainted();
    let second = world.sign_in("alice");
    let theirs = world.ids(f.alice, f.to_bob)[1];
    let mine = world.say(f.alice, f.to_bob, "three");
    let burning = world.say_with(f.alice, f.to_bob, "once", Some(Burn::OnRead), None);
    let gone = world.say(second, f.to_bob, "not this");
    let gone_here = *world.ids(f.alice, f.to_bob).last().unwrap();
    delete(&mut world, f.alice, f.to_bob, gone_here, true);
    let deleted_elsewhere = world.message(second, gone).unwrap();
    assert_eq!(deleted_elsewhere.state, MessageState::Deleted);
    let nowhere = MessageId::from_bytes([9; 16]);
    let too_long = "x".repeat(64 * 1024 + 1);
    for (tab, message, text, reason) in [
        (f.alice, nowhere, "x", "no-such-message"),
        (f.alice, theirs, "x", "not-yours"),
        (second, gone, "x", "message-gone"),
        (f.alice, burning, "x", "burning"),
        (f.alice, mine, " \n", "text-empty"),
        (f.alice, mine, too_long.as_str(), "text-too-long"),
    ] {
        let before = world.texts(tab, f.to_bob);
        world.edit(tab, f.to_bob, message, text);
        assert_eq!(world.failures(tab).last().unwrap(), reason);
        assert_eq!(world.texts(tab, f.to_bob), before, "{reason}");
    }
    let failures = world.failures(f.alice).len();
    again(&mut world, f.alice, f.to_bob, theirs);
    delete(&mut world, f.alice, f.to_bob, theirs, true);
    let told = world.failures(f.alice)[failures..].to_vec();
    assert_eq!(told, ["not-yours"; 2]);
    // Control: the longest text that may be said.
    world.edit(f.alice, f.to_bob, mine, &too_long[1..]);
    assert_eq!(world.failures(f.alice).len(), failures + 2);
    assert!(
        world
            .texts(f.bob, f.to_alice)
            .contains(&too_long[1..].to_owned())
    );
}

#[test]
fn a_change_lives_as_long_as_what_it_changes_and_no_longer() {
    for everywhere in [false, true] {
        let mut world = World::default();
        let f = world.friends();
        world.close(f.bob);
        world.advance(4_000);
        let id = world.say_with(f.alice, f.to_bob, "ten", None, Some(600));
        world.advance(100_000);
        let before = world.server.messages.clone();
        let ends = before[&mid(id)].expires_at;
        if everywhere {
            delete(&mut world, f.alice, f.to_bob, id, true);
        } else {
            world.edit(f.alice, f.to_bob, id, "eleven");
        }
        let mut now = world.server.messages.iter();
        let (_, change) = now.find(|(id, _)| !before.contains_key(id)).unwrap();
        assert_eq!(change.expires_at, ends);
    }
}

#[test]
fn what_is_sent_again_keeps_its_life_and_its_burning_also_towards_somebody_who_has_not_answered() {
    let mut world = World::default();
    let f = world.acquainted();
    world.register("carol");
    world.command(
        f.alice,
        Command::RequestContact {
            handle: "carol".into(),
            greeting: "".into(),
        },
    );
    world.advance(4_000);
    let to_carol = world.id("carol");
    for (chat, burn) in [
        (f.to_bob, Burn::Never),
        (f.to_bob, Burn::OnRead),
        (to_carol, Burn::OnRead),
    ] {
        world.server.refuse.push_back("quota");
        let id = world.say_with(f.alice, chat, "short", Some(burn), Some(60));
        world.advance(1_000);
        let state = world.message(f.alice, id).unwrap().state;
        assert_eq!(state, MessageState::Failed);
        again(&mut world, f.alice, chat, id);
        world.advance(1_000);
        let anew = *world.ids(f.alice, chat).last().unwrap();
        assert_ne!(anew, id);
        assert_eq!(world.message(f.alice, anew).unwrap().burn, burn);
        let held = &world.server.messages[&mid(anew)];
        assert_eq!(held.burn, burn != Burn::Never);
        assert!(held.expires_at <= world.server.now() + 60);
    }
}

#[test]
fn what_its_reader_takes_away_unread_or_while_it_burns_does_not_come_again() {
    for burn in [None, Some(Burn::OnRead), Some(Burn::After(60))] {
        for revealed in [false, true] {
            let mut world = World::default();
            let f = world.acquainted();
            let id = world.say_with(f.alice, f.to_bob, "three", burn, None);
            if revealed && burn.is_some() {
                let (chat, message) = (f.to_alice, id);
                world.command(f.bob, Command::Reveal { chat, message });
            }
            delete(&mut world, f.bob, f.to_alice, id, false);
            world.advance(120_000);
            assert_eq!(world.message(f.bob, id), None);
            let bob = world.reload(f.bob);
            world.advance(60_000);
            let texts = world.texts(bob, f.to_alice);
            let again = texts.contains(&"three".to_owned());
            assert!(!again, "{burn:?} {revealed}");
            if burn.is_none() || revealed {
                let waits = world.server.messages.contains_key(&mid(id));
                assert!(!waits, "{burn:?} {revealed}");
            }
        }
    }
}

#[test]
fn what_burns_goes_from_its_sender_as_long_after_reading_as_was_set() {
    let mut world = World::default();
    let f = world.acquainted();
    let (chat, burn) = (f.to_alice, Some(Burn::After(30)));
    let id = world.say_with(f.alice, f.to_bob, "for half a minute", burn, None);
    world.command(f.bob, Command::Reveal { chat, message: id });
    world.show(f.bob, chat, vec![id]);
    // The receipt goes out.
    world.advance(2_000);
    assert_eq!(
        world.message(f.alice, id).unwrap().state,
        MessageState::Read
    );
    world.advance(26_000);
    assert!(world.message(f.alice, id).unwrap().text.is_some());
    world.advance(6_000);
    let view = world.message(f.alice, id).unwrap();
    assert_eq!((view.state, view.text), (MessageState::Burned, None));
}

#[test]
fn a_failure_names_the_command_that_it_ends() {
    let mut world = World::default();
    let f = world.acquainted();
    let said = world.say(f.alice, f.to_bob, "three");
    let (carol, _) = world.register("carol");
    let greeting = "hello".into();
    world.command(
        carol,
        Command::RequestContact {
            handle: "bob".into(),
            greeting,
        },
    );
    world.register("dave");
    let to_carol = world.id("carol");
    world.advance(4_000);
    for (tab, command, during) in [
        (
            f.alice,
            Command::RequestContact {
                handle: "dave".into(),
                greeting: "".into(),
            },
            "request_contact",
        ),
        (
            f.bob,
            Command::AcceptRequest { chat: to_carol },
            "accept_request",
        ),
        (
            f.alice,
            Command::Edit {
                chat: f.to_bob,
                message: said,
                text: "four".into(),
            },
            "edit",
        ),
        (
            f.alice,
            Command::Delete {
                chat: f.to_bob,
                message: said,
                everywhere: true,
            },
            "delete",
        ),
    ] {
        world.advance(4_000);
        world.server.refuse.push_back("quota");
        world.command(tab, command);
        world.advance(4_000);
        let mut told = world
            .tab(tab)
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Failed { during, code, .. } => Some((during.as_str(), code.as_str())),
                _ => None,
            });
        assert_eq!(told.next_back(), Some((during, "quota")));
        assert!(world.server.refuse.is_empty());
    }
}
