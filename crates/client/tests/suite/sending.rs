//! From the composer to the server: what is taken, what is refused with its reason, what waits.

mod answers;
mod changes;
mod ended;
mod held;
mod locked;
mod named;
mod prekeys;
mod reached;
mod slots;
mod unseen;
mod watched;

use std::fmt::Display;

use client::Command;
use client::command::Burn;
use client::event::{Event, MessageState};
use client::id::{ConversationId, MessageId};
use client::testing::{Friends, Reply, World};
use serde_json::json;

fn send(world: &mut World, tab: usize, chat: ConversationId, text: &str) {
    world.command(
        tab,
        Command::Send {
            chat,
            text: text.into(),
            burn: None,
            life_secs: None,
            tag: Some("of the tab".to_owned()),
        },
    );
}

/// Two contacts who have read everything, so that nothing is sealed for them any more.
fn all_read(world: &mut World) -> Friends {
    let f = world.acquainted();
    for (tab, chat) in [(f.alice, f.to_bob), (f.bob, f.to_alice)] {
        let ids = world.ids(tab, chat);
        world.show(tab, chat, ids);
    }
    world.advance(15_000);
    f
}

/// The server's word on a slot of a message: the slot by its name, and whether that is a live session's.
fn word(id: MessageId, state: &str, (name, live): (impl Display, bool)) -> Reply {
    if state == "waiting" {
        // Said only where it is asked for, and then of the whole message.
        let entry = json!({"id": id.to_string(), "state": state, "expires_at": 0});
        return Reply::Text(json!({"t": "status", "states": [entry]}));
    }
    Reply::Text(json!({"t": "message", "id": id.to_string(), "state": state,
        "target": name.to_string(), "live": live}))
}

/// The same on a message for Bob, to Alice.
fn says(world: &mut World, f: &Friends, id: MessageId, state: &str, slot: (impl Display, bool)) {
    world.server.push(f.alice, word(id, state, slot));
    world.settle();
}

/// How often somebody's bundles were asked for.
fn asked_for_keys(world: &World, of: ConversationId) -> usize {
    let line = format!("POST /users/{of}/bundles");
    let log = world.server.log.iter();
    log.filter(|asked| **asked == line).count()
}

fn bundle_requests(world: &World) -> usize {
    let log = world.server.log.iter();
    log.filter(|line| line.contains("/bundles")).count()
}

#[test]
fn a_text_that_is_not_taken_is_told_with_the_reason_and_the_tag_of_whoever_keeps_it() {
    let mut world = World::default();
    let f = world.friends();
    let long = "x".repeat(64 * 1024 + 1);
    // Soft hyphen, word joiner, Hangul filler, empty Braille cell, variation selector.
    let unseen = " \u{ad}\u{2060}\u{3164}\u{2800}\u{fe0f}\n";
    for (text, reason) in [
        (long.as_str(), "text-too-long"),
        (unseen, "text-empty"),
        ("", "text-empty"),
    ] {
        send(&mut world, f.alice, f.to_bob, text);
        let Some(Event::Failed {
            during,
            code,
            chat,
            message,
            tag,
            ..
        }) = world.tab(f.alice).events.last()
        else {
            panic!("{reason}: not told");
        };
        assert_eq!((during.as_str(), code.as_str()), ("send", reason));
        assert_eq!((*chat, *message), (Some(f.to_bob), None));
        assert_eq!(tag.as_deref(), Some("of the tab"));
    }
    assert!(world.texts(f.alice, f.to_bob).is_empty());
    send(&mut world, f.alice, f.to_bob, "\u{1f469}\u{200d}\u{1f52c}");
    assert_eq!(world.texts(f.bob, f.to_alice).len(), 1, "a joined emoji");
}

#[test]
fn white_space_around_a_text_arrives_as_it_was_written() {
    let mut world = World::default();
    let f = world.friends();
    let code = "    return 1;\n}\n";
    world.say(f.alice, f.to_bob, code);
    assert_eq!(world.texts(f.bob, f.to_alice), [code]);
}

#[test]
fn a_server_that_asks_to_wait_for_keys_delays_messages_and_loses_none() {
    let mut world = World::default();
    let f = world.acquainted();
    let mut left = 3;
    let alice = f.alice;
    world.server.tamper = Some(Box::new(move |tab, reply| match reply {
        Reply::Json { request, .. } if tab == alice && left > 0 && request.contains("/bundles") => {
            left -= 1;
            let body = json!({"code": "too-many-requests", "detail": "", "retry_after": 2});
            vec![Reply::Json {
                request,
                status: 429,
                body,
            }]
        }
        other => vec![other],
    }));
    let before = bundle_requests(&world);
    let ids: Vec<MessageId> = ["three", "four", "five"]
        .into_iter()
        .map(|text| world.say(f.alice, f.to_bob, text))
        .collect();
    for id in &ids {
        let state = world.message(f.alice, *id).unwrap().state;
        assert_eq!(state, MessageState::Sending);
    }
    world.advance(20_000);
    let texts = world.texts(f.bob, f.to_alice);
    assert_eq!(texts, ["one", "two", "three", "four", "five"]);
    assert!(world.failures(f.alice).is_empty());
    let asked = bundle_requests(&world) - before;
    assert!(asked < 12, "it waits as long as it was asked to: {asked}");
}

#[test]
fn messages_that_the_server_puts_off_are_sent_later_in_the_order_they_were_written() {
    let mut world = World::default();
    let f = world.acquainted();
    // Fetches what is needed for the others, which then go out at once.
    world.say(f.alice, f.to_bob, "three");
    world.server.refuse.extend(["too-many-requests"; 2]);
    for text in ["four", "five", "six"] {
        world.say(f.alice, f.to_bob, text);
    }
    assert_eq!(world.texts(f.bob, f.to_alice), ["one", "two", "three"]);
    world.advance(10_000);
    let texts = world.texts(f.bob, f.to_alice);
    assert_eq!(texts, ["one", "two", "three", "four", "five", "six"]);
    assert!(world.failures(f.alice).is_empty());
    assert!(
        world.refusals(f.bob).is_empty(),
        "nothing came out of order"
    );
}

#[test]
fn a_message_that_was_not_sent_says_why() {
    let mut world = World::default();
    let f = world.acquainted();
    world.server.refuse.push_back("quota");
    let id = world.say(f.alice, f.to_bob, "one too many");
    world.advance(1_000);
    let view = world.message(f.alice, id).unwrap();
    assert_eq!(view.state, MessageState::Failed);
    assert_eq!(view.failure.as_deref(), Some("quota"));
    let why = view.failure_text.expect("a reason for people");
    assert!(why.contains("wait unread"), "{why}");
    world.command(
        f.alice,
        Command::SendAgain {
            chat: f.to_bob,
            message: id,
        },
    );
    world.advance(1_000);
    let texts = world.texts(f.bob, f.to_alice);
    assert_eq!(texts, ["one", "two", "one too many"]);
}

#[test]
fn messages_that_nobody_takes_ask_for_new_keys_together() {
    let mut world = World::default();
    let f = world.acquainted();
    // Bob's tab hangs: the server still believes it is live.
    world.tabs[f.bob] = None;
    let before = bundle_requests(&world);
    let mut ids = Vec::new();
    for n in 0..40 {
        ids.push(world.say(f.alice, f.to_bob, &n.to_string()));
        world.advance(100);
    }
    world.advance(12_000);
    let asked = bundle_requests(&world) - before;
    assert!(
        asked <= 14,
        "one answer serves those of some seconds: {asked}"
    );
    for id in ids {
        assert_eq!(world.message(f.alice, id).unwrap().path, "waiting");
    }
}

#[test]
fn waiting_slots_are_asked_for_again_when_the_first_question_got_no_answer() {
    let mut world = World::default();
    let f = world.acquainted();
    world.tabs[f.bob] = None;
    let id = world.say(f.alice, f.to_bob, "hello?");
    world.advance(9_500);
    world.network = false;
    world.advance(1_000);
    world.network = true;
    world.advance(5_000);
    assert_eq!(world.message(f.alice, id).unwrap().path, "waiting");
}

#[test]
fn the_row_of_a_chat_says_what_has_become_of_its_newest_message() {
    let mut world = World::default();
    let f = world.acquainted();
    let id = world.say_with(f.alice, f.to_bob, "once", Some(Burn::OnRead), None);
    world.command(
        f.bob,
        Command::Reveal {
            chat: f.to_alice,
            message: id,
        },
    );
    world.show(f.bob, f.to_alice, vec![id]);
    world.command(
        f.bob,
        Command::Hide {
            chat: f.to_alice,
            messages: vec![id],
        },
    );
    let row = world.chats(f.bob).pop().unwrap();
    assert_eq!(row.preview, None);
    assert_eq!(row.last_state, Some(MessageState::Burned));
}

#[test]
fn a_prekey_opens_one_epoch_however_many_messages_wait_for_it() {
    let mut world = World::default();
    let f = world.acquainted();
    world.tabs[f.bob] = None;
    // More than an epoch holds, all put off at once.
    let ids: Vec<MessageId> = (0..120)
        .map(|n| world.say(f.alice, f.to_bob, &n.to_string()))
        .collect();
    world.advance(20_000);
    for id in &ids {
        assert_eq!(world.message(f.alice, *id).unwrap().path, "waiting");
    }
    let elsewhere = world.sign_in("bob");
    world.advance(20_000);
    assert_eq!(world.refusals(elsewhere), Vec::<String>::new());
    let texts = world.texts(elsewhere, f.to_alice);
    let all: Vec<String> = (0..120).map(|n| n.to_string()).collect();
    assert_eq!(texts[texts.len() - 120..], all);
}

#[test]
fn a_row_of_the_chat_list_carries_the_beginning_of_a_long_text_only() {
    let mut world = World::default();
    let f = world.acquainted();
    world.say(f.alice, f.to_bob, &"é".repeat(10_000));
    let preview = world.chats(f.bob).pop().unwrap().preview.unwrap();
    assert_eq!(preview.expose().chars().count(), 200);
}

#[test]
fn what_is_not_on_the_screen_is_asked_about_until_its_time_is_over_and_no_longer() {
    let mut world = World::default();
    let f = world.friends();
    let text = world.say_with(f.alice, f.to_bob, "ten", None, Some(60));
    world.close(f.bob);
    world.advance(4_000);
    let before: Vec<_> = world.server.messages.keys().copied().collect();
    world.edit(f.alice, f.to_bob, text, "eleven");
    let mut now = world.server.messages.keys().copied();
    let edit = now.find(|id| !before.contains(id)).unwrap().to_string();
    for (secs, expected) in [(10, true), (60, false)] {
        world.advance(secs * 1_000);
        let spoken = world.server.traffic.len();
        world.cut(f.alice);
        world.advance(5_000);
        let frames = world.server.traffic[spoken..].iter();
        let mut frames = frames.map(|bytes| String::from_utf8_lossy(bytes));
        let asked = frames.any(|frame| frame.contains("\"status\"") && frame.contains(&edit));
        assert_eq!(asked, expected, "{secs}");
    }
}
