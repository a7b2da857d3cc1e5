//! What the server lists: what is live goes first, and what rests is not claimed again before its time.

use std::cell::RefCell;
use std::rc::Rc;

use client::testing::{Reply, World};
use protocol::envelope::{Content, ParcelRef, Target};
use protocol::ids::MessageId;

use super::forge::{Forged, garbage, live_target, mid};
use super::nothing_refused;
use super::rests::{claims_of, lookups_fail, stranger_asks};

#[test]
fn of_people_who_had_no_turn_whoever_wrote_live_is_heard_first() {
    let mut world = World::default();
    let (tab, _) = world.register("bob");
    let bob = world.server.user("bob");
    let people = ["first", "second", "third"].map(|name| world.server.plant(name).0);
    let seen = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&seen);
    world.server.tamper = Some(Box::new(move |to, reply| {
        if let Reply::Binary(bytes) = &reply
            && to == tab
        {
            let parcel = ParcelRef::decode(bytes).unwrap();
            noted.borrow_mut().push(parcel.message_id.as_bytes()[0]);
            if noted.borrow().len() == 1 {
                // Its claim is under way until the time for an answer is over.
                return Vec::new();
            }
        }
        vec![reply]
    }));
    let account = Target::Account { account: bob };
    let (live_id, _) = world.server.bundle_of(tab);
    let live = Target::Live {
        account: bob,
        live_id,
    };
    for (n, target) in [account, account, live].into_iter().enumerate() {
        garbage(
            &mut world,
            people[n],
            target,
            MessageId::from_bytes([n as u8 + 1; 16]),
        );
        world.settle();
    }
    world.advance(11_000);
    assert_eq!(seen.borrow()[..3], [1, 3, 2]);
}

#[test]
fn the_order_of_the_whole_list_counts_and_not_that_of_its_front() {
    let mut world = World::default();
    let (tab, _) = world.register("bob");
    let account = world.server.user("bob");
    let (poster, _) = world.server.plant("poster");
    world.sockets = false;
    world.cut(tab);
    for id in 1..=3 {
        garbage(
            &mut world,
            poster,
            Target::Account { account },
            MessageId::from_bytes([id; 16]),
        );
    }
    let seen = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&seen);
    world.server.tamper = Some(Box::new(move |_, mut reply| {
        match &mut reply {
            Reply::Text(frame) if frame["t"] == "hello" => {
                // The greeting has the last two, in another order.
                let waiting = frame["waiting"].as_array_mut().unwrap();
                waiting.reverse();
                waiting.pop();
                frame["more"] = true.into();
            }
            Reply::Binary(bytes) => {
                let parcel = ParcelRef::decode(bytes).unwrap();
                noted.borrow_mut().push(parcel.message_id.as_bytes()[0]);
                if noted.borrow().len() == 1 {
                    // Its claim is under way while the list comes.
                    return Vec::new();
                }
            }
            _ => {}
        }
        vec![reply]
    }));
    world.sockets = true;
    world.advance(60_000);
    assert_eq!(seen.borrow()[..3], [3, 1, 2]);
}

#[test]
fn what_rests_is_claimed_again_only_when_it_can_be_opened() {
    let mut world = World::default();
    let (tab, _) = world.register("bob");
    world.advance(4_000);
    lookups_fail(&mut world, tab);
    stranger_asks(&mut world, 50);
    world.settle();
    let id = MessageId::from_bytes([50; 16]);
    // Its lease ends, and the server says that it can be claimed.
    world.advance(35_000);
    assert_eq!(claims_of(&world, id), 1);
    assert!(world.server.messages.contains_key(&mid(id)));
    world.server.tamper = None;
    world.advance(60_000);
    assert_eq!(claims_of(&world, id), 2);
    assert_eq!(world.requests(tab).len(), 1);
    nothing_refused(&world, tab);
}

#[test]
fn what_rests_keeps_the_session_pair_that_it_was_sealed_for() {
    let mut world = World::default();
    let (tab, _) = world.register("bob");
    let bob = world.server.user("bob");
    world.advance(4_000);
    lookups_fail(&mut world, tab);
    let (mallory, secrets) = world.server.plant("mallory");
    let content = Content::Request {
        handle: "mallory".into(),
        alias: "mallory".into(),
        greeting: "hello".into(),
        invite: None,
    };
    let target = live_target(&world, tab, &bob);
    let forged = Forged::new(&world, content, MessageId::from_bytes([50; 16]));
    let submission = forged.seal(&world, mallory, &secrets, &target);
    world.server.post_as(mallory, &submission.encode());
    // Its bucket and the minute after are over.
    world.advance(400_000);
    assert!(world.requests(tab).is_empty());
    world.server.tamper = None;
    world.advance(150_000);
    assert_eq!(world.requests(tab).len(), 1);
    nothing_refused(&world, tab);
}
