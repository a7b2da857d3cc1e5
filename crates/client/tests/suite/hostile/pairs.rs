//! How long a server can make a session keep the private half of a bundle.

use client::id::MessageId;
use client::testing::{Friends, Reply, World};
use protocol::envelope::Content;
use serde_json::{Value, json};

use super::forge::{Forged, live_target};
use super::refused;

/// More than are asked for within the time of these tests.
const ANNOUNCED: u8 = 100;

/// Messages that the server lists and never hands out.
fn announced() -> Vec<Value> {
    let one = |byte| {
        json!({"id": MessageId::from_bytes([byte; 16]).to_string(), "burn": false, "size": 1,
            "expires_at": 4_102_444_800_u64, "target": "live",
            "from": MessageId::from_bytes([0xee; 16]).to_string()})
    };
    (1..=ANNOUNCED).map(one).collect()
}

/// The server never answers a claim of this tab.
fn answer_no_claims(world: &mut World, of: usize) {
    world.server.tamper = Some(Box::new(move |tab, reply| match &reply {
        Reply::Text(frame) if tab == of && frame["re"] == "claim" => Vec::new(),
        _ => vec![reply],
    }));
}

/// Keeps bob's claims under way from the moment on at which his pair was made; afterwards mallory writes
/// to the bundle of then. Where the server repeats one time, it greets again and again with that.
fn opened_after(secs: u64, repeats: bool) -> (World, Friends, bool) {
    let mut world = World::default();
    let mut f = world.friends();
    world.close(f.bob);
    f.bob = world.sign_in("bob");
    let (mallory, secrets) = world.server.plant("mallory");
    let bob = world.server.user("bob");
    let target = live_target(&world, f.bob, &bob);
    let id = MessageId::from_bytes([0xff; 16]);
    let forged = Forged::new(&world, Content::text("to the key of then"), id);
    let submission = forged.seal(&world, mallory, &secrets, &target);
    answer_no_claims(&mut world, f.bob);
    let then = world.server.now();
    let boot = world.server.boot.0.to_string();
    let greeting = json!({"t": "hello", "boot_id": boot, "now": then, "waiting": announced(),
        "more": false, "stranded": []});
    let mut passed = 0;
    while passed < secs {
        if passed == 0 || repeats {
            world.server.push(f.bob, Reply::Text(greeting.clone()));
            world.settle();
        }
        let step = (secs - passed).min(250);
        world.advance(step * 1_000);
        passed += step;
    }
    // From here on claims are answered; the one under way runs out first.
    world.server.tamper = None;
    world.server.post_as(mallory, &submission.encode());
    world.settle();
    world.advance(10_000);
    let opened = world.requests(f.bob).len() == 1;
    (world, f, opened)
}

#[test]
fn a_queue_of_claims_that_is_kept_full_keeps_a_session_pair_for_eleven_minutes_and_no_longer() {
    for repeats in [false, true] {
        let (world, f, opened) = opened_after(645, repeats);
        assert!(opened, "{repeats}: {:?}", world.refusals(f.bob));
        let (world, f, opened) = opened_after(661, repeats);
        assert!(!opened, "{repeats}");
        assert!(refused(&world, f.bob, "cannot-open"), "{repeats}");
    }
}
