//! What waits is claimed, shown and acknowledged, whatever is slow, lost or refused on the way.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use client::Command;
use client::command::Burn;
use client::event::{Event, MessageState};
use client::testing::{Friends, Reply, SeededRng, World};
use protocol::envelope::ParcelRef;
use protocol::ids::MessageId;
use protocol::link::{Direction, Ticket};
use serde_json::json;

fn nothing_refused(world: &World, tab: usize) {
    assert_eq!(world.refusals(tab), Vec::<String>::new());
}

fn warnings(world: &World, tab: usize, id: MessageId) -> Vec<String> {
    world.message(tab, id).unwrap().warnings
}

fn text(world: &World, tab: usize, id: MessageId) -> Option<String> {
    let text = world.message(tab, id)?.text?;
    Some(text.expose().to_owned())
}

fn reveal(world: &mut World, f: &Friends, message: MessageId) {
    let chat = f.to_alice;
    world.command(f.bob, Command::Reveal { chat, message });
}

/// Loses the next parcels to a tab, so many; gives how many it would have got by now.
fn lose_parcels(world: &mut World, tab: usize, count: usize) -> Rc<Cell<usize>> {
    let seen = Rc::new(Cell::new(0));
    let counter = Rc::clone(&seen);
    world.server.tamper = Some(Box::new(move |to, reply| {
        if to != tab || !matches!(reply, Reply::Binary(_)) {
            return vec![reply];
        }
        counter.set(counter.get() + 1);
        if counter.get() > count {
            vec![reply]
        } else {
            Vec::new()
        }
    }));
    seen
}

/// Loses the next answer to a tab that says how long its lease is now.
fn lose_extension(world: &mut World, tab: usize) {
    let mut lost = false;
    world.server.tamper = Some(Box::new(move |to, reply| match &reply {
        Reply::Text(frame) if to == tab && frame["t"] == "extended" && !lost => {
            lost = true;
            Vec::new()
        }
        _ => vec![reply],
    }));
}

/// Nobody has claimed anything, as far as the server knows.
fn free_all(world: &mut World) {
    for held in world.server.messages.values_mut() {
        for slot in held.slots.values_mut() {
            slot.claim = None;
        }
    }
}

/// A message that burns, whose lease still holds or has run out.
fn burning(late: bool) -> (World, Friends, MessageId) {
    let mut world = World::default();
    let f = world.friends();
    let life = Some(3_600);
    let id = world.say_with(f.alice, f.to_bob, "once", Some(Burn::OnRead), life);
    if late {
        // Only the first slot's, so that its owner does not hear of it.
        world.advance(29_000);
        free_all(&mut world);
        world.advance(2_000);
    }
    assert!(world.message(f.bob, id).unwrap().sealed);
    (world, f, id)
}

#[test]
fn what_was_shown_while_the_connection_was_down_is_acknowledged_when_it_is_back() {
    for (burn, away_ms) in [
        (None, 3_000),
        (None, 70_000),
        (Some(Burn::OnRead), 3_000),
        (Some(Burn::OnRead), 70_000),
    ] {
        let mut world = World::default();
        let f = world.friends();
        let id = world.say_with(f.alice, f.to_bob, "hello", burn, Some(3_600));
        let unread = world.say_with(f.alice, f.to_bob, "later", None, Some(3_600));
        world.advance(12_000);
        if burn.is_some() {
            reveal(&mut world, &f, id);
        }
        world.sockets = false;
        world.cut(f.bob);
        world.show(f.bob, f.to_alice, vec![id]);
        world.advance(away_ms);
        world.sockets = true;
        world.advance(90_000);
        let name = MessageId::from_bytes(*id.as_bytes());
        let case = format!("{burn:?} {away_ms}");
        assert!(!world.server.messages.contains_key(&name), "{case}");
        // What was not shown is still to be.
        assert_eq!(text(&world, f.bob, unread).unwrap(), "later", "{case}");
        world.show(f.bob, f.to_alice, vec![unread]);
        world.advance(40_000);
        assert!(world.server.messages.is_empty(), "{case}");
        nothing_refused(&world, f.bob);
    }
}

#[test]
fn an_edit_of_an_unread_message_stays_with_it_at_the_server() {
    let mut world = World::default();
    let f = world.friends();
    let id = world.say_with(f.alice, f.to_bob, "ten", None, Some(3_600));
    world.advance(12_000);
    world.edit(f.alice, f.to_bob, id, "eleven");
    world.advance(12_000);
    assert_eq!(text(&world, f.bob, id).unwrap(), "eleven");
    // The next session gets both, although nobody is there to send them again.
    world.close(f.alice);
    let bob = world.reload(f.bob);
    world.advance(1_000);
    assert_eq!(text(&world, bob, id).unwrap(), "eleven");
    world.show(bob, f.to_alice, vec![id]);
    world.advance(70_000);
    let alice = world.server.user("alice");
    let mut left = world.server.messages.values();
    assert!(!left.any(|held| held.poster == alice));
}

#[test]
fn a_reveal_takes_neither_the_claim_under_way_nor_those_that_wait() {
    for late in [false, true] {
        let (mut world, f, id) = burning(late);
        world.server.delivers = false;
        // The first parcel is slow; the others wait for their turn.
        let (tab, held) = (f.bob, Rc::new(Cell::new(None)));
        let keep = Rc::clone(&held);
        let mut first = true;
        world.server.tamper = Some(Box::new(move |to, reply| match reply {
            Reply::Binary(parcel) if to == tab && std::mem::take(&mut first) => {
                keep.set(Some(parcel));
                Vec::new()
            }
            other => vec![other],
        }));
        for word in ["one", "two", "three"] {
            world.say_with(f.alice, f.to_bob, word, None, Some(3_600));
        }
        reveal(&mut world, &f, id);
        assert_eq!(text(&world, f.bob, id), None, "one claim at a time");
        world
            .server
            .push(f.bob, Reply::Binary(held.take().unwrap()));
        world.settle();
        assert_eq!(text(&world, f.bob, id).unwrap(), "once", "late: {late}");
        let texts = world.texts(f.bob, f.to_alice);
        assert_eq!(texts, ["once", "one", "two", "three"], "late: {late}");
        nothing_refused(&world, f.bob);
    }
}

#[test]
fn a_reveal_whose_lease_is_extended_without_an_answer_is_asked_for_again() {
    let (mut world, f, id) = burning(false);
    lose_extension(&mut world, f.bob);
    reveal(&mut world, &f, id);
    assert_eq!(text(&world, f.bob, id), None);
    world.advance(11_000);
    assert_eq!(text(&world, f.bob, id).unwrap(), "once");
    nothing_refused(&world, f.bob);
}

#[test]
fn a_claim_without_an_answer_is_made_three_times_and_the_others_go_on() {
    let mut world = World::default();
    world.server.delivers = false;
    let f = world.friends();
    let tab = f.bob;
    let asked = Rc::new(Cell::new(0));
    let (counter, mut lost) = (Rc::clone(&asked), None);
    world.server.tamper = Some(Box::new(move |to, reply| match &reply {
        Reply::Binary(bytes) if to == tab => {
            let id = ParcelRef::decode(bytes).unwrap().message_id;
            if *lost.get_or_insert(id) != id {
                return vec![reply];
            }
            counter.set(counter.get() + 1);
            Vec::new()
        }
        _ => vec![reply],
    }));
    world.close(f.alice);
    let alice = world.sign_in("alice");
    world.say_with(alice, f.to_bob, "one", None, Some(3_600));
    world.close(alice);
    let mut seen = Vec::new();
    for _ in 0..120 {
        world.advance(1_000);
        // The server says nothing of a lease that ends.
        free_all(&mut world);
        seen.push(asked.get());
    }
    assert_eq!((seen[8], seen[10], seen[20], seen[119]), (1, 2, 3, 3));
    // The next connection asks anew.
    world.server.tamper = None;
    world.cut(f.bob);
    world.advance(10_000);
    assert_eq!(world.texts(f.bob, f.to_alice), ["one"]);
}

#[test]
fn a_long_message_may_take_half_a_minute_and_no_longer() {
    for (after_ms, comes) in [(25_000, true), (31_000, false)] {
        let mut world = World::default();
        let f = world.friends();
        world.close(f.bob);
        world.advance(4_000);
        let long = "long ".repeat(4_000);
        world.say_with(f.alice, f.to_bob, &long, None, Some(3_600));
        world.held_up = Some("GET /messages/sealed");
        let bob = world.sign_in("bob");
        let asked = |world: &World| {
            let log = world.server.log.iter();
            log.filter(|line| line.starts_with("GET /messages/sealed/"))
                .count()
        };
        world.advance(after_ms);
        assert_eq!(asked(&world), 0, "it is held up");
        if comes {
            world.arrive();
        } else {
            world.held_up = None;
            world.advance(35_000);
        }
        assert_eq!(world.texts(bob, f.to_alice), [long], "{after_ms}");
        nothing_refused(&world, bob);
    }
}

#[test]
fn a_parcel_that_was_not_asked_for_is_not_fetched() {
    let mut world = World::default();
    let f = world.friends();
    lose_parcels(&mut world, f.bob, 1);
    world.say_with(f.alice, f.to_bob, "hello", None, Some(3_600));
    let other = MessageId::from_bytes([9; 16]);
    let ticket = Ticket::issue(&mut SeededRng::new(1), Direction::Down, 20_000).encode();
    let frame = json!({"t": "claimed_large", "id": other.to_string(),
        "token": "AAAAAAAAAAAAAAAAAAAAAA", "lease_ms": 30_000, "ticket": api::Blob::from(ticket.to_vec())});
    world.server.push(f.bob, Reply::Text(frame));
    world.settle();
    let mut log = world.server.log.iter();
    assert!(!log.any(|line| line.contains("/messages")));
    nothing_refused(&world, f.bob);
    world.advance(45_000);
    assert_eq!(world.texts(f.bob, f.to_alice), ["hello"]);
}

#[test]
fn a_claim_that_is_refused_for_now_is_made_again_after_the_time_that_was_named() {
    let mut world = World::default();
    world.server.delivers = false;
    let f = world.friends();
    let (tab, mut left) = (f.bob, 1);
    world.server.tamper = Some(Box::new(move |to, reply| match &reply {
        Reply::Binary(parcel) if to == tab && left > 0 => {
            left -= 1;
            let id = ParcelRef::decode(parcel).unwrap().message_id;
            let frame = json!({"t": "refused", "re": "claim", "id": id.to_string(),
                "code": "unavailable", "detail": "later", "retry_after": 5});
            vec![Reply::Text(frame)]
        }
        _ => vec![reply],
    }));
    world.say_with(f.alice, f.to_bob, "hello", None, Some(3_600));
    free_all(&mut world);
    world.advance(4_500);
    assert!(world.texts(f.bob, f.to_alice).is_empty());
    world.advance(1_000);
    assert_eq!(world.texts(f.bob, f.to_alice), ["hello"]);
    nothing_refused(&world, f.bob);
}

#[test]
fn a_reveal_that_the_server_refuses_ends_the_message_only_where_it_is_gone() {
    for (code, told, gone) in [
        ("taken", "message-taken", false),
        ("unavailable", "unavailable", false),
        ("gone", "message-gone", true),
    ] {
        let (mut world, f, id) = burning(true);
        let (tab, mut left) = (f.bob, 1);
        world.server.tamper = Some(Box::new(move |to, reply| match &reply {
            Reply::Binary(_) if to == tab && left > 0 => {
                left -= 1;
                let frame = json!({"t": "refused", "re": "claim", "id": id.to_string(),
                    "code": code, "detail": "no"});
                vec![Reply::Text(frame)]
            }
            _ => vec![reply],
        }));
        reveal(&mut world, &f, id);
        assert_eq!(world.failures(f.bob), [told]);
        let view = world.message(f.bob, id).unwrap();
        assert_eq!(view.state == MessageState::Gone, gone, "{code}");
        assert_eq!(view.sealed, !gone, "{code}");
        free_all(&mut world);
        reveal(&mut world, &f, id);
        assert_eq!(text(&world, f.bob, id).is_some(), !gone, "{code}");
    }
}

#[test]
fn a_reveal_whose_lease_the_server_has_forgotten_claims_it_anew() {
    let (mut world, f, id) = burning(false);
    free_all(&mut world);
    reveal(&mut world, &f, id);
    assert_eq!(text(&world, f.bob, id).unwrap(), "once");
    nothing_refused(&world, f.bob);
    assert!(world.failures(f.bob).is_empty());
}

#[test]
fn a_reveal_whose_answer_is_lost_holds_nobody_up_and_can_be_made_again() {
    for late in [false, true] {
        let (mut world, f, id) = burning(late);
        lose_extension(&mut world, f.bob);
        reveal(&mut world, &f, id);
        let next = world.say_with(f.alice, f.to_bob, "next", None, Some(3_600));
        world.advance(9_000);
        assert_eq!(world.message(f.bob, next), None, "late: {late}");
        world.advance(2_000);
        assert_eq!(text(&world, f.bob, next).unwrap(), "next", "late: {late}");
        reveal(&mut world, &f, id);
        world.advance(40_000);
        reveal(&mut world, &f, id);
        assert_eq!(text(&world, f.bob, id).unwrap(), "once", "late: {late}");
        nothing_refused(&world, f.bob);
    }
}

#[test]
fn what_burns_is_shown_for_its_time_and_hiding_ends_only_what_burns_on_reading() {
    for (burn, secs) in [(Burn::OnRead, 120), (Burn::After(30), 30)] {
        for hidden in [false, true] {
            let mut world = World::default();
            let f = world.friends();
            let id = world.say_with(f.alice, f.to_bob, "once", Some(burn), Some(3_600));
            let hide = Command::Hide {
                chat: f.to_alice,
                messages: vec![id],
            };
            world.command(f.bob, hide.clone());
            assert!(world.message(f.bob, id).unwrap().sealed, "not shown yet");
            reveal(&mut world, &f, id);
            world.show(f.bob, f.to_alice, vec![id]);
            world.advance(1_000);
            assert!(text(&world, f.bob, id).is_some(), "{burn:?}");
            if hidden {
                world.command(f.bob, hide);
            }
            world.advance(secs * 1_000 - 2_000);
            let there = !hidden || burn != Burn::OnRead;
            assert_eq!(
                text(&world, f.bob, id).is_some(),
                there,
                "{burn:?} {hidden}"
            );
            world.advance(2_000);
            assert_eq!(text(&world, f.bob, id), None, "{burn:?}");
        }
    }
}

/// Never announces some of the next messages to a tab, by their places, also when sealed anew. Nothing is pushed.
fn keep(world: &mut World, tab: usize, places: &'static [usize]) {
    world.server.delivers = false;
    let mut seen = Vec::new();
    world.server.tamper = Some(Box::new(move |to, reply| match &reply {
        Reply::Text(frame) if to == tab && reply.announces() => {
            if !seen.contains(&frame["id"]) {
                seen.push(frame["id"].clone());
            }
            let place = seen.iter().position(|id| *id == frame["id"]).unwrap();
            if places.contains(&place) {
                Vec::new()
            } else {
                vec![reply]
            }
        }
        _ => vec![reply],
    }));
}

fn let_through(world: &mut World, tab: usize, id: MessageId) {
    world.server.tamper = None;
    let frame = json!({"t": "waiting", "id": id.to_string(), "burn": false, "size": 1,
        "expires_at": world.server.now() + 60, "target": "live",
        "from": world.id("alice").to_string()});
    world.server.push(tab, Reply::Text(frame));
    world.settle();
}

#[test]
fn only_the_missing_message_itself_ends_what_is_said_of_it() {
    for reloaded in [false, true] {
        let mut world = World::default();
        let f = world.friends();
        let (carol, _) = world.register("carol");
        world.befriend(carol, f.bob, "bob");
        for tab in [f.alice, carol] {
            world.say_with(tab, f.to_bob, "zero", None, Some(3_600));
        }
        keep(&mut world, f.bob, &[0]);
        let lost = world.say_with(f.alice, f.to_bob, "lost", None, Some(3_600));
        let alice = if reloaded {
            // The safe takes note of it within five minutes.
            world.advance(301_000);
            world.reload(f.alice)
        } else {
            f.alice
        };
        world.advance(4_000);
        let next = world.say_with(alice, f.to_bob, "next", None, Some(3_600));
        for tab in [carol, alice, carol, alice] {
            world.say_with(tab, f.to_bob, "more", None, Some(3_600));
        }
        assert!(warnings(&world, f.bob, next).is_empty(), "it may come yet");
        world.advance(16_000);
        assert_eq!(warnings(&world, f.bob, next), ["dropped"], "{reloaded}");
        for tab in [carol, alice] {
            world.say_with(tab, f.to_bob, "yet more", None, Some(3_600));
        }
        assert_eq!(warnings(&world, f.bob, next), ["dropped"], "{reloaded}");
        if reloaded {
            // The keys of the live slot are gone by now.
            let name = MessageId::from_bytes(*lost.as_bytes());
            let held = world.server.messages.get_mut(&name).unwrap();
            held.slots.retain(|target, _| target.live_id().is_none());
        }
        let_through(&mut world, f.bob, lost);
        assert!(warnings(&world, f.bob, next).is_empty(), "{reloaded}");
    }
}

#[test]
fn each_gap_is_told_when_its_own_time_has_come() {
    let mut world = World::default();
    let f = world.friends();
    world.say_with(f.alice, f.to_bob, "zero", None, Some(3_600));
    let mut after = Vec::new();
    keep(&mut world, f.bob, &[0, 2]);
    for _ in 0..2 {
        world.say_with(f.alice, f.to_bob, "lost", None, Some(3_600));
        after.push(world.say_with(f.alice, f.to_bob, "next", None, Some(3_600)));
        world.advance(8_000);
    }
    assert_eq!(warnings(&world, f.bob, after[0]), ["dropped"]);
    assert!(warnings(&world, f.bob, after[1]).is_empty());
    world.advance(8_000);
    assert_eq!(warnings(&world, f.bob, after[1]), ["dropped"]);
}

#[test]
fn a_late_message_moves_nothing_while_there_is_room_for_it() {
    let mut world = World::default();
    let f = world.friends();
    world.say(f.alice, f.to_bob, "zero");
    world.swap_announcements(f.bob);
    let one = world.say(f.alice, f.to_bob, "one");
    let two = world.say(f.alice, f.to_bob, "two");
    world.advance(1_000);
    assert_eq!(world.texts(f.bob, f.to_alice), ["zero", "one", "two"]);
    let mut places: Vec<u64> = Vec::new();
    for event in &world.tab(f.bob).events {
        match event {
            Event::Message { message, .. } if message.id == two => places.push(message.place),
            _ => {}
        }
    }
    places.dedup();
    assert_eq!(places.len(), 1);
    assert!(world.message(f.bob, one).unwrap().place < places[0]);
}

#[test]
fn a_sign_of_typing_is_shown_for_five_seconds() {
    let mut world = World::default();
    let f = world.friends();
    world.say(f.alice, f.to_bob, "hello");
    world.advance(6_000);
    let now_ms = world.server.now_ms;
    world.command(f.alice, Command::Typing { chat: f.to_bob });
    let mut events = world.tab(f.bob).events.iter().rev();
    let until = events.find_map(|event| match event {
        Event::Typing { until_ms, .. } => Some(*until_ms),
        _ => None,
    });
    assert_eq!(until, Some(now_ms + 5_000));
}

#[test]
fn a_lease_that_nobody_asked_to_extend_opens_nothing_and_takes_no_claim_away() {
    let (mut world, f, id) = burning(true);
    lose_parcels(&mut world, f.bob, 1);
    reveal(&mut world, &f, id);
    // The parcel is awaited, not the lease.
    let frame = json!({"t": "extended", "id": id.to_string(), "lease_ms": 30_000});
    world.server.push(f.bob, Reply::Text(frame));
    world.settle();
    nothing_refused(&world, f.bob);
    free_all(&mut world);
    world.advance(11_000);
    assert_eq!(text(&world, f.bob, id).unwrap(), "once");
    // Of another message than that under way.
    let (mut world, f, id) = burning(false);
    lose_extension(&mut world, f.bob);
    reveal(&mut world, &f, id);
    let other = MessageId::from_bytes([9; 16]);
    let frame = json!({"t": "refused", "re": "extend", "id": other.to_string(),
        "code": "stale-claim", "detail": "no"});
    let from = world.server.traffic.len();
    world.server.push(f.bob, Reply::Text(frame));
    world.settle();
    let claims = world.server.traffic[from..].iter();
    let mut claims = claims.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(!claims.any(|text| text.contains("\"t\":\"claim\"")));
    let frame = json!({"t": "extended", "id": id.to_string(), "lease_ms": 30_000});
    world.server.push(f.bob, Reply::Text(frame));
    world.settle();
    assert_eq!(text(&world, f.bob, id).unwrap(), "once");
}

#[test]
fn the_whole_list_takes_no_reveal_out_of_the_queue() {
    let mut world = World::default();
    let f = world.friends();
    let burn = Some(Burn::OnRead);
    let id = world.say_with(f.alice, f.to_bob, "once", burn, Some(3_600));
    world.say_with(f.alice, f.to_bob, "zero", None, Some(3_600));
    world.advance(12_000);
    let (tab, mut more, mut lost) = (f.bob, true, 1);
    let late = Rc::new(RefCell::new(None));
    let list = Rc::clone(&late);
    world.server.tamper = Some(Box::new(move |to, mut reply| {
        if to != tab {
            return vec![reply];
        }
        match &mut reply {
            Reply::Text(frame) if frame["t"] == "listed" && list.borrow().is_none() => {
                list.replace(Some(reply));
                return Vec::new();
            }
            Reply::Text(frame) if frame["t"] == "hello" && std::mem::take(&mut more) => {
                frame["more"] = json!(true);
            }
            Reply::Binary(_) if lost > 0 => {
                lost -= 1;
                return Vec::new();
            }
            _ => {}
        }
        vec![reply]
    }));
    world.sockets = false;
    world.cut(f.bob);
    world.say_with(f.alice, f.to_bob, "one", None, Some(3_600));
    world.say_with(f.alice, f.to_bob, "two", None, Some(3_600));
    world.advance(40_000);
    world.sockets = true;
    world.advance(70_000 - 40_000);
    reveal(&mut world, &f, id);
    let list = late.borrow().clone().expect("a list");
    world.server.push(f.bob, list);
    world.settle();
    world.advance(45_000);
    assert_eq!(text(&world, f.bob, id).unwrap(), "once");
    let texts = world.texts(f.bob, f.to_alice);
    assert_eq!(texts, ["once", "zero", "one", "two"]);
}
