//! The door by which old audit records are deleted.

use ::audit::{Door, RETENTION};

use crate::engine::{Changes, Rows};
use crate::fault::Fault;

/// The door that could be opened now, if any record beyond the last door is old enough.
pub(crate) fn next(rows: &dyn Rows, cutoff: u64, now: u64) -> Result<Option<Door>, Fault> {
    let kept = match rows.first_record_since(cutoff)? {
        Some(kept) => kept,
        None => rows.chain_tip()?.id,
    };
    let passed = rows.doors()?.last().map_or(0, |door| door.through_id);
    let last = rows.record_before(kept)?;
    Ok(last.filter(|last| last.id > passed).map(|last| Door {
        through_id: last.id,
        hash: last.hash,
        cutoff,
        timestamp: now,
    }))
}

/// Deletes what the door permits; records first, then their heads.
pub(crate) fn pass(rows: &dyn Changes, limit: u32) -> Result<u64, Fault> {
    let Some(door) = rows.doors()?.pop() else {
        return Ok(0);
    };
    if !rows.is_signed(RETENTION, &door.commitment())? {
        return Ok(0);
    }
    match rows.delete_records(door.through_id, limit)? {
        0 => rows.delete_heads(door.through_id, limit),
        records => Ok(records),
    }
}
