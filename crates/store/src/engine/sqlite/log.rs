//! Statements about `audit_log`, `audit_heads` and `audit_retention`.

use rusqlite::Row;
use rusqlite::types::Value;

use crate::classes::Public;
use crate::engine::Answer;
use crate::engine::log::{
    AuditFilter, ChainHead, Door, Head, LinkedEvent, LogChanges, LogRows, LoggedRecord, Record,
    RecordMark, SignedHead,
};
use crate::engine::place::many;
use crate::engine::sqlite::db::Db;
use api::ids::UserId;

/// Selects every column of [`LoggedRecord`], without a condition.
const RECORDS: &str = "SELECT id, event_id, user_id, action, timestamp, encrypted_details,
    previous_hash, hash, tag FROM audit_log";
/// Selects every column of a head, without a condition.
const HEADS: &str = "SELECT id, record_id, hash, timestamp, signature FROM audit_heads";

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        id: row.get(0)?,
        event_id: row.get(1)?,
        user_id: row.get(2)?,
        action: row.get(3)?,
        timestamp: row.get(4)?,
        details: row.get(5)?,
        previous: row.get(6)?,
        hash: row.get(7)?,
    })
}

fn logged(row: &Row<'_>) -> rusqlite::Result<LoggedRecord> {
    Ok(LoggedRecord {
        id: row.get(0)?,
        record: record(row).map_err(|error| many("audit_log").fault(error)),
        tag: row.get(8).unwrap_or_default(),
    })
}

fn head(row: &Row<'_>) -> rusqlite::Result<SignedHead> {
    Ok(SignedHead {
        head: Head {
            number: row.get(0).unwrap_or_default(),
            record_id: row.get(1).unwrap_or_default(),
            hash: row.get(2).unwrap_or([0; 64]),
            timestamp: row.get(3).unwrap_or_default(),
        },
        signature: row.get(4).unwrap_or_default(),
    })
}

fn end(row: &Row<'_>) -> rusqlite::Result<ChainHead> {
    Ok(ChainHead {
        id: row.get(0)?,
        hash: row.get(1)?,
    })
}

/// A number that SQLite can compare with.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Builds the condition from fixed pieces, with only those in use, so that an index can serve it.
fn condition(filter: &AuditFilter, before: Option<u64>) -> (String, Vec<Value>) {
    let integer = |value: u64| Value::Integer(number(value));
    let user = |user: UserId| Value::Blob(user.as_bytes().to_vec());
    let parts = [
        (" AND user_id = ?", filter.user_id.map(user)),
        (" AND action = ?", filter.action.clone().map(Value::Text)),
        (" AND timestamp >= ?", filter.from.map(integer)),
        (" AND timestamp <= ?", filter.to.map(integer)),
        (" AND id < ?", before.map(integer)),
    ];
    let mut sql = String::from(" WHERE true");
    let mut values = Vec::new();
    for (piece, value) in parts {
        if let Some(value) = value {
            sql.push_str(piece);
            values.push(value);
        }
    }
    (sql, values)
}

impl LogRows for Db<'_> {
    fn hold_still(&self) -> Answer {
        self.run(many("audit_log"), "BEGIN", [])
    }

    fn chain_tip(&self) -> Answer<ChainHead> {
        let newest = "SELECT id, hash FROM audit_log ORDER BY id DESC LIMIT 1";
        let tip = self.one(many("audit_log"), newest, [], end)?;
        Ok(tip.unwrap_or(ChainHead {
            id: 0,
            hash: [0; 64],
        }))
    }

    fn records_after(&self, after: u64, limit: u32) -> Answer<Vec<LoggedRecord>> {
        let sql = format!("{RECORDS} WHERE id > ?1 ORDER BY id LIMIT ?2");
        self.all(many("audit_log"), &sql, (number(after), limit), logged)
    }

    fn record_mark(&self, id: u64) -> Answer<Option<RecordMark>> {
        let sql = "SELECT hash, tag FROM audit_log WHERE id = ?1";
        self.one(many("audit_log"), sql, [number(id)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }

    fn find_records(
        &self,
        filter: &AuditFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Answer<Vec<LoggedRecord>> {
        let (condition, mut values) = condition(filter, before);
        values.push(Value::Integer(number(limit as u64)));
        let sql = format!("{RECORDS}{condition} ORDER BY id DESC LIMIT ?");
        let values = rusqlite::params_from_iter(values.into_iter().map(Public));
        self.all(many("audit_log"), &sql, values, logged)
    }

    fn count_records(&self, filter: &AuditFilter) -> Answer<u64> {
        let (condition, values) = condition(filter, None);
        let sql = format!("SELECT count(*) FROM audit_log{condition}");
        let values = rusqlite::params_from_iter(values.into_iter().map(Public));
        self.number(many("audit_log"), &sql, values)
    }

    // Along the rows and not the times: what is asked for is a part of the chain, whatever the clock did.
    fn first_record_since(&self, time: u64) -> Answer<Option<u64>> {
        let sql = "SELECT id FROM audit_log NOT INDEXED WHERE timestamp >= ?1 ORDER BY id LIMIT 1";
        self.one(many("audit_log"), sql, [number(time)], |row| row.get(0))
    }

    fn last_record_until(&self, time: u64) -> Answer<Option<u64>> {
        let sql =
            "SELECT id FROM audit_log NOT INDEXED WHERE timestamp <= ?1 ORDER BY id DESC LIMIT 1";
        self.one(many("audit_log"), sql, [number(time)], |row| row.get(0))
    }

    fn record_before(&self, id: u64) -> Answer<Option<ChainHead>> {
        let sql = "SELECT id, hash FROM audit_log WHERE id < ?1 ORDER BY id DESC LIMIT 1";
        self.one(many("audit_log"), sql, [number(id)], end)
    }

    fn is_signed(&self, action: &str, event_id: &[u8; 16]) -> Answer<bool> {
        let signed = self.number(
            many("audit_log"),
            "SELECT count(*) FROM audit_log WHERE action = ?1 AND event_id = ?2
                 AND id <= (SELECT max(record_id) FROM audit_heads)",
            (Public(action), event_id),
        )?;
        Ok(signed > 0)
    }

    fn heads(&self, from: u64, through: Option<u64>, take: &mut dyn FnMut(SignedHead)) -> Answer {
        let sql = format!("{HEADS} WHERE record_id BETWEEN ?1 AND ?2 ORDER BY record_id, id");
        let range = (number(from), through.map_or(i64::MAX, number));
        self.all(many("audit_heads"), &sql, range, |row| {
            head(row).map(&mut *take)
        })
        .map(|_: Vec<()>| ())
    }

    fn newest_head(&self) -> Answer<Option<SignedHead>> {
        let sql = format!("{HEADS} ORDER BY id DESC LIMIT 1");
        self.one(many("audit_heads"), &sql, [], head)
    }

    fn doors(&self) -> Answer<Vec<Door>> {
        let sql = "SELECT through_id, hash, cutoff, timestamp FROM audit_retention ORDER BY id";
        self.all(many("audit_retention"), sql, [], |row| {
            Ok(Door {
                through_id: row.get(0)?,
                hash: row.get(1)?,
                cutoff: row.get(2)?,
                timestamp: row.get(3)?,
            })
        })
    }
}

impl LogChanges for Db<'_> {
    /// The transaction is the only one that writes: it begins with the lock of the whole database.
    fn lock_chain(&self) -> Answer<ChainHead> {
        self.chain_tip()
    }

    fn append_records(&self, records: &[LinkedEvent]) -> Answer {
        for record in records {
            let event = &record.event;
            self.execute(
                many("audit_log"),
                "INSERT INTO audit_log (id, event_id, user_id, action, timestamp,
                     encrypted_details, previous_hash, hash, tag)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                (
                    record.id,
                    &event.event_id,
                    event.user_id.as_ref().map(UserId::as_bytes),
                    Public(event.action),
                    event.timestamp,
                    &event.details,
                    &record.previous,
                    &record.hash,
                    Public(&record.tag),
                ),
            )?;
        }
        Ok(())
    }

    fn insert_head(&self, signed: &SignedHead) -> Answer {
        let head = &signed.head;
        self.run(
            many("audit_heads"),
            "INSERT INTO audit_heads (id, record_id, hash, timestamp, signature)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            (
                head.number,
                head.record_id,
                &head.hash,
                head.timestamp,
                Public(&signed.signature),
            ),
        )
    }

    fn insert_door(&self, door: &Door) -> Answer {
        // The number is given: the trigger that keeps the order sees none that SQLite would choose.
        self.run(
            many("audit_retention"),
            "INSERT INTO audit_retention (id, through_id, hash, cutoff, timestamp)
             SELECT coalesce(max(id), 0) + 1, ?1, ?2, ?3, ?4 FROM audit_retention",
            (door.through_id, &door.hash, door.cutoff, door.timestamp),
        )
    }

    fn delete_records(&self, through: u64, limit: u32) -> Answer<u64> {
        let deleted = self.execute(
            many("audit_log"),
            "DELETE FROM audit_log WHERE id IN
                 (SELECT id FROM audit_log WHERE id <= ?1 ORDER BY id LIMIT ?2)",
            (through, limit),
        )?;
        Ok(deleted as u64)
    }

    fn delete_heads(&self, through: u64, limit: u32) -> Answer<u64> {
        let deleted = self.execute(
            many("audit_heads"),
            "DELETE FROM audit_heads WHERE id IN
                 (SELECT id FROM audit_heads WHERE record_id <= ?1 ORDER BY record_id LIMIT ?2)",
            (through, limit),
        )?;
        Ok(deleted as u64)
    }
}
