//! Promise 5: signing in from any browser with the passphrase opens everything that waits; and what
//! went to live sessions opens to nobody who learns the passphrase later.

use client::testing::{PASSPHRASE, World};
use protocol::envelope::{
    BodyHash, Content, ParcelRef, SealedSlot, Submission, open_body, open_slot,
};
use protocol::epoch::{EpochPath, LocalParty, PendingEpoch, ReceiverPairs};
use protocol::identity::AccountKeys;
use protocol::prekeys::PairSecrets;
use protocol::safe::{PrekeySafe, SafeContents, open_prekey_safe, open_safe};

#[test]
fn fifty_messages_wait_and_a_browser_that_saw_none_opens_all_after_the_passphrase() {
    let mut world = World::default();
    let f = world.friends();
    world.close(f.bob);
    world.advance(4_000);
    let said: Vec<String> = (0..50).map(|n| format!("waiting {n}")).collect();
    for text in &said {
        world.say(f.alice, f.to_bob, text);
    }
    let held = world.server.messages.clone();
    let fresh = world.sign_in("bob");
    assert_eq!(world.texts(fresh, f.to_alice), said);
    assert_eq!(world.refusals(fresh), Vec::<String>::new());
    world.close(fresh);
    // The last alone, in yet another browser.
    world.server.messages = held;
    let last = *world
        .server
        .messages
        .iter()
        .max_by_key(|(_, held)| held.order)
        .unwrap()
        .0;
    world.server.messages.retain(|id, _| *id == last);
    let another = world.sign_in("bob");
    assert_eq!(world.texts(another, f.to_alice), ["waiting 49"]);
}

/// Everything that the passphrase and every stored version of both safes give.
struct Loot {
    contents: Vec<SafeContents>,
    prekeys: Vec<PrekeySafe>,
}

fn loot(world: &mut World, handle: &str) -> Loot {
    let key = world.server.safe_key(handle, PASSPHRASE);
    let user = world.server.user(handle);
    let account = &world.server.accounts[&user];
    Loot {
        contents: account
            .history
            .iter()
            .map(|(version, data)| open_safe(&key, &user, *version, data).unwrap())
            .collect(),
        prekeys: account
            .prekey_history
            .iter()
            .map(|(version, data)| open_prekey_safe(&key, &user, *version, data).unwrap())
            .collect(),
    }
}

/// Tries to read a text out of anything that went over the line, with all that was looted.
fn texts_in(world: &World, loot: &Loot, me: &str, sender: &str) -> Vec<String> {
    let user = world.server.user(me);
    let account = &world.server.accounts[&user];
    let own = AccountKeys::decode(&account.public_keys).unwrap();
    let from = &world.server.accounts[&world.server.user(sender)].public_keys;
    let from = AccountKeys::decode(from).unwrap();
    let now = world.server.now();
    let mut found = Vec::new();
    for bytes in &world.server.traffic {
        let Ok(parcel) = ParcelRef::decode(bytes) else {
            continue;
        };
        let slot = SealedSlot::decode(parcel.slot).unwrap();
        for safe in &loot.prekeys {
            let all: Vec<&PairSecrets> = safe.iter().map(|(_, entry)| &entry.pair).collect();
            let named = safe.pairs_for(&slot.handshake).ok();
            // Whatever the handshake names, every private key is tried in its place.
            let guesses = all.iter().map(|pair| ReceiverPairs {
                signed: pair,
                one_time: None,
            });
            for pairs in named.into_iter().chain(guesses) {
                let Ok(pending) = PendingEpoch::begin(&slot.handshake, pairs, now) else {
                    continue;
                };
                for contents in &loot.contents {
                    let party = LocalParty {
                        user_id: user,
                        secrets: &contents.secrets,
                        keys: &own,
                    };
                    let Ok(again) = PendingEpoch::begin(&slot.handshake, pairs, now) else {
                        continue;
                    };
                    let Ok(epoch) = again.finish(&party, &from) else {
                        continue;
                    };
                    let hash = BodyHash::of(parcel.body);
                    let opened =
                        open_slot(&epoch, &slot, &parcel.target, &parcel.message_id, &hash)
                            .and_then(|content| open_body(&content.key, parcel.body));
                    if let Ok(body) = opened
                        && let Content::Text { text, .. } = body.content
                    {
                        found.push(text.as_str().to_owned());
                    }
                }
                drop(pending);
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn with_passphrase_every_safe_and_all_traffic_a_live_message_does_not_open_and_a_waiting_one_does()
{
    let mut world = World::default();
    let f = world.friends();
    let live = world.say(f.alice, f.to_bob, "said while both were there");
    world.show(f.bob, f.to_alice, vec![live]);
    world.advance(5_000);
    world.close(f.bob);
    world.advance(4_000);
    world.say(f.alice, f.to_bob, "said while bob was away");
    let bob = world.sign_in("bob");
    assert_eq!(world.texts(bob, f.to_alice), ["said while bob was away"]);
    let looted = loot(&mut world, "bob");
    assert!(looted.contents.len() > 1 && !looted.prekeys.is_empty());
    // The live message is in the recording …
    let recorded = world.server.traffic.iter().filter(|bytes| {
        Submission::decode(bytes).is_ok_and(|sent| {
            sent.message_id.as_bytes() == live.as_bytes()
                && sent.slots.iter().all(|slot| {
                    SealedSlot::decode(&slot.bytes).unwrap().handshake.path() == EpochPath::Live
                })
        })
    });
    assert_eq!(recorded.count(), 1);
    // … and only the waiting one opens.
    let found = texts_in(&world, &looted, "bob", "alice");
    assert_eq!(found, ["said while bob was away"]);
    // Nor does either text appear anywhere as it was typed.
    for bytes in &world.server.traffic {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains("said while"));
    }
}
