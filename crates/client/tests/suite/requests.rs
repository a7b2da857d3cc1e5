//! A request in several sessions of the person who is asked, without a network.

use client::Command;
use client::event::MessageState;
use client::testing::World;

fn ask(handle: &str, greeting: &str) -> Command {
    Command::RequestContact {
        handle: handle.into(),
        greeting: greeting.into(),
    }
}

/// Alice's tab and two browsers of Bob, whom she asks.
fn asked_twice() -> (World, usize, usize, usize) {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    let second = world.sign_in("bob");
    world.advance(4_000);
    world.command(alice, ask("bob", "hello"));
    (world, alice, bob, second)
}

/// Handle and greeting of every request that a tab shows.
fn shown(world: &World, tab: usize) -> Vec<(String, String)> {
    let requests = world.requests(tab).into_iter();
    requests
        .map(|request| (request.handle, request.greeting.expose().to_owned()))
        .collect()
}

fn request(handle: &str, greeting: &str) -> (String, String) {
    (handle.to_owned(), greeting.to_owned())
}

/// Makes a tab read its safes: the answers leave the server now, and arrive when the test says so.
fn begin_to_read(world: &mut World, tab: usize) {
    world.slow = Some("GET /safe");
    world.cut(tab);
    world.advance(4_000);
    world.slow = None;
}

#[test]
fn a_request_shows_in_every_session_at_once_and_its_greeting_when_each_could_open_it() {
    let (mut world, _, bob, second) = asked_twice();
    let mut greetings = [shown(&world, bob), shown(&world, second)];
    greetings.sort();
    assert_eq!(
        greetings,
        [[request("alice", "")], [request("alice", "hello")]],
        "one session has opened it, the other knows of it"
    );
    world.advance(40_000);
    assert_eq!(shown(&world, bob), [request("alice", "hello")]);
    assert_eq!(shown(&world, second), [request("alice", "hello")]);
    assert_eq!(world.server.messages.len(), 1, "it is not acknowledged");
}

#[test]
fn a_request_shows_at_a_later_sign_in_although_another_session_had_opened_it_and_is_gone() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    world.command(alice, ask("bob", "hello"));
    assert_eq!(shown(&world, bob), [request("alice", "hello")]);
    world.close(bob);
    let later = world.sign_in("bob");
    assert_eq!(shown(&world, later), [request("alice", "hello")]);
}

#[test]
fn accepting_in_one_session_takes_the_request_away_in_the_other_and_makes_the_chat_there() {
    let (mut world, alice, bob, second) = asked_twice();
    let chat = world.id("alice");
    world.command(second, Command::AcceptRequest { chat });
    for tab in [bob, second] {
        assert_eq!(shown(&world, tab), []);
        assert_eq!(world.chats(tab)[0].handle, "alice");
        assert_eq!(world.chats(tab)[0].relation, "contact");
    }
    world.advance(70_000);
    assert_eq!(world.chats(alice)[0].relation, "contact");
    for tab in [bob, second] {
        assert_eq!(world.texts(tab, chat), ["hello"]);
    }
    let said = world.ids(second, chat);
    world.show(second, chat, said);
    world.advance(3_000);
    assert!(world.server.messages.is_empty(), "acknowledged");
    let to_bob = world.id("bob");
    world.say(alice, to_bob, "there you are");
    assert_eq!(world.texts(bob, chat), ["hello", "there you are"]);
    assert_eq!(world.texts(second, chat), ["hello", "there you are"]);
    for tab in [bob, second] {
        assert_eq!(world.refusals(tab), Vec::<String>::new());
    }
}

#[test]
fn refusing_in_one_session_takes_the_request_away_everywhere_for_good() {
    let (mut world, alice, bob, second) = asked_twice();
    world.advance(40_000);
    let chat = world.id("alice");
    world.command(bob, Command::RefuseRequest { chat });
    assert_eq!(shown(&world, bob), []);
    assert_eq!(shown(&world, second), []);
    world.advance(70_000);
    assert!(world.server.messages.is_empty());
    let later = world.sign_in("bob");
    assert_eq!(shown(&world, later), []);
    assert!(world.chats(later).is_empty());
    assert_eq!(world.chats(alice)[0].relation, "requested");
    for tab in [bob, second, later] {
        assert_eq!(world.refusals(tab), Vec::<String>::new());
    }
}

#[test]
fn a_refused_request_that_was_not_acknowledged_in_time_does_not_come_back() {
    let (mut world, _, bob, second) = asked_twice();
    let kept = world.server.messages.clone();
    let chat = world.id("alice");
    world.command(bob, Command::RefuseRequest { chat });
    world.close(bob);
    world.close(second);
    // The server, or a crash before the acknowledgement, has it still there.
    world.server.messages = kept;
    world.advance(3_600_000);
    let later = world.sign_in("bob");
    assert_eq!(shown(&world, later), []);
    assert!(world.server.messages.is_empty(), "acknowledged now");
}

#[test]
fn somebody_who_was_refused_may_ask_again_later() {
    let (mut world, alice, bob, second) = asked_twice();
    let chat = world.id("alice");
    world.command(bob, Command::RefuseRequest { chat });
    world.advance(60_000);
    world.command(
        alice,
        Command::RemoveContact {
            chat: world.id("bob"),
        },
    );
    world.advance(3_000);
    world.command(alice, ask("bob", "it is me"));
    world.advance(40_000);
    for tab in [bob, second] {
        assert_eq!(shown(&world, tab), [request("alice", "it is me")]);
    }
}

#[test]
fn blocking_in_one_session_takes_the_request_away_everywhere_and_unblocking_does_not_bring_it_back()
{
    let (mut world, _, bob, second) = asked_twice();
    world.advance(40_000);
    let chat = world.id("alice");
    world.command(bob, Command::Block { chat });
    assert_eq!(shown(&world, bob), []);
    assert_eq!(shown(&world, second), []);
    world.advance(70_000);
    assert_eq!(
        world.server.messages.len(),
        1,
        "its sender must not learn of it"
    );
    world.command(second, Command::Unblock { chat });
    let later = world.sign_in("bob");
    for tab in [bob, second, later] {
        assert_eq!(shown(&world, tab), []);
    }
}

#[test]
fn of_a_request_only_who_asks_is_stored_and_not_what_they_wrote() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    world.command(alice, ask("bob", "hello"));
    world.close(alice);
    assert_eq!(shown(&world, bob), [request("alice", "hello")]);
    world.server.restart();
    world.advance(60_000);
    let later = world.sign_in("bob");
    world.advance(60_000);
    assert_eq!(shown(&world, later), [request("alice", "")]);
    // It can be answered all the same.
    let chat = world.id("alice");
    world.command(later, Command::AcceptRequest { chat });
    let alice = world.sign_in("alice");
    world.advance(3_000);
    assert_eq!(world.chats(alice)[0].relation, "contact");
}

#[test]
fn a_message_that_another_session_has_shown_since_is_no_replay() {
    let mut world = World::default();
    let f = world.friends();
    world.close(f.bob);
    world.advance(4_000);
    let id = world.say(f.alice, f.to_bob, "in both");
    let first = world.sign_in("bob");
    let second = world.sign_in("bob");
    world.advance(40_000);
    for tab in [first, second] {
        assert_eq!(world.texts(tab, f.to_alice), ["in both"]);
    }
    world.show(first, f.to_alice, vec![id]);
    world.show(second, f.to_alice, vec![id]);
    world.advance(3_000);
    assert_eq!(world.message(second, id).unwrap().state, MessageState::Read);
    for tab in [first, second] {
        assert_eq!(world.refusals(tab), Vec::<String>::new());
    }
}

#[test]
fn what_another_session_decides_while_both_safes_are_being_read_is_not_missed() {
    let (mut world, _, bob, second) = asked_twice();
    world.advance(40_000);
    let chat = world.id("alice");
    begin_to_read(&mut world, bob);
    world.command(second, Command::AcceptRequest { chat });
    assert_eq!(shown(&world, bob), [request("alice", "hello")]);
    world.arrive();
    assert_eq!(shown(&world, bob), []);
    assert_eq!(world.refusals(bob), Vec::<String>::new());
}

#[test]
fn an_answer_that_ones_own_write_overtook_is_no_safe_that_was_rolled_back() {
    let (mut world, _, bob, second) = asked_twice();
    world.advance(40_000);
    let chat = world.id("alice");
    begin_to_read(&mut world, bob);
    world.command(bob, Command::AcceptRequest { chat });
    world.arrive();
    assert_eq!(world.refusals(bob), Vec::<String>::new());
    for tab in [bob, second] {
        assert_eq!(shown(&world, tab), []);
        assert_eq!(world.chats(tab)[0].relation, "contact");
    }
}
