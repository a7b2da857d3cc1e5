//! What the database itself refuses, asked as the server's own role.

use store::testing::sample::{self, NOW, user_id};

use super::cluster::Database;

/// Runs statements as the role that the server has.
fn as_the_server(database: &Database, statements: &str) -> Result<String, String> {
    let role = format!("of_{}", database.name);
    database.cluster.psql_as(&role, &database.name, statements)
}

fn hex(user: u64) -> String {
    hex::encode(user_id(user).as_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_sees_and_changes_its_own_safes_and_no_others() {
    let database = Database::new();
    let store = database.open();
    sample::register(&store, 1..3, 0).await;
    let count =
        "SELECT (SELECT count(*) FROM key_safes) || ' ' || (SELECT count(*) FROM safe_wraps)
                 || ' ' || (SELECT count(*) FROM prekey_safes)";
    assert_eq!(
        database.psql(count).unwrap(),
        "2 4 2",
        "a superuser sees all"
    );
    let seen = |who: &str, statement: &str| {
        as_the_server(&database, &format!("SET sm.account = '{who}'; {statement}"))
    };
    assert_eq!(
        as_the_server(&database, count).unwrap(),
        "0 0 0",
        "nobody in particular"
    );
    assert_eq!(seen("", count).unwrap(), "0 0 0");
    assert_eq!(seen(&hex(7), count).unwrap(), "0 0 0", "somebody else");
    assert_eq!(seen(&hex(1), count).unwrap(), "1 2 1");
    assert_eq!(seen("server", count).unwrap(), "2 4 2");

    let (own, other) = (hex(1), hex(2));
    let change = format!(
        "WITH changed AS (UPDATE key_safes SET version = version + 1
             WHERE user_id = '\\x{other}' RETURNING 1) SELECT count(*) FROM changed"
    );
    assert_eq!(seen(&own, &change).unwrap(), "0");
    assert_eq!(seen(&other, &change).unwrap(), "1");
    let delete = change.replace(
        "UPDATE key_safes SET version = version + 1",
        "DELETE FROM prekey_safes",
    );
    assert_eq!(seen(&own, &delete).unwrap(), "0");
    let give_away = format!(
        "UPDATE key_safes SET user_id = '\\x{}' WHERE user_id = '\\x{own}'",
        hex(7)
    );
    let refused = seen(&own, &give_away).unwrap_err();
    assert!(refused.contains("row-level security"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acting_for_an_account_ends_with_its_transaction() {
    let database = Database::new();
    let store = database.open();
    sample::register(&store, 1..4, 0).await;
    // More reads for accounts than there are connections, then some for the server on the same ones.
    for round in 0..8 {
        let user = user_id(1 + round % 3);
        assert!(store.safes(user).await.unwrap().is_some());
    }
    let samples = store.open_samples(10).await.unwrap();
    let safes = samples
        .iter()
        .find(|sample| sample.column == "key_safes.encrypted_private_keys");
    assert_eq!(safes.unwrap().opened, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_append_only_for_its_owner_too() {
    let database = Database::new();
    let store = database.open();
    sample::register(&store, 1..3, 0).await;
    store
        .append_audit(vec![sample::event(None, "test", NOW)])
        .await
        .unwrap();
    for (statement, reason) in [
        ("UPDATE audit_log SET action = 'other'", "no row may be changed"),
        ("DELETE FROM audit_log", "no record may be deleted"),
        ("TRUNCATE audit_log", "no row may be deleted"),
        (
            "INSERT INTO audit_log SELECT 1, event_id, user_id, action, timestamp, encrypted_details,
                 previous_hash, hash, tag FROM audit_log WHERE id = 2",
            "a record goes to the end",
        ),
        ("UPDATE users SET encrypted_data = 'plain'", "takes only values sealed"),
        (
            "INSERT INTO server_secrets VALUES ('a', 'plain', 0)",
            "takes only values sealed",
        ),
    ] {
        let refused = as_the_server(&database, statement).unwrap_err();
        assert!(refused.contains(reason), "{statement}: {refused}");
    }
    store.verify_audit_chain().await.unwrap();
}
