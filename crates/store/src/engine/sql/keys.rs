//! Statements about `keks`, `key_jobs` and `audit_keys`, and walks over sealed columns.

use crate::classes::{Public, Sealed};
use crate::engine::Answer;
use crate::engine::keys::{JobRow, KekRow, KeyChanges, KeyRows, RowKey, Walk, Walked};
use crate::engine::place::{at, many};
use crate::engine::sql::{Bindable, FromValue, Hold, Line, Readable, Sql, Unreadable, Value};
use crate::fault::Fault;
use api::KeyJobKind;
use api::bodies::KeyJob;

impl Bindable for RowKey {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Number(number) => Value::Number(*number),
            Self::Bytes(bytes) => Value::Bytes(bytes),
            Self::Text(text) => Value::Text(text),
        }
    }
}

impl FromValue for RowKey {
    fn from_value(value: Value<'_>) -> Readable<Self> {
        match value {
            Value::Number(number) => Ok(Self::Number(number)),
            Value::Bytes(bytes) => Ok(Self::Bytes(bytes.to_vec())),
            Value::Text(text) => Ok(Self::Text(text.to_owned())),
            Value::Null => Err(Unreadable("a key should stand there".to_owned())),
        }
    }
}

fn kek(row: Line<'_>) -> Readable<KekRow> {
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
        wrapped: row.get(11)?,
    })
}

fn job(row: Line<'_>) -> Readable<Answer<JobRow>> {
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
fn name(row: Line<'_>, first: usize, walk: &Walk) -> Readable<Vec<u8>> {
    let mut name = Vec::new();
    for column in first..first + walk.name.len() {
        match row.value(column)? {
            Value::Number(number) => name.extend_from_slice(&number.to_be_bytes()),
            Value::Text(text) => name.extend_from_slice(text.as_bytes()),
            Value::Bytes(bytes) => name.extend_from_slice(bytes),
            Value::Null => {}
        }
    }
    Ok(name)
}

impl<D: Sql> KeyRows for D {
    fn keks(&self) -> Answer<Vec<KekRow>> {
        // Also in a database that was not migrated yet.
        let there = self.columns("keks")?;
        let has = |column: &str| there.iter().any(|name| name == column);
        let columns = match (has("reference"), has("wrapped_kek")) {
            (false, _) => "NULL, NULL, NULL, NULL",
            (true, false) => "reference, encrypted_handover, retired_at, NULL",
            (true, true) => "reference, encrypted_handover, retired_at, wrapped_kek",
        };
        let sql = format!(
            "SELECT kek_id, provider, version, state, salt, iterations, encrypted_check,
                 created_at, {columns} FROM keks ORDER BY created_at DESC, state, kek_id"
        );
        self.all(many("keks"), &sql, &[], kek)
    }

    fn newest_key_job(&self) -> Answer<Option<JobRow>> {
        let sql = format!(
            "SELECT id, kind, state, reason, done, total, started_at, finished_at, cursor, outcomes
             FROM key_jobs ORDER BY id DESC LIMIT 1{}",
            self.hold(Hold::Alone)
        );
        let row = self.one(many("key_jobs"), &sql, &[], job)?;
        row.transpose()
    }

    fn audit_key(&self, subject: &[u8; 16]) -> Answer<Option<Sealed>> {
        let sql = "SELECT encrypted_key FROM audit_keys WHERE subject = ?1";
        self.one(at("audit_keys", subject), sql, &[&subject], |row| {
            row.get(0)
        })
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
        self.all(many(table), &sql, &[&after, &skip, &limit], |row| {
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
        self.one(many(table), &sql, &[&kek], |row| {
            Ok((name(row, 1, walk)?, row.get(0)?))
        })
    }
}

impl<D: Sql> KeyChanges for D {
    fn insert_kek(&self, row: &KekRow) -> Answer {
        self.run(
            at("keks", &row.kek_id),
            "INSERT INTO keks (kek_id, provider, version, state, salt, iterations, reference,
                 encrypted_check, encrypted_handover, created_at, wrapped_kek)
             VALUES (?1, ?2, ?3, 'active', ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            &[
                &row.kek_id,
                &Public(&row.provider),
                &row.version,
                &row.salt.as_ref().map(Public),
                &row.iterations,
                &row.reference.as_ref().map(Public),
                &row.check,
                &row.handover.as_ref(),
                &row.created_at,
                &row.wrapped.as_ref().map(Public),
            ],
        )
    }

    fn begin_retiring(&self, kek: &[u8; 16], handed: Option<&Sealed>) -> Answer<bool> {
        self.changed(
            at("keks", kek),
            "UPDATE keks SET state = 'retiring', encrypted_handover = ?1
             WHERE kek_id = ?2 AND state = 'active'",
            &[&handed, &kek],
        )
    }

    fn close_retiring(&self, now: u64) -> Answer {
        let sql = "UPDATE keks SET closed_at = ?1 WHERE state = 'retiring' AND closed_at IS NULL";
        self.run(many("keks"), sql, &[&now])
    }

    fn retire(&self, now: u64) -> Answer {
        let place = many("keks");
        let active = "UPDATE keks SET encrypted_handover = NULL WHERE state = 'active'";
        self.run(place, active, &[])?;
        self.run(
            place,
            "UPDATE keks SET state = 'retired', retired_at = ?1, salt = NULL,
                 iterations = NULL, wrapped_kek = NULL, encrypted_handover = NULL,
                 encrypted_check = ?2
             WHERE state = 'retiring'",
            &[&now, &Public([].as_slice())],
        )
    }

    fn insert_key_job(&self, row: &JobRow) -> Answer<u64> {
        let place = many("key_jobs");
        let next = "SELECT coalesce(max(id), 0) + 1 FROM key_jobs";
        let id = self.number(place, next, &[])?;
        self.run(
            place,
            "INSERT INTO key_jobs (id, kind, state, reason, cursor, done, total, started_at, outcomes)
             VALUES (?1, ?2, 'running', ?3, ?4, 0, ?5, ?6, ?7)",
            &[&id, &Public(row.job.kind.as_str()), &Public(&row.job.reason), &Public(&row.cursor), &row.job.total, &row.job.started_at, &row.outcomes.as_ref().map(Public)],
        )?;
        Ok(id)
    }

    fn advance_key_job(&self, id: u64, from: &str, to: &str, done: u64) -> Answer<bool> {
        self.changed(
            many("key_jobs"),
            "UPDATE key_jobs SET cursor = ?1, done = ?2
             WHERE id = ?3 AND state = 'running' AND cursor = ?4",
            &[&Public(to), &done, &id, &Public(from)],
        )
    }

    fn finish_key_job(&self, id: u64, from: &str, done: u64, now: u64) -> Answer<bool> {
        self.changed(
            many("key_jobs"),
            "UPDATE key_jobs SET state = 'done', cursor = '', done = ?1, total = ?1,
                 finished_at = ?2
             WHERE id = ?3 AND state = 'running' AND cursor = ?4",
            &[&done, &now, &id, &Public(from)],
        )
    }

    fn insert_audit_key(&self, subject: &[u8; 16], key: &Sealed, now: u64) -> Answer {
        self.run(
            at("audit_keys", subject),
            "INSERT INTO audit_keys (subject, encrypted_key, created_at) VALUES (?1, ?2, ?3)",
            &[&subject, &key, &now],
        )
    }

    fn swap_sealed(&self, walk: &Walk, key: &RowKey, old: &Sealed, new: &Sealed) -> Answer {
        let (column, table) = (walk.column, walk.table);
        let sql = format!(
            "UPDATE {table} SET {column} = ?1 WHERE {} = ?2 AND {column} = ?3",
            walk.key
        );
        self.run(many(table), &sql, &[&new, &key, &old])
    }
}
