//! Nodes that are away, and nodes that begin anew.

use super::*;
use crate::{
    ClaimError, Connection, Event, EventSink, LeaseError, MessageState, Notice, SessionId,
};

#[derive(Clone, Default)]
struct Notices(Arc<Mutex<Vec<Notice>>>);

impl EventSink for Notices {
    fn publish(&self, _: &Event) {}

    fn notify(&self, notice: &Notice) {
        self.0.lock().unwrap().push(notice.clone());
    }
}

fn connection(account: UserId) -> Connection {
    Connection {
        account,
        session: SessionId::from_bytes([1; 32]),
        live: live(1),
        number: 1,
    }
}

#[test]
fn what_lay_at_a_node_that_began_anew_is_gone_and_its_accounts_are_told() {
    let mut engine = servers::Valkey::start();
    let b = instance(&[&engine], "anew:");
    let notices = Notices::default();
    b.vault.subscribe(Box::new(notices.clone()));
    let presence = b.vault.plane.presence();
    b.vault.wait(presence.join(connection(BOB), 2)).unwrap();
    for n in 1..3 {
        b.post(message(n, false, &[Target::Account(BOB)])).unwrap();
    }
    let claim = b.vault.claim(message_id(2), BOB, None).unwrap();
    let drawn = b.vault.plane.drawn();
    let secrets = || {
        let boot = wait(drawn.boot_id()).ok()?;
        Some((boot, wait(drawn.token_key()).ok()?))
    };
    let before = secrets().unwrap();
    assert!(
        b.vault
            .wait(b.vault.plane.tokens().use_up(&[1; 24], u64::MAX >> 20))
    );
    engine.kill();
    let away = wait(b.vault.plane.vault().claim(message_id(1), BOB, None));
    assert!(away.is_err(), "nobody is served while it is away");
    assert!(wait(b.vault.plane.tokens().use_up(&[2; 24], 9)).is_err());
    engine.start_again();
    let told = || (!notices.0.lock().unwrap().is_empty()).then_some(());
    servers::until("the notice", told);
    assert_eq!(*notices.0.lock().unwrap(), [Notice::Lost(connection(BOB))]);
    let after = servers::until("its secrets", secrets);
    assert_ne!(before.0, after.0);
    assert_ne!(
        before.1, after.1,
        "a token that was used does not open any more"
    );
    let gone = b.vault.claim(message_id(1), BOB, None);
    assert!(matches!(gone, Err(ClaimError::Gone)));
    let late = b.vault.acknowledge(message_id(2), BOB, &claim.token);
    assert_eq!(late, Err(LeaseError::Gone));
    let status = b.vault.status(ALICE, &[message_id(1)]);
    assert_eq!(status[0].state, MessageState::Unknown);
    assert_eq!(b.vault.stats().messages, 0);
    b.post(message(1, false, &[Target::Account(BOB)])).unwrap();
}

#[test]
fn a_node_that_does_not_answer_is_given_up_and_serves_again_in_the_same_epoch() {
    let engine = servers::Valkey::start();
    let b = instance(&[&engine], "frozen:");
    b.post(message(1, false, &[Target::Account(BOB)])).unwrap();
    let boot = || b.vault.wait(b.vault.plane.drawn().boot_id());
    let before = boot();
    engine.freeze();
    assert!(wait(b.vault.plane.vault().waiting_for(BOB, None)).is_err());
    engine.thaw();
    let waiting = || wait(b.vault.plane.vault().waiting_for(BOB, None)).ok();
    assert_eq!(servers::until("the node", waiting).len(), 1);
    assert_eq!(boot(), before);
}

#[test]
fn room_that_was_reserved_before_a_node_began_anew_takes_no_message_and_leaves_no_byte() {
    let mut engine = servers::Valkey::start();
    let b = instance(&[&engine], "room:");
    let room = b.vault.reserve(ALICE, 4096, 1).unwrap();
    engine.start_again();
    let asked = || wait(b.vault.plane.vault().stats()).ok();
    servers::until("the node", asked);
    let new = message(1, false, &[Target::Account(BOB)]);
    assert!(wait(b.vault.plane.vault().put(room, new)).is_err());
    assert!(b.is_pristine());
}

#[test]
fn what_the_last_instance_leaves_behind_is_wiped_and_while_another_runs_nothing_is() {
    let engine = engine();
    let prefix = prefix();
    let one = instance(&[&engine], &prefix);
    let other = instance(&[&engine], &prefix);
    one.post(message(1, false, &[Target::Account(BOB)]))
        .unwrap();
    let half = Zeroizing::new(vec![1; 32]);
    let halves = one.vault.plane.resume_halves();
    let session = SessionId::from_bytes([1; 32]);
    one.vault.wait(halves.keep(session, half, u64::MAX >> 20));
    assert_eq!(one.vault.wipe_all(), 0);
    drop(one);
    assert_eq!(other.vault.waiting_for(BOB, None).len(), 1);
    assert_eq!(other.vault.wipe_all(), 1);
    assert!(other.is_pristine());
}
