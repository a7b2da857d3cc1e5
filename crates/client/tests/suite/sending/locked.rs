//! What was not sent when its writer locked, or was locked out.

use client::Command;
use client::Input;
use client::command::{Burn, SettingsChange};
use client::event::{Event, MessageState, Phase, StateView, UnsentView};
use client::testing::{Friends, PASSPHRASE, Reply, World};
use protocol::ids::MessageId;
use zeroize::Zeroizing;

fn unlock(world: &mut World, tab: usize, passphrase: &str) {
    let passphrase = passphrase.into();
    world.command(tab, Command::Unlock { passphrase });
}

fn last_state(world: &World, tab: usize) -> StateView {
    let mut events = world.tab(tab).events.iter().rev();
    let state = events.find_map(|event| match event {
        Event::State(view) => Some(view.clone()),
        _ => None,
    });
    state.unwrap()
}

/// The sum of what a locked page says.
fn told(world: &World, tab: usize) -> u32 {
    let unsent = last_state(world, tab).unsent;
    unsent.iter().map(|unsent| unsent.messages).sum()
}

fn lost(world: &World, tab: usize) -> usize {
    let events = world.tab(tab).events.iter();
    events
        .filter(|event| matches!(event, Event::Notice { code, .. } if code == "unsent-lost"))
        .count()
}

/// Alice has lost the network; what she says stays with her.
fn offline(world: &mut World, f: &Friends) {
    world.network = false;
    world.cut(f.alice);
}

/// The network is back, and the pause before the next try is over.
fn online(world: &mut World) {
    world.network = true;
    world.advance(31_000);
}

/// Bob's texts, with nothing refused and no warning.
fn heard(world: &mut World, f: &Friends) -> Vec<String> {
    assert_eq!(world.refusals(f.bob), Vec::<String>::new());
    for id in world.ids(f.bob, f.to_alice) {
        let warnings = world.message(f.bob, id).unwrap().warnings;
        assert_eq!(warnings, Vec::<String>::new());
    }
    world.texts(f.bob, f.to_alice)
}

#[test]
fn what_was_said_offline_is_sent_once_after_a_lock_in_order_and_under_its_ids() {
    for overwritten in [false, true] {
        let mut world = World::default();
        let f = world.acquainted();
        offline(&mut world, &f);
        let three = world.say(f.alice, f.to_bob, "three");
        let four = world.say_with(f.alice, f.to_bob, "four", Some(Burn::After(30)), Some(900));
        world.edit(f.alice, f.to_bob, three, "three!");
        world.command(f.alice, Command::Lock);
        let chat = f.to_bob;
        let unsent = vec![UnsentView { chat, messages: 3 }];
        assert_eq!(last_state(&world, f.alice).unsent, unsent);
        online(&mut world);
        if overwritten {
            world.overwrite(f.alice);
            assert_eq!(last_state(&world, f.alice).unsent, unsent);
        }
        world.advance(60_000);
        assert_eq!(world.texts(f.bob, f.to_alice), ["one", "two"]);
        unlock(&mut world, f.alice, PASSPHRASE);
        assert_eq!(last_state(&world, f.alice).unsent, []);
        let ids = world.ids(f.bob, f.to_alice);
        assert_eq!(ids[2..], [three, four]);
        let view = world.message(f.bob, four).unwrap();
        assert_eq!((view.burn, view.sealed), (Burn::After(30), true));
        assert_eq!(heard(&mut world, &f), ["one", "two", "three!"]);
        let own = world.texts(f.alice, f.to_bob);
        assert_eq!(
            own,
            ["three!", "four", "two"],
            "what was not read comes again"
        );
        for id in [three, four] {
            let state = world.message(f.alice, id).unwrap().state;
            assert_eq!(state, MessageState::Delivered);
        }
        // Nothing is left to be sent by the next one.
        world.command(f.alice, Command::Lock);
        assert_eq!(told(&world, f.alice), 0);
    }
}

#[test]
fn an_idle_lock_and_a_session_that_ran_out_keep_it_too() {
    for expires in [false, true] {
        let mut world = World::default();
        let f = world.acquainted();
        let change = SettingsChange {
            lock_after_secs: Some(60),
            ..SettingsChange::default()
        };
        world.command(f.alice, Command::SetSettings(change));
        world.advance(4_000);
        offline(&mut world, &f);
        world.say(f.alice, f.to_bob, "three");
        if expires {
            let alice = world.server.user("alice");
            world.server.revoke(alice);
            online(&mut world);
        } else {
            world.advance(120_000);
        }
        assert_eq!(world.phase(f.alice), Phase::Locked);
        assert_eq!(told(&world, f.alice), 1);
        online(&mut world);
        world.overwrite(f.alice);
        assert_eq!(told(&world, f.alice), 1, "{expires}");
        if expires {
            assert_eq!(world.phase(f.alice), Phase::SignedOut);
            let sign_in = Command::SignIn {
                handle: "alice".to_owned(),
                passphrase: PASSPHRASE.into(),
                device_name: None,
            };
            world.command(f.alice, sign_in);
        } else {
            unlock(&mut world, f.alice, PASSPHRASE);
        }
        assert_eq!(heard(&mut world, &f), ["one", "two", "three"]);
    }
}

#[test]
fn what_was_on_its_way_when_its_writer_locked_arrives_once() {
    let long = "x".repeat(20_000);
    for (text, arrived) in [("three", false), ("three", true), (long.as_str(), true)] {
        let mut world = World::default();
        let f = world.acquainted();
        world.server.tamper = Some(Box::new(move |to, reply| {
            let sent = match &reply {
                Reply::Text(frame) => frame["t"] == "sent",
                _ => false,
            };
            if to == f.alice && sent {
                Vec::new()
            } else {
                vec![reply]
            }
        }));
        if !arrived {
            world.server.lose_socket(f.alice);
        }
        let id = world.say(f.alice, f.to_bob, text);
        let mid = MessageId::from_bytes(*id.as_bytes());
        assert_eq!(world.server.messages.contains_key(&mid), arrived);
        world.command(f.alice, Command::Lock);
        assert_eq!(told(&world, f.alice), 1);
        world.server.tamper = None;
        world.overwrite(f.alice);
        unlock(&mut world, f.alice, PASSPHRASE);
        world.advance(4_000);
        assert_eq!(heard(&mut world, &f), ["one", "two", text]);
        assert_eq!(world.ids(f.bob, f.to_alice)[2], id);
        let state = world.message(f.alice, id).unwrap().state;
        assert_ne!(state, MessageState::Sending);
        // Its number was that of the session before: what follows begins a count of its own.
        world.say(f.alice, f.to_bob, "four");
        assert_eq!(heard(&mut world, &f)[3..], ["four"]);
    }
}

#[test]
fn what_the_server_asked_to_wait_with_is_sent_after_a_lock_and_before_what_follows() {
    let mut world = World::default();
    let f = world.acquainted();
    world
        .server
        .refuse
        .extend(["too-many-requests", "too-many-requests"]);
    world.say(f.alice, f.to_bob, "three");
    world.say(f.alice, f.to_bob, "four");
    world.command(f.alice, Command::Lock);
    assert_eq!(told(&world, f.alice), 2);
    unlock(&mut world, f.alice, PASSPHRASE);
    world.say(f.alice, f.to_bob, "five");
    world.advance(60_000);
    let texts = heard(&mut world, &f);
    assert_eq!(texts, ["one", "two", "three", "four", "five"]);
}

#[test]
fn a_message_that_nobody_live_reads_gets_its_waiting_slot_from_the_session_after_the_lock() {
    let mut world = World::default();
    let f = world.acquainted();
    // Bob's tab hangs: the server still believes it is live.
    world.tabs[f.bob] = None;
    world.server.lose_socket(f.alice);
    let id = world.say(f.alice, f.to_bob, "hello?");
    world.command(f.alice, Command::Lock);
    unlock(&mut world, f.alice, PASSPHRASE);
    assert_eq!(world.message(f.alice, id).unwrap().path, "live");
    world.advance(11_000);
    assert_eq!(world.message(f.alice, id).unwrap().path, "waiting");
    let elsewhere = world.sign_in("bob");
    assert_eq!(world.texts(elsewhere, f.to_alice), ["hello?"]);
    assert_eq!(world.refusals(elsewhere), Vec::<String>::new());
}

#[test]
fn a_wrong_passphrase_changes_nothing() {
    let mut world = World::default();
    let f = world.acquainted();
    offline(&mut world, &f);
    world.say(f.alice, f.to_bob, "three");
    world.command(f.alice, Command::Lock);
    online(&mut world);
    unlock(&mut world, f.alice, "another one");
    assert_eq!(world.phase(f.alice), Phase::Locked);
    world.command(f.alice, Command::Snapshot);
    assert_eq!(told(&world, f.alice), 1);
    unlock(&mut world, f.alice, PASSPHRASE);
    assert_eq!(heard(&mut world, &f), ["one", "two", "three"]);
}

#[test]
fn what_ended_while_it_was_locked_is_told_as_expired_and_not_sent() {
    let mut world = World::default();
    let f = world.acquainted();
    offline(&mut world, &f);
    let short = world.say_with(f.alice, f.to_bob, "short", None, Some(60));
    world.say(f.alice, f.to_bob, "long");
    world.command(f.alice, Command::Lock);
    world.advance(61_000);
    world.network = true;
    unlock(&mut world, f.alice, PASSPHRASE);
    let view = world.message(f.alice, short).unwrap();
    assert_eq!(view.state, MessageState::Expired);
    assert_eq!(view.text.unwrap().expose(), "short", "to send it again");
    assert_eq!(heard(&mut world, &f), ["one", "two", "long"]);
}

#[test]
fn what_was_called_not_sent_is_still_there_to_be_sent_again() {
    let mut world = World::default();
    let f = world.acquainted();
    world.server.refuse.push_back("quota");
    let id = world.say_with(f.alice, f.to_bob, "three", None, Some(900));
    let before = world.message(f.alice, id).unwrap();
    assert_eq!(before.state, MessageState::Failed);
    world.command(f.alice, Command::Lock);
    assert_eq!(told(&world, f.alice), 0, "nothing is sent by unlocking");
    unlock(&mut world, f.alice, PASSPHRASE);
    let view = world.message(f.alice, id).unwrap();
    assert_eq!(view.state, MessageState::Failed);
    assert_eq!(
        (&view.failure, &view.failure_text),
        (&before.failure, &before.failure_text)
    );
    let chat = f.to_bob;
    world.command(f.alice, Command::SendAgain { chat, message: id });
    assert_eq!(heard(&mut world, &f), ["one", "two", "three"]);
    let sent = world
        .server
        .messages
        .values()
        .max_by_key(|held| held.order)
        .unwrap();
    assert_eq!(sent.expires_at - world.server.now(), 900);
}

#[test]
fn what_is_held_for_changed_keys_is_held_after_the_lock_too() {
    let mut world = World::default();
    let f = world.acquainted();
    let passphrase = PASSPHRASE.into();
    world.command(f.bob, Command::NewIdentity { passphrase });
    let id = world.say(f.alice, f.to_bob, "three");
    assert_eq!(
        world.message(f.alice, id).unwrap().state,
        MessageState::Held
    );
    world.command(f.alice, Command::Lock);
    unlock(&mut world, f.alice, PASSPHRASE);
    assert_eq!(
        world.message(f.alice, id).unwrap().state,
        MessageState::Held
    );
    world.command(f.alice, Command::AcceptChangedKey { chat: f.to_bob });
    world.advance(4_000);
    assert_eq!(world.texts(f.bob, f.to_alice), ["one", "two", "three"]);
}

/// Somebody who has said something offline and locked.
fn locked() -> (World, Friends, MessageId) {
    let mut world = World::default();
    let f = world.acquainted();
    offline(&mut world, &f);
    let id = world.say(f.alice, f.to_bob, "three");
    world.command(f.alice, Command::Lock);
    online(&mut world);
    (world, f, id)
}

#[test]
fn signing_out_and_another_account_drop_it() {
    for other in [false, true] {
        let (mut world, f, _) = locked();
        world.command(f.alice, Command::SignOut);
        assert_eq!(world.tab(f.alice).unsent, None);
        let handle = if other { "bob" } else { "alice" };
        let sign_in = |handle: &str| Command::SignIn {
            handle: handle.to_owned(),
            passphrase: PASSPHRASE.into(),
            device_name: None,
        };
        world.command(f.alice, sign_in(handle));
        assert_eq!(world.phase(f.alice), Phase::Unlocked);
        world.advance(12_000);
        assert_eq!(world.texts(f.bob, f.to_alice), ["one", "two"], "{handle}");
        assert_eq!(lost(&world, f.alice), 0);
    }
    // Her session is over, and somebody else signs in to the core that has it.
    let (mut world, f, _) = locked();
    let alice = world.server.user("alice");
    world.server.revoke(alice);
    world.overwrite(f.alice);
    assert_eq!(told(&world, f.alice), 1);
    let sign_in = Command::SignIn {
        handle: "bob".to_owned(),
        passphrase: PASSPHRASE.into(),
        device_name: None,
    };
    world.command(f.alice, sign_in);
    world.command(f.alice, Command::Lock);
    assert_eq!((told(&world, f.alice), lost(&world, f.alice)), (0, 0));
    assert_eq!(world.tab(f.alice).unsent, None);
}

#[test]
fn a_session_of_somebody_else_is_not_told_of_it() {
    let (mut world, f, _) = locked();
    let sealed = world.tab(f.alice).unsent.clone().unwrap();
    let sealed = Zeroizing::new(sealed.as_bytes().to_vec());
    let (carol, _) = world.register("carol");
    world.command(carol, Command::Lock);
    world.overwrite(carol);
    world.input(carol, Input::Unsent(sealed));
    world.command(carol, Command::Snapshot);
    unlock(&mut world, carol, PASSPHRASE);
    world.command(carol, Command::Lock);
    assert_eq!((told(&world, carol), lost(&world, carol)), (0, 0));
}

#[test]
fn deleting_the_account_or_being_thrown_out_drops_it() {
    let mut world = World::default();
    let f = world.acquainted();
    world.server.refuse.push_back("too-many-requests");
    world.say(f.alice, f.to_bob, "three");
    let passphrase = PASSPHRASE.into();
    world.command(f.alice, Command::DeleteAccount { passphrase });
    assert_eq!(world.phase(f.alice), Phase::SignedOut);
    assert_eq!(world.tab(f.alice).unsent, None);
    for code in api::close::SESSION_ENDED..=api::close::ACCOUNT_CLOSED {
        let Some(reason) = api::close::session_over(code) else {
            continue;
        };
        let mut world = World::default();
        let f = world.acquainted();
        world.server.refuse.push_back("too-many-requests");
        world.say(f.alice, f.to_bob, "three");
        world.server.push(f.alice, Reply::Close(code));
        world.settle();
        assert_eq!(world.phase(f.alice), Phase::Locked);
        assert_eq!(world.tab(f.alice).unsent, None, "{reason}");
        assert_eq!((told(&world, f.alice), lost(&world, f.alice)), (0, 1));
    }
}

#[test]
fn after_a_passphrase_was_changed_elsewhere_nothing_opens_it_and_its_writer_is_told() {
    let (mut world, f, _) = locked();
    let elsewhere = world.sign_in("alice");
    let new = "another passphrase of seven long words";
    let change = Command::ChangePassphrase {
        current: PASSPHRASE.into(),
        new: new.into(),
    };
    world.command(elsewhere, change);
    unlock(&mut world, f.alice, new);
    assert_eq!(world.phase(f.alice), Phase::Unlocked);
    world.advance(12_000);
    assert_eq!(lost(&world, f.alice), 1);
    assert_eq!(world.texts(f.bob, f.to_alice), ["one", "two"]);
}

#[test]
fn what_is_kept_tells_nothing_but_how_much_waits_for_whom() {
    let (mut world, f, _) = locked();
    let unsent = world.tab(f.alice).unsent.clone().unwrap();
    assert_eq!(format!("{unsent:?}"), "Unsent { messages: 1, .. }");
    let has = |text: &[u8]| {
        unsent
            .as_bytes()
            .windows(text.len())
            .any(|part| part == text)
    };
    assert!(has(f.to_bob.peer().as_bytes()), "the control");
    assert!(!has(b"three"));
    // Neither does anything of it reach the browser's storage.
    assert_eq!(world.stored(f.alice, "resume"), None);
    let reloaded = world.reload(f.alice);
    assert_eq!(told(&world, reloaded), 0);
    let key = world.server.safe_key("alice", PASSPHRASE);
    let opened = protocol::safe::open_unsent(&key, unsent.as_bytes()).unwrap();
    assert!(
        opened.windows(5).any(|part| part == b"three"),
        "the control"
    );
    let other = world.server.safe_key("bob", PASSPHRASE);
    assert!(protocol::safe::open_unsent(&other, unsent.as_bytes()).is_err());
}

#[test]
fn bytes_that_are_no_such_object_are_nothing() {
    let (mut world, f, _) = locked();
    let sealed = world
        .tab(f.alice)
        .unsent
        .clone()
        .unwrap()
        .as_bytes()
        .to_vec();
    for (cut, left) in [(sealed.len(), 0), (sealed.len() - 60, 0), (1, 1), (0, 1)] {
        let bytes = Zeroizing::new(sealed[..sealed.len() - cut].to_vec());
        world.overwrite(f.alice);
        world.input(f.alice, Input::Unsent(bytes));
        world.command(f.alice, Command::Snapshot);
        assert_eq!(told(&world, f.alice), left, "{cut}");
    }
    let cut = Zeroizing::new(sealed[..sealed.len() - 1].to_vec());
    world.input(f.alice, Input::Unsent(cut));
    unlock(&mut world, f.alice, PASSPHRASE);
    assert_eq!(world.phase(f.alice), Phase::Unlocked);
    assert_eq!(lost(&world, f.alice), 1);
}
