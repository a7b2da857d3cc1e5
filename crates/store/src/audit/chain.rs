//! The chain of audit records: what is hashed, appending, verifying.

use ::audit::{Door, Fields, Record, SignedHead, Verifier};
use rusqlite::{Row, Rows};

use crate::audit::authorship::Written;
use crate::audit::heads::read_head;
use crate::audit::proof::{AuditItem, Seen};
use crate::audit::{ChainError, ChainHead};
use crate::engine::sqlite::db::{Db, many};
use crate::engine::sqlite::writer::WriteTx;
use crate::fault::Fault;
use crate::sealing::classes::{Public, Sealed};
use api::ids::UserId;

/// The newest record's id and hash; zeros before the first.
#[derive(Clone)]
pub(crate) struct Tip {
    pub id: u64,
    pub hash: [u8; 64],
}

/// An event with sealed details, which the writer only chains and inserts.
pub(crate) struct SealedEvent {
    pub event_id: [u8; 16],
    pub user_id: Option<UserId>,
    pub action: &'static str,
    pub timestamp: u64,
    pub details: Sealed,
}

impl WriteTx<'_> {
    /// Appends sealed events to the chain, in the transaction of the request.
    pub(crate) fn append(&mut self, events: Vec<SealedEvent>) -> Result<(), Fault> {
        if events.is_empty() {
            return Ok(());
        }
        let mut tip = match self.tip.take() {
            Some(tip) => tip,
            None => tip(self.db)?,
        };
        for event in events {
            let id = tip.id + 1;
            let hash = Fields {
                id,
                event_id: &event.event_id,
                user_id: event.user_id.as_ref().map(UserId::as_bytes),
                action: event.action,
                timestamp: event.timestamp,
                details: event.details.as_bytes(),
                previous: &tip.hash,
            }
            .hash();
            self.db.execute(
                many("audit_log"),
                "INSERT INTO audit_log (id, event_id, user_id, action, timestamp,
                     encrypted_details, previous_hash, hash, tag)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                (
                    id,
                    &event.event_id,
                    event.user_id.as_ref().map(UserId::as_bytes),
                    Public(event.action),
                    event.timestamp,
                    &event.details,
                    &tip.hash,
                    &hash,
                    self.tags.of(&Written { id, hash: &hash }),
                ),
            )?;
            tip = Tip { id, hash };
        }
        self.tip = Some(tip);
        Ok(())
    }
}

/// Reads the end of the chain.
///
/// It is read for each batch, not once at the start: a subcommand in another process may append too.
pub(crate) fn tip(db: Db<'_>) -> Result<Tip, Fault> {
    let newest = "SELECT id, hash FROM audit_log ORDER BY id DESC LIMIT 1";
    let tip = db.one(many("audit_log"), newest, [], |row| {
        Ok(Tip {
            id: row.get(0)?,
            hash: row.get(1)?,
        })
    })?;
    Ok(tip.unwrap_or(Tip {
        id: 0,
        hash: [0; 64],
    }))
}

/// Recomputes the chain from the first record on, or from where the retention left it.
pub(crate) fn verify(db: Db<'_>) -> Result<ChainHead, ChainError> {
    let mut verifier = Verifier::new(None, None);
    for door in doors(db)? {
        verifier.door(door);
    }
    read(db, 0, None, &mut |item| item.verify(&mut verifier))?;
    let verdict = verifier.finish();
    match verdict.findings.first() {
        Some(finding) => Err(ChainError::Broken {
            id: finding.record().unwrap_or(verdict.to),
            reason: finding.to_string(),
        }),
        None => Ok(ChainHead {
            id: verdict.to,
            hash: verdict.hash,
        }),
    }
}

/// Recomputes the newest record, which must be undamaged before anything is appended to it.
pub(crate) fn verify_newest(db: Db<'_>) -> Result<ChainHead, ChainError> {
    let newest = tip(db)?;
    let broken = |reason: &str| ChainError::Broken {
        id: newest.id,
        reason: reason.to_owned(),
    };
    let mut found = Ok(());
    read(db, newest.id.saturating_sub(1), Some(1), &mut |item| {
        found = match item {
            AuditItem::Record(record, _) if !record.is_whole() => {
                Err("its hash does not fit its content")
            }
            AuditItem::Unreadable(_) => Err("it cannot be read"),
            _ => return,
        };
    })?;
    found.map_err(broken)?;
    Ok(ChainHead {
        id: newest.id,
        hash: newest.hash,
    })
}

/// What every reader of records selects, for [`record`].
pub(crate) const RECORDS: &str =
    "SELECT id, event_id, user_id, action, timestamp, encrypted_details,
                           previous_hash, hash
                       FROM audit_log";

pub(crate) fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
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

/// Every door, oldest first.
pub(crate) fn doors(db: Db<'_>) -> Result<Vec<Door>, Fault> {
    let sql = "SELECT through_id, hash, cutoff, timestamp FROM audit_retention ORDER BY id";
    db.all(many("audit_retention"), sql, [], |row| {
        Ok(Door {
            through_id: row.get(0)?,
            hash: row.get(1)?,
            cutoff: row.get(2)?,
            timestamp: row.get(3)?,
        })
    })
}

/// The first record that was written at `from` or later, and the number of the last that was
/// written at `to` or earlier.
pub(crate) fn range(
    db: Db<'_>,
    from: Option<u64>,
    to: Option<u64>,
) -> Result<Option<(Record, u64)>, Fault> {
    let place = many("audit_log");
    let time = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
    let first = db.one(
        place,
        &format!("{RECORDS} NOT INDEXED WHERE timestamp >= ?1 ORDER BY id LIMIT 1"),
        [time(from.unwrap_or(0))],
        record,
    )?;
    let last = db.one(
        place,
        "SELECT id FROM audit_log NOT INDEXED WHERE timestamp <= ?1 ORDER BY id DESC LIMIT 1",
        [time(to.unwrap_or(u64::MAX))],
        |row| row.get::<_, u64>(0),
    )?;
    Ok(first.zip(last).filter(|(first, last)| first.id <= *last))
}

/// Reads the log after the record `after`, in its order: each record, then the heads that sign it.
///
/// Answers with the last number when `limit` records were read, and with nothing at the end.
pub(crate) fn read(
    db: Db<'_>,
    after: u64,
    limit: Option<u32>,
    take: &mut dyn FnMut(AuditItem),
) -> Result<Option<u64>, Fault> {
    let place = many("audit_log");
    let failed = |error| place.fault(error);
    let sql = format!("{RECORDS} WHERE id > ?1 ORDER BY id LIMIT ?2");
    let most = limit.map_or(-1, i64::from);
    let mut records = db.connection.prepare_cached(&sql).map_err(failed)?;
    let mut records = records.query((after, most)).map_err(failed)?;
    let mut heads = db
        .connection
        .prepare_cached(
            "SELECT id, record_id, hash, timestamp, signature FROM audit_heads
             WHERE record_id >= ?1 ORDER BY record_id, id",
        )
        .map_err(failed)?;

    let mut row = records.next().map_err(failed)?;
    // Heads of records that the retention took are no part of what is read.
    let begin = match row {
        Some(row) if after == 0 => row.get(0).unwrap_or(1),
        _ => after + 1,
    };
    let mut heads = heads.query([begin]).map_err(failed)?;
    let mut head = next_head(&mut heads)?;
    let (mut count, mut last) = (0, after);
    while let Some(found) = row {
        last = found.get(0).map_err(failed)?;
        while let Some(early) = head.take_if(|head| head.head.record_id < last) {
            take(AuditItem::Head(early));
            head = next_head(&mut heads)?;
        }
        take(match record(found) {
            Ok(record) => AuditItem::Record(Box::new(record), Seen::default()),
            Err(_) => AuditItem::Unreadable(last),
        });
        while let Some(own) = head.take_if(|head| head.head.record_id == last) {
            take(AuditItem::Head(own));
            head = next_head(&mut heads)?;
        }
        count += 1;
        row = records.next().map_err(failed)?;
    }
    if limit.is_some_and(|limit| count >= limit) {
        return Ok(Some(last));
    }
    while let Some(late) = head {
        take(AuditItem::Head(late));
        head = next_head(&mut heads)?;
    }
    Ok(None)
}

fn next_head(heads: &mut Rows<'_>) -> Result<Option<SignedHead>, Fault> {
    heads
        .next()
        .and_then(|row| row.map(read_head).transpose())
        .map_err(|error| many("audit_heads").fault(error))
}
