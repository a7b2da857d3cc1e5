//! The socket: how often it is tried, and when a silent one is given up.

use std::collections::BTreeSet;

use client::event::{Event, Phase};
use client::testing::{PASSPHRASE, Reply, World};
use client::{Command, Input};
use serde_json::json;

use super::unlock;

/// Whether a tab is online, and when it tries again, as it was told last.
fn connection(world: &World, tab: usize) -> (bool, Option<u64>) {
    let mut events = world.tab(tab).events.iter().rev();
    let told = events.find_map(|event| match event {
        Event::Connection {
            online,
            retry_at_ms,
            ..
        } => Some((*online, *retry_at_ms)),
        _ => None,
    });
    told.unwrap()
}

fn pings(world: &World) -> usize {
    let frames = world.server.traffic.iter();
    let pings = frames.filter(|frame| frame.as_slice() == br#"{"t":"ping"}"#);
    pings.count()
}

/// Nothing that the server says over the socket arrives any more.
fn silent(world: &mut World) {
    world.server.tamper = Some(Box::new(|_, reply| match reply {
        Reply::Text(_) | Reply::Binary(_) => Vec::new(),
        other => vec![other],
    }));
}

/// Lets a tab connect once more; gives how long it waited.
fn reconnect(world: &mut World, tab: usize) -> u64 {
    let (online, at) = connection(world, tab);
    assert!(!online);
    let wait_ms = at.unwrap() - world.server.now_ms;
    world.advance(wait_ms);
    wait_ms
}

#[test]
fn tries_come_further_apart_up_to_half_a_minute_and_not_in_step() {
    let mut shares = BTreeSet::new();
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    for _ in 0..2 {
        world.sockets = false;
        world.cut(tab);
        let doubling = [500, 1_000, 2_000, 4_000, 8_000, 16_000];
        for pause_ms in doubling.into_iter().chain([30_000; 12]) {
            let waited_ms = reconnect(&mut world, tab);
            let (least, most) = (pause_ms / 2, pause_ms);
            assert!((least..=most).contains(&waited_ms), "{waited_ms}: {most}");
            shares.insert((waited_ms - least) * 10 / (most - least));
        }
        world.sockets = true;
        reconnect(&mut world, tab);
        // Once it was greeted the next loss begins anew.
        assert_eq!(connection(&world, tab), (true, None));
    }
    assert!(shares.len() > 5, "spread over all of the pause: {shares:?}");
}

#[test]
fn a_socket_that_stays_silent_for_two_pings_is_given_up() {
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    world.cut(tab);
    let before = pings(&world);
    reconnect(&mut world, tab);
    // Whatever is answered keeps it.
    world.advance(24_999);
    assert_eq!(pings(&world), before);
    world.advance(1);
    assert_eq!(pings(&world), before + 1);
    world.advance(24_999);
    silent(&mut world);
    world.advance(1);
    assert_eq!(pings(&world), before + 2);
    world.advance(24_999);
    assert_eq!(connection(&world, tab), (true, None));
    world.advance(1);
    assert!(!connection(&world, tab).0);
    world.server.tamper = None;
    reconnect(&mut world, tab);
    assert!(connection(&world, tab).0);
}

#[test]
fn a_socket_that_opens_and_is_not_greeted_is_given_up() {
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    world.cut(tab);
    silent(&mut world);
    reconnect(&mut world, tab);
    let before = world.tab(tab).events.len();
    world.advance(24_999);
    assert_eq!(
        world.tab(tab).events.len(),
        before,
        "it may still be greeted"
    );
    world.advance(1);
    let (online, at) = connection(&world, tab);
    assert!(!online && at > Some(world.server.now_ms));
    world.server.tamper = None;
    reconnect(&mut world, tab);
    assert!(connection(&world, tab).0);
}

fn barred(world: &World, tab: usize) -> usize {
    let events = world.tab(tab).events.iter();
    let told =
        |event: &&Event| matches!(event, Event::Notice { code, .. } if code == "socket-barred");
    events.filter(told).count()
}

#[test]
fn two_sockets_in_a_row_that_do_not_open_are_no_accident() {
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    world.server.log.clear();
    world.sockets = false;
    world.cut(tab);
    assert_eq!(world.server.log, Vec::<String>::new(), "this one was open");
    reconnect(&mut world, tab);
    assert_eq!(world.server.log.len(), 1);
    assert!(world.server.log[0].starts_with("GET /ws?live_id="));
    assert_eq!(barred(&world, tab), 0);
    reconnect(&mut world, tab);
    assert_eq!(barred(&world, tab), 1);
    reconnect(&mut world, tab);
    assert_eq!(barred(&world, tab), 1, "told once");
    world.sockets = true;
    reconnect(&mut world, tab);
    // The next ones are counted anew.
    world.sockets = false;
    world.cut(tab);
    reconnect(&mut world, tab);
    assert_eq!(barred(&world, tab), 1);
    reconnect(&mut world, tab);
    assert_eq!(barred(&world, tab), 2);
}

fn notices(world: &World, tab: usize) -> Vec<&str> {
    let events = world.tab(tab).events.iter();
    let told = events.filter_map(|event| match event {
        Event::Notice { code, .. } => Some(code.as_str()),
        _ => None,
    });
    told.collect()
}

/// The server refuses sockets with a code, and asks to wait.
fn refuse_sockets(world: &mut World, status: u16, code: &str, secs: u64) {
    let problem = json!({"code": code, "detail": "The reason.", "retry_after": secs});
    world.server.refuse_sockets = Some((status, problem));
}

#[test]
fn a_refusal_of_the_socket_is_waited_out_and_is_not_called_a_block_on_the_way() {
    for native in [false, true] {
        for (status, code) in [(429, "too-many-requests"), (503, "too-many-connections")] {
            let mut world = World::default();
            world.native = native;
            let (tab, _) = world.register("alice");
            refuse_sockets(&mut world, status, code, 40);
            world.cut(tab);
            world.server.log.clear();
            reconnect(&mut world, tab);
            assert_eq!(world.server.log.len(), usize::from(!native));
            for _ in 0..4 {
                let waited_ms = reconnect(&mut world, tab);
                assert!((40_000..=45_000).contains(&waited_ms), "{waited_ms}");
            }
            assert_eq!(notices(&world, tab), [code], "told once");
            world.server.refuse_sockets = None;
            reconnect(&mut world, tab);
            assert_eq!(connection(&world, tab), (true, None));
            refuse_sockets(&mut world, status, code, 40);
            world.cut(tab);
            reconnect(&mut world, tab);
            assert_eq!(notices(&world, tab), [code, code], "told anew");
        }
    }
}

#[test]
fn a_refusal_that_time_does_not_mend_is_told_in_its_own_words() {
    for native in [false, true] {
        let mut world = World::default();
        world.native = native;
        let (tab, _) = world.register("alice");
        refuse_sockets(&mut world, 403, "foreign-origin", 0);
        world.cut(tab);
        for _ in 0..4 {
            reconnect(&mut world, tab);
        }
        assert_eq!(notices(&world, tab), ["foreign-origin"]);
        let told = |event: &Event| matches!(event, Event::Notice { text, .. } if text.contains("public address"));
        assert!(world.tab(tab).events.iter().any(told));
    }
}

#[test]
fn what_refuses_sockets_on_the_way_is_called_a_block() {
    for native in [false, true] {
        for (status, told) in [(200, 1), (403, 1), (404, 1), (502, 0)] {
            let mut world = World::default();
            world.native = native;
            let (tab, _) = world.register("alice");
            world.server.refuse_sockets = Some((status, json!("<html>")));
            world.cut(tab);
            for _ in 0..4 {
                reconnect(&mut world, tab);
            }
            assert_eq!(barred(&world, tab), told, "{status}");
        }
    }
}

#[test]
fn a_session_that_is_over_is_heard_of_at_the_socket() {
    for native in [false, true] {
        let mut world = World::default();
        world.native = native;
        let (tab, _) = world.register("alice");
        refuse_sockets(&mut world, 401, "signed-out", 0);
        world.cut(tab);
        reconnect(&mut world, tab);
        assert_eq!(world.phase(tab), Phase::Locked);
    }
}

#[test]
fn a_socket_that_the_server_closes_before_it_is_greeted_is_not_blocked_on_the_way() {
    for (code, least_ms) in [(4_400, 0), (4_429, 60_000), (4_503, 0)] {
        let mut world = World::default();
        let (tab, _) = world.register("alice");
        world.cut(tab);
        // The hello does not arrive either.
        world.server.tamper_link = Some(Box::new(|_, _| Vec::new()));
        for _ in 0..4 {
            let waited_ms = reconnect(&mut world, tab);
            world.input(tab, Input::SocketClosed { code });
            assert_eq!(barred(&world, tab), 0, "{code}");
            let again_ms = connection(&world, tab).1.unwrap() - world.server.now_ms;
            assert!(again_ms >= least_ms, "{code}: {waited_ms}, {again_ms}");
        }
    }
}

#[test]
fn a_socket_whose_server_has_greeted_is_not_blocked_on_the_way() {
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    world.cut(tab);
    let mut messages = 0;
    world.server.tamper_link = Some(Box::new(move |_, message| {
        messages += 1;
        // Each try has its hello and nothing more.
        match messages % 2 {
            1 => vec![message],
            _ => Vec::new(),
        }
    }));
    for _ in 0..4 {
        reconnect(&mut world, tab);
        world.input(tab, Input::SocketClosed { code: 1_011 });
    }
    assert_eq!(barred(&world, tab), 0);
}

#[test]
fn an_answer_that_comes_when_the_socket_is_open_again_says_nothing_of_it() {
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    world.sockets = false;
    world.slow = Some("GET /ws");
    world.cut(tab);
    for _ in 0..3 {
        reconnect(&mut world, tab);
    }
    world.sockets = true;
    reconnect(&mut world, tab);
    world.arrive();
    assert_eq!(barred(&world, tab), 0);
    assert_eq!(connection(&world, tab), (true, None));
}

#[test]
fn an_answer_to_what_was_asked_before_a_lock_is_nobodys() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    world.slow = Some("GET /users/by-handle/bob");
    let ask = Command::RequestContact {
        handle: "bob".into(),
        greeting: "".into(),
    };
    world.command(alice, ask);
    world.command(alice, Command::Lock);
    world.command(alice, unlock(PASSPHRASE));
    assert_eq!(world.phase(alice), Phase::Unlocked);
    world.arrive();
    world.advance(4_000);
    assert!(world.chats(alice).is_empty());
    assert!(world.requests(bob).is_empty());
}
