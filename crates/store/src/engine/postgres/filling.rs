//! Rows of another database, written into an empty one.

use crate::engine::place::many;
use crate::engine::postgres::db::Pg;
use crate::engine::sql::{Sql, copied_tables};
use crate::fault::Fault;

/// Lets `fill` write rows while nothing guards the tables against changes out of turn: they come out of a
/// database that has the same guards. The role must own the tables.
pub(crate) fn fill(
    pg: &Pg<'_>,
    fill: impl FnOnce(&Pg<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let alter = |what: &str| -> Result<(), Fault> {
        copied_tables().try_for_each(|table| {
            let sql = format!("ALTER TABLE {table} {what} TRIGGER USER");
            pg.run(many(table), &sql, &[])
        })
    };
    alter("DISABLE")?;
    fill(pg)?;
    alter("ENABLE")?;
    // Numbers that are drawn go on behind those that were copied.
    for table in copied_tables() {
        let columns = pg.columns(table)?;
        if columns.iter().any(|column| column == "number") {
            let sql = format!(
                "SELECT setval(pg_get_serial_sequence('{table}', 'number'),
                     (SELECT coalesce(max(number), 0) + 1 FROM {table}), false)"
            );
            pg.number(many(table), &sql, &[])?;
        }
    }
    Ok(())
}
