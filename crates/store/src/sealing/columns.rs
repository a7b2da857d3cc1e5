//! The list of sealed columns, and how the associated data names their rows.

use keyring::Context;

use crate::engine::keys::{RowKey, Walk};
use crate::engine::place::many;
use crate::fault::Fault;
use api::WrapKind;
use api::ids::{UserId, WrapId};

/// A sealed column and the layout of its plaintext.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    pub table: &'static str,
    pub column: &'static str,
    schema_version: u16,
}

const fn column(table: &'static str, column: &'static str) -> Column {
    Column {
        table,
        column,
        schema_version: 1,
    }
}

pub(crate) const KEK_CHECK: Column = column("keks", "encrypted_check");
pub(crate) const KEK_HANDOVER: Column = column("keks", "encrypted_handover");
pub(crate) const SERVER_SECRET: Column = column("server_secrets", "encrypted_secret");
pub(crate) const USER_DATA: Column = column("users", "encrypted_data");
pub(crate) const CREDENTIAL: Column = column("users", "encrypted_credential");
pub(crate) const WRAP: Column = column("safe_wraps", "encrypted_wrap");
/// Both wraps of an account in one value, as an older schema has them.
pub(crate) const JOINED_WRAPS: Column = column("key_safes", "encrypted_wraps");
pub(crate) const PRIVATE_KEYS: Column = column("key_safes", "encrypted_private_keys");
pub(crate) const PREKEY_SAFE: Column = column("prekey_safes", "encrypted_data");
pub(crate) const SESSION: Column = column("sessions", "encrypted_data");
pub(crate) const SERVICE_KEY: Column = column("service_keys", "encrypted_private_key");
pub(crate) const AUDIT_KEY: Column = column("audit_keys", "encrypted_key");
pub(crate) const AUDIT_DETAILS: Column = column("audit_log", "encrypted_details");

impl Column {
    pub(crate) fn context<'a>(&self, row_id: &'a [u8]) -> Context<'a> {
        Context {
            table: self.table,
            column: self.column,
            row_id,
            schema_version: self.schema_version,
        }
    }
}

/// A user's row together with a counter that is bound too.
pub(crate) fn versioned(user: &UserId, version: u64) -> [u8; 24] {
    let mut row = [0; 24];
    row[..16].copy_from_slice(user.as_bytes());
    row[16..].copy_from_slice(&version.to_be_bytes());
    row
}

/// The row of a wrap, of which account, id and kind are bound.
pub(crate) fn wrap_row(user: &UserId, id: &WrapId, kind: &WrapKind) -> Vec<u8> {
    [
        user.as_bytes(),
        &id.as_bytes()[..],
        kind.as_str().as_bytes(),
    ]
    .concat()
}

/// The row of a version of a service's key, of which service, kid and version are bound.
pub(crate) fn service_key_row(service: &str, kid: &str, version: u32) -> Vec<u8> {
    let version = u64::from(version).to_be_bytes();
    [service.as_bytes(), kid.as_bytes(), &version].concat()
}

/// A column whose values move from key to key.
pub(crate) struct Moving {
    pub column: Column,
    pub walk: Walk,
    /// Below every key of a row.
    start: RowKey,
}

const fn moving(
    column: Column,
    key: &'static str,
    start: RowKey,
    name: &'static [&'static str],
) -> Moving {
    Moving {
        column,
        walk: Walk {
            table: column.table,
            column: column.column,
            key,
            name,
        },
        start,
    }
}

const NUMBER: RowKey = RowKey::Number(0);
const BYTES: RowKey = RowKey::Bytes(Vec::new());
const TEXT: RowKey = RowKey::Text(String::new());

/// Every column that a key job walks over, in its order. Migrations V2, V6 and V7 have two triggers for
/// each. A cursor names a column by its place: new ones come last.
pub(crate) static MOVING: [Moving; 9] = [
    moving(SERVER_SECRET, "name", TEXT, &["name"]),
    moving(AUDIT_KEY, "subject", BYTES, &["subject"]),
    moving(USER_DATA, "number", NUMBER, &["user_id"]),
    moving(CREDENTIAL, "number", NUMBER, &["user_id"]),
    moving(WRAP, "number", NUMBER, &["user_id", "wrap_id", "kind"]),
    moving(PRIVATE_KEYS, "number", NUMBER, &["user_id", "version"]),
    moving(PREKEY_SAFE, "number", NUMBER, &["user_id", "version"]),
    moving(SESSION, "session_id", BYTES, &["session_id", "user_id"]),
    moving(
        SERVICE_KEY,
        "number",
        NUMBER,
        &["service_id", "kid", "version"],
    ),
];

/// Sealed columns that no key job walks over: the keys' own rows are replaced with their key, and
/// audit details are under keys of their subjects, which move in `audit_keys`.
#[cfg(test)]
const APART: [Column; 3] = [KEK_CHECK, KEK_HANDOVER, AUDIT_DETAILS];

impl Moving {
    /// A key below every row's.
    pub(crate) fn start(&self) -> RowKey {
        self.start.clone()
    }

    /// The fault of a row that cannot be moved.
    pub(crate) fn damaged(&self, name: &[u8], reason: impl std::fmt::Display) -> Fault {
        if name.is_empty() {
            return many(self.column.table).damaged(reason);
        }
        Fault::damaged(self.column.table, row_name(self.column, name), reason)
    }
}

/// Rows that are named by text read as text.
pub(crate) fn row_name(column: Column, row: &[u8]) -> String {
    match std::str::from_utf8(row) {
        Ok(name) if column.table == SERVER_SECRET.table => name.to_owned(),
        _ => hex::encode(row),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_sealed_column_of_the_schema_is_in_the_list_and_guarded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("database.db");
        crate::example::write(&path).unwrap();
        let connection = rusqlite::Connection::open(path).unwrap();
        let mut sealed = connection
            .prepare(
                "SELECT t.name, c.name FROM pragma_table_list t, pragma_table_info(t.name) c
                 WHERE t.schema = 'main' AND c.name LIKE 'encrypted\\_%' ESCAPE '\\'",
            )
            .unwrap();
        let found: BTreeSet<(String, String)> = sealed
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let listed = MOVING.iter().map(|moving| moving.column).chain(APART);
        let listed: BTreeSet<(String, String)> = listed
            .map(|column| (column.table.to_owned(), column.column.to_owned()))
            .collect();
        assert_eq!(found, listed);
        for moving in &MOVING {
            let Column { table, column, .. } = moving.column;
            let guards: u32 = connection
                .query_row(
                    "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1
                         AND name IN (?1 || '_' || ?2 || '_inserts', ?1 || '_' || ?2 || '_updates')",
                    (table, column),
                    |row| row.get(0),
                )
                .unwrap();
            assert_eq!(guards, 2, "{table}.{column}");
        }
    }
}
