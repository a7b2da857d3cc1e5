//! Slots by the names under which the server speaks of them, and what only copies for own sessions say.

use client::command::{ChatChange, Command, SettingsChange};
use client::event::MessageState;
use client::testing::{Reply, World};
use protocol::envelope::{SlotSet, Target};
use protocol::ids::LiveId;

use super::{all_read, says};

fn session(world: &World, tab: usize) -> LiveId {
    let (live, _) = world.server.bundle_of(tab);
    live
}

/// Slots that were made since for messages that the server had.
fn added(world: &World, from: usize) -> Vec<Target> {
    let sent = world.server.traffic[from..].iter();
    sent.filter_map(|bytes| SlotSet::decode(bytes).ok())
        .flat_map(|set| set.slots.into_iter().map(|slot| slot.target))
        .collect()
}

#[test]
fn only_the_session_that_could_not_open_its_slot_gets_another_one() {
    for second in [false, true] {
        let mut world = World::default();
        let f = all_read(&mut world);
        let other = world.sign_in("bob");
        world.advance(4_000);
        let id = world.say(f.alice, f.to_bob, "three");
        let from = world.server.traffic.len();
        let name = session(&world, if second { other } else { f.bob });
        says(&mut world, &f, id, "cannot_open", (name, true));
        let added = added(&world, from);
        assert_eq!(added.len(), 1);
        let live = added[0].live_id().expect("a live session");
        assert_eq!(live.as_bytes(), name.as_bytes());
    }
}

#[test]
fn of_a_message_with_both_the_slot_of_the_account_is_what_its_name_means() {
    let mut world = World::default();
    let f = all_read(&mut world);
    // Bob's tab hangs: the server still believes it is live.
    world.tabs[f.bob] = None;
    let id = world.say(f.alice, f.to_bob, "three");
    world.advance(12_000);
    let from = world.server.traffic.len();
    says(&mut world, &f, id, "cannot_open", (f.to_bob, false));
    let account = world.server.user("bob");
    assert_eq!(added(&world, from), [Target::Account { account }]);
}

#[test]
fn nothing_is_sealed_for_a_name_that_no_slot_has() {
    for live_only in [false, true] {
        let mut world = World::default();
        let f = all_read(&mut world);
        let change = ChatChange {
            live_only: Some(live_only),
            ..ChatChange::default()
        };
        let chat = f.to_bob;
        world.command(f.alice, Command::SetChat { chat, change });
        if !live_only {
            world.close(f.bob);
            world.advance(4_000);
        }
        let id = world.say(f.alice, f.to_bob, "three");
        let from = world.server.traffic.len();
        for live in [false, true] {
            let name = (LiveId::from_bytes([7; 16]), live);
            says(&mut world, &f, id, "cannot_open", name);
            world.advance(2_000);
        }
        assert_eq!(added(&world, from), [], "{live_only}");
    }
}

#[test]
fn what_becomes_of_a_copy_for_an_own_session_says_nothing_of_the_recipient() {
    for away in [false, true] {
        let mut world = World::default();
        let f = all_read(&mut world);
        world.server.delivers = false;
        let second = world.sign_in("alice");
        // Bob's tab hangs, or he is away.
        world.tabs[f.bob] = None;
        if away {
            world.server.disconnect(f.bob);
        }
        world.advance(4_000);
        let id = world.say(f.alice, f.to_bob, "three");
        let name = session(&world, second);
        for word in ["claimed", "acknowledged", "cannot_open", "expired"] {
            let from = world.server.traffic.len();
            says(&mut world, &f, id, word, (name, true));
            let view = world.message(f.alice, id).unwrap();
            assert_eq!(view.state, MessageState::Waiting, "{word}");
            assert_eq!(added(&world, from), []);
        }
        says(&mut world, &f, id, "claimed", (f.to_bob, false));
        let view = world.message(f.alice, id).unwrap();
        assert_eq!(view.state, MessageState::Delivered);
    }
}

#[test]
fn a_copy_tells_an_own_session_of_a_state_of_the_safe_that_the_server_kept_quiet_about() {
    let mut world = World::default();
    let f = all_read(&mut world);
    let second = world.sign_in("alice");
    world.advance(60_000);
    world.server.tamper = Some(Box::new(move |tab, reply| match &reply {
        Reply::Text(frame) if tab == second && frame["t"] == "safe" => Vec::new(),
        _ => vec![reply],
    }));
    let change = SettingsChange {
        typing: Some(false),
        ..SettingsChange::default()
    };
    world.command(f.alice, Command::SetSettings(change));
    world.advance(4_000);
    let reads = |world: &World| {
        let log = world.server.log.iter();
        log.filter(|line| line.starts_with("GET /safe")).count()
    };
    let before = reads(&world);
    world.say(f.alice, f.to_bob, "three");
    assert_eq!(reads(&world), before + 1);
}
