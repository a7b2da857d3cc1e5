//! The link: what a wrong server, or somebody on the way, does to its handshake and its frames.

use std::cell::RefCell;
use std::rc::Rc;

use client::Command;
use client::event::Event;
use client::testing::{FakeServer, Friends, PASSPHRASE, Reply, TamperLink, World};
use protocol::link::FRAME_SIZES;
use protocol::suite::ObjectType;
use serde_json::json;

use super::{nothing_refused, refused};

/// Puts somebody on the way to one tab.
fn on_the_way(
    world: &mut World,
    of: usize,
    mut act: impl FnMut(Vec<u8>) -> Vec<Vec<u8>> + 'static,
) {
    let tamper: TamperLink = Box::new(move |tab, message| match tab == of {
        true => act(message),
        false => vec![message],
    });
    world.server.tamper_link = Some(tamper);
}

/// Bytes of the server's word that a link is active, all of which are sealed.
const ACTIVE_LEN: usize = 3 + 16 + 32 + 16 + 16;

fn is(message: &[u8], kind: ObjectType) -> bool {
    match kind {
        ObjectType::LinkActive => message.len() == ACTIVE_LEN,
        _ => message.starts_with(&[kind as u8, 1, 1]) && !is_frame(message),
    }
}

fn is_frame(message: &[u8]) -> bool {
    FRAME_SIZES.contains(&message.len())
}

fn online(world: &World, tab: usize) -> bool {
    let mut events = world.tab(tab).events.iter().rev();
    let told = events.find_map(|event| match event {
        Event::Connection { online, .. } => Some(*online),
        _ => None,
    });
    told.unwrap()
}

fn told(world: &World, tab: usize, code: &str) -> usize {
    let refusals = world.refusals(tab);
    refusals.iter().filter(|refused| *refused == code).count()
}

/// The connection of a tab breaks and is opened anew for a minute.
fn reconnect(world: &mut World, tab: usize) {
    world.cut(tab);
    world.advance(60_000);
}

/// Once nobody is on the way any more the link is opened, and messages come through.
fn recovers(world: &mut World, f: &Friends) {
    world.server.tamper_link = None;
    world.server.tamper = None;
    world.advance(60_000);
    assert!(online(world, f.bob));
    world.say(f.alice, f.to_bob, "in the end");
    world.advance(4_000);
    let texts = world.texts(f.bob, f.to_alice);
    assert_eq!(texts.last().map(String::as_str), Some("in the end"));
}

#[test]
fn a_link_is_opened_by_signature_once_and_then_by_the_key_that_the_last_one_left() {
    let mut world = World::default();
    let f = world.acquainted();
    world.server.opens.clear();
    for _ in 0..3 {
        reconnect(&mut world, f.bob);
    }
    assert_eq!(world.server.opens, [true, true, true]);
    world.command(f.bob, Command::Lock);
    let passphrase = PASSPHRASE.into();
    world.command(f.bob, Command::Unlock { passphrase });
    assert!(online(&world, f.bob));
    assert_eq!(world.server.opens[3..], [false], "a lock forgets the key");
    world.server.restart();
    world.advance(60_000);
    assert!(online(&world, f.bob));
    // Both tabs were connected; the next run of the server knows no key of the last.
    assert_eq!(world.server.opens[4..], [false, false]);
    nothing_refused(&world, f.bob);
    recovers(&mut world, &f);
}

#[test]
fn a_key_that_the_server_does_not_know_any_more_is_followed_by_a_signature() {
    let mut world = World::default();
    let f = world.acquainted();
    world.server.opens.clear();
    world.server.forget_links();
    reconnect(&mut world, f.bob);
    assert_eq!(world.server.opens, [true, false]);
    nothing_refused(&world, f.bob);
    recovers(&mut world, &f);
}

#[test]
fn a_link_of_another_server_is_refused_before_anything_is_sent() {
    let mut world = World::default();
    let f = world.acquainted();
    let other = FakeServer::new(world.server.now_ms, 99).link_hello();
    on_the_way(&mut world, f.bob, move |message| {
        match is(&message, ObjectType::LinkHello) {
            true => vec![other.clone()],
            false => vec![message],
        }
    });
    world.server.opens.clear();
    reconnect(&mut world, f.bob);
    assert_eq!(told(&world, f.bob, "other-server"), 1, "told once");
    assert!(!online(&world, f.bob) && world.server.opens.is_empty());
    let barred = |event: &Event| matches!(event, Event::Connection { barred: true, .. });
    assert!(!world.tab(f.bob).events.iter().any(barred), "it answered");
    recovers(&mut world, &f);
}

#[test]
fn a_hello_that_was_changed_is_refused_before_anything_is_sent() {
    // Fingerprint, boot id, instance, bucket, expiry, both keys, and the signature.
    for at in [3, 67, 83, 99, 107, 115, 147, 1_715, 6_405] {
        let mut world = World::default();
        let f = world.acquainted();
        on_the_way(&mut world, f.bob, move |mut message| {
            if is(&message, ObjectType::LinkHello) {
                message[at] ^= 1;
            }
            vec![message]
        });
        world.server.opens.clear();
        reconnect(&mut world, f.bob);
        let codes = ["other-server", "broken-link"];
        assert!(
            codes.iter().any(|code| refused(&world, f.bob, code)),
            "{at}"
        );
        assert!(!online(&world, f.bob) && world.server.opens.is_empty());
    }
}

#[test]
fn a_hello_of_an_old_bucket_is_refused_and_asks_for_the_clock_to_be_set() {
    let mut world = World::default();
    let f = world.acquainted();
    let old = world.server.link_hello();
    for (after_ms, good) in [(300_000, true), (300_001, false)] {
        world.advance(after_ms);
        let old = old.clone();
        on_the_way(&mut world, f.bob, move |message| {
            match is(&message, ObjectType::LinkHello) {
                true => vec![old.clone()],
                false => vec![message],
            }
        });
        reconnect(&mut world, f.bob);
        assert_eq!(refused(&world, f.bob, "link-clock"), !good, "{after_ms}");
        assert!(!online(&world, f.bob), "the server knows the pair no more");
    }
    let mut events = world.tab(f.bob).events.iter();
    assert!(
        events.any(|event| matches!(event, Event::Refused { code, text, .. }
        if code == "link-clock" && text.contains("Set the clock of this device")))
    );
    recovers(&mut world, &f);
}

#[test]
fn a_hello_waits_for_the_signed_boot_id_and_is_given_up_where_it_does_not_come() {
    let mut world = World::default();
    let f = world.acquainted();
    world.command(f.bob, Command::Lock);
    world.server.tamper = Some(Box::new(|_, mut reply| {
        if let Reply::Json {
            request, status, ..
        } = &mut reply
            && request == "GET /server"
        {
            *status = 503;
        }
        vec![reply]
    }));
    world.server.opens.clear();
    let passphrase = PASSPHRASE.into();
    world.command(f.bob, Command::Unlock { passphrase });
    world.advance(60_000);
    assert!(!online(&world, f.bob) && world.server.opens.is_empty());
    recovers(&mut world, &f);
}

#[test]
fn a_hello_of_another_run_than_the_server_has_signed_is_not_answered() {
    let mut world = World::default();
    let f = world.acquainted();
    let (id, signed) = world.server.boot.clone();
    let boot = json!({"id": id.to_string(), "signed": api::Blob::from(signed.encode())});
    world.server.tamper = Some(Box::new(move |_, mut reply| {
        if let Reply::Json { request, body, .. } = &mut reply
            && request == "GET /server"
        {
            body["boot"] = boot.clone();
        }
        vec![reply]
    }));
    world.server.opens.clear();
    world.server.restart();
    world.advance(60_000);
    assert!(!online(&world, f.bob) && world.server.opens.is_empty());
    recovers(&mut world, &f);
}

#[test]
fn a_server_that_speaks_before_its_turn_is_refused() {
    let mut world = World::default();
    let f = world.acquainted();
    on_the_way(&mut world, f.bob, move |message| {
        match is(&message, ObjectType::LinkHello) {
            true => vec![message.clone(), message],
            false => vec![message],
        }
    });
    reconnect(&mut world, f.bob);
    assert!(refused(&world, f.bob, "broken-link") && !online(&world, f.bob));
    recovers(&mut world, &f);
}

#[test]
fn an_answer_of_another_handshake_opens_no_link() {
    for kind in [ObjectType::LinkOpened, ObjectType::LinkActive] {
        let mut world = World::default();
        let f = world.acquainted();
        let before = Rc::new(RefCell::new(None));
        let kept = Rc::clone(&before);
        on_the_way(&mut world, f.bob, move |message| {
            if is(&message, kind) {
                kept.replace(Some(message.clone()));
            }
            vec![message]
        });
        reconnect(&mut world, f.bob);
        assert!(online(&world, f.bob));
        let replayed = before.take().expect("an answer");
        on_the_way(&mut world, f.bob, move |message| match is(&message, kind) {
            true => vec![replayed.clone()],
            false => vec![message],
        });
        nothing_refused(&world, f.bob);
        reconnect(&mut world, f.bob);
        assert!(refused(&world, f.bob, "broken-link"), "{kind:?}");
        assert!(!online(&world, f.bob));
        recovers(&mut world, &f);
    }
}

/// What is done to the frames with which the server announces a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attack {
    None,
    Reorder,
    Drop,
    Repeat,
    OfAnotherLink,
    OfTheLinkBefore,
    Truncate,
    Shorten,
    Lengthen,
    Change,
    Text,
    Nothing,
}

impl Attack {
    /// One of the frames, and those after it, which are told by their number.
    fn act(
        self,
        number: usize,
        frame: Vec<u8>,
        other: &[u8],
        held: &mut Vec<Vec<u8>>,
    ) -> Vec<Vec<u8>> {
        if number > 0 {
            let mut frames = vec![frame];
            frames.append(held);
            return frames;
        }
        let len = frame.len();
        match self {
            Self::None => vec![frame],
            Self::Reorder => {
                held.push(frame);
                Vec::new()
            }
            Self::Drop => Vec::new(),
            Self::Repeat => vec![frame.clone(), frame],
            Self::OfAnotherLink | Self::OfTheLinkBefore => vec![other.to_vec()],
            Self::Truncate => vec![frame[..len - 1].to_vec()],
            Self::Shorten => vec![frame[..len / 2].to_vec()],
            Self::Lengthen => vec![[frame.clone(), frame].concat()],
            Self::Change => {
                let mut frame = frame;
                frame[len / 2] ^= 1;
                vec![frame]
            }
            Self::Text => vec![
                json!({"t": "safe", "version": 9, "prekey_version": 9})
                    .to_string()
                    .into_bytes(),
            ],
            Self::Nothing => vec![Vec::new()],
        }
    }
}

/// A frame that goes to a tab, which is taken away.
fn taken_from(world: &mut World, tab: usize) -> Vec<u8> {
    let taken = Rc::new(RefCell::new(Vec::new()));
    let sink = Rc::clone(&taken);
    on_the_way(world, tab, move |message| match is_frame(&message) {
        true => {
            sink.borrow_mut().push(message);
            Vec::new()
        }
        false => vec![message],
    });
    world.server.push(tab, Reply::Text(json!({"t": "pong"})));
    world.settle();
    world.server.tamper_link = None;
    let mut taken = taken.borrow_mut();
    taken.pop().expect("a frame")
}

#[test]
fn a_frame_that_is_not_the_next_of_its_link_ends_it_and_nothing_of_it_is_believed() {
    use Attack::*;
    for attack in [
        None,
        Reorder,
        Drop,
        Repeat,
        OfAnotherLink,
        OfTheLinkBefore,
        Truncate,
        Shorten,
        Lengthen,
        Change,
        Text,
        Nothing,
    ] {
        let mut world = World::default();
        let f = world.acquainted();
        let other = match attack {
            OfAnotherLink => taken_from(&mut world, f.alice),
            _ => taken_from(&mut world, f.bob),
        };
        reconnect(&mut world, f.alice);
        reconnect(&mut world, f.bob);
        let refusals = world.refusals(f.bob).len();
        let told = world.tab(f.bob).events.len();
        world.server.opens.clear();
        let (mut number, mut held) = (0, Vec::new());
        on_the_way(&mut world, f.bob, move |message| {
            if !is_frame(&message) {
                return vec![message];
            }
            let frames = attack.act(number, message, &other, &mut held);
            number += 1;
            frames
        });
        for _ in 0..2 {
            let frame = json!({"t": "joined"});
            world.server.push(f.bob, Reply::Text(frame));
        }
        world.settle();
        let ended = world.refusals(f.bob).len() > refusals;
        assert_eq!(ended, attack != None, "{attack:?}");
        if ended {
            assert!(refused(&world, f.bob, "broken-link"), "{attack:?}");
            assert!(!online(&world, f.bob), "{attack:?}");
            let log = &world.server.log;
            assert!(
                !log.iter().any(|line| line.contains("version=9")),
                "{attack:?}"
            );
        } else {
            assert_eq!(world.tab(f.bob).events.len(), told);
        }
        world.server.tamper_link = Option::None;
        world.advance(2_000);
        let opens: &[bool] = if ended { &[true] } else { &[] };
        assert_eq!(world.server.opens, opens, "{attack:?}");
        recovers(&mut world, &f);
    }
}

#[test]
fn what_an_enemy_on_the_way_takes_away_is_shown_once_the_link_was_opened_anew() {
    let mut world = World::default();
    let f = world.acquainted();
    let mut frames = 0;
    on_the_way(&mut world, f.bob, move |message| {
        frames += usize::from(is_frame(&message));
        match frames {
            1 if is_frame(&message) => Vec::new(),
            _ => vec![message],
        }
    });
    world.say(f.alice, f.to_bob, "three");
    world.say(f.alice, f.to_bob, "four");
    world.advance(10_000);
    let texts = world.texts(f.bob, f.to_alice);
    assert_eq!(texts, ["one", "two", "three", "four"]);
    assert!(refused(&world, f.bob, "broken-link"));
}

#[test]
fn a_link_is_renewed_by_time_and_by_frames_and_goes_on() {
    let mut world = World::default();
    let f = world.acquainted();
    world.server.opens.clear();
    world.advance(3_000_000);
    for _ in 0..5_000 {
        world.server.push(f.bob, Reply::Text(json!({"t": "pong"})));
    }
    world.settle();
    world.advance(25_000);
    assert!(online(&world, f.bob) && world.server.opens.is_empty());
    nothing_refused(&world, f.bob);
    recovers(&mut world, &f);
}

#[test]
fn a_link_that_was_not_renewed_is_over_and_another_one_is_opened_without_a_word() {
    let mut world = World::default();
    let f = world.acquainted();
    world.server.opens.clear();
    world.server.now_ms += 600_000;
    world.advance(4_000);
    assert!(online(&world, f.bob) && online(&world, f.alice));
    assert_eq!(world.server.opens.len(), 2);
    nothing_refused(&world, f.bob);
    recovers(&mut world, &f);
}
