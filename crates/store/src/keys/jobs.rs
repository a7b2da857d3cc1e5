//! Rows of `key_jobs`, and where a job continues.

use std::fmt;

use rusqlite::Row;
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use crate::audit::AuditEvent;
use crate::engine::sqlite::db::{Db, many};
use crate::fault::Fault;
use crate::keys::OUTCOMES;
use crate::sealing::classes::Public;
use crate::sealing::columns::MOVING;
use api::KeyJobKind;
use api::bodies::KeyJob;
use api::ids::UserId;

/// Where a job continues.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cursor {
    /// Values may still be written under the key before.
    Close,
    /// After this key of this column of [`MOVING`].
    Walk(usize, Value),
    /// Every column was walked over; is anything left under the key before?
    Check,
}

impl Cursor {
    /// The beginning of a column, or the check behind the last.
    pub(crate) fn column(index: usize) -> Self {
        match MOVING.get(index) {
            Some(moving) => Self::Walk(index, moving.start()),
            None => Self::Check,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.splitn(4, ' ');
        let cursor = match words.next()? {
            "close" => Self::Close,
            "check" => Self::Check,
            "walk" => {
                let index = words.next()?.parse().ok()?;
                MOVING.get(index)?;
                let (kind, value) = (words.next()?, words.next()?);
                let value = match kind {
                    "number" => Value::Integer(value.parse().ok()?),
                    "bytes" => Value::Blob(hex::decode(value).ok()?),
                    "text" => Value::Text(value.to_owned()),
                    _ => return None,
                };
                Self::Walk(index, value)
            }
            _ => return None,
        };
        Some(cursor)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Close => f.write_str("close"),
            Self::Check => f.write_str("check"),
            Self::Walk(index, Value::Integer(number)) => write!(f, "walk {index} number {number}"),
            Self::Walk(index, Value::Text(text)) => write!(f, "walk {index} text {text}"),
            Self::Walk(index, Value::Blob(bytes)) => {
                write!(f, "walk {index} bytes {}", hex::encode(bytes))
            }
            Self::Walk(index, _) => write!(f, "walk {index} text "),
        }
    }
}

/// A job and where it continues.
#[derive(Clone)]
pub(crate) struct JobRow {
    pub job: KeyJob,
    pub cursor: String,
    /// The records that are written when it is done.
    pub outcomes: Vec<Outcome>,
}

/// A record that is written when a job is done.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Outcome {
    user: Option<UserId>,
    action: String,
}

impl Outcome {
    /// Keeps of an event what may stand in the clear.
    pub(crate) fn of(event: &AuditEvent) -> Self {
        Self {
            user: event.user_id,
            action: event.action.to_owned(),
        }
    }

    /// The event, once the job is done; nothing where this program knows no such action.
    pub(crate) fn event(&self, timestamp: u64, details: &serde_json::Value) -> Option<AuditEvent> {
        let action = OUTCOMES.into_iter().find(|known| *known == self.action)?;
        Some(AuditEvent {
            user_id: self.user,
            action,
            timestamp,
            details: details.clone(),
        })
    }
}

impl JobRow {
    /// The running job, or else the last one.
    pub(crate) fn newest(db: Db<'_>) -> Result<Option<Self>, Fault> {
        let row = db.one(
            many("key_jobs"),
            "SELECT id, kind, state, reason, done, total, started_at, finished_at, cursor, outcomes
             FROM key_jobs ORDER BY id DESC LIMIT 1",
            [],
            Self::read,
        )?;
        row.transpose()
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Result<Self, Fault>> {
        let id: u64 = row.get(0)?;
        let (kind, state): (String, String) = (row.get(1)?, row.get(2)?);
        let Some(kind) = KeyJobKind::named(&kind) else {
            return Ok(Err(Fault::damaged("key_jobs", id, "unknown kind")));
        };
        Ok(Ok(Self {
            job: KeyJob {
                id,
                kind,
                finished: state == "done",
                reason: row.get(3)?,
                done: row.get(4)?,
                total: row.get(5)?,
                started_at: row.get(6)?,
                finished_at: row.get(7)?,
            },
            cursor: row.get(8)?,
            outcomes: row
                .get::<_, Option<String>>(9)?
                .and_then(|text| serde_json::from_str(&text).ok())
                .unwrap_or_default(),
        }))
    }

    pub(crate) fn cursor(&self) -> Result<Cursor, Fault> {
        Cursor::parse(&self.cursor)
            .ok_or_else(|| Fault::damaged("key_jobs", self.job.id, "unknown cursor"))
    }

    /// Inserts a running job; the unique index refuses a second one.
    pub(crate) fn insert(&mut self, db: Db<'_>) -> Result<(), Fault> {
        let next = "SELECT coalesce(max(id), 0) + 1 FROM key_jobs";
        self.job.id = db.number(many("key_jobs"), next, [])?;
        db.execute(
            many("key_jobs"),
            "INSERT INTO key_jobs (id, kind, state, reason, cursor, done, total, started_at, outcomes)
             VALUES (?1, ?2, 'running', ?3, ?4, 0, ?5, ?6, ?7)",
            (
                self.job.id,
                Public(self.job.kind.as_str()),
                Public(&self.job.reason),
                Public(&self.cursor),
                self.job.total,
                self.job.started_at,
                Public(serde_json::to_string(&self.outcomes).unwrap_or_default()),
            ),
        )?;
        Ok(())
    }

    /// Moves on, unless somebody else did.
    pub(crate) fn advance(&self, db: Db<'_>, cursor: &Cursor, done: u64) -> Result<(), Fault> {
        let moved = db.execute(
            many("key_jobs"),
            "UPDATE key_jobs SET cursor = ?1, done = ?2
             WHERE id = ?3 AND state = 'running' AND cursor = ?4",
            (
                Public(cursor.to_string()),
                done,
                self.job.id,
                Public(&self.cursor),
            ),
        )?;
        self.moved(moved)
    }

    /// Ends the job.
    pub(crate) fn finish(&self, db: Db<'_>, now: u64) -> Result<(), Fault> {
        let moved = db.execute(
            many("key_jobs"),
            "UPDATE key_jobs SET state = 'done', cursor = '', done = ?1, total = ?1,
                 finished_at = ?2
             WHERE id = ?3 AND state = 'running' AND cursor = ?4",
            (self.job.done, now, self.job.id, Public(&self.cursor)),
        )?;
        self.moved(moved)
    }

    fn moved(&self, rows: usize) -> Result<(), Fault> {
        if rows == 1 {
            return Ok(());
        }
        let reason = format!("another process works on key job {}", self.job.id);
        Err(Fault::Unavailable(reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_as_it_was_written() {
        let cursors = [
            Cursor::Close,
            Cursor::Check,
            Cursor::column(0),
            Cursor::column(MOVING.len() - 1),
            Cursor::Walk(0, Value::Text("two words".to_owned())),
            Cursor::Walk(2, Value::Integer(i64::MAX)),
            Cursor::Walk(7, Value::Blob(vec![0, 255])),
        ];
        for cursor in cursors {
            assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        }
        assert_eq!(Cursor::column(MOVING.len()), Cursor::Check);
        for text in ["", "walk", "walk 99 number 1", "walk 0 number x", "else"] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
