//! A stolen file shows neither names, addresses nor content.

use crate::support::Folder;
use store::testing::sample::{self, NOW, event, handle, public_keys, session_id, user_id};

/// Whether any file in the folder holds these bytes.
fn on_disk(folder: &Folder, needle: &[u8]) -> bool {
    folder.names().iter().any(|name| {
        let bytes = std::fs::read(folder.0.path().join(name)).unwrap();
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}

#[tokio::test]
async fn sealed_columns_show_nothing_and_public_ones_are_found() {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 1..20, 3).await;
    store
        .set_alias(user_id(3), "Renamed Person".to_owned().into(), vec![])
        .await
        .unwrap();
    store
        .append_audit(vec![event(None, "system.started", NOW)])
        .await
        .unwrap();
    let (name, id, keys) = (handle(7), user_id(7), public_keys(7));
    let sealed: [&[u8]; 10] = [
        name.as_bytes(),
        b"Alias 7",
        b"Renamed Person",
        b"opaque record 7",
        b"192.0.2.77",
        b"Sample Browser",
        b"Sample device",
        b"a sample reason",
        b"wrapped under the passphrase",
        b"sealed by the client, 001; ",
    ];
    let public: [&[u8]; 3] = [&keys.account_keys[..500], b"system.started", id.as_bytes()];
    // Once with the log beside the database, once after it was taken in.
    for open in [true, false] {
        for needle in sealed {
            assert!(
                !on_disk(&folder, needle),
                "{:?}",
                String::from_utf8_lossy(needle)
            );
        }
        for needle in public {
            assert!(on_disk(&folder, needle), "the control is not found");
        }
        if open {
            assert_eq!(folder.names().len(), 3, "{:?}", folder.names());
            store.close().unwrap();
        }
    }
    assert_eq!(folder.names(), ["secure_messaging.db"]);
}

#[tokio::test]
async fn what_is_deleted_is_overwritten() {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 1..30, 0).await;
    let id = session_id(7);
    store.close().unwrap();
    assert!(on_disk(&folder, id.as_bytes()), "the control is not found");
    let store = folder.open();
    assert!(store.delete_session(user_id(7), id, vec![]).await.unwrap());
    store.close().unwrap();
    assert!(!on_disk(&folder, id.as_bytes()));
}

#[tokio::test]
async fn a_handle_is_found_by_its_index_which_is_not_its_hash() {
    use sha3::{Digest, Sha3_256};
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 1..2, 0).await;
    store.close().unwrap();
    assert!(!on_disk(&folder, &Sha3_256::digest(handle(1).as_bytes())));
    let other = Folder::new();
    let store = other.open();
    sample::register(&store, 1..2, 0).await;
    store.close().unwrap();
    let index = |folder: &Folder| -> Vec<u8> {
        let sql = "SELECT handle_index FROM users";
        folder
            .tamper()
            .query_row(sql, [], |row| row.get(0))
            .unwrap()
    };
    assert_ne!(
        index(&folder),
        index(&other),
        "each database has an index key of its own"
    );
}

#[test]
fn debug_output_of_what_is_sealed_is_redacted() {
    let admission = store::Admission::Open;
    let user = sample::user(1, 0, admission);
    insta::assert_compact_debug_snapshot!(
        sample::session(user.user_id, 1, NOW).details,
        @"SessionDetails([redacted])"
    );
    insta::assert_compact_debug_snapshot!(user.safe, @"SafeWrite { version: 1, .. }");
    insta::assert_compact_debug_snapshot!(user.prekey_safe, @"PrekeySafe { version: 1, .. }");
    insta::assert_compact_debug_snapshot!(
        event(None, "system.started", NOW),
        @r#"AuditEvent { user_id: None, action: "system.started", timestamp: 1800000000, details: "[redacted]" }"#
    );
    let row = store::UserRow {
        user_id: user.user_id,
        handle: user.handle.into_inner(),
        alias: user.alias.into_inner(),
        fingerprint: user.fingerprint,
        role: store::Role::User,
        active: true,
        created_at: NOW,
        last_login: None,
    };
    insta::assert_compact_debug_snapshot!(
        row,
        @r#"UserRow { user_id: UserId(…), handle: "[redacted]", alias: "[redacted]", role: User, active: true, created_at: 1800000000, last_login: None, .. }"#
    );
}
