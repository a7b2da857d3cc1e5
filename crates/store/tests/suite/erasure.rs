//! What is kept of an account leaves the files with it.

use crate::support::Folder;
use rusqlite::Connection;
use store::testing::sample::{self, NOW, public_keys, user_id};
use store::{Act, Declaration};

static ERASURE: Act = Act {
    intent: "erasure.intent",
    done: "erasure.done",
    failed: "erasure.failed",
};

/// Bytes of one account that stand in the clear, and so can be looked for.
fn of_user(number: u64) -> Vec<u8> {
    public_keys(number).account_keys
}

fn places(folder: &Folder, wanted: &[u8]) -> usize {
    let holds = |name: &String| {
        let bytes = std::fs::read(folder.0.path().join(name)).unwrap();
        // A value that is longer than a page stands in pieces of a page each.
        memchr::memmem::find(&bytes, &wanted[..3_000]).is_some()
    };
    folder.names().iter().filter(|name| holds(name)).count()
}

/// Rows that name an account, by table.
fn rows(connection: &Connection, user: &[u8]) -> Vec<(String, i64)> {
    let tables: Vec<(String, String)> = connection
        .prepare(
            "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c
             WHERE m.type = 'table' AND c.type = 'BLOB' AND c.name NOT LIKE 'encrypted%'",
        )
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let count = |(table, column): (String, String)| {
        let sql = format!("SELECT count(*) FROM {table} WHERE {column} = ?1");
        let rows: i64 = connection
            .query_row(&sql, [user], |row| row.get(0))
            .unwrap();
        (rows > 0).then_some((table, rows))
    };
    tables.into_iter().filter_map(count).collect()
}

#[tokio::test]
async fn nothing_of_an_erased_user_is_left_in_the_files_but_who_the_records_are_of() {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 1..20, 3).await;
    sample::claim(&store, user_id(7)).await.unwrap();
    let connection = folder.tamper();
    let found = rows(&connection, user_id(7).as_bytes());
    assert!(found.len() >= 8, "the control: {found:?}");
    assert!(places(&folder, &of_user(7)) > 0, "the control");
    let declaration = Declaration {
        user_id: None,
        act: &ERASURE,
        details: serde_json::json!({}),
    };
    let intent = store.declare(declaration, NOW).await.unwrap();
    store.erase_user(user_id(7), &intent, NOW).await.unwrap();

    assert_eq!(
        rows(&connection, user_id(7).as_bytes()),
        [("audit_log".to_owned(), 1)]
    );
    assert_eq!(places(&folder, &of_user(7)), 0);
    assert!(places(&folder, &of_user(8)) > 0, "the others are there");
    store.close().unwrap();
}
