//! The door by which old audit records are deleted.

use ::audit::{Door, RETENTION};

use crate::audit::chain::{SealedEvent, doors};
use crate::engine::sqlite::db::{Db, many};
use crate::engine::sqlite::writer::WriteTx;
use crate::fault::Fault;
use crate::sealing::classes::Public;

/// The door that could be opened now, if any record beyond the last door is old enough.
pub(crate) fn next(db: Db<'_>, cutoff: u64, now: u64) -> Result<Option<Door>, Fault> {
    let place = many("audit_log");
    // Along the rows and not the times: what is deleted is a beginning, whatever the clock did.
    let kept = db.one(
        place,
        "SELECT id FROM audit_log NOT INDEXED WHERE timestamp >= ?1 ORDER BY id LIMIT 1",
        [cutoff],
        |row| row.get::<_, u64>(0),
    )?;
    let kept = match kept {
        Some(kept) => kept,
        None => db.number(place, "SELECT coalesce(max(id), 0) FROM audit_log", [])?,
    };
    let passed = doors(db)?.last().map_or(0, |door| door.through_id);
    db.one(
        place,
        "SELECT id, hash FROM audit_log WHERE id < ?1 AND id > ?2 ORDER BY id DESC LIMIT 1",
        (kept, passed),
        |row| {
            Ok(Door {
                through_id: row.get(0)?,
                hash: row.get(1)?,
                cutoff,
                timestamp: now,
            })
        },
    )
}

/// Opens a door together with the record that vouches for it.
pub(crate) fn open(tx: &mut WriteTx<'_>, door: &Door, record: SealedEvent) -> Result<(), Fault> {
    // The number is given: the trigger that keeps the order sees none that SQLite would choose.
    tx.db.execute(
        many("audit_retention"),
        "INSERT INTO audit_retention (id, through_id, hash, cutoff, timestamp)
         SELECT coalesce(max(id), 0) + 1, ?1, ?2, ?3, ?4 FROM audit_retention",
        (door.through_id, &door.hash, door.cutoff, door.timestamp),
    )?;
    tx.append(vec![record])
}

/// Deletes what the door permits; records first, then their heads.
pub(crate) fn pass(db: Db<'_>, limit: u32) -> Result<u64, Fault> {
    let Some(door) = doors(db)?.pop() else {
        return Ok(0);
    };
    let signed = db.number(
        many("audit_log"),
        "SELECT count(*) FROM audit_log WHERE action = ?1 AND event_id = ?2
             AND id <= (SELECT max(record_id) FROM audit_heads)",
        (Public(RETENTION), &door.commitment()),
    )?;
    if signed == 0 {
        return Ok(0);
    }
    let records = db.execute(
        many("audit_log"),
        "DELETE FROM audit_log WHERE id IN
             (SELECT id FROM audit_log WHERE id <= ?1 ORDER BY id LIMIT ?2)",
        (door.through_id, limit),
    )?;
    if records > 0 {
        return Ok(records as u64);
    }
    let heads = db.execute(
        many("audit_heads"),
        "DELETE FROM audit_heads WHERE id IN
             (SELECT id FROM audit_heads WHERE record_id <= ?1 ORDER BY record_id LIMIT ?2)",
        (door.through_id, limit),
    )?;
    Ok(heads as u64)
}
