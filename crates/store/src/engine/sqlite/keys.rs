//! Statements about `keks`, `key_jobs` and `audit_keys`, and walks over sealed columns.

use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::classes::{Public, Sealed};
use crate::engine::Answer;
use crate::engine::keys::{JobRow, KekRow, KeyChanges, KeyRows, RowKey, Walk, Walked};
use crate::engine::place::{at, many};
use crate::engine::sqlite::bind::Bindable;
use crate::engine::sqlite::db::Db;
use crate::fault::Fault;
use api::KeyJobKind;
use api::bodies::KeyJob;

impl ToSql for RowKey {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Number(number) => ValueRef::Integer(*number),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

impl Bindable for RowKey {}

impl FromSql for RowKey {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Integer(number) => Ok(Self::Number(number)),
            ValueRef::Blob(bytes) => Ok(Self::Bytes(bytes.to_vec())),
            ValueRef::Text(_) => value.as_str().map(|text| Self::Text(text.to_owned())),
            ValueRef::Null | ValueRef::Real(_) => Err(FromSqlError::InvalidType),
        }
    }
}

fn kek(row: &Row<'_>) -> rusqlite::Result<KekRow> {
    Ok(KekRow {
        kek_id: row.get(0)?,
        provider: row.get(1)?,
        version: row.get(2)?,
        state: row.get(3)?,
        salt: row.get(4)?,
        iterations: row.get(5)?,
        check: row.get(6)?,
        created_at: row.get(7)?,
        reference: row.get(8)?,
        handover: row.get(9)?,
        retired_at: row.get(10)?,
    })
}

fn job(row: &Row<'_>) -> rusqlite::Result<Answer<JobRow>> {
    let id: u64 = row.get(0)?;
    let (kind, state): (String, String) = (row.get(1)?, row.get(2)?);
    let Some(kind) = KeyJobKind::named(&kind) else {
        return Ok(Err(Fault::damaged("key_jobs", id, "unknown kind")));
    };
    Ok(Ok(JobRow {
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
        outcomes: row.get(9)?,
    }))
}

/// The naming columns from `first` on, one after the other.
fn name(row: &Row<'_>, first: usize, walk: &Walk) -> rusqlite::Result<Vec<u8>> {
    let mut name = Vec::new();
    for column in first..first + walk.name.len() {
        match row.get_ref(column)? {
            ValueRef::Integer(number) => name.extend_from_slice(&number.to_be_bytes()),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => name.extend_from_slice(bytes),
            ValueRef::Null | ValueRef::Real(_) => {}
        }
    }
    Ok(name)
}

impl KeyRows for Db<'_> {
    fn keks(&self) -> Answer<Vec<KekRow>> {
        let later = "SELECT count(*) FROM pragma_table_info('keks') WHERE name = 'reference'";
        let columns = match self.number(many("keks"), later, [])? {
            0 => "NULL, NULL, NULL",
            _ => "reference, encrypted_handover, retired_at",
        };
        let sql = format!(
            "SELECT kek_id, provider, version, state, salt, iterations, encrypted_check,
                 created_at, {columns} FROM keks ORDER BY created_at DESC, state, kek_id"
        );
        self.all(many("keks"), &sql, [], kek)
    }

    fn newest_key_job(&self) -> Answer<Option<JobRow>> {
        let row = self.one(
            many("key_jobs"),
            "SELECT id, kind, state, reason, done, total, started_at, finished_at, cursor, outcomes
             FROM key_jobs ORDER BY id DESC LIMIT 1",
            [],
            job,
        )?;
        row.transpose()
    }

    fn audit_key(&self, subject: &[u8; 16]) -> Answer<Option<Sealed>> {
        let sql = "SELECT encrypted_key FROM audit_keys WHERE subject = ?1";
        self.one(at("audit_keys", subject), sql, [subject], |row| row.get(0))
    }

    fn walk(
        &self,
        walk: &Walk,
        after: &RowKey,
        skip: Option<[u8; 16]>,
        limit: usize,
    ) -> Answer<Vec<Walked>> {
        let (key, column, table) = (walk.key, walk.column, walk.table);
        let names = walk.name.join(", ");
        let sql = format!(
            "SELECT {key}, CASE WHEN substr({column}, 3, 16) = ?2 THEN NULL ELSE {column} END, {names}
             FROM {table} WHERE {key} > ?1 ORDER BY {key} LIMIT ?3"
        );
        self.all(many(table), &sql, (after, skip, limit), |row| {
            Ok(Walked {
                key: row.get(0)?,
                sealed: row.get(1)?,
                name: name(row, 2, walk)?,
            })
        })
    }

    fn any_under(&self, walk: &Walk, kek: &[u8; 16]) -> Answer<Option<(Vec<u8>, Sealed)>> {
        let (column, table, names) = (walk.column, walk.table, walk.name.join(", "));
        let sql = format!(
            "SELECT {column}, {names} FROM {table} WHERE substr({column}, 3, 16) = ?1 LIMIT 1"
        );
        self.one(many(table), &sql, [kek], |row| {
            Ok((name(row, 1, walk)?, row.get(0)?))
        })
    }
}

impl KeyChanges for Db<'_> {
    fn insert_kek(&self, row: &KekRow) -> Answer {
        self.run(
            at("keks", &row.kek_id),
            "INSERT INTO keks (kek_id, provider, version, state, salt, iterations, reference,
                 encrypted_check, encrypted_handover, created_at)
             VALUES (?1, ?2, ?3, 'active', ?4, ?5, ?6, ?7, ?8, ?9)",
            (
                &row.kek_id,
                Public(&row.provider),
                row.version,
                row.salt.as_ref().map(Public),
                row.iterations,
                row.reference.as_ref().map(Public),
                &row.check,
                row.handover.as_ref(),
                row.created_at,
            ),
        )
    }

    fn begin_retiring(&self, kek: &[u8; 16], handed: Option<&Sealed>) -> Answer<bool> {
        self.changed(
            at("keks", kek),
            "UPDATE keks SET state = 'retiring', encrypted_handover = ?1
             WHERE kek_id = ?2 AND state = 'active'",
            (handed, kek),
        )
    }

    fn close_retiring(&self, now: u64) -> Answer {
        let sql = "UPDATE keks SET closed_at = ?1 WHERE state = 'retiring' AND closed_at IS NULL";
        self.run(many("keks"), sql, [now])
    }

    fn retire(&self, now: u64) -> Answer {
        let place = many("keks");
        let active = "UPDATE keks SET encrypted_handover = NULL WHERE state = 'active'";
        self.execute(place, active, [])?;
        self.run(
            place,
            "UPDATE keks SET state = 'retired', retired_at = ?1, salt = NULL,
                 iterations = NULL, encrypted_handover = NULL, encrypted_check = x''
             WHERE state = 'retiring'",
            [now],
        )
    }

    fn insert_key_job(&self, row: &JobRow) -> Answer<u64> {
        let place = many("key_jobs");
        let next = "SELECT coalesce(max(id), 0) + 1 FROM key_jobs";
        let id = self.number(place, next, [])?;
        self.execute(
            place,
            "INSERT INTO key_jobs (id, kind, state, reason, cursor, done, total, started_at, outcomes)
             VALUES (?1, ?2, 'running', ?3, ?4, 0, ?5, ?6, ?7)",
            (
                id,
                Public(row.job.kind.as_str()),
                Public(&row.job.reason),
                Public(&row.cursor),
                row.job.total,
                row.job.started_at,
                row.outcomes.as_ref().map(Public),
            ),
        )?;
        Ok(id)
    }

    fn advance_key_job(&self, id: u64, from: &str, to: &str, done: u64) -> Answer<bool> {
        self.changed(
            many("key_jobs"),
            "UPDATE key_jobs SET cursor = ?1, done = ?2
             WHERE id = ?3 AND state = 'running' AND cursor = ?4",
            (Public(to), done, id, Public(from)),
        )
    }

    fn finish_key_job(&self, id: u64, from: &str, done: u64, now: u64) -> Answer<bool> {
        self.changed(
            many("key_jobs"),
            "UPDATE key_jobs SET state = 'done', cursor = '', done = ?1, total = ?1,
                 finished_at = ?2
             WHERE id = ?3 AND state = 'running' AND cursor = ?4",
            (done, now, id, Public(from)),
        )
    }

    fn insert_audit_key(&self, subject: &[u8; 16], key: &Sealed, now: u64) -> Answer {
        self.run(
            at("audit_keys", subject),
            "INSERT INTO audit_keys (subject, encrypted_key, created_at) VALUES (?1, ?2, ?3)",
            (subject, key, now),
        )
    }

    fn swap_sealed(&self, walk: &Walk, key: &RowKey, old: &Sealed, new: &Sealed) -> Answer {
        let (column, table) = (walk.column, walk.table);
        let sql = format!(
            "UPDATE {table} SET {column} = ?1 WHERE {} = ?2 AND {column} = ?3",
            walk.key
        );
        self.run(many(table), &sql, (new, key, old))
    }
}
