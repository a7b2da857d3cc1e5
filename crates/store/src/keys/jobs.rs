//! Key jobs: where one continues, and the records that end it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::audit::AuditEvent;
use crate::engine::Changes;
use crate::engine::keys::{JobRow, RowKey};
use crate::fault::Fault;
use crate::keys::OUTCOMES;
use crate::sealing::columns::MOVING;
use api::ids::UserId;

/// Seconds for which other instances may still seal under the key before.
const FOLLOWING: u64 = 5;

/// Where a job continues.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cursor {
    /// Values may still be written under the key before.
    Close,
    /// After this key of this column of [`MOVING`].
    Walk(usize, RowKey),
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
                    "number" => RowKey::Number(value.parse().ok()?),
                    "bytes" => RowKey::Bytes(hex::decode(value).ok()?),
                    "text" => RowKey::Text(value.to_owned()),
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
            Self::Walk(index, RowKey::Number(number)) => write!(f, "walk {index} number {number}"),
            Self::Walk(index, RowKey::Text(text)) => write!(f, "walk {index} text {text}"),
            Self::Walk(index, RowKey::Bytes(bytes)) => {
                write!(f, "walk {index} bytes {}", hex::encode(bytes))
            }
        }
    }
}

/// A record that is written when a job is done.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Outcome {
    user: Option<UserId>,
    action: String,
}

impl Outcome {
    /// Keeps of events what may stand in the clear, as JSON.
    pub(crate) fn keep(events: &[AuditEvent]) -> Option<String> {
        let of = |event: &AuditEvent| Self {
            user: event.user_id,
            action: event.action.to_owned(),
        };
        let outcomes: Vec<Self> = events.iter().map(of).collect();
        serde_json::to_string(&outcomes).ok()
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
    /// Whether other instances are given time to follow before the key before is closed.
    pub(crate) fn waits_for_others(&self, now: u64) -> bool {
        self.cursor == Cursor::Close.to_string() && now < self.job.started_at + FOLLOWING
    }

    pub(crate) fn cursor(&self) -> Result<Cursor, Fault> {
        Cursor::parse(&self.cursor)
            .ok_or_else(|| Fault::damaged("key_jobs", self.job.id, "unknown cursor"))
    }

    /// The records that are written when it is done.
    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        let outcomes = self.outcomes.as_deref();
        let outcomes = outcomes.and_then(|text| serde_json::from_str(text).ok());
        outcomes.unwrap_or_default()
    }

    /// Moves on, unless somebody else did.
    pub(crate) fn advance(
        &self,
        rows: &dyn Changes,
        cursor: &Cursor,
        done: u64,
    ) -> Result<(), Fault> {
        let cursor = cursor.to_string();
        self.moved(rows.advance_key_job(self.job.id, &self.cursor, &cursor, done)?)
    }

    /// Ends the job, unless somebody else did.
    pub(crate) fn finish(&self, rows: &dyn Changes, now: u64) -> Result<(), Fault> {
        self.moved(rows.finish_key_job(self.job.id, &self.cursor, self.job.done, now)?)
    }

    fn moved(&self, moved: bool) -> Result<(), Fault> {
        if moved {
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
            Cursor::Walk(0, RowKey::Text("two words".to_owned())),
            Cursor::Walk(2, RowKey::Number(i64::MAX)),
            Cursor::Walk(7, RowKey::Bytes(vec![0, 255])),
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
