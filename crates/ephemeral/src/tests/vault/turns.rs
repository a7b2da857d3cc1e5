use super::*;

const DAVE: UserId = UserId::from_bytes([0xD; 16]);

fn post_as(b: &Bench, poster: UserId, n: u64, targets: &[Target]) {
    let reservation = b.vault.reserve(poster, 4096, 64).unwrap();
    b.vault
        .put(reservation, message(n, false, targets))
        .unwrap();
}

fn waiting(b: &Bench) -> Vec<MessageId> {
    let items = b.vault.waiting_for(BOB, None).into_iter();
    items.map(|item| item.id).collect()
}

pub(crate) fn posters_take_turns_and_each_ones_messages_stay_in_order(open: Open) {
    let b = bench(open);
    for n in 0..50 {
        post_as(&b, ALICE, n, &[Target::Account(BOB)]);
    }
    for n in [100, 101] {
        post_as(&b, CAROL, n, &[Target::Account(BOB)]);
    }
    post_as(&b, DAVE, 200, &[Target::Account(BOB)]);
    let expected: Vec<_> = [0, 100, 200, 1, 101, 2, 3].map(message_id).to_vec();
    assert_eq!(waiting(&b)[..7], expected);
    assert_eq!(waiting(&b).len(), 53);
    // Who posted it is told with it.
    assert_eq!(b.vault.waiting_for(BOB, None)[1].poster, CAROL);
    // What cannot be claimed takes no turn.
    let _claim = b.vault.claim(message_id(0), BOB, None).unwrap();
    let expected: Vec<_> = [1, 100, 200, 2, 101, 3].map(message_id).to_vec();
    assert_eq!(waiting(&b)[..6], expected);
}

pub(crate) fn what_somebody_has_not_read_of_a_poster_is_counted(open: Open) {
    let b = bench(open);
    let beside = message_id(99);
    let holds = |most| b.vault.holds_unread(ALICE, BOB, most, beside);
    assert!(holds(0) && !holds(1));
    for n in 1..4 {
        let targets = [Target::Account(BOB), Target::Account(CAROL)];
        post_as(&b, ALICE, n, &targets);
    }
    post_as(&b, CAROL, 4, &[Target::Account(BOB)]);
    post_as(&b, ALICE, 5, &[Target::Account(CAROL)]);
    assert!(holds(3) && !holds(4));
    assert!(!b.vault.holds_unread(ALICE, BOB, 3, message_id(1)));
    // Claimed or refused it is still held; read it is not, though others have not read it.
    let claim = b.vault.claim(message_id(1), BOB, None).unwrap();
    assert!(holds(3));
    b.vault
        .cannot_open(message_id(1), BOB, &claim.token)
        .unwrap();
    assert!(holds(3));
    let claim = b.vault.claim(message_id(2), BOB, None).unwrap();
    b.vault
        .acknowledge(message_id(2), BOB, &claim.token)
        .unwrap();
    assert!(holds(2) && !holds(3));
    b.clock.advance(MINUTE);
    b.vault.purge_due(usize::MAX);
    assert!(!holds(1) && b.is_pristine());
}
