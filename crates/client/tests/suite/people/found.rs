//! Who is found by a handle, to whom something may be written, and what is kept of their names.

use client::Command;
use client::event::{Event, MessageState, PersonView};
use client::id::{ConversationId, UserId};
use client::testing::{Reply, World};

fn look_up(world: &mut World, tab: usize, handle: &str) -> Option<PersonView> {
    let handle = handle.to_owned();
    world.command(tab, Command::Lookup { handle });
    match world.tab(tab).events.last() {
        Some(Event::LookedUp { person, .. }) => person.clone(),
        other => panic!("not looked up: {other:?}"),
    }
}

/// What failed last: the command, the code and the chat.
fn failed(world: &World, tab: usize) -> Option<(String, String, Option<ConversationId>)> {
    let mut events = world.tab(tab).events.iter().rev();
    events.find_map(|event| match event {
        Event::Failed {
            during, code, chat, ..
        } => Some((during.clone(), code.clone(), *chat)),
        _ => None,
    })
}

fn failure(
    during: &str,
    code: &str,
    chat: Option<ConversationId>,
) -> Option<(String, String, Option<ConversationId>)> {
    Some((during.to_owned(), code.to_owned(), chat))
}

#[test]
fn a_look_up_says_who_has_a_handle_and_how_far_one_has_come_with_them() {
    let mut world = World::default();
    let f = world.friends();
    world.register("carol");
    for (handle, relation) in [("bob", "contact"), ("@carol", "none"), ("alice", "self")] {
        let person = look_up(&mut world, f.alice, handle).unwrap();
        assert_eq!(person.handle, handle.trim_start_matches('@'));
        assert_eq!(person.relation, relation);
        assert_eq!(person.user_id, world.id(&person.handle).peer());
    }
    assert_eq!(look_up(&mut world, f.alice, "nobody"), None);
    assert_eq!(failed(&world, f.alice), None);
    for (handle, code) in [("a b", "bad-handle"), ("bob", "offline")] {
        world.network = code != "offline";
        let handle = handle.to_owned();
        world.command(f.alice, Command::Lookup { handle });
        assert_eq!(failed(&world, f.alice), failure("lookup", code, None));
    }
}

/// How often a tab was told that somebody types, or has ceased to.
fn typed(world: &World, tab: usize) -> usize {
    let typing = |event: &&Event| matches!(event, Event::Typing { .. });
    world.tab(tab).events.iter().filter(typing).count()
}

#[test]
fn nothing_is_written_to_strangers_and_to_those_one_has_blocked() {
    let mut world = World::default();
    let f = world.acquainted();
    let (carol, _) = world.register("carol");
    world.command(f.alice, Command::Block { chat: f.to_bob });
    world.advance(4_000);
    let before = (world.server.messages.len(), typed(&world, f.bob));
    for (chat, code) in [
        (f.to_bob, "blocked"),
        (world.id("carol"), "no-such-chat"),
        (
            ConversationId::with(UserId::from_bytes([9; 16])),
            "no-such-chat",
        ),
    ] {
        world.command(
            f.alice,
            Command::Send {
                chat,
                text: "psst".into(),
                burn: None,
                life_secs: None,
                tag: None,
            },
        );
        assert_eq!(failed(&world, f.alice), failure("send", code, Some(chat)));
        world.command(f.alice, Command::Typing { chat });
    }
    world.advance(30_000);
    let after = (world.server.messages.len(), typed(&world, f.bob));
    assert_eq!(after, before);
    assert!(world.requests(carol).is_empty());
}

#[test]
fn a_name_that_the_server_leaves_out_stays_as_it_was() {
    let mut world = World::default();
    let f = world.friends();
    let (alias, handle) = {
        let row = &world.chats(f.alice)[0];
        (row.alias.clone(), row.handle.clone())
    };
    assert_eq!((alias.as_str(), handle.as_str()), ("bob", "bob"));
    world.command(f.alice, Command::RemoveContact { chat: f.to_bob });
    world.server.tamper = Some(Box::new(|_, mut reply| {
        if let Reply::Json { request, body, .. } = &mut reply
            && request == "GET /users/by-handle/bob"
        {
            (body["handle"], body["alias"]) = ("".into(), "".into());
        }
        vec![reply]
    }));
    world.command(f.alice, super::ask("bob"));
    let row = &world.chats(f.alice)[0];
    assert_eq!((&row.alias, &row.handle), (&alias, &handle));
}

#[test]
fn removing_somebody_takes_back_what_is_on_its_way_to_them_and_to_nobody_else() {
    let mut world = World::default();
    let f = world.friends();
    let (carol, _) = world.register("carol");
    world.befriend(f.alice, carol, "carol");
    let (to_carol, to_alice) = (world.id("carol"), world.id("alice"));
    let said = world.say(f.alice, to_carol, "before");
    world.say(f.alice, f.to_bob, "before");
    world.advance(4_000);
    world.network = false;
    world.cut(f.alice);
    world.say(f.alice, f.to_bob, "to one who goes");
    world.say(f.alice, to_carol, "to one who stays");
    world.edit(f.alice, to_carol, said, "after");
    world.command(f.alice, Command::RemoveContact { chat: f.to_bob });
    world.network = true;
    world.advance(120_000);
    assert_eq!(world.texts(carol, to_alice), ["after", "to one who stays"]);
    assert_eq!(world.texts(f.bob, f.to_alice), ["before"]);
}

#[test]
fn what_is_sent_again_keeps_its_life_and_its_tag_whatever_its_length() {
    for words in ["short".to_owned(), "long ".repeat(100)] {
        let mut world = World::default();
        let f = world.acquainted();
        world.close(f.bob);
        world.advance(4_000);
        let first = world.say_with(f.alice, f.to_bob, &words, None, Some(600));
        world.server.restart();
        world.advance(60_000);
        let lost = world.message(f.alice, first).unwrap();
        assert_eq!(lost.state, MessageState::Vanished);
        world.command(
            f.alice,
            Command::SendAgain {
                chat: f.to_bob,
                message: first,
            },
        );
        let again = *world.ids(f.alice, f.to_bob).last().unwrap();
        let view = world.message(f.alice, again).unwrap();
        assert_eq!(view.text.unwrap().expose(), words);
        assert_eq!(view.tag, lost.tag);
        assert_eq!(view.expires_at, Some(world.server.now() + 600));
    }
}

#[test]
fn a_long_text_to_somebody_who_has_not_answered_is_sent_again_as_a_text() {
    for (words, asks) in [("w".repeat(280), true), ("w".repeat(281), false)] {
        let mut world = World::default();
        let (alice, _) = world.register("alice");
        let (bob, _) = world.register("bob");
        world.command(alice, super::ask("bob"));
        world.close(bob);
        world.advance(4_000);
        let chat = world.id("bob");
        let first = world.say_with(alice, chat, &words, None, Some(600));
        world.server.restart();
        world.advance(60_000);
        let message = first;
        world.command(alice, Command::SendAgain { chat, message });
        let again = *world.ids(alice, chat).last().unwrap();
        let life = world.message(alice, again).unwrap().expires_at.unwrap() - world.server.now();
        assert_eq!(life == 600, !asks, "{life}");
    }
}

#[test]
fn only_keys_that_are_known_and_accepted_can_be_marked_as_compared() {
    let mut world = World::default();
    let f = world.acquainted();
    let verify = |chat| Command::SetVerified {
        chat,
        verified: true,
    };
    for chat in [
        world.id("alice"),
        ConversationId::with(UserId::from_bytes([9; 16])),
    ] {
        world.command(f.alice, verify(chat));
        let failure = failure("set_verified", "no-such-chat", Some(chat));
        assert_eq!(failed(&world, f.alice), failure);
    }
    let (mallory, _) = world.server.plant("mallory");
    let keys = world.server.accounts[&mallory].public_keys.clone();
    let bob = world.server.user("bob");
    world.server.accounts.get_mut(&bob).unwrap().public_keys = keys;
    world.advance(4_000);
    world.say(f.alice, f.to_bob, "who are you?");
    assert!(world.chats(f.alice)[0].key_changed);
    let failures = world.failures(f.alice).len();
    world.command(f.alice, verify(f.to_bob));
    assert_eq!(world.failures(f.alice).len(), failures + 1);
    assert!(!world.chats(f.alice)[0].verified);
    // A mark can be taken away at any time, and none is left for when the pinned keys are back.
    let verified = false;
    let chat = f.to_bob;
    world.command(f.alice, Command::SetVerified { chat, verified });
    assert_eq!(world.failures(f.alice).len(), failures + 1);
}

#[test]
fn a_greeting_has_at_most_280_characters_and_nobody_asks_themselves() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    for (handle, length, code) in [
        ("bob", 281, "text-too-long"),
        ("bob", 1_000, "text-too-long"),
        ("alice", 1, "that-is-you"),
    ] {
        let (handle, greeting) = (handle.to_owned(), "ö".repeat(length).as_str().into());
        world.command(alice, Command::RequestContact { handle, greeting });
        let (during, told, _) = failed(&world, alice).unwrap();
        assert_eq!((during.as_str(), told.as_str()), ("request_contact", code));
    }
    assert!(world.requests(bob).is_empty() && world.chats(alice).is_empty());
    let (handle, greeting) = ("bob".to_owned(), "ö".repeat(280).as_str().into());
    world.command(alice, Command::RequestContact { handle, greeting });
    world.advance(4_000);
    assert_eq!(world.requests(bob).len(), 1);
}

/// Everybody who is blocked, as a tab was told last.
fn blocked(world: &World, tab: usize) -> Vec<String> {
    let mut events = world.tab(tab).events.iter().rev();
    let told = events.find_map(|event| match event {
        Event::Blocked { people } => Some(people.iter().map(|person| person.handle.clone())),
        _ => None,
    });
    told.map(Iterator::collect).unwrap_or_default()
}

#[test]
fn whoever_is_blocked_is_listed_in_every_session_until_they_are_not() {
    let mut world = World::default();
    let f = world.acquainted();
    let second = world.sign_in("alice");
    world.command(f.alice, Command::Block { chat: f.to_bob });
    world.advance(4_000);
    assert_eq!(blocked(&world, f.alice), ["bob"]);
    assert_eq!(blocked(&world, second), ["bob"]);
    let reloaded = world.reload(second);
    assert_eq!(blocked(&world, reloaded), ["bob"]);
    world.command(f.alice, Command::Unblock { chat: f.to_bob });
    world.advance(4_000);
    assert!(blocked(&world, f.alice).is_empty() && blocked(&world, reloaded).is_empty());
}

#[test]
fn a_new_browser_knows_whom_one_has_asked_without_asking_the_server() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    let alias = "Robert".to_owned();
    world.command(bob, Command::SetAlias { alias });
    world.command(alice, super::ask("bob"));
    world.advance(4_000);
    // Asked once more, of a server that leaves the names out.
    world.server.tamper = Some(Box::new(|_, mut reply| {
        if let Reply::Json { request, body, .. } = &mut reply
            && request.starts_with("GET /users/")
        {
            (body["handle"], body["alias"]) = ("".into(), "".into());
        }
        vec![reply]
    }));
    world.command(alice, super::ask("bob"));
    world.advance(4_000);
    let browser = world.sign_in("alice");
    let row = &world.chats(browser)[0];
    assert_eq!((row.alias.as_str(), row.handle.as_str()), ("Robert", "bob"));
}
