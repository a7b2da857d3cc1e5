//! What the server learns from how a message is refused: nothing of what did not open.

use client::id::MessageId;
use client::testing::{Reply, World};
use protocol::envelope::{Content, Submission};
use protocol::epoch::Handshake;
use protocol::identity::AccountSecrets;
use protocol::ids::UserId;
use serde_json::{Value, json};

use super::forge::{Forged, live_target, stolen};

/// Type, version and suite.
const SLOT_HEADER: usize = 3;

/// What is changed of a message that its recipient would open.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Broken {
    Hint,
    Slot,
    Body,
}

impl Broken {
    fn of(self, submission: &mut Submission) {
        let slot = &mut submission.slots[0].bytes;
        match self {
            // The hint ends the handshake, which is first in the slot.
            Self::Hint => slot[SLOT_HEADER + Handshake::LEN - 1] ^= 1,
            Self::Slot => *slot.last_mut().unwrap() ^= 1,
            Self::Body => *submission.body.last_mut().unwrap() ^= 1,
        }
    }
}

/// What the recipient knows of the sender's keys.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Known {
    Fresh,
    Old,
    /// Those of before: the sender has a new identity.
    Others,
    Never,
    /// The account was erased.
    Gone,
}

/// Whom the server names as the one who posted it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Named {
    Sender,
    Another,
}

/// What a tab asks the server for, in order, from the announcement of a broken message on.
fn refused(known: Known, named: Named, broken: Broken) -> (Vec<String>, Vec<Value>) {
    let mut world = World::default();
    let f = world.acquainted();
    let (sender, secrets) = sender(&mut world, known);
    world.close(f.alice);
    if known == Known::Old {
        world.advance(301_000);
    }
    let bob = world.server.user("bob");
    let target = live_target(&world, f.bob, &bob);
    let id = MessageId::from_bytes([9; 16]);
    let forged = Forged::new(&world, Content::text("hello"), id);
    let mut submission = forged.seal(&world, sender, &secrets, &target);
    broken.of(&mut submission);
    let (other, _) = world.server.plant("another");
    world.server.tamper = Some(Box::new(move |_, mut reply| {
        if let Reply::Text(frame) = &mut reply
            && frame["t"] == "waiting"
        {
            match named {
                Named::Sender => {}
                Named::Another => frame["from"] = json!(other.to_string()),
            }
        }
        vec![reply]
    }));
    if known == Known::Gone {
        world.server.accounts.remove(&sender);
    }
    let (asked, spoken) = (world.server.log.len(), world.server.traffic.len());
    world.server.post_as(sender, &submission.encode());
    world.settle();
    world.advance(15_000);
    assert!(
        world.texts(f.bob, f.to_alice).len() == 2,
        "it does not open"
    );
    let told = world.refusals(f.bob);
    let alarm = told.contains(&"moved-slot".into());
    assert_eq!(alarm, known != Known::Gone, "{told:?}");
    let people = [(sender, "the sender"), (other, "another"), (bob, "oneself")];
    let name = |path: &String| {
        people.iter().fold(path.clone(), |path, (user, name)| {
            path.replace(&user.to_string(), name)
        })
    };
    let asked = world.server.log[asked..].iter().map(name).collect();
    let frames = world.server.traffic[spoken..].iter();
    let frames = frames.filter_map(|bytes| serde_json::from_slice::<Value>(bytes).ok());
    let kinds = frames.map(|frame| frame["t"].clone()).collect();
    (asked, kinds)
}

fn sender(world: &mut World, known: Known) -> (UserId, AccountSecrets) {
    match known {
        Known::Fresh | Known::Old => (world.server.user("alice"), stolen(world, "alice")),
        Known::Others => {
            let alice = world.server.user("alice");
            let (fake, _) = super::forge::swap_keys(world, &alice, 4_720);
            (alice, fake)
        }
        Known::Never | Known::Gone => world.server.plant("mallory"),
    }
}

#[test]
fn the_server_cannot_tell_a_bad_hint_from_a_bad_slot_or_a_bad_body() {
    for (known, named) in [
        (Known::Fresh, Named::Sender),
        (Known::Old, Named::Sender),
        (Known::Others, Named::Sender),
        (Known::Never, Named::Sender),
        (Known::Gone, Named::Sender),
        (Known::Fresh, Named::Another),
    ] {
        let [hint, slot, body] =
            [Broken::Hint, Broken::Slot, Broken::Body].map(|it| refused(known, named, it));
        let told = hint.1.contains(&json!("cannot_open"));
        assert_eq!(told, known != Known::Gone, "{hint:?}");
        let looked_up = hint.0.iter().filter(|line| line.starts_with("GET /users/"));
        assert_eq!(looked_up.count(), 1, "{known:?} {named:?}: {hint:?}");
        assert_eq!(hint, slot, "{known:?} {named:?}");
        assert_eq!(hint, body, "{known:?} {named:?}");
    }
}

#[test]
fn a_message_that_the_server_says_somebody_else_posted_is_not_opened() {
    for named in [Named::Sender, Named::Another] {
        let mut world = World::default();
        let f = world.acquainted();
        let alice = world.server.user("alice");
        let secrets = stolen(&mut world, "alice");
        let poster = match named {
            Named::Sender => alice,
            _ => world.server.plant("mallory").0,
        };
        let bob = world.server.user("bob");
        let target = live_target(&world, f.bob, &bob);
        let id = MessageId::from_bytes([9; 16]);
        let forged = Forged::new(&world, Content::text("hello"), id);
        let submission = forged.seal(&world, alice, &secrets, &target);
        world.server.post_as(poster, &submission.encode());
        world.settle();
        let shown = world.message(f.bob, id).is_some();
        assert_eq!(shown, named == Named::Sender);
        let told = world.refusals(f.bob);
        assert_eq!(told, if shown { vec![] } else { vec!["moved-slot"] });
    }
}

#[test]
fn a_message_of_which_the_server_does_not_say_who_posted_it_is_neither_claimed_nor_opened() {
    for (pushes, told) in [
        (false, &["malformed"][..]),
        (true, &["malformed", "cross-delivered"]),
    ] {
        let mut world = World::default();
        let f = world.acquainted();
        world.server.delivers = pushes;
        world.server.tamper = Some(Box::new(|_, mut reply| {
            if let Reply::Text(frame) = &mut reply
                && (frame["t"] == "waiting" || frame["t"] == "pushed")
            {
                frame.as_object_mut().unwrap().remove("from");
            }
            vec![reply]
        }));
        let spoken = world.server.traffic.len();
        let id = world.say(f.alice, f.to_bob, "from nobody");
        assert!(world.message(f.bob, id).is_none());
        assert_eq!(world.refusals(f.bob), told);
        let frames = world.server.traffic[spoken..].iter();
        let mut frames = frames.filter_map(|bytes| serde_json::from_slice::<Value>(bytes).ok());
        assert!(!frames.any(|frame| frame["t"] == "claim"));
    }
}
