//! A database put back to an older schema.

use std::path::Path;

use rusqlite::Connection;

/// Undoes migrations V6 and later, with these values for the accounts.
pub(crate) fn join_wraps(database: &Path, joined: &[([u8; 16], Vec<u8>)]) -> rusqlite::Result<()> {
    let connection = Connection::open(database)?;
    connection.execute_batch(
        "DROP TABLE leases;
         DROP TABLE service_keys;
         ALTER TABLE keks DROP COLUMN wrapped_kek;
         DROP TABLE safe_wraps;
         ALTER TABLE key_safes ADD COLUMN encrypted_wraps BLOB NOT NULL DEFAULT x'';",
    )?;
    for (user, sealed) in joined {
        let sql = "UPDATE key_safes SET encrypted_wraps = ?1 WHERE user_id = ?2";
        connection.execute(sql, (sealed, user))?;
    }
    // The guards of the column, which the migration drops.
    for when in ["insert", "update"] {
        connection.execute_batch(&format!(
            "CREATE TRIGGER key_safes_encrypted_wraps_{when}s BEFORE {when} ON key_safes WHEN false
             BEGIN SELECT 1; END;"
        ))?;
    }
    connection.execute_batch("DELETE FROM refinery_schema_history WHERE version >= 6")
}
