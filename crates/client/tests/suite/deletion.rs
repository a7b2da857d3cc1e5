//! Deleting one's account, without a network.

use client::Command;
use client::event::{Event, MessageState, Phase, StateView};
use client::testing::{Friends, PASSPHRASE, World};

const REQUEST: &str = "POST /account/delete";

fn delete(world: &mut World, tab: usize, passphrase: &str) {
    let passphrase = passphrase.into();
    world.command(tab, Command::DeleteAccount { passphrase });
}

fn reason(world: &World, tab: usize) -> String {
    let states = world.tab(tab).events.iter().rev();
    let mut reasons = states.filter_map(|event| match event {
        Event::State(StateView { reason, .. }) => Some(reason.clone()),
        _ => None,
    });
    reasons.next().unwrap()
}

fn failure(world: &World, tab: usize) -> Option<(String, String)> {
    world
        .tab(tab)
        .events
        .iter()
        .rev()
        .find_map(|event| match event {
            Event::Failed { during, code, .. } => Some((during.clone(), code.clone())),
            _ => None,
        })
}

/// Keys of what a browser keeps of an account.
fn kept(world: &World, f: &Friends, tab: usize) -> [bool; 2] {
    ["resume".to_owned(), format!("safe.{}", f.to_bob)].map(|key| world.stored(tab, &key).is_some())
}

#[test]
fn a_wrong_passphrase_deletes_nothing_and_everything_is_as_it_was() {
    let mut world = World::default();
    let f = world.acquainted();
    delete(&mut world, f.bob, "a guess");
    let expected = ("delete_account".to_owned(), "wrong-passphrase".to_owned());
    assert_eq!(failure(&world, f.bob), Some(expected));
    assert_eq!(world.phase(f.bob), Phase::Unlocked);
    assert!(!world.server.log.contains(&REQUEST.to_owned()));
    assert_eq!(kept(&world, &f, f.bob), [true, true]);
    world.say(f.bob, f.to_alice, "still here");
    assert_eq!(world.texts(f.alice, f.to_bob).last().unwrap(), "still here");
}

#[test]
fn a_deleted_account_leaves_nothing_in_the_browser_and_nobody_signs_in_to_it() {
    let mut world = World::default();
    let f = world.acquainted();
    let elsewhere = world.sign_in("bob");
    delete(&mut world, f.bob, PASSPHRASE);
    assert_eq!(world.phase(f.bob), Phase::SignedOut);
    assert_eq!(reason(&world, f.bob), "deleted");
    assert_eq!(kept(&world, &f, f.bob), [false, false]);
    assert_ne!(world.phase(elsewhere), Phase::Unlocked);
    assert_eq!(reason(&world, elsewhere), "expired");

    let handle = || "bob".to_owned();
    let passphrase = || PASSPHRASE.into();
    for tab in [f.bob, elsewhere] {
        let again = world.reload(tab);
        assert_eq!(world.phase(again), Phase::SignedOut);
        let sign_in = Command::SignIn {
            handle: handle(),
            passphrase: passphrase(),
            device_name: None,
        };
        world.command(again, sign_in);
        let refused = failure(&world, again).unwrap();
        assert_eq!(refused.1, "sign-in-failed", "as for a handle nobody has");
    }
}

#[test]
fn the_answer_decides_also_when_the_socket_closes_before_it_comes() {
    let mut world = World::default();
    let f = world.acquainted();
    world.slow = Some(REQUEST);
    delete(&mut world, f.bob, PASSPHRASE);
    assert_eq!(world.phase(f.bob), Phase::Unlocked, "nothing is known yet");
    world.command(f.bob, Command::Cancel);
    world.arrive();
    assert_eq!(world.phase(f.bob), Phase::SignedOut);
    assert_eq!(reason(&world, f.bob), "deleted");
    assert_eq!(kept(&world, &f, f.bob), [false, false]);
}

#[test]
fn a_failure_after_the_session_has_ended_is_told_and_ends_it_here_too() {
    let mut world = World::default();
    let f = world.acquainted();
    world.server.tamper = Some(Box::new(|_, reply| match reply {
        client::testing::Reply::Json { request, body, .. } if request == REQUEST => {
            vec![client::testing::Reply::Json {
                request,
                status: 503,
                body,
            }]
        }
        other => vec![other],
    }));
    world.slow = Some(REQUEST);
    delete(&mut world, f.bob, PASSPHRASE);
    world.arrive();
    assert_eq!(failure(&world, f.bob).unwrap().1, "server-error");
    assert_ne!(world.phase(f.bob), Phase::Unlocked);
    assert_eq!(reason(&world, f.bob), "expired");
}

#[test]
fn where_no_answer_comes_the_account_is_as_it_was_unless_the_session_has_ended() {
    for ended in [false, true] {
        let mut world = World::default();
        let f = world.acquainted();
        world.slow = Some("POST /session/reauth/finish");
        delete(&mut world, f.bob, PASSPHRASE);
        world.network = false;
        if ended {
            // Its end is heard of after the request went out and before that fails.
            let bob = world.server.user("bob");
            world.server.revoke(bob);
        }
        world.arrive();
        let expected = ("delete_account".to_owned(), "offline".to_owned());
        assert_eq!(failure(&world, f.bob), Some(expected));
        if ended {
            assert_eq!(world.phase(f.bob), Phase::Locked);
            assert_eq!(reason(&world, f.bob), "expired");
        } else {
            assert_eq!(world.phase(f.bob), Phase::Unlocked);
            assert_eq!(kept(&world, &f, f.bob), [true, true]);
        }
        assert_eq!(world.server.accounts.len(), 2);
    }
}

#[test]
fn the_last_administrator_is_told_why_and_stays_signed_in() {
    let mut world = World::default();
    let f = world.acquainted();
    let bob = world.server.user("bob");
    world.server.make_administrator(bob);
    delete(&mut world, f.bob, PASSPHRASE);
    let refused = failure(&world, f.bob).unwrap();
    assert_eq!(refused.1, "last-administrator");
    assert_eq!(world.phase(f.bob), Phase::Unlocked);
    assert_eq!(kept(&world, &f, f.bob), [true, true]);
    world.say(f.bob, f.to_alice, "still here");
    assert_eq!(world.texts(f.alice, f.to_bob).last().unwrap(), "still here");
}

#[test]
fn whoever_writes_to_a_deleted_account_is_told_that_it_does_not_exist_any_more() {
    let mut world = World::default();
    let f = world.acquainted();
    delete(&mut world, f.bob, PASSPHRASE);
    world.advance(4_000);
    let id = world.say(f.alice, f.to_bob, "are you there?");
    let view = world.message(f.alice, id).unwrap();
    assert_eq!(view.state, MessageState::Failed);
    assert_eq!(view.failure.as_deref(), Some("account-gone"));
    let expected = ("send".to_owned(), "account-gone".to_owned());
    assert_eq!(failure(&world, f.alice), Some(expected));
    assert_eq!(world.texts(f.alice, f.to_bob)[..2], ["one", "two"]);
}
