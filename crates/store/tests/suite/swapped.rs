//! Values that change places, in every sealed column of every table: the error names table and row,
//! and nobody is given what is another's.

use crate::support::Folder;
use crate::support::everything::{self, Seen, Seens};
use rusqlite::Connection;
use rusqlite::types::Value;
use store::{OpenError, Store};

/// How the rows of a sealed column are found and named: the key, the name that an error gives, and
/// which rows are of different people.
struct Rows {
    key: &'static str,
    name: &'static str,
    which: &'static str,
}

/// A new column has no place here yet, which fails the test.
fn rows(table: &str, column: &str) -> Rows {
    let of = |key, name, which| Rows { key, name, which };
    match (table, column) {
        ("users", _) => of("user_id", "lower(hex(user_id))", "true"),
        // Of two people.
        ("safe_wraps", _) => of(
            "number",
            "lower(hex(user_id) || hex(wrap_id) || hex(kind))",
            "kind = 'passphrase'",
        ),
        ("key_safes" | "prekey_safes", _) => of(
            "user_id",
            "lower(hex(user_id)) || printf('%016x', version)",
            "true",
        ),
        ("sessions", _) => of(
            "session_id",
            "lower(hex(session_id)) || lower(hex(user_id))",
            "true",
        ),
        ("audit_keys", _) => of("subject", "lower(hex(subject))", "subject > zeroblob(16)"),
        // The fifth and the sixth are of two people.
        ("audit_log", _) => of("id", "CAST(id AS TEXT)", "user_id IS NOT NULL AND id > 4"),
        ("service_keys", _) => of(
            "number",
            "lower(hex(service_id) || hex(kid)) || printf('%016x', version)",
            "true",
        ),
        ("server_secrets", _) => of("name", "name", "name <> 'store-keys'"),
        ("keks", _) => of("kek_id", "lower(hex(kek_id))", "state <> 'retired'"),
        _ => panic!("{table}.{column} is new: say how its rows are named"),
    }
}

/// As somebody would who does not mind the triggers.
fn hostile(folder: &Folder) -> Connection {
    let connection = folder.tamper();
    connection
        .execute_batch("PRAGMA foreign_keys = OFF")
        .unwrap();
    let triggers: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for trigger in triggers {
        let sql = format!("DROP TRIGGER {trigger}");
        connection.execute_batch(&sql).unwrap();
    }
    connection
}

/// Two rows of a table: key, name and value of each.
fn pair(
    connection: &Connection,
    table: &str,
    rows: &Rows,
    value: &str,
) -> [(Value, String, Value); 2] {
    let Rows { key, name, which } = rows;
    let sql = format!(
        "SELECT {key}, {name}, {value} FROM {table}
         WHERE {which} AND {value} IS NOT NULL ORDER BY {key} LIMIT 2"
    );
    let mut found = connection.prepare(&sql).unwrap();
    let found = found.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let found: Vec<_> = found.unwrap().collect::<Result<_, _>>().unwrap();
    found
        .try_into()
        .unwrap_or_else(|_| panic!("{table} has no two rows to swap"))
}

/// What is seen afterwards, or why the database does not open.
async fn seen(folder: &Folder, last: u64) -> Result<Seens, OpenError> {
    let store = Store::open(&folder.config())?;
    let seens = everything::look(&store, last).await;
    store.close().unwrap();
    Ok(seens)
}

/// The database as it was written, what is seen in it, and its newest audit record.
async fn written() -> (Folder, Vec<u8>, Seens, u64) {
    let folder = everything::filled().await;
    let store = folder.open();
    let last = store.audit_tip().await.unwrap().id;
    store.close().unwrap();
    let whole = std::fs::read(folder.database()).unwrap();
    let seens = seen(&folder, last).await.unwrap();
    everything::assert_full(&folder, &seens).await;
    (folder, whole, seens, last)
}

fn again(folder: &Folder, whole: &[u8]) {
    for left in ["db-wal", "db-shm"] {
        let _ = std::fs::remove_file(folder.database().with_extension(left));
    }
    std::fs::write(folder.database(), whole).unwrap();
}

/// No value is another than it was, and one of the errors names this table and this row. A name may
/// go on with a version where a whole row is meant.
fn assert_named(before: &Seens, after: &Seens, table: &str, name: &str, whole: bool) {
    let fits = |row: &str| row == name || whole && row.len() >= 32 && name.starts_with(row);
    let mut named = false;
    for (label, seen) in after {
        match seen {
            Seen::Damaged { table: of, row } => named |= of == table && fits(row),
            Seen::Value(_) if label.contains("encrypted_") => {
                assert_eq!(before.get(label), Some(seen), "{table}: {label}");
            }
            _ => {}
        }
    }
    let damaged = |seen: &&Seen| matches!(seen, Seen::Damaged { .. });
    let errors: Vec<_> = after.values().filter(damaged).collect();
    assert!(named, "no error names row {name} of {table}: {errors:?}");
}

#[tokio::test]
async fn a_value_of_every_sealed_column_does_not_open_in_another_row() {
    let (folder, whole, before, last) = written().await;
    let columns = everything::sealed_columns(&folder);
    assert!(columns.len() >= 12, "{columns:?}");
    for (table, column) in columns {
        again(&folder, &whole);
        let rows = rows(&table, &column);
        let connection = hostile(&folder);
        let [one, two] = pair(&connection, &table, &rows, &column);
        let sql = format!("UPDATE {table} SET {column} = ?1 WHERE {} = ?2", rows.key);
        for (key, value) in [(&one.0, &two.2), (&two.0, &one.2)] {
            let changed = connection.execute(&sql, [value, key]).unwrap();
            assert_eq!(changed, 1, "{table}.{column}");
        }
        drop(connection);
        match seen(&folder, last).await {
            Ok(after) => {
                for (_, name, _) in [&one, &two] {
                    assert_named(&before, &after, &table, name, false);
                }
            }
            // Without its keys there is no database.
            Err(error) => {
                let text = error.to_string();
                let named = [&one.1, &two.1].iter().any(|name| text.contains(*name));
                assert!(table == "keks" && text.contains("keks") && named, "{text}");
            }
        }
    }
}

#[tokio::test]
async fn whole_rows_that_change_their_owners_do_not_open() {
    let (folder, whole, before, last) = written().await;
    let mut tried = 0;
    for (table, column) in everything::sealed_columns(&folder) {
        let owner = match table.as_str() {
            "audit_keys" => "subject",
            "keks" | "server_secrets" => continue,
            // Services have no owners; tags.rs exchanges their ids.
            "service_keys" => continue,
            _ => "user_id",
        };
        again(&folder, &whole);
        let connection = hostile(&folder);
        let rows = rows(&table, &column);
        let [one, two] = pair(&connection, &table, &rows, owner);
        // A third value in between, since owners are unique in most tables.
        let free = Value::Blob(vec![0xee; 16]);
        let sql = format!(
            "UPDATE {table} SET {owner} = ?1 WHERE {owner} = ?2 AND {} = ?3",
            rows.key
        );
        let follows = rows.key == owner;
        let key = |own: &Value, moved: &Value| if follows { moved.clone() } else { own.clone() };
        for params in [
            [&free, &one.2, &one.0],
            [&one.2, &two.2, &two.0],
            [&two.2, &free, &key(&one.0, &free)],
        ] {
            assert_eq!(connection.execute(&sql, params).unwrap(), 1, "{table}");
        }
        let sql = format!(
            "SELECT {} FROM {table} WHERE {} IN (?1, ?2) ORDER BY {}",
            rows.name, rows.key, rows.key
        );
        let names: Vec<String> = connection
            .prepare(&sql)
            .unwrap()
            .query_map([&one.0, &two.0], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        drop(connection);
        let after = seen(&folder, last).await.unwrap();
        for name in &names {
            assert_named(&before, &after, &table, name, true);
        }
        assert_eq!(names.len(), 2);
        tried += 1;
    }
    assert!(tried >= 8, "{tried}");
}
