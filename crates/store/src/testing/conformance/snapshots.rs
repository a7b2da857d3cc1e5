use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Fixture;
use crate::testing::sample::{self, NOW, event, handle, session_id, user_id};
use crate::{Claim, Restored, Snapshot, SnapshotError, Store, mark_restored};

async fn take(store: &Store, fixture: &impl Fixture) -> Snapshot {
    let copied = Box::new(|done, total| assert!(done <= total));
    store.snapshot(fixture.copy(), copied).await.unwrap()
}

fn rows(tables: &[(String, u64)], table: &str) -> u64 {
    let found = tables.iter().find(|(name, _)| name == table);
    found.unwrap().1
}

pub async fn a_copy_has_everything_but_what_a_restore_withdraws(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 0..3, 4).await;
    let live = store.table_counts().await.unwrap();
    assert_eq!(rows(&live, "sessions"), 3);
    let copy = take(&store, fixture).await;
    assert_eq!(copy.audit, store.audit_tip().await.unwrap());
    assert_eq!(copy.schema, store.report().schema);
    for (table, expected) in &live {
        let expected = match table.as_str() {
            "sessions" | "prekey_safes" | "prekey_batches" | "prekeys" => 0,
            _ => *expected,
        };
        assert_eq!(rows(&copy.tables, table), expected, "{table}");
    }
    assert_eq!(store.table_counts().await.unwrap(), live, "nothing changed");

    let copied = fixture.open_copy();
    assert_eq!(copied.verify_audit_chain().await.unwrap(), copy.audit);
    assert_eq!(copied.restored().await.unwrap(), None);
    for number in 0..3 {
        let id = user_id(number);
        let user = copied.user_by_handle(&handle(number)).await.unwrap();
        assert_eq!(user.unwrap().user_id, id);
        let (safe, prekey_safe) = copied.safes(id).await.unwrap().unwrap();
        assert_eq!(
            (safe.data, safe.wraps),
            (sample::safe(1).data, sample::safe(1).wraps)
        );
        assert_eq!((prekey_safe.version, prekey_safe.data.len()), (0, 0));
        let session = copied.find_session(session_id(number), NOW).await.unwrap();
        assert_eq!(session, None);
        let stock = copied.prekey_stock(id, NOW).await.unwrap().unwrap();
        assert_eq!((stock.one_time, stock.batch_number), (0, 1));
        for claim in [Claim::OneTime, Claim::LastResort] {
            assert_eq!(copied.claim_prekey(id, claim, NOW).await.unwrap(), None);
        }
        let keys = copied.public_keys(id).await.unwrap().unwrap();
        assert!(keys.signed_prekey.is_empty() && keys.quantum_public_key.is_empty());
        assert_eq!(keys.keys, sample::public_keys(number));
    }
}

pub async fn a_copy_is_of_one_moment(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 0..10, 1).await;
    let over = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn({
        let (store, over) = (store.clone(), Arc::clone(&over));
        async move {
            let mut number = 10;
            while !over.load(Ordering::SeqCst) {
                sample::register(&store, number..number + 1, 1).await;
                number += 1;
            }
            number
        }
    });
    let copy = take(&store, fixture).await;
    over.store(true, Ordering::SeqCst);
    let written = writing.await.unwrap();
    let users = rows(&copy.tables, "users");
    assert!((10..=written).contains(&users), "{users} of {written}");
    // Everything of an account is written at once, with one record.
    for table in ["public_keys", "key_safes", "prekey_stock", "audit_log"] {
        assert_eq!(rows(&copy.tables, table), users, "{table}");
    }
    assert_eq!(copy.audit.id, users);
    let copied = fixture.open_copy();
    assert_eq!(copied.verify_audit_chain().await.unwrap(), copy.audit);
    assert_eq!(copied.statistics(NOW).await.unwrap().users, users);
}

pub async fn a_copy_never_replaces_a_file(fixture: &impl Fixture) {
    let store = fixture.open();
    std::fs::write(fixture.copy(), b"mine").unwrap();
    let refused = store.snapshot(fixture.copy(), Box::new(|_, _| {})).await;
    assert!(
        matches!(refused, Err(SnapshotError::File { .. })),
        "{refused:?}"
    );
    assert_eq!(std::fs::read(fixture.copy()).unwrap(), b"mine");
}

pub async fn a_restore_is_marked_and_noted_once(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 0..1, 1).await;
    assert_eq!(store.restored().await.unwrap(), None);
    let note = || vec![event(None, "backup.restored", NOW + 9)];
    assert!(
        !store.note_restored(note()).await.unwrap(),
        "nothing to note"
    );
    let copy = take(&store, fixture).await;
    for at in [NOW + 4, NOW + 5] {
        let restored = Restored { epoch: [7; 16], at };
        mark_restored(&fixture.copy(), &restored).unwrap();
        let copied = fixture.open_copy();
        assert_eq!(copied.restored().await.unwrap(), Some(restored));
        assert!(copied.note_restored(note()).await.unwrap());
        assert!(!copied.note_restored(note()).await.unwrap());
        let head = copied.verify_audit_chain().await.unwrap();
        assert_eq!(head.id, copy.audit.id + at - NOW - 3);
        let (session, user) = (sample::session(user_id(0), 9, NOW), user_id(0));
        copied.create_session(session, vec![]).await.unwrap();
        assert_eq!(copied.list_sessions(user, NOW).await.unwrap().len(), 1);
        copied.close().unwrap();
    }
}

pub async fn samples_of_every_sealed_column_open(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 0..4, 1).await;
    let samples = store.open_samples(3).await.unwrap();
    let of = |column: &str| {
        let found = samples.iter().find(|it| it.column == column);
        found.map(|it| it.opened)
    };
    for column in [
        "users.encrypted_data",
        "users.encrypted_credential",
        "safe_wraps.encrypted_wrap",
        "key_safes.encrypted_private_keys",
        "prekey_safes.encrypted_data",
        "sessions.encrypted_data",
        "audit_keys.encrypted_key",
    ] {
        assert_eq!(of(column), Some(3), "{column}");
    }
    assert_eq!(of("server_secrets.encrypted_secret"), Some(1));
}
