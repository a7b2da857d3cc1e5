//! Who is connected, and how to write to them.

use std::sync::Mutex;

use super::*;
use crate::{Bundle, Connection, Event, EventSink, Notice, SessionId, TooManySockets};

fn connection(account: UserId, session: u8, of: u8, number: u64) -> Connection {
    Connection {
        account,
        session: SessionId::from_bytes([session; 32]),
        live: live(of),
        number,
    }
}

fn bundle(bucket: u64) -> Bundle {
    Bundle {
        bucket,
        bytes: vec![7; 3],
    }
}

/// Collects notices.
#[derive(Clone, Default)]
struct Notices(Arc<Mutex<Vec<Notice>>>);

impl EventSink for Notices {
    fn publish(&self, _: &Event) {}

    fn notify(&self, notice: &Notice) {
        self.0.lock().unwrap().push(notice.clone());
    }
}

fn noticed(b: &Bench) -> Notices {
    let notices = Notices::default();
    b.vault.subscribe(Box::new(notices.clone()));
    notices
}

impl Notices {
    fn take(&self) -> Vec<Notice> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Bench {
    fn join(&self, connection: Connection) -> Result<(), TooManySockets> {
        let presence = self.vault.plane.presence();
        self.vault.wait(presence.join(connection, 2))
    }

    fn leave(&self, connection: Connection) -> bool {
        self.vault
            .wait(self.vault.plane.presence().leave(&connection))
    }

    fn publish(&self, connection: Connection, bundle: Bundle) -> bool {
        let presence = self.vault.plane.presence();
        self.vault.wait(presence.publish(&connection, bundle))
    }

    /// The live sessions of Bob's that have a bundle for this bucket.
    fn reachable(&self, bucket: u64) -> Vec<LiveId> {
        let presence = self.vault.plane.presence();
        let found = self.vault.wait(presence.bundles(BOB, bucket)).into_iter();
        found.map(|(connection, _)| connection.live).collect()
    }
}

pub(crate) fn a_session_holds_as_many_connections_as_it_may_and_a_live_id_only_one(open: Open) {
    let b = bench(open);
    let notices = noticed(&b);
    let (first, second) = (connection(BOB, 1, 1, 1), connection(BOB, 1, 2, 2));
    b.join(first).unwrap();
    b.join(second).unwrap();
    assert_eq!(b.join(connection(BOB, 1, 3, 3)), Err(TooManySockets));
    b.join(connection(BOB, 2, 3, 4)).unwrap();
    assert_eq!(notices.take(), []);
    let again = connection(BOB, 1, 1, 5);
    b.join(again).unwrap();
    assert_eq!(notices.take(), [Notice::Replaced(first)]);
    for gone in [first, second, again, connection(BOB, 2, 3, 4)] {
        b.leave(gone);
    }
    assert!(b.is_pristine());
}

pub(crate) fn a_session_whose_connection_was_replaced_has_not_left(open: Open) {
    let b = bench(open);
    let (first, again) = (connection(BOB, 1, 1, 1), connection(BOB, 1, 1, 2));
    b.join(first).unwrap();
    b.join(again).unwrap();
    b.post(message(1, false, &[to_live(BOB, 1)])).unwrap();
    let _held = b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    assert!(!b.leave(first));
    assert!(b.vault.waiting_for(BOB, Some(live(1))).is_empty());
    assert!(b.leave(again));
    assert_eq!(b.vault.waiting_for(BOB, Some(live(1))).len(), 1);
    assert_eq!(b.vault.stranded_for(BOB), [(message_id(1), ALICE)]);
}

pub(crate) fn a_bundle_is_found_in_its_bucket_and_while_it_is_connected(open: Open) {
    let b = bench(open);
    let (one, other) = (connection(BOB, 1, 1, 1), connection(BOB, 1, 2, 2));
    b.join(one).unwrap();
    b.join(other).unwrap();
    assert!(b.publish(one, bundle(10)));
    assert!(!b.publish(one, bundle(11)), "it had one");
    assert!(b.publish(other, bundle(9)));
    let mut reachable = b.reachable(9);
    reachable.sort_unstable();
    assert_eq!(reachable, [live(1), live(2)]);
    assert_eq!(b.reachable(11), [live(1)]);
    assert!(b.reachable(12).is_empty());
    let presence = b.vault.plane.presence();
    let (found, bytes) = b.vault.wait(presence.bundles(BOB, 11)).remove(0);
    assert_eq!((found, bytes), (one, bundle(11).bytes));
    b.leave(one);
    assert!(b.reachable(10).is_empty());
    assert!(!b.publish(one, bundle(11)), "it is gone");
    assert!(b.reachable(10).is_empty());
}

pub(crate) fn a_bundle_is_withdrawn_by_its_connection_only(open: Open) {
    let b = bench(open);
    let (first, again) = (connection(BOB, 1, 1, 1), connection(BOB, 1, 1, 2));
    b.join(first).unwrap();
    b.join(again).unwrap();
    b.publish(again, bundle(10));
    let presence = b.vault.plane.presence();
    b.vault.wait(presence.withdraw(&first));
    assert_eq!(b.reachable(10), [live(1)]);
    b.vault.wait(presence.withdraw(&again));
    assert!(b.reachable(10).is_empty());
    assert!(b.publish(again, bundle(10)), "the first once more");
    b.vault.wait(presence.withdraw_all(BOB));
    assert!(b.reachable(10).is_empty());
}

pub(crate) fn a_session_that_ends_cannot_be_written_to_and_its_connections_are_told(open: Open) {
    let b = bench(open);
    let notices = noticed(&b);
    let (one, other) = (connection(BOB, 1, 1, 1), connection(BOB, 2, 2, 2));
    for each in [one, other] {
        b.join(each).unwrap();
        b.publish(each, bundle(10));
    }
    let presence = b.vault.plane.presence();
    let ended = presence.end_session(BOB, one.session, 4001);
    b.vault.wait(ended);
    assert_eq!(b.reachable(10), [live(2)]);
    let ended = Notice::Ended {
        account: BOB,
        session: one.session,
        code: 4001,
    };
    assert_eq!(notices.take(), [ended]);
    let told = presence.relay(BOB, Some(live(2)), "joined".into());
    b.vault.wait(told);
    let relayed = Notice::Relayed {
        account: BOB,
        besides: Some(live(2)),
        text: "joined".into(),
    };
    assert_eq!(notices.take(), [relayed]);
}

pub(crate) fn what_is_posted_to_a_session_that_is_gone_counts_as_left(open: Open) {
    let b = bench(open);
    b.join(connection(BOB, 1, 1, 1)).unwrap();
    let targets = [to_live(BOB, 1), to_live(CAROL, 1), Target::Account(ALICE)];
    b.post(message(1, false, &targets)).unwrap();
    let presence = b.vault.plane.presence();
    b.vault.wait(presence.mark_absent(message_id(1), &targets));
    assert!(b.vault.stranded_for(BOB).is_empty());
    assert_eq!(b.vault.stranded_for(CAROL), [(message_id(1), ALICE)]);
}
