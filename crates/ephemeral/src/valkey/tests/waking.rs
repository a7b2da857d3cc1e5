//! What one instance does reaches the sockets of another.

use super::*;
use crate::{Bundle, Connection, Event, EventSink, Notice, SessionId};

#[derive(Debug, Clone, PartialEq)]
enum Told {
    Event(Event),
    Notice(Notice),
}

/// What an instance was told.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Told>>>);

impl EventSink for Heard {
    fn publish(&self, event: &Event) {
        self.0.lock().unwrap().push(Told::Event(event.clone()));
    }

    fn notify(&self, notice: &Notice) {
        self.0.lock().unwrap().push(Told::Notice(notice.clone()));
    }
}

impl Heard {
    fn until<T>(&self, what: &str, find: impl Fn(&Told) -> Option<T>) -> T {
        servers::until(what, || self.0.lock().unwrap().iter().find_map(&find))
    }

    fn until_available(&self, n: u64) {
        self.until("the announcement", |told| match told {
            Told::Event(Event::Available { item, .. }) => (item.id == message_id(n)).then_some(()),
            _ => None,
        });
    }

    fn until_notice(&self, wanted: &Notice) {
        let is_it = |told: &Told| (*told == Told::Notice(wanted.clone())).then_some(());
        self.until("the notice", is_it);
    }
}

/// Two instances of one plane; Bob is connected to the second.
struct Pair {
    engine: Arc<servers::Valkey>,
    one: Bench,
    other: Bench,
    heard: Heard,
}

fn bob(number: u64) -> Connection {
    Connection {
        account: BOB,
        session: SessionId::from_bytes([1; 32]),
        live: live(1),
        number,
    }
}

fn join(b: &Bench, connection: Connection) {
    let joined = b.vault.plane.presence().join(connection, 2);
    b.vault.wait(joined).unwrap();
}

fn pair() -> Pair {
    let (engine, prefix) = (Arc::new(servers::Valkey::start()), prefix());
    let one = instance(&[&engine], &prefix);
    let other = instance(&[&engine], &prefix);
    let heard = Heard::default();
    other.vault.subscribe(Box::new(heard.clone()));
    join(&other, bob(1));
    Pair {
        engine,
        one,
        other,
        heard,
    }
}

#[test]
fn what_one_instance_posts_is_announced_on_the_instance_that_holds_the_reader() {
    let p = pair();
    let target = [to_live(BOB, 1)];
    p.one.post(message(1, false, &target)).unwrap();
    p.heard.until_available(1);
    let claim = p
        .other
        .vault
        .claim(message_id(1), BOB, Some(live(1)))
        .unwrap();
    assert_eq!(claim.body.expose(), b"sealed body");
    let heard = p.heard.0.lock().unwrap().len();
    let claimed = Heard::default();
    p.one.vault.subscribe(Box::new(claimed.clone()));
    join(
        &p.one,
        Connection {
            account: ALICE,
            ..bob(9)
        },
    );
    p.other
        .vault
        .acknowledge(message_id(1), BOB, &claim.token)
        .unwrap();
    claimed.until("the poster's notice", |told| {
        matches!(told, Told::Event(Event::Acknowledged { .. })).then_some(())
    });
    let told = p.heard.0.lock().unwrap()[heard..].to_vec();
    assert_eq!(told.len(), 1, "its own call told it once: {told:?}");
}

#[test]
fn after_a_lost_subscription_what_was_posted_in_between_is_announced() {
    let p = pair();
    for round in 1..4 {
        p.engine.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]);
        p.one
            .post(message(round, false, &[to_live(BOB, 1)]))
            .unwrap();
        p.heard.until_available(round);
    }
    assert!(
        !p.heard
            .0
            .lock()
            .unwrap()
            .contains(&Told::Notice(Notice::Replaced(bob(1))))
    );
}

#[test]
fn a_connection_is_replaced_ended_and_written_to_from_another_instance() {
    let p = pair();
    let presence = p.one.vault.plane.presence();
    let bundle = Bundle {
        bucket: 7,
        bytes: vec![3; 5],
    };
    let theirs = p.other.vault.plane.presence();
    assert!(p.other.vault.wait(theirs.publish(&bob(1), bundle)));
    let found = p.one.vault.wait(presence.bundles(BOB, 7));
    assert_eq!(found, [(bob(1), vec![3; 5])]);
    p.one.vault.wait(presence.relay(BOB, None, "joined".into()));
    p.heard.until_notice(&Notice::Relayed {
        account: BOB,
        besides: None,
        text: "joined".into(),
    });
    p.one
        .vault
        .wait(presence.end_session(BOB, bob(1).session, 4402));
    p.heard.until_notice(&Notice::Ended {
        account: BOB,
        session: bob(1).session,
        code: 4402,
    });
    assert!(p.one.vault.wait(presence.bundles(BOB, 7)).is_empty());
    join(&p.one, bob(2));
    p.heard.until_notice(&Notice::Replaced(bob(1)));
    assert!(
        !p.other.vault.wait(theirs.leave(&bob(1))),
        "it was replaced"
    );
    assert!(p.one.vault.wait(presence.leave(&bob(2))));
}

#[test]
fn the_end_of_a_session_is_told_to_instances_that_hold_no_socket_of_it() {
    let p = pair();
    let presence = p.one.vault.plane.presence();
    let session = SessionId::from_bytes([2; 32]);
    p.one.vault.wait(presence.end_session(ALICE, session, 4405));
    p.heard.until_notice(&Notice::Ended {
        account: ALICE,
        session,
        code: 4405,
    });
}

#[test]
fn an_end_that_was_told_while_nobody_listened_is_heard_later() {
    let p = pair();
    // The subscription is gone and comes back only after the engine goes on.
    p.engine.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    let presence = p.one.vault.plane.presence();
    p.one
        .vault
        .wait(presence.end_session(BOB, bob(1).session, 4405));
    p.heard.until_notice(&Notice::Ended {
        account: BOB,
        session: bob(1).session,
        code: 4405,
    });
}

#[test]
fn connections_of_an_instance_that_is_gone_count_no_more() {
    let p = pair();
    let presence = p.one.vault.plane.presence();
    let bundle = Bundle {
        bucket: 7,
        bytes: vec![3; 5],
    };
    let theirs = p.other.vault.plane.presence();
    assert!(p.other.vault.wait(theirs.publish(&bob(1), bundle)));
    drop(p.other);
    // Its own time is not waited for.
    let all = p.engine.ask(&["KEYS", "*instances"]);
    let key = all
        .lines()
        .find(|line| line.ends_with("instances"))
        .unwrap();
    p.engine.ask(&["DEL", key]);
    assert!(p.one.vault.wait(presence.bundles(BOB, 7)).is_empty());
    p.one.post(message(1, false, &[to_live(BOB, 1)])).unwrap();
    p.one
        .vault
        .wait(presence.mark_absent(message_id(1), &[to_live(BOB, 1)]));
    assert_eq!(p.one.vault.stranded_for(BOB), [(message_id(1), ALICE)]);
}
