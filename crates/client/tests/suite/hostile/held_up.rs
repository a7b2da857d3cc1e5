//! Requests that fail say nothing about a message: it waits for the answer, and nobody is alarmed.

use std::cell::Cell;
use std::rc::Rc;

use client::id::ConversationId;
use client::testing::{Reply, World};
use protocol::envelope::Content;
use protocol::identity::AccountSecrets;
use protocol::ids::{MessageId, UserId};
use serde_json::{Value, json};

use super::forge::{Forged, prekey_target};
use super::nothing_refused;

/// How a request fails.
#[derive(Debug, Clone)]
enum Fails {
    /// With this answer.
    With(u16, Value),
    /// Without an answer.
    Lost,
}

fn ways() -> [Fails; 4] {
    let problem = |code: &str, secs: u32| json!({"code": code, "retry_after": secs});
    [
        Fails::With(429, problem("too-many-requests", 7)),
        Fails::With(503, problem("unavailable", 5)),
        Fails::With(502, json!("<html>")),
        Fails::Lost,
    ]
}

/// Lets requests of a tab fail so many times; gives how many still will.
fn let_fail(
    world: &mut World,
    tab: usize,
    request: String,
    how: Fails,
    times: u32,
) -> Rc<Cell<u32>> {
    let left = Rc::new(Cell::new(times));
    let counter = Rc::clone(&left);
    world.server.tamper = Some(Box::new(move |to, reply| {
        let hit = matches!(&reply, Reply::Json { request: of, .. } if *of == request);
        if to != tab || !hit || counter.get() == 0 {
            return vec![reply];
        }
        counter.set(counter.get() - 1);
        match &how {
            Fails::Lost => Vec::new(),
            Fails::With(status, body) => vec![Reply::Json {
                request: request.clone(),
                status: *status,
                body: body.clone(),
            }],
        }
    }));
    left
}

fn lookup_of(id: ConversationId) -> String {
    format!("GET /users/{id}")
}

/// Whether the server was told that something does not open.
fn given_up(world: &World) -> bool {
    let mut slots = world
        .server
        .messages
        .values()
        .flat_map(|held| held.slots.values());
    slots.any(|slot| slot.dead)
}

/// Asks for contact as somebody whose private keys the test holds, for an account that is away.
fn ask(world: &mut World, to: &UserId, from: &(UserId, AccountSecrets), nth: usize, id: u8) {
    let content = Content::Request {
        handle: "somebody".into(),
        alias: "somebody".into(),
        greeting: "hello".into(),
        invite: None,
    };
    let one_time = world.server.accounts[to].unclaimed[nth];
    let target = prekey_target(world, to, Some(one_time));
    let forged = Forged::new(world, content, MessageId::from_bytes([id; 16]));
    let submission = forged.seal(world, from.0, &from.1, &target);
    world.server.post_as(from.0, &submission.encode());
}

#[test]
fn a_message_whose_senders_keys_cannot_be_had_waits_for_them_without_an_alarm() {
    for how in ways() {
        let mut world = World::default();
        let f = world.friends();
        world.close(f.bob);
        world.advance(4_000);
        world.say(f.alice, f.to_bob, "hello");
        world.say(f.alice, f.to_bob, "there");
        // The next one in the browser: no keys are in its memory.
        let tab = world.tabs.len();
        let left = let_fail(&mut world, tab, lookup_of(f.to_alice), how.clone(), 3);
        let bob = world.sign_in("bob");
        assert_eq!(bob, tab);
        assert!(world.texts(bob, f.to_alice).is_empty(), "{how:?}");
        world.advance(120_000);
        assert_eq!(left.get(), 0, "{how:?}");
        assert_eq!(world.texts(bob, f.to_alice), ["hello", "there"], "{how:?}");
        nothing_refused(&world, bob);
        assert!(!given_up(&world), "{how:?}");
        let ids = world.ids(bob, f.to_alice);
        world.show(bob, f.to_alice, ids);
        world.advance(5_000);
        assert!(world.server.messages.is_empty(), "{how:?}");
    }
}

#[test]
fn the_server_is_asked_again_after_the_time_that_it_names_and_then_less_and_less_often() {
    let mut world = World::default();
    let f = world.friends();
    world.close(f.bob);
    world.advance(4_000);
    world.say_with(f.alice, f.to_bob, "hello", None, Some(86_400));
    let tab = world.tabs.len();
    let [busy, ..] = ways();
    let left = let_fail(&mut world, tab, lookup_of(f.to_alice), busy, 100);
    let bob = world.sign_in("bob");
    let start = left.get();
    world.advance(6_500);
    assert_eq!(left.get(), start, "seven seconds were named");
    world.advance(1_000);
    assert_eq!(left.get(), start - 1);
    world.advance(600_000);
    let asked = start - left.get();
    assert!((8..16).contains(&asked), "{asked}");
    world.server.tamper = None;
    world.advance(60_000);
    assert_eq!(world.texts(bob, f.to_alice), ["hello"]);
    nothing_refused(&world, bob);
}

#[test]
fn many_strangers_at_once_hold_up_neither_contacts_nor_themselves() {
    let mut world = World::default();
    let f = world.friends();
    let bob = world.server.user("bob");
    let strangers: Vec<_> = (0..5)
        .map(|n| world.server.plant(&format!("s{n}")))
        .collect();
    // Two look-ups each ten seconds.
    let (mut used, mut since) = (0, 0);
    let tab = f.bob;
    let clock = Rc::new(Cell::new(0));
    let now = Rc::clone(&clock);
    world.server.tamper = Some(Box::new(move |to, mut reply| {
        if let Reply::Json {
            request,
            status,
            body,
        } = &mut reply
            && to == tab
            && request.starts_with("GET /users/")
        {
            if now.get() - since >= 10 {
                (used, since) = (0, now.get());
            }
            used += 1;
            if used > 2 {
                *status = 429;
                *body = json!({"code": "too-many-requests", "retry_after": 2});
            }
        }
        vec![reply]
    }));
    for (n, from) in strangers.iter().enumerate() {
        ask(&mut world, &bob, from, n, 50 + n as u8);
    }
    world.settle();
    world.say(f.alice, f.to_bob, "from a contact");
    assert_eq!(world.texts(f.bob, f.to_alice), ["from a contact"]);
    assert_eq!(world.requests(f.bob).len(), 2);
    for _ in 0..90 {
        clock.set(clock.get() + 1);
        world.advance(1_000);
    }
    assert_eq!(world.requests(f.bob).len(), 5);
    nothing_refused(&world, f.bob);
    assert!(!given_up(&world));
}

#[test]
fn what_an_account_that_is_gone_had_sent_ends_without_an_alarm() {
    let mut world = World::default();
    let f = world.friends();
    world.close(f.bob);
    world.advance(4_000);
    world.say(f.alice, f.to_bob, "hello");
    let tab = world.tabs.len();
    let gone = Fails::With(404, json!({"code": "no-such-user"}));
    let_fail(&mut world, tab, lookup_of(f.to_alice), gone, u32::MAX);
    let bob = world.sign_in("bob");
    world.advance(120_000);
    assert!(world.texts(bob, f.to_alice).is_empty());
    nothing_refused(&world, bob);
    assert!(!given_up(&world), "nobody is asked to seal it anew");
    // Keys that are here still open what they sealed.
    let mut world = World::default();
    let f = world.friends();
    let gone = Fails::With(404, json!({"code": "no-such-user"}));
    let_fail(&mut world, f.bob, lookup_of(f.to_alice), gone, u32::MAX);
    world.advance(400_000);
    world.say(f.alice, f.to_bob, "the last word");
    assert_eq!(world.texts(f.bob, f.to_alice), ["the last word"]);
    nothing_refused(&world, f.bob);
}

#[test]
fn a_message_whose_prekey_another_session_made_waits_for_a_read_that_fails() {
    for how in ways() {
        let mut world = World::default();
        let f = world.friends();
        let second = world.sign_in("bob");
        world.advance(4_000);
        // Another session makes new prekeys; this one hears nothing of it.
        world.server.tamper = Some(Box::new(move |to, reply| match &reply {
            Reply::Text(frame) if to == second && frame["t"] == "safe" => Vec::new(),
            Reply::Json { request, .. } if to == second && request == "GET /prekeys" => Vec::new(),
            _ => vec![reply],
        }));
        world.advance(25 * 3_600_000);
        world.close(f.bob);
        let bob = world.server.user("bob");
        assert_eq!(world.server.accounts[&bob].batch.head.batch_number, 3);
        let left = let_fail(&mut world, second, "GET /safe".to_owned(), how.clone(), 2);
        let mallory = world.server.plant("mallory");
        ask(&mut world, &bob, &mallory, 0, 77);
        world.settle();
        assert!(world.requests(second).is_empty(), "{how:?}");
        world.advance(60_000);
        assert_eq!(left.get(), 0, "{how:?}");
        assert_eq!(world.requests(second).len(), 1, "{how:?}");
        nothing_refused(&world, second);
        assert!(!given_up(&world), "{how:?}");
    }
}

#[test]
fn a_claim_that_the_server_cannot_answer_now_is_made_again() {
    for code in ["internal", "too-many-requests", "unavailable"] {
        let mut world = World::default();
        let f = world.friends();
        let (tab, mut left) = (f.bob, 2);
        world.server.tamper = Some(Box::new(move |to, reply| match &reply {
            Reply::Binary(parcel) if to == tab && left > 0 => {
                left -= 1;
                let id = protocol::envelope::ParcelRef::decode(parcel)
                    .unwrap()
                    .message_id;
                let frame = json!({"t": "refused", "re": "claim", "id": id.to_string(),
                    "code": code, "detail": "later", "retry_after": 3});
                vec![Reply::Text(frame)]
            }
            _ => vec![reply],
        }));
        world.say_with(f.alice, f.to_bob, "hello", None, Some(3_600));
        assert!(world.texts(f.bob, f.to_alice).is_empty());
        world.advance(90_000);
        assert_eq!(world.texts(f.bob, f.to_alice), ["hello"], "{code}");
        nothing_refused(&world, f.bob);
    }
}

#[test]
fn an_acknowledgement_that_the_server_cannot_take_now_is_given_again() {
    let mut world = World::default();
    let f = world.friends();
    let (tab, mut left) = (f.bob, 1);
    let id = world.say(f.alice, f.to_bob, "hello");
    let kept = world.server.messages.clone();
    world.server.tamper = Some(Box::new(move |to, reply| match &reply {
        Reply::Text(frame) if to == tab && frame["t"] == "acked" && left > 0 => {
            left -= 1;
            let frame = json!({"t": "refused", "re": "ack", "id": frame["id"],
                "code": "unavailable", "detail": "later", "retry_after": 3});
            vec![Reply::Text(frame)]
        }
        _ => vec![reply],
    }));
    world.show(f.bob, f.to_alice, vec![id]);
    // It was not taken: the server has it still.
    let name = MessageId::from_bytes(*id.as_bytes());
    let mut held = kept[&name].clone();
    for slot in held.slots.values_mut() {
        slot.claim = None;
    }
    world.server.messages.insert(name, held);
    world.advance(2_900);
    assert!(world.server.messages.contains_key(&name), "three seconds");
    world.advance(60_000);
    assert!(!world.server.messages.contains_key(&name));
    nothing_refused(&world, f.bob);
}

#[test]
fn the_list_of_what_waits_is_asked_for_again() {
    for how in ways() {
        let mut world = World::default();
        let f = world.friends();
        world.close(f.bob);
        world.advance(4_000);
        world.say_with(f.alice, f.to_bob, "hello", None, Some(3_600));
        let tab = world.tabs.len();
        let mut failures = 1;
        world.server.tamper = Some(Box::new(move |to, mut reply| {
            match &mut reply {
                // The greeting has nothing of it, and says that there is more.
                Reply::Text(frame) if to == tab && frame["t"] == "hello" => {
                    frame["waiting"] = json!([]);
                    frame["more"] = json!(true);
                }
                Reply::Text(frame) if to == tab && frame["t"] == "listed" && failures > 0 => {
                    failures -= 1;
                    return vec![match &how {
                        Fails::Lost => Reply::Close(1006),
                        Fails::With(_, said) => Reply::Text(json!({"t": "refused", "re": "list",
                            "code": said["code"].as_str().unwrap_or("internal"), "detail": "",
                            "retry_after": said["retry_after"]})),
                    }];
                }
                _ => {}
            }
            vec![reply]
        }));
        let bob = world.sign_in("bob");
        assert!(world.texts(bob, f.to_alice).is_empty());
        world.advance(10_000);
        assert_eq!(world.texts(bob, f.to_alice), ["hello"]);
        nothing_refused(&world, bob);
    }
}

#[test]
fn a_message_is_not_given_up_because_its_recipients_keys_cannot_be_had_now() {
    for how in ways() {
        let mut world = World::default();
        let f = world.friends();
        world.advance(10_000);
        let request = format!("POST /users/{}/bundles", f.to_bob);
        if matches!(how, Fails::Lost) {
            continue;
        }
        let left = let_fail(&mut world, f.alice, request, how.clone(), 3);
        world.say(f.alice, f.to_bob, "hello");
        world.advance(90_000);
        assert_eq!(left.get(), 0);
        assert_eq!(world.texts(f.bob, f.to_alice), ["hello"], "{how:?}");
        assert!(world.failures(f.alice).is_empty());
    }
}

#[test]
fn what_rests_is_not_lost_when_others_are_done_and_a_reveal_does_not_wait_for_it() {
    let mut world = World::default();
    let f = world.friends();
    let burn = Some(client::command::Burn::OnRead);
    let sealed = world.say_with(f.alice, f.to_bob, "once", burn, Some(3_600));
    let mallory = world.server.plant("mallory");
    let bob = world.server.user("bob");
    let [_, later, ..] = ways();
    let asker = ConversationId::with(mallory.0);
    let_fail(&mut world, f.bob, lookup_of(asker), later, 1);
    ask(&mut world, &bob, &mallory, 0, 50);
    world.settle();
    let read = world.say_with(f.alice, f.to_bob, "hello", None, Some(3_600));
    world.show(f.bob, f.to_alice, vec![read]);
    world.command(
        f.bob,
        client::Command::Reveal {
            chat: f.to_alice,
            message: sealed,
        },
    );
    assert!(world.message(f.bob, sealed).unwrap().text.is_some());
    assert!(world.requests(f.bob).is_empty());
    // Long before its claim ends, after which the server would say that it waits.
    world.advance(8_000);
    assert_eq!(world.requests(f.bob).len(), 1);
    nothing_refused(&world, f.bob);
}

#[test]
fn a_lookup_that_is_lost_is_made_again_after_ten_seconds_under_the_same_claim() {
    let mut world = World::default();
    let f = world.friends();
    let mallory = world.server.plant("mallory");
    let bob = world.server.user("bob");
    let asker = ConversationId::with(mallory.0);
    let_fail(&mut world, f.bob, lookup_of(asker), Fails::Lost, 1);
    ask(&mut world, &bob, &mallory, 0, 50);
    world.advance(9_000);
    assert!(world.requests(f.bob).is_empty());
    world.advance(14_000);
    assert_eq!(world.requests(f.bob).len(), 1);
    nothing_refused(&world, f.bob);
}

#[test]
fn what_does_not_open_is_refused_also_when_the_keys_came_late() {
    let mut world = World::default();
    let f = world.friends();
    let mallory = world.server.plant("mallory");
    let bob = world.server.user("bob");
    let asker = ConversationId::with(mallory.0);
    let [_, later, ..] = ways();
    let_fail(&mut world, f.bob, lookup_of(asker), later, 1);
    let one_time = world.server.accounts[&bob].unclaimed[0];
    let target = prekey_target(&world, &bob, Some(one_time));
    let forged = Forged::new(
        &world,
        Content::text("hello"),
        MessageId::from_bytes([50; 16]),
    );
    let mut submission = forged.seal(&world, mallory.0, &mallory.1, &target);
    *submission.body.last_mut().unwrap() ^= 1;
    world.server.post_as(mallory.0, &submission.encode());
    world.settle();
    nothing_refused(&world, f.bob);
    world.advance(8_000);
    assert_eq!(world.refusals(f.bob), ["moved-slot"]);
    assert!(given_up(&world));
}

#[test]
fn parcels_of_what_rests_are_kept_up_to_a_number_and_the_others_are_claimed_once_more() {
    let mut world = World::default();
    let f = world.friends();
    let mallory = world.server.plant("mallory");
    let bob = world.server.user("bob");
    let asker = ConversationId::with(mallory.0);
    let [_, later, ..] = ways();
    let_fail(&mut world, f.bob, lookup_of(asker), later, 1);
    let one_time = world.server.accounts[&bob].unclaimed[0];
    for id in 1..=66 {
        let target = prekey_target(&world, &bob, Some(one_time));
        let content = Content::text("hello");
        let forged = Forged::new(&world, content, MessageId::from_bytes([id; 16]));
        let submission = forged.seal(&world, mallory.0, &mallory.1, &target);
        world.server.post_as(mallory.0, &submission.encode());
    }
    world.settle();
    let claimed = Rc::new(Cell::new(0));
    let (counter, tab) = (Rc::clone(&claimed), f.bob);
    world.server.tamper = Some(Box::new(move |to, reply| {
        if to == tab && matches!(&reply, Reply::Text(frame) if frame["re"] == "claim") {
            counter.set(counter.get() + 1);
        }
        vec![reply]
    }));
    world.advance(8_000);
    assert_eq!(claimed.get(), 2, "the server has them under their claims");
    nothing_refused(&world, f.bob);
}

#[test]
fn a_read_of_the_safes_that_fails_is_made_again_though_no_message_waits_for_it() {
    for how in ways() {
        let mut world = World::default();
        let f = world.friends();
        let second = world.sign_in("bob");
        world.advance(60_000);
        let left = let_fail(&mut world, second, "GET /safe".to_owned(), how.clone(), 1);
        world.command(f.bob, client::Command::Block { chat: f.to_alice });
        let log = |world: &World| {
            let reads = world.server.log.iter();
            reads.filter(|line| line.starts_with("GET /safe")).count()
        };
        world.advance(60_000);
        assert_eq!(left.get(), 0, "{how:?}");
        if matches!(how, Fails::Lost) {
            continue;
        }
        let read = log(&world);
        assert!(
            world
                .chats(second)
                .iter()
                .all(|chat| chat.chat != f.to_alice)
        );
        world.advance(120_000);
        assert_eq!(log(&world), read, "{how:?}: it was answered");
    }
}
