//! What somebody can do to the audit log who has the file and no key.

use std::path::Path;

use audit::Fields;
use rusqlite::Connection;

/// Appends a record whose hashes all fit, of the same time as the one before; its number.
pub(crate) fn append_record(database: &Path) -> u64 {
    append_record_at(database, None)
}

/// The same, of another time in unix seconds.
pub(crate) fn append_record_at(database: &Path, at: Option<u64>) -> u64 {
    let connection = Connection::open(database).unwrap();
    let newest = "SELECT id, timestamp, hash FROM audit_log ORDER BY id DESC LIMIT 1";
    let (id, timestamp, previous): (u64, u64, [u8; 64]) = connection
        .query_row(newest, [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    let timestamp = at.unwrap_or(timestamp);
    let fields = Fields {
        id: id + 1,
        event_id: &[3; 16],
        user_id: None,
        action: "session.created",
        timestamp,
        details: b"what nobody sealed",
        previous: &previous,
    };
    let sql = "INSERT INTO audit_log (id, event_id, user_id, action, timestamp, encrypted_details,
                   previous_hash, hash) VALUES (?1, ?2, NULL, ?3, ?4, ?5, ?6, ?7)";
    let values = (
        fields.id,
        fields.event_id,
        fields.action,
        timestamp,
        fields.details,
        previous,
        fields.hash(),
    );
    connection.execute(sql, values).unwrap();
    id + 1
}
