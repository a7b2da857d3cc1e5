//! Rows of one database, written into another.

use std::ops::ControlFlow;

use crate::engine::Answer;
use crate::engine::place::many;
use crate::engine::sql::{Bindable, Sql, Taken};

/// Every table and the column that orders its rows, each behind the tables that it refers to.
const TABLES: [(&str, &str); 20] = [
    ("keks", "kek_id"),
    ("server_secrets", "name"),
    ("settings", "name"),
    ("users", "number"),
    ("public_keys", "number"),
    ("key_safes", "number"),
    ("safe_wraps", "number"),
    ("prekey_safes", "number"),
    ("prekey_batches", "number"),
    ("prekey_stock", "user_id"),
    ("prekeys", "user_id, prekey_id"),
    ("sessions", "session_id"),
    ("invites", "code_hash"),
    ("audit_keys", "subject"),
    ("service_keys", "number"),
    ("leases", "name"),
    ("audit_log", "id"),
    ("key_jobs", "id"),
    ("audit_retention", "id"),
    ("audit_heads", "id"),
];

/// Names of the tables that are copied.
pub(crate) fn copied_tables() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|(table, _)| *table)
}

/// Copies every row; `copied` is told how many rows were, of how many.
///
/// What is read must be of one moment. The other database has the tables and no row in them.
pub(crate) fn copy(from: &impl Sql, to: &impl Sql, mut copied: impl FnMut(u64, u64)) -> Answer {
    let mut total = 0;
    for (table, _) in TABLES {
        total += from.number(many(table), &format!("SELECT count(*) FROM {table}"), &[])?;
    }
    let mut done = 0;
    for (table, order) in TABLES {
        let place = many(table);
        let columns = from.columns(table)?;
        let names = columns.join(", ");
        let places: Vec<String> = (1..=columns.len()).map(|at| format!("?{at}")).collect();
        let insert = format!(
            "INSERT INTO {table} ({names}) VALUES ({})",
            places.join(", ")
        );
        let select = format!("SELECT {names} FROM {table} ORDER BY {order}");
        let mut refused = None;
        from.query(place, &select, &[], &mut |line| {
            let values: Vec<Taken> = (0..columns.len())
                .map(|column| line.value(column).map(Taken::from))
                .collect::<Result<_, _>>()?;
            let values: Vec<&dyn Bindable> =
                values.iter().map(|value| value as &dyn Bindable).collect();
            if let Err(fault) = to.run(place, &insert, &values) {
                refused = Some(fault);
                return Ok(ControlFlow::Break(()));
            }
            done += 1;
            copied(done, total);
            Ok(ControlFlow::Continue(()))
        })?;
        if let Some(fault) = refused {
            return Err(fault);
        }
    }
    Ok(())
}
