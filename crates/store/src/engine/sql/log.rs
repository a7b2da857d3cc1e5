//! Statements about `audit_log`, `audit_heads` and `audit_retention`.

use std::ops::ControlFlow;

use crate::classes::Public;
use crate::engine::Answer;
use crate::engine::log::{
    AuditFilter, ChainHead, Door, Head, LinkedEvent, LogChanges, LogRows, LoggedRecord, Record,
    RecordMark, SignedHead,
};
use crate::engine::place::many;
use crate::engine::sql::{Bindable, Line, Readable, Sql};
use api::ids::UserId;

/// Selects every column of [`LoggedRecord`], without a condition.
const RECORDS: &str = "SELECT id, event_id, user_id, action, timestamp, encrypted_details,
    previous_hash, hash, tag FROM audit_log";
/// Selects every column of a head, without a condition.
const HEADS: &str = "SELECT id, record_id, hash, timestamp, signature FROM audit_heads";

fn record(row: Line<'_>) -> Readable<Record> {
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

fn logged(row: Line<'_>) -> Readable<LoggedRecord> {
    Ok(LoggedRecord {
        id: row.get(0)?,
        record: record(row).map_err(|error| many("audit_log").damaged(error)),
        tag: row.get(8).unwrap_or_default(),
    })
}

fn head(row: Line<'_>) -> Readable<SignedHead> {
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

fn end(row: Line<'_>) -> Readable<ChainHead> {
    Ok(ChainHead {
        id: row.get(0)?,
        hash: row.get(1)?,
    })
}

/// Builds the condition from fixed pieces, with only those in use, so that an index can serve it.
fn condition<'a>(
    filter: &'a AuditFilter,
    before: &'a Option<u64>,
) -> (String, Vec<Box<dyn Bindable + 'a>>) {
    fn boxed<'a>(value: impl Bindable + 'a) -> Box<dyn Bindable + 'a> {
        Box::new(value)
    }
    let user = filter.user_id.as_ref().map(UserId::as_bytes);
    let action = filter.action.as_deref().map(Public);
    let parts = [
        ("user_id =", user.map(boxed)),
        ("action =", action.map(boxed)),
        ("timestamp >=", filter.from.map(boxed)),
        ("timestamp <=", filter.to.map(boxed)),
        ("id <", before.map(boxed)),
    ];
    let mut sql = String::from(" WHERE true");
    let mut values = Vec::new();
    for (piece, value) in parts {
        if let Some(value) = value {
            values.push(value);
            sql.push_str(&format!(" AND {piece} ?{}", values.len()));
        }
    }
    (sql, values)
}

/// The values as a statement takes them.
fn borrowed<'a>(values: &'a [Box<dyn Bindable + 'a>]) -> Vec<&'a dyn Bindable> {
    values.iter().map(|value| &**value).collect()
}

impl<D: Sql> LogRows for D {
    fn hold_still(&self) -> Answer {
        self.one_moment()
    }

    fn chain_tip(&self) -> Answer<ChainHead> {
        let newest = "SELECT id, hash FROM audit_log ORDER BY id DESC LIMIT 1";
        let tip = self.one(many("audit_log"), newest, &[], end)?;
        Ok(tip.unwrap_or(ChainHead {
            id: 0,
            hash: [0; 64],
        }))
    }

    fn records_after(&self, after: u64, limit: u32) -> Answer<Vec<LoggedRecord>> {
        let sql = format!("{RECORDS} WHERE id > ?1 ORDER BY id LIMIT ?2");
        self.all(many("audit_log"), &sql, &[&after, &limit], logged)
    }

    fn record_mark(&self, id: u64) -> Answer<Option<RecordMark>> {
        let sql = "SELECT hash, tag FROM audit_log WHERE id = ?1";
        self.one(many("audit_log"), sql, &[&id], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }

    fn find_records(
        &self,
        filter: &AuditFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Answer<Vec<LoggedRecord>> {
        let (condition, values) = condition(filter, &before);
        let mut values = borrowed(&values);
        values.push(&limit);
        let last = values.len();
        let sql = format!("{RECORDS}{condition} ORDER BY id DESC LIMIT ?{last}");
        self.all(many("audit_log"), &sql, &values, logged)
    }

    fn count_records(&self, filter: &AuditFilter) -> Answer<u64> {
        let (condition, values) = condition(filter, &None);
        let sql = format!("SELECT count(*) FROM audit_log{condition}");
        self.number(many("audit_log"), &sql, &borrowed(&values))
    }

    // Along the rows and not the times: what is asked for is a part of the chain, whatever the clock did.
    fn first_record_since(&self, time: u64) -> Answer<Option<u64>> {
        let sql = format!(
            "SELECT id FROM audit_log {} WHERE timestamp >= ?1 ORDER BY id LIMIT 1",
            D::NO_INDEX
        );
        self.one(many("audit_log"), &sql, &[&time], |row| row.get(0))
    }

    fn last_record_until(&self, time: u64) -> Answer<Option<u64>> {
        let sql = format!(
            "SELECT id FROM audit_log {} WHERE timestamp <= ?1 ORDER BY id DESC LIMIT 1",
            D::NO_INDEX
        );
        self.one(many("audit_log"), &sql, &[&time], |row| row.get(0))
    }

    fn record_before(&self, id: u64) -> Answer<Option<ChainHead>> {
        let sql = "SELECT id, hash FROM audit_log WHERE id < ?1 ORDER BY id DESC LIMIT 1";
        self.one(many("audit_log"), sql, &[&id], end)
    }

    fn is_signed(&self, action: &str, event_id: &[u8; 16]) -> Answer<bool> {
        let signed = self.number(
            many("audit_log"),
            "SELECT count(*) FROM audit_log WHERE action = ?1 AND event_id = ?2
                 AND id <= (SELECT max(record_id) FROM audit_heads)",
            &[&Public(action), &event_id],
        )?;
        Ok(signed > 0)
    }

    fn heads(&self, from: u64, through: Option<u64>, take: &mut dyn FnMut(SignedHead)) -> Answer {
        let sql = format!("{HEADS} WHERE record_id BETWEEN ?1 AND ?2 ORDER BY record_id, id");
        let through = through.unwrap_or(u64::MAX);
        self.query(many("audit_heads"), &sql, &[&from, &through], &mut |row| {
            take(head(row)?);
            Ok(ControlFlow::Continue(()))
        })
    }

    fn newest_head(&self) -> Answer<Option<SignedHead>> {
        let sql = format!("{HEADS} ORDER BY id DESC LIMIT 1");
        self.one(many("audit_heads"), &sql, &[], head)
    }

    fn doors(&self) -> Answer<Vec<Door>> {
        let sql = "SELECT through_id, hash, cutoff, timestamp FROM audit_retention ORDER BY id";
        self.all(many("audit_retention"), sql, &[], |row| {
            Ok(Door {
                through_id: row.get(0)?,
                hash: row.get(1)?,
                cutoff: row.get(2)?,
                timestamp: row.get(3)?,
            })
        })
    }
}

impl<D: Sql> LogChanges for D {
    fn lock_chain(&self) -> Answer<ChainHead> {
        self.lock_log()?;
        self.chain_tip()
    }

    fn append_records(&self, records: &[LinkedEvent]) -> Answer {
        for record in records {
            let event = &record.event;
            self.run(
                many("audit_log"),
                "INSERT INTO audit_log (id, event_id, user_id, action, timestamp,
                     encrypted_details, previous_hash, hash, tag)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                &[
                    &record.id,
                    &event.event_id,
                    &event.user_id.as_ref().map(UserId::as_bytes),
                    &Public(event.action),
                    &event.timestamp,
                    &event.details,
                    &record.previous,
                    &record.hash,
                    &Public(&record.tag),
                ],
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
            &[
                &head.number,
                &head.record_id,
                &head.hash,
                &head.timestamp,
                &Public(&signed.signature),
            ],
        )
    }

    fn insert_door(&self, door: &Door) -> Answer {
        // The number is given: the trigger that keeps the order sees none that the database would choose.
        self.run(
            many("audit_retention"),
            "INSERT INTO audit_retention (id, through_id, hash, cutoff, timestamp)
             VALUES ((SELECT coalesce(max(id), 0) + 1 FROM audit_retention), ?1, ?2, ?3, ?4)",
            &[&door.through_id, &door.hash, &door.cutoff, &door.timestamp],
        )
    }

    fn delete_records(&self, through: u64, limit: u32) -> Answer<u64> {
        self.execute(
            many("audit_log"),
            "DELETE FROM audit_log WHERE id IN
                 (SELECT id FROM audit_log WHERE id <= ?1 ORDER BY id LIMIT ?2)",
            &[&through, &limit],
        )
    }

    fn delete_heads(&self, through: u64, limit: u32) -> Answer<u64> {
        self.execute(
            many("audit_heads"),
            "DELETE FROM audit_heads WHERE id IN
                 (SELECT id FROM audit_heads WHERE record_id <= ?1 ORDER BY record_id LIMIT ?2)",
            &[&through, &limit],
        )
    }
}
