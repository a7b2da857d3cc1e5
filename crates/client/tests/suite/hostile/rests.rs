//! Messages that rest, are announced twice, or get answers that are not theirs.

use client::Command;
use client::command::Burn;
use client::event::MessageState;
use client::id::ConversationId;
use client::testing::{Friends, Reply, World};
use protocol::envelope::Content;
use protocol::ids::MessageId;
use serde_json::json;

use super::forge::{Forged, mid, prekey_target};
use super::nothing_refused;

/// How often tabs have claimed a message.
pub(crate) fn claims_of(world: &World, id: MessageId) -> usize {
    let id = id.to_string();
    let frames = world.server.traffic.iter();
    let frames = frames.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let claims = frames.filter(|text| text.contains("\"t\":\"claim\"") && text.contains(&id));
    claims.count()
}

/// Somebody unknown asks bob for contact.
pub(crate) fn stranger_asks(world: &mut World, id: u8) -> ConversationId {
    let mallory = world.server.plant("mallory");
    let bob = world.server.user("bob");
    let content = Content::Request {
        handle: "mallory".into(),
        alias: "mallory".into(),
        greeting: "hello".into(),
        invite: None,
    };
    let one_time = world.server.accounts[&bob].unclaimed[0];
    let target = prekey_target(world, &bob, Some(one_time));
    let forged = Forged::new(world, content, MessageId::from_bytes([id; 16]));
    let submission = forged.seal(world, mallory.0, &mallory.1, &target);
    world.server.post_as(mallory.0, &submission.encode());
    ConversationId::with(mallory.0)
}

/// Look-ups of bob's fail, so that his client rests from them.
pub(crate) fn lookups_fail(world: &mut World, tab: usize) {
    world.server.tamper = Some(Box::new(move |to, mut reply| {
        if let Reply::Json {
            request,
            status,
            body,
        } = &mut reply
            && to == tab
            && request.starts_with("GET /users/")
        {
            *status = 503;
            *body = json!({"code": "unavailable", "retry_after": 8});
        }
        vec![reply]
    }));
}

fn reveal(world: &mut World, f: &Friends, message: MessageId) {
    let chat = f.to_alice;
    world.command(f.bob, Command::Reveal { chat, message });
}

/// A message that burns, of which the server gives a slot that does not open; its reveal rests.
fn resting_reveal() -> (World, Friends, MessageId) {
    let mut world = World::default();
    let f = world.acquainted();
    let burn = Some(Burn::OnRead);
    let id = world.say_with(f.alice, f.to_bob, "once", burn, Some(3_600));
    // The first lease ends.
    world.advance(40_000);
    lookups_fail(&mut world, f.bob);
    stranger_asks(&mut world, 50);
    world.settle();
    let held = world.server.messages.get_mut(&mid(id)).unwrap();
    for slot in held.slots.values_mut() {
        *slot.bytes.last_mut().unwrap() ^= 1;
    }
    reveal(&mut world, &f, id);
    nothing_refused(&world, f.bob);
    (world, f, id)
}

#[test]
fn a_reveal_that_rests_is_not_claimed_again_and_goes_on_when_keys_can_be_had() {
    let (mut world, f, id) = resting_reveal();
    let before = claims_of(&world, id);
    reveal(&mut world, &f, id);
    assert_eq!(claims_of(&world, id), before);
    assert_eq!(world.failures(f.bob), Vec::<String>::new());
    world.server.tamper = None;
    world.advance(12_000);
    assert_eq!(world.refusals(f.bob).len(), 1);
    assert!(world.message(f.bob, id).unwrap().sealed);
}

#[test]
fn what_was_taken_back_while_its_reveal_rested_is_not_opened_any_more() {
    let (mut world, f, id) = resting_reveal();
    let (chat, everywhere) = (f.to_bob, true);
    world.command(
        f.alice,
        Command::Delete {
            chat,
            message: id,
            everywhere,
        },
    );
    let view = world.message(f.bob, id).unwrap();
    assert_eq!(view.state, MessageState::Deleted);
    world.server.tamper = None;
    world.advance(60_000);
    nothing_refused(&world, f.bob);
    let view = world.message(f.bob, id).unwrap();
    assert_eq!(view.state, MessageState::Deleted);
}

/// Announces a message to bob once more.
fn announce(world: &mut World, f: &Friends, id: MessageId) {
    let frame = json!({"t": "waiting", "id": id.to_string(), "burn": false, "size": 1,
        "expires_at": world.server.now() + 60, "target": "live",
        "from": f.to_alice.to_string()});
    world.server.push(f.bob, Reply::Text(frame));
    world.settle();
}

#[test]
fn what_is_announced_again_at_any_step_is_claimed_once() {
    let mut world = World::default();
    world.server.delivers = false;
    let f = world.acquainted();
    let tab = f.bob;
    world.server.tamper = Some(Box::new(move |to, reply| match &reply {
        Reply::Binary(_) if to == tab => Vec::new(),
        _ => vec![reply],
    }));
    let first = world.say_with(f.alice, f.to_bob, "three", None, Some(3_600));
    let second = world.say_with(f.alice, f.to_bob, "four", None, Some(3_600));
    // One is under its claim, the other in the queue.
    announce(&mut world, &f, first);
    announce(&mut world, &f, second);
    assert_eq!(claims_of(&world, first), 1);
    assert_eq!(claims_of(&world, second), 0);
    world.server.tamper = None;
    for held in world.server.messages.values_mut() {
        for slot in held.slots.values_mut() {
            slot.claim = None;
        }
    }
    world.advance(20_000);
    let texts = world.texts(f.bob, f.to_alice);
    assert_eq!(texts, ["one", "two", "three", "four"]);
    let claims = [first, second].map(|id| claims_of(&world, id));
    assert_eq!(claims, [2, 1], "the answer to one was lost");
    // Open, and then done; one after the other is remembered.
    for shown in [false, true] {
        if shown {
            world.show(f.bob, f.to_alice, vec![first, second]);
            let there = |id| world.server.messages.contains_key(&mid(id));
            assert!(!there(first) && !there(second));
        }
        announce(&mut world, &f, first);
        announce(&mut world, &f, second);
        let claims = [first, second].map(|id| claims_of(&world, id));
        assert_eq!(claims, [2, 1], "{shown}");
    }
    nothing_refused(&world, f.bob);
}

#[test]
fn the_parcel_of_another_message_than_the_claimed_one_is_refused() {
    let mut world = World::default();
    world.server.delivers = false;
    let f = world.acquainted();
    let tab = f.bob;
    let kept = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let parcels = std::rc::Rc::clone(&kept);
    world.server.tamper = Some(Box::new(move |to, reply| match &reply {
        Reply::Binary(bytes) if to == tab => {
            parcels.borrow_mut().push(bytes.clone());
            Vec::new()
        }
        _ => vec![reply],
    }));
    world.say_with(f.alice, f.to_bob, "three", None, Some(3_600));
    world.say_with(f.alice, f.to_bob, "four", None, Some(3_600));
    world.advance(11_000);
    assert_eq!(kept.borrow().len(), 2);
    // The second is under its claim; the first one's answer comes late.
    let late = kept.borrow()[0].clone();
    world.server.tamper = None;
    world.server.push(f.bob, Reply::Binary(late));
    world.settle();
    assert_eq!(world.refusals(f.bob), ["cross-delivered"]);
    assert_eq!(world.texts(f.bob, f.to_alice), ["one", "two"]);
    world.advance(90_000);
    let texts = world.texts(f.bob, f.to_alice);
    assert_eq!(texts, ["one", "two", "three", "four"]);
}

#[test]
fn a_lease_serves_an_acknowledgement_until_two_seconds_before_its_end() {
    for (after_ms, again) in [(27_999, false), (28_000, true), (29_000, true)] {
        let mut world = World::default();
        let f = world.acquainted();
        let id = world.say_with(f.alice, f.to_bob, "three", None, Some(3_600));
        world.advance(after_ms);
        assert_eq!(claims_of(&world, id), 0, "it was pushed");
        world.show(f.bob, f.to_alice, vec![id]);
        assert_eq!(claims_of(&world, id) > 0, again, "{after_ms}");
        world.advance(40_000);
        assert!(!world.server.messages.contains_key(&mid(id)), "{after_ms}");
        nothing_refused(&world, f.bob);
    }
}

#[test]
fn keys_that_come_late_open_nothing_that_does_not_wait_for_them() {
    let mut world = World::default();
    let f = world.acquainted();
    let asker = stranger_asks(&mut world, 50);
    world.slow = Some(format!("GET /users/{asker}").leak());
    world.settle();
    // It rests now.
    world.advance(11_000);
    let (tab, mut lost) = (f.bob, false);
    world.server.tamper = Some(Box::new(move |to, reply| match &reply {
        Reply::Binary(_) if to == tab && !lost => {
            lost = true;
            Vec::new()
        }
        _ => vec![reply],
    }));
    world.say_with(f.alice, f.to_bob, "three", None, Some(3_600));
    world.arrive();
    nothing_refused(&world, f.bob);
    world.advance(90_000);
    nothing_refused(&world, f.bob);
    assert_eq!(world.texts(f.bob, f.to_alice), ["one", "two", "three"]);
    assert_eq!(world.requests(f.bob).len(), 1);
}

#[test]
fn what_nobody_read_is_not_acknowledged_because_the_server_speaks_of_it() {
    let mut world = World::default();
    let f = world.acquainted();
    let id = world.say_with(f.alice, f.to_bob, "three", None, Some(3_600));
    let name = MessageId::from_bytes(*id.as_bytes());
    world.advance(40_000);
    let frame = json!({"t": "refused", "re": "ack", "id": id.to_string(),
        "code": "stale-claim", "detail": "no"});
    world.server.push(f.bob, Reply::Text(frame));
    world.advance(40_000);
    assert!(world.server.messages.contains_key(&name));
    world.show(f.bob, f.to_alice, vec![id]);
    world.advance(40_000);
    assert!(!world.server.messages.contains_key(&name));
    nothing_refused(&world, f.bob);
}

#[test]
fn what_was_called_lost_and_comes_after_all_stands_there_once() {
    let mut world = World::default();
    let f = world.friends();
    let id = world.say_with(f.alice, f.to_bob, "just now", None, Some(3_600));
    world.advance(5_000);
    world.close(f.alice);
    let bob = world.reload(f.bob);
    world.advance(31_000);
    assert_eq!(world.message(bob, id).unwrap().state, MessageState::Lost);
    assert_eq!(world.ids(bob, f.to_alice).len(), 1);
    // Her client comes back and seals it anew for the account.
    world.sign_in("alice");
    let alices = super::forge::stolen(&mut world, "alice");
    let alice = world.server.user("alice");
    world.server.messages.remove(&mid(id));
    super::forge::deliver(
        &mut world,
        bob,
        alice,
        &alices,
        Content::text("just now"),
        id,
    );
    assert_eq!(world.texts(bob, f.to_alice), ["just now"]);
    assert_eq!(world.ids(bob, f.to_alice).len(), 1);
}

#[test]
fn what_another_session_of_ours_had_said_before_is_no_gap() {
    let mut world = World::default();
    let f = world.acquainted();
    for text in ["three", "four"] {
        world.say_with(f.alice, f.to_bob, text, None, Some(3_600));
    }
    let second = world.sign_in("alice");
    let id = world.say_with(f.alice, f.to_bob, "five", None, Some(3_600));
    assert!(world.message(second, id).unwrap().warnings.is_empty());
    world.advance(20_000);
    assert!(world.message(second, id).unwrap().warnings.is_empty());
}

#[test]
fn a_missing_message_has_expired_where_its_last_second_is_over() {
    for (life_secs, code) in [
        (14, "expired-before"),
        (15, "expired-before"),
        (16, "dropped"),
    ] {
        let mut world = World::default();
        world.server.delivers = false;
        let f = world.acquainted();
        let (tab, mut lost) = (f.bob, None);
        world.server.tamper = Some(Box::new(move |to, reply| match &reply {
            Reply::Text(frame) if to == tab && reply.announces() => {
                // Also when it is sealed anew.
                let of = lost.get_or_insert_with(|| frame["id"].clone());
                if *of == frame["id"] {
                    Vec::new()
                } else {
                    vec![reply]
                }
            }
            _ => vec![reply],
        }));
        world.say_with(f.alice, f.to_bob, "lost", None, Some(life_secs));
        let next = world.say_with(f.alice, f.to_bob, "next", None, Some(3_600));
        world.advance(15_000);
        let view = world.message(f.bob, next).unwrap();
        assert_eq!(view.warnings, [code], "{life_secs}");
    }
}

#[test]
fn what_came_live_is_acknowledged_while_a_write_of_the_safe_is_slow() {
    let mut world = World::default();
    let f = world.acquainted();
    let id = world.say_with(f.alice, f.to_bob, "three", None, Some(3_600));
    world.held_up = Some("PUT /safe");
    let receipts = client::command::SettingsChange {
        receipts: Some(false),
        ..client::command::SettingsChange::default()
    };
    world.command(f.bob, Command::SetSettings(receipts));
    world.show(f.bob, f.to_alice, vec![id]);
    assert!(!world.server.messages.contains_key(&mid(id)));
    world.arrive();
    nothing_refused(&world, f.bob);
}

#[test]
fn a_contacts_old_name_that_waited_does_not_come_a_second_time() {
    let mut world = World::default();
    let f = world.acquainted();
    let alice = world.server.user("alice");
    let bob = world.server.user("bob");
    let alices = super::forge::stolen(&mut world, "alice");
    let one_time = world.server.accounts[&bob].unclaimed[0];
    let target = prekey_target(&world, &bob, Some(one_time));
    let alias = |alias: &str| Content::Profile {
        alias: alias.into(),
    };
    let old = Forged::new(&world, alias("old"), MessageId::from_bytes([60; 16]));
    let old = old.seal(&world, alice, &alices, &target).encode();
    world.server.post_as(alice, &old);
    world.settle();
    assert_eq!(world.chats(f.bob)[0].alias, "old");
    super::forge::deliver(
        &mut world,
        f.bob,
        alice,
        &alices,
        alias("new"),
        MessageId::from_bytes([61; 16]),
    );
    world.advance(10_000);
    assert_eq!(world.chats(f.bob)[0].alias, "new");
    let bob = world.reload(f.bob);
    world.server.post_as(alice, &old);
    world.settle();
    world.advance(20_000);
    assert_eq!(world.chats(bob)[0].alias, "new");
    assert_eq!(world.refusals(bob), ["replayed"]);
}
