//! Whoever holds the file and changes it is found out.

use crate::support::Folder;
use rusqlite::Connection;
use store::testing::sample::{self, NOW, event, handle, session_id, user_id};
use store::{AuditFilter, ChainError, Claim, Fault, OpenError, SecretGenerator, Store, UserId};
use zeroize::Zeroizing;

/// Six records: two registrations, four events.
async fn filled() -> Folder {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 1..3, 4).await;
    for i in 0..4 {
        let user = (i % 2 == 0).then(|| user_id(1));
        store
            .append_audit(vec![event(user, "session.created", NOW + i)])
            .await
            .unwrap();
    }
    let make: SecretGenerator = Box::new(|| Zeroizing::new(vec![1; 32]));
    store
        .get_or_create_secret("cookie", make, NOW)
        .await
        .unwrap();
    store.close().unwrap();
    folder
}

/// As somebody would who does not mind the triggers.
fn tamper(folder: &Folder, sql: &str) {
    let connection = folder.tamper();
    connection
        .execute_batch(
            "PRAGMA foreign_keys = OFF;
             DROP TRIGGER audit_log_keeps_records;
             DROP TRIGGER audit_log_loses_nothing;
             DROP TRIGGER audit_log_only_appends;",
        )
        .unwrap();
    connection.execute_batch(sql).unwrap();
}

async fn broken(folder: &Folder) -> u64 {
    let store = folder.open();
    match store.verify_audit_chain().await {
        Err(ChainError::Broken { id, .. }) => id,
        other => panic!("not found out: {other:?}"),
    }
}

#[tokio::test]
async fn a_secret_that_was_lost_is_named_and_not_made_anew() {
    for sql in [
        "DELETE FROM server_secrets WHERE name = 'cookie'",
        "UPDATE server_secrets SET name = 'cookif' WHERE name = 'cookie'",
    ] {
        let folder = filled().await;
        tamper(&folder, sql);
        let store = folder.open();
        let make: SecretGenerator = Box::new(|| Zeroizing::new(vec![2; 32]));
        match store.get_or_create_secret("cookie", make, NOW).await {
            Err(Fault::Damaged { table, row, .. }) => {
                assert_eq!(
                    (table.to_string(), row.to_string()),
                    ("server_secrets".into(), "cookie".into())
                );
            }
            Err(other) => panic!("another error: {other}"),
            Ok(_) => panic!("it was made anew"),
        }
        store.close().unwrap();
    }
}

#[tokio::test]
async fn the_database_refuses_to_change_or_delete_a_record() {
    let folder = filled().await;
    let connection = folder.tamper();
    for sql in [
        "UPDATE audit_log SET action = 'x' WHERE id = 2",
        "DELETE FROM audit_log WHERE id = 2",
        "DELETE FROM audit_log",
        "INSERT OR REPLACE INTO audit_log SELECT * FROM audit_log WHERE id = 2",
        "REPLACE INTO audit_log SELECT 3, event_id, user_id, action, timestamp,
             encrypted_details, previous_hash, hash, tag FROM audit_log WHERE id = 2",
    ] {
        let refused = connection.execute(sql, []).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{sql}: {refused}");
    }
}

#[tokio::test]
async fn an_untouched_chain_verifies() {
    let folder = filled().await;
    assert_eq!(folder.open().verify_audit_chain().await.unwrap().id, 6);
}

#[tokio::test]
async fn any_change_to_a_record_is_found_and_the_record_named() {
    for column in [
        "action = 'session.expired'",
        "timestamp = timestamp + 1",
        "user_id = zeroblob(16)",
        "user_id = NULL",
        "event_id = randomblob(16)",
        "encrypted_details = randomblob(80)",
        "encrypted_details = substr(encrypted_details, 1, 40)",
        "previous_hash = randomblob(64)",
        "hash = randomblob(64)",
    ] {
        let folder = filled().await;
        tamper(
            &folder,
            &format!("UPDATE audit_log SET {column} WHERE id = 3"),
        );
        assert_eq!(broken(&folder).await, 3, "{column}");
    }
}

#[tokio::test]
async fn a_deleted_record_is_found_and_named() {
    let folder = filled().await;
    tamper(&folder, "DELETE FROM audit_log WHERE id = 4");
    assert_eq!(broken(&folder).await, 4);
    let folder = filled().await;
    tamper(&folder, "DELETE FROM audit_log WHERE id = 1");
    assert_eq!(broken(&folder).await, 1);
}

#[tokio::test]
async fn a_deleted_record_is_found_also_when_the_rest_moves_up() {
    let folder = filled().await;
    let sql = "DELETE FROM audit_log WHERE id = 4; UPDATE audit_log SET id = id - 1 WHERE id > 4";
    tamper(&folder, sql);
    // The newest record does not fit its number: opening finds it before anybody asks.
    match Store::open(&folder.config()) {
        Err(OpenError::Damaged(Fault::Damaged {
            table: "audit_log",
            row,
            ..
        })) => {
            assert_eq!(row, "5");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn swapped_records_are_found_and_named() {
    let folder = filled().await;
    tamper(
        &folder,
        "UPDATE audit_log SET id = 99 WHERE id = 3; UPDATE audit_log SET id = 3 WHERE id = 4;
         UPDATE audit_log SET id = 4 WHERE id = 99",
    );
    assert_eq!(broken(&folder).await, 3);
}

#[tokio::test]
async fn an_inserted_record_is_found_and_named() {
    let folder = filled().await;
    tamper(
        &folder,
        "UPDATE audit_log SET id = 100 + id WHERE id > 3;
         INSERT INTO audit_log SELECT 4, event_id, user_id, 'user.forged', timestamp,
             encrypted_details, previous_hash, hash, tag FROM audit_log WHERE id = 3;
         UPDATE audit_log SET id = id - 99 WHERE id > 100;
         DELETE FROM audit_log WHERE id = 7",
    );
    // The newest is now number 6 with the content of 5.
    assert!(matches!(
        Store::open(&folder.config()),
        Err(OpenError::Damaged(_))
    ));
}

/// What a fault must name.
fn named<T: std::fmt::Debug>(result: Result<T, Fault>, expected: &'static str, expected_row: &str) {
    match result {
        Err(Fault::Damaged { table, row, reason }) => {
            assert_eq!((table, &row[..]), (expected, expected_row), "{reason}");
        }
        other => panic!("{expected}: {other:?}"),
    }
}

/// Flips one bit in the middle of a blob.
fn flip(connection: &Connection, table: &str, column: &str, condition: &str) {
    let (row, mut value): (Vec<u8>, Vec<u8>) = connection
        .query_row(
            &format!("SELECT {column}, {column} FROM {table} WHERE {condition}"),
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    let middle = value.len() / 2;
    value[middle] ^= 4;
    let sql = format!("UPDATE {table} SET {column} = ?1 WHERE {column} = ?2");
    assert_eq!(connection.execute(&sql, (value, row)).unwrap(), 1);
}

#[tokio::test]
async fn a_flipped_bit_in_a_sealed_column_is_named_and_nothing_else_suffers() {
    let folder = filled().await;
    let one = user_id(1);
    let is_one = format!("user_id = x'{one}'");
    {
        let connection = folder.tamper();
        flip(&connection, "users", "encrypted_data", &is_one);
        flip(&connection, "users", "encrypted_credential", &is_one);
        flip(&connection, "key_safes", "encrypted_private_keys", &is_one);
        flip(&connection, "sessions", "encrypted_data", &is_one);
        flip(
            &connection,
            "server_secrets",
            "encrypted_secret",
            "name = 'cookie'",
        );
        flip(
            &connection,
            "audit_keys",
            "encrypted_key",
            &format!("subject = x'{one}'"),
        );
    }
    let store = folder.open();
    let row = one.to_string();
    named(store.user_by_id(one).await, "users", &row);
    named(store.user_by_handle(&handle(1)).await, "users", &row);
    named(store.credential(&handle(1)).await, "users", &row);
    let listed = store.list_users(None, 10).await.unwrap();
    let sound: Vec<_> = listed.iter().map(|(id, row)| (*id, row.is_ok())).collect();
    assert_eq!(sound, [(one, false), (user_id(2), true)]);
    named(
        store.safes(one).await,
        "key_safes",
        &format!("{row}0000000000000001"),
    );
    let session_row = format!("{}{row}", session_id(1));
    named(
        store.find_session(session_id(1), NOW).await,
        "sessions",
        &session_row,
    );
    let listed = store.list_sessions(one, NOW).await.unwrap();
    let [(id, Err(damage))] = &listed[..] else {
        panic!("{listed:?}")
    };
    assert_eq!((*id, &damage.row), (session_id(1), &session_row));
    let page = store.query_audit(AuditFilter::default(), None, 9).await;
    let page = page.unwrap();
    assert_eq!(page.records.len(), 6);
    for record in page.records {
        assert_eq!(record.damage.is_some(), record.user_id == Some(one));
        assert!(!record.foreign);
        if let Some(damage) = record.damage {
            assert_eq!((damage.table, &damage.row), ("audit_keys", &row));
        } else {
            assert!(!record.details.is_null());
        }
    }
    let make: SecretGenerator = Box::new(|| Zeroizing::new(vec![2; 32]));
    named(
        store.get_or_create_secret("cookie", make, NOW).await,
        "server_secrets",
        "cookie",
    );

    assert!(store.user_by_id(user_id(2)).await.unwrap().is_some());
    assert!(store.safes(user_id(2)).await.unwrap().is_some());
    assert!(
        store
            .find_session(session_id(2), NOW)
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn a_flipped_bit_in_the_keys_of_the_database_stops_it_from_opening() {
    let cases = [
        ("keks", "encrypted_check", "true"),
        ("keks", "salt", "true"),
        ("audit_keys", "encrypted_key", "subject = zeroblob(16)"),
        ("server_secrets", "encrypted_secret", "name = 'store-keys'"),
    ];
    for (table, column, condition) in cases {
        let folder = filled().await;
        flip(&folder.tamper(), table, column, condition);
        let error = Store::open(&folder.config()).unwrap_err().to_string();
        assert!(error.contains(table), "{table}: {error}");
    }
}

#[tokio::test]
async fn values_swapped_between_two_users_do_not_open() {
    let folder = filled().await;
    let (one, two) = (user_id(1), user_id(2));
    let connection = folder.tamper();
    connection
        .execute_batch("PRAGMA foreign_keys = OFF")
        .unwrap();
    for (table, key, column) in [
        ("users", "user_id", "encrypted_data"),
        ("users", "user_id", "encrypted_credential"),
        ("key_safes", "user_id", "encrypted_private_keys"),
        ("prekey_safes", "user_id", "encrypted_data"),
        ("sessions", "user_id", "encrypted_data"),
        ("audit_keys", "subject", "encrypted_key"),
    ] {
        let value = |user: UserId| -> Vec<u8> {
            let sql = format!("SELECT {column} FROM {table} WHERE {key} = x'{user}'");
            connection.query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        let values = [(one, value(two)), (two, value(one))];
        for (user, value) in values {
            let sql = format!("UPDATE {table} SET {column} = ?1 WHERE {key} = x'{user}'");
            assert_eq!(
                connection.execute(&sql, [value]).unwrap(),
                1,
                "{table}.{column}"
            );
        }
    }
    drop(connection);
    let store = folder.open();
    for user in [one, two] {
        let row = user.to_string();
        named(store.user_by_id(user).await, "users", &row);
        named(store.credential_by_id(user).await, "users", &row);
        let safe = format!("{row}0000000000000001");
        named(store.safes(user).await, "key_safes", &safe);
        let filter = AuditFilter {
            user_id: Some(user),
            ..AuditFilter::default()
        };
        let page = store.query_audit(filter, None, 9).await.unwrap();
        assert!(!page.records.is_empty());
        for record in page.records {
            let damage = record.damage.unwrap();
            assert_eq!((damage.table, &damage.row), ("audit_keys", &row));
        }
    }
    for number in [1, 2] {
        assert!(store.find_session(session_id(number), NOW).await.is_err());
    }
}

#[tokio::test]
async fn a_session_moved_to_another_account_signs_nobody_in() {
    let folder = filled().await;
    let sql = format!(
        "UPDATE sessions SET user_id = x'{}' WHERE user_id = x'{}'",
        user_id(1),
        user_id(2)
    );
    assert_eq!(folder.tamper().execute(&sql, []).unwrap(), 1);
    let found = folder.open().find_session(session_id(2), NOW).await;
    named(found, "sessions", &session_id(2).to_string());
}

#[tokio::test]
async fn an_old_safe_under_a_new_version_does_not_open() {
    let folder = filled().await;
    folder
        .tamper()
        .execute("UPDATE key_safes SET version = 2", [])
        .unwrap();
    let row = format!("{}0000000000000002", user_id(1));
    named(folder.open().safes(user_id(1)).await, "key_safes", &row);
}

#[tokio::test]
async fn wraps_that_are_gone_or_called_something_else_are_named() {
    let (one, two) = (user_id(1), user_id(2));
    for (sql, row) in [
        ("DELETE FROM safe_wraps", one.to_string()),
        (
            "UPDATE safe_wraps SET kind = 'recovery_kez'",
            format!("{one}{}{}", "02".repeat(16), hex::encode("recovery_kez")),
        ),
    ] {
        let folder = filled().await;
        let sql = format!("{sql} WHERE user_id = x'{one}' AND kind = 'recovery_key'");
        assert_eq!(folder.tamper().execute(&sql, []).unwrap(), 1);
        let store = folder.open();
        named(store.safes(one).await, "safe_wraps", &row);
        assert_eq!(store.take_damages().len(), 1);
        assert!(store.safes(two).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn prekeys_that_were_cut_short_are_named() {
    let folder = filled().await;
    folder
        .tamper()
        .execute(
            "UPDATE prekey_batches SET leaves = substr(leaves, 1, 900)",
            [],
        )
        .unwrap();
    let claimed = folder
        .open()
        .claim_prekey(user_id(1), Claim::OneTime, NOW)
        .await;
    named(claimed, "prekey_batches", &user_id(1).to_string());
}

#[tokio::test]
async fn a_truncated_file_is_refused() {
    let folder = filled().await;
    let whole = std::fs::read(folder.database()).unwrap();
    for share in [99, 75, 50, 25, 5] {
        std::fs::write(folder.database(), &whole[..whole.len() * share / 100]).unwrap();
        let opened = Store::open(&folder.config());
        assert!(opened.is_err(), "{share} % of the file: {opened:?}");
    }
    std::fs::write(folder.database(), &whole).unwrap();
    folder.open().verify_audit_chain().await.unwrap();
}

#[tokio::test]
async fn a_handle_index_that_changed_places_gives_nobody_the_keys_of_another() {
    let folder = filled().await;
    let [one, two] = [user_id(1), user_id(2)];
    let connection = folder.tamper();
    let index_of = |user: UserId| -> Vec<u8> {
        let sql = "SELECT handle_index FROM users WHERE user_id = ?1";
        let read = |row: &rusqlite::Row<'_>| row.get(0);
        connection.query_row(sql, [user.as_bytes()], read).unwrap()
    };
    let indices = [index_of(one), index_of(two)];
    // A third value in between, since indices are unique.
    for (index, user) in [(&vec![0; 32], one), (&indices[0], two), (&indices[1], one)] {
        let sql = "UPDATE users SET handle_index = ?1 WHERE user_id = ?2";
        let changed = connection.execute(sql, (index, user.as_bytes())).unwrap();
        assert_eq!(changed, 1);
    }
    let store = folder.open();
    for (number, found) in [(1, two), (2, one)] {
        let answer = store.user_by_handle(&handle(number)).await;
        named(answer, "users", &found.to_string());
        let answer = store.credential(&handle(number)).await;
        named(answer, "users", &found.to_string());
        named(store.user_by_id(found).await, "users", &found.to_string());
    }
}
