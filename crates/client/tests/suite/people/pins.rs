//! Pins in several sessions of one account: what is asked, and what is joined.

use client::Command;
use client::command::SettingsChange;
use client::event::{Event, MessageState};
use client::testing::{Friends, PASSPHRASE, Reply, World};

/// Two sessions of Alice, who is a contact of Bob; the second has Bob's keys as well where it is said.
fn two_sessions(knows: bool) -> (World, Friends, usize) {
    let mut world = World::default();
    let f = world.acquainted();
    let second = world.sign_in("alice");
    world.advance(4_000);
    if knows {
        world.say(second, f.to_bob, "from the second");
    }
    // What was fetched is old by now.
    world.advance(20_000);
    world.server.log.clear();
    (world, f, second)
}

/// Requests for somebody's keys.
fn asked(world: &World, f: &Friends) -> usize {
    let path = format!("GET /users/{}", f.to_bob);
    let log = world.server.log.iter();
    log.filter(|line| **line == path).count()
}

/// Something that makes the other session join the safe.
fn switch(world: &mut World, tab: usize, typing: bool) {
    let change = SettingsChange {
        typing: Some(typing),
        ..SettingsChange::default()
    };
    world.command(tab, Command::SetSettings(change));
}

/// The server shows other keys for Bob from now on; gives the true ones.
fn swap(world: &mut World) -> Vec<u8> {
    swap_for(world, "mallory")
}

fn swap_for(world: &mut World, name: &str) -> Vec<u8> {
    let (other, _) = world.server.plant(name);
    let keys = world.server.accounts[&other].public_keys.clone();
    show(world, keys)
}

fn show(world: &mut World, keys: Vec<u8>) -> Vec<u8> {
    let bob = world.server.user("bob");
    let account = world.server.accounts.get_mut(&bob).unwrap();
    std::mem::replace(&mut account.public_keys, keys)
}

fn key_changed(world: &World, tab: usize) -> bool {
    world.chats(tab)[0].key_changed
}

#[test]
fn a_join_that_changes_no_pin_takes_no_keys_away() {
    let (mut world, f, second) = two_sessions(true);
    world.say(f.bob, f.to_alice, "three");
    world.server.log.clear();
    switch(&mut world, second, false);
    switch(&mut world, f.alice, false);
    world.say(f.bob, f.to_alice, "four");
    world.advance(40_000);
    for tab in [f.alice, second] {
        assert_eq!(world.texts(tab, f.to_bob).last().unwrap(), "four");
    }
    assert_eq!(asked(&world, &f), 0);
}

#[test]
fn other_keys_that_one_session_saw_are_asked_about_once_by_the_others() {
    let (mut world, f, second) = two_sessions(true);
    let genuine = swap(&mut world);
    let held = world.say(f.alice, f.to_bob, "to whom?");
    assert_eq!(
        world.message(f.alice, held).unwrap().state,
        MessageState::Held
    );
    assert!(key_changed(&world, f.alice));
    assert!(key_changed(&world, second), "it has asked");
    assert_eq!(asked(&world, &f), 1, "who has seen it does not ask");
    // The answer is known: what else is joined raises no further question.
    for on in [false, true] {
        switch(&mut world, f.alice, on);
        switch(&mut world, second, on);
        world.advance(1_000);
    }
    assert_eq!(asked(&world, &f), 1);
    // The pinned keys are back, each session has seen them, and the mark waits for the person.
    show(&mut world, genuine);
    world.advance(10_000);
    for tab in [f.alice, second] {
        world.say(tab, f.to_bob, "again");
        world.advance(4_000);
        assert!(!key_changed(&world, tab));
        assert!(world.chats(tab)[0].key_changed_back);
    }
    let before = asked(&world, &f);
    for on in [false, true] {
        switch(&mut world, f.alice, on);
        switch(&mut world, second, on);
        world.advance(1_000);
    }
    assert_eq!(asked(&world, &f), before);
}

#[test]
fn keys_that_were_shown_in_the_same_second_as_others_are_asked_for_again() {
    let (mut world, f, second) = two_sessions(true);
    world.advance(60_000 - world.server.now_ms % 1_000);
    assert_eq!(world.server.now_ms % 1_000, 0);
    world.say(second, f.to_bob, "to the pinned keys");
    world.server.log.clear();
    swap(&mut world);
    world.say(f.alice, f.to_bob, "to whom?");
    assert_eq!(asked(&world, &f), 1);
    assert!(key_changed(&world, f.alice) && key_changed(&world, second));
}

#[test]
fn each_other_identity_that_the_server_shows_is_refused_once() {
    let mut world = World::default();
    let f = world.acquainted();
    world.close(f.bob);
    let swapped = |world: &World| {
        let refused = world.refusals(f.alice);
        refused.iter().filter(|code| *code == "swapped-key").count()
    };
    for (name, expected) in [("mallory", 1), ("trudy", 2)] {
        swap_for(&mut world, name);
        for words in ["who?", "and who?"] {
            world.advance(4_000);
            world.say(f.alice, f.to_bob, words);
            world.advance(4_000);
            assert_eq!(swapped(&world), expected, "{name}");
        }
    }
}

#[test]
fn accepting_a_new_identity_releases_what_another_session_has_held_back() {
    for knows in [false, true] {
        let (mut world, f, second) = two_sessions(knows);
        let passphrase = PASSPHRASE.into();
        world.command(f.bob, Command::NewIdentity { passphrase });
        world.advance(4_000);
        let held = world.say(second, f.to_bob, "is it you?");
        assert_eq!(
            world.message(second, held).unwrap().state,
            MessageState::Held
        );
        assert!(key_changed(&world, f.alice));
        world.command(f.alice, Command::AcceptChangedKey { chat: f.to_bob });
        assert!(!key_changed(&world, second), "{knows}");
        let heard = world.texts(f.bob, f.to_alice);
        assert_eq!(heard.last().unwrap(), "is it you?", "{knows}");
    }
}

#[test]
fn what_was_held_back_goes_out_although_keys_cannot_be_looked_up_now() {
    let (mut world, f, second) = two_sessions(false);
    let passphrase = PASSPHRASE.into();
    world.command(f.bob, Command::NewIdentity { passphrase });
    world.advance(4_000);
    // Its memory has none of Bob's keys but those that it is shown now.
    let second = world.reload(second);
    world.say(second, f.to_bob, "is it you?");
    world.server.tamper = Some(Box::new(move |tab, mut reply| {
        if let Reply::Json {
            request, status, ..
        } = &mut reply
            && tab == second
            && request.starts_with("GET /users/")
        {
            *status = 503;
        }
        vec![reply]
    }));
    world.command(f.alice, Command::AcceptChangedKey { chat: f.to_bob });
    let heard = world.texts(f.bob, f.to_alice);
    assert_eq!(heard.last().unwrap(), "is it you?");
}

#[test]
fn two_sessions_that_pin_different_keys_for_one_person_are_told_and_nobody_else_is() {
    for swapped in [false, true] {
        let mut world = World::default();
        let (alice, _) = world.register("alice");
        world.register("bob");
        let second = world.sign_in("alice");
        world.advance(4_000);
        let (mallory, _) = world.server.plant("mallory");
        let keys = client_keys(&world, &mallory);
        world.server.tamper = Some(Box::new(move |tab, mut reply| {
            if let Reply::Json { request, body, .. } = &mut reply
                && swapped
                && tab == second
                && request == "GET /users/by-handle/bob"
            {
                body["public_keys"] = keys.clone();
            }
            vec![reply]
        }));
        world.held_up = Some("PUT /safe");
        for tab in [alice, second] {
            world.command(tab, super::ask("bob"));
        }
        world.arrive();
        world.advance(10_000);
        let told = [alice, second].map(|tab| {
            let merged =
                |event: &Event| matches!(event, Event::Notice { code, .. } if code == "safe-merged");
            world.tab(tab).events.iter().any(merged)
        });
        assert_eq!(told, [swapped; 2]);
    }
}

fn client_keys(world: &World, user: &protocol::ids::UserId) -> serde_json::Value {
    use base64::Engine;
    let keys = &world.server.accounts[user].public_keys;
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .encode(keys)
        .into()
}
