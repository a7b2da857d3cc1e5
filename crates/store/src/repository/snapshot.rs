//! Copies of the database over SQLite.
//!
//! The copy is made by SQLite's backup interface inside one read transaction, so that writers go on
//! and the copy is of one moment. Pages keep their places, which `VACUUM` would not: an incremental
//! backup lives on pages that did not move. What is stripped is overwritten (`secure_delete`).

use std::fs::OpenOptions;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

use crate::audit::AuditEvent;
use crate::audit::chain;
use crate::audit::log::weight;
use crate::engine::sqlite::db::{Db, many};
use crate::engine::sqlite::migrations;
use crate::fault::Fault;
use crate::repository::Repository;
use crate::sealing::classes::{Public, Sealed};
use crate::sealing::columns::{MOVING, Moving, append_name};
use crate::snapshot::{OnCopied, Restored, Samples, Snapshot, SnapshotError, Snapshots};

/// Pages that are copied in one step.
const STEP: i32 = 512;
/// How long to wait for a lock of another connection, and how often.
const LOCKED: (Duration, u32) = (Duration::from_millis(10), 1_000);
/// Data that a restore withdraws and no backup holds. The rows of the stock stay, because they keep the number
/// of the newest batch, which must not decrease.
const STRIP: &str = "
    DELETE FROM sessions;
    DELETE FROM prekey_safes;
    DELETE FROM prekey_batches;
    DELETE FROM prekeys;
    UPDATE prekey_stock SET next_leaf = leaf_count WHERE next_leaf <> leaf_count;
    UPDATE public_keys SET signed_prekey = x'', quantum_public_key = x''
        WHERE length(signed_prekey) > 0 OR length(quantum_public_key) > 0;";

const RESTORED_AT: &str = "restored_at";
const RESTORE_EPOCH: &str = "restore_epoch";
const RESTORE_NOTED: &str = "restore_noted";

#[async_trait]
impl Snapshots for Repository {
    async fn snapshot(&self, into: PathBuf, copied: OnCopied) -> Result<Snapshot, SnapshotError> {
        let path = |db: Db<'_>| Ok(db.connection.path().map(PathBuf::from));
        let source = self.read(path).await?;
        let source =
            source.ok_or_else(|| Fault::Unavailable("the database is not a file".to_owned()))?;
        let (reply, answer) = oneshot::channel();
        // A thread of its own: it takes long, and readers are for requests.
        std::thread::Builder::new()
            .name("store-snapshot".to_owned())
            .spawn(move || {
                // A caller that went away needs no answer.
                let _ = reply.send(take(&source, &into, copied));
            })
            .map_err(|error| Fault::Unavailable(error.to_string()))?;
        answer.await.map_err(|_| Fault::Closed)?
    }

    async fn table_counts(&self) -> Result<Vec<(String, u64)>, Fault> {
        self.read(|db| counts(db.connection)).await
    }

    async fn open_samples(&self, each: u32) -> Result<Vec<Samples>, Fault> {
        let mut samples = Vec::with_capacity(MOVING.len());
        for moving in &MOVING {
            let rows = self.read(move |db| sample(db, moving, each)).await?;
            for (name, sealed) in &rows {
                self.sealer.open(moving.column, name, sealed)?;
            }
            samples.push(Samples {
                column: format!("{}.{}", moving.column.table, moving.column.column),
                opened: rows.len() as u64,
            });
        }
        Ok(samples)
    }

    async fn restored(&self) -> Result<Option<Restored>, Fault> {
        self.read(|db| {
            let (Some(at), Some(epoch)) = (setting(db, RESTORED_AT)?, setting(db, RESTORE_EPOCH)?)
            else {
                return Ok(None);
            };
            let damaged = |name| Fault::damaged("settings", name, "it cannot be read");
            let mut bytes = [0; 16];
            hex::decode_to_slice(&epoch, &mut bytes).map_err(|_| damaged(RESTORE_EPOCH))?;
            Ok(Some(Restored {
                epoch: bytes,
                at: at.parse().map_err(|_| damaged(RESTORED_AT))?,
            }))
        })
        .await
    }

    async fn note_restored(&self, audit: Vec<AuditEvent>) -> Result<bool, Fault> {
        let events = self.seal_events(audit).await?;
        self.write(weight(&events), move |tx| {
            let first = tx.db.execute(
                many("settings"),
                "UPDATE settings SET value = 'yes' WHERE name = ?1 AND value = 'no'",
                [Public(RESTORE_NOTED)],
            )?;
            if first == 1 {
                tx.append(events)?;
            }
            Ok(first == 1)
        })
        .await
    }
}

fn setting(db: Db<'_>, name: &'static str) -> Result<Option<String>, Fault> {
    let sql = "SELECT value FROM settings WHERE name = ?1";
    db.one(many("settings"), sql, [Public(name)], |row| row.get(0))
}

/// Reads the first values of a sealed column with the names that they are bound to.
fn sample(db: Db<'_>, moving: &Moving, each: u32) -> Result<Vec<(Vec<u8>, Sealed)>, Fault> {
    let (table, column) = (moving.column.table, moving.column.column);
    let name = moving.name;
    let sql = format!(
        "SELECT {column}, {name} FROM {table} ORDER BY {} LIMIT ?1",
        moving.key
    );
    db.all(many(table), &sql, [each], |row| {
        let mut bound = Vec::new();
        for at in 1..=moving.name_len() {
            append_name(&mut bound, row.get_ref(at)?);
        }
        Ok((bound, row.get(0)?))
    })
}

fn counts(connection: &Connection) -> Result<Vec<(String, u64)>, Fault> {
    let failed = |error| many("sqlite_schema").fault(error);
    let mut tables = connection
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%'
                 ESCAPE '\\' ORDER BY name",
        )
        .map_err(failed)?;
    let names: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(failed)?;
    names
        .into_iter()
        .map(|name| {
            let sql = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
            let rows = connection
                .query_row(&sql, [], |row| row.get(0))
                .map_err(failed)?;
            Ok((name, rows))
        })
        .collect()
}

/// Copies, strips and checks.
fn take(source: &Path, into: &Path, copied: OnCopied) -> Result<Snapshot, SnapshotError> {
    let file = |reason: String| SnapshotError::File {
        path: into.to_owned(),
        reason,
    };
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(into)
        .map_err(|error| file(error.to_string()))?;
    copy(source, into, copied).map_err(|error| sort(error, into))?;
    leave_wal(into).map_err(|error| file(error.to_string()))?;
    let copy = open_alone(into).map_err(|error| sort(error, into))?;
    copy.execute_batch(STRIP)
        .map_err(|error| sort(error, into))?;
    check(&copy).map_err(|error| sort(error, into))??;
    let db = Db { connection: &copy };
    let tip = chain::tip(db)?;
    let number = |sql: &str| -> Result<u64, SnapshotError> {
        copy.query_row(sql, [], |row| row.get(0))
            .map_err(|error| sort(error, into))
    };
    let snapshot = Snapshot {
        page_size: number("PRAGMA page_size")? as u32,
        pages: number("PRAGMA page_count")?,
        schema: migrations::known(),
        audit: crate::audit::ChainHead {
            id: tip.id,
            hash: tip.hash,
        },
        tables: counts(&copy)?,
    };
    copy.close().map_err(|(_, error)| sort(error, into))?;
    Ok(snapshot)
}

fn copy(source: &Path, into: &Path, mut copied: OnCopied) -> rusqlite::Result<()> {
    let only_read = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let from = Connection::open_with_flags(source, only_read)?;
    from.busy_timeout(Duration::from_secs(10))?;
    let mut to = open_alone(into)?;
    // From the first read on this connection sees one moment, whatever is written meanwhile.
    from.execute_batch("BEGIN")?;
    from.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    {
        let backup = Backup::new(&from, &mut to)?;
        let mut waits = 0;
        loop {
            match backup.step(STEP)? {
                StepResult::Done => break,
                StepResult::More => waits = 0,
                _ if waits < LOCKED.1 => {
                    waits += 1;
                    std::thread::sleep(LOCKED.0);
                }
                _ => {
                    let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
                    return Err(rusqlite::Error::SqliteFailure(busy, None));
                }
            }
            let progress = backup.progress();
            let total = progress.pagecount.max(0) as u64;
            copied(total - (progress.remaining.max(0) as u64).min(total), total);
        }
    }
    from.execute_batch("COMMIT")?;
    to.close().map_err(|(_, error)| error)
}

/// Opens a file that no other connection uses: without a journal and without syncs.
fn open_alone(path: &Path) -> rusqlite::Result<Connection> {
    let write = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, write)?;
    connection.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA journal_mode = MEMORY;
         PRAGMA synchronous = OFF;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA foreign_keys = OFF;
         PRAGMA trusted_schema = OFF;",
    )?;
    Ok(connection)
}

/// Takes the mark of a write-ahead log out of the head (bytes 18 and 19): the copy has none, and
/// opening it must not make one.
fn leave_wal(path: &Path) -> std::io::Result<()> {
    OpenOptions::new()
        .write(true)
        .open(path)?
        .write_all_at(&[1, 1], 18)
}

/// Lets SQLite look at every page.
fn check(connection: &Connection) -> rusqlite::Result<Result<(), SnapshotError>> {
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    Ok(if found == "ok" {
        Ok(())
    } else {
        Err(SnapshotError::Damaged(found))
    })
}

fn sort(error: rusqlite::Error, into: &Path) -> SnapshotError {
    match many("sqlite_schema").fault(error) {
        Fault::Full => SnapshotError::File {
            path: into.to_owned(),
            reason: "no space is left".to_owned(),
        },
        Fault::Damaged { reason, .. } => SnapshotError::Damaged(reason),
        other => other.into(),
    }
}

/// See [`crate::snapshot::mark_restored`].
pub(crate) fn mark_restored(database: &Path, restored: &Restored) -> Result<(), Fault> {
    let failed = |error| many("settings").fault(error);
    let mut connection = open_alone(database).map_err(failed)?;
    connection
        .pragma_update(None, "synchronous", "FULL")
        .map_err(failed)?;
    let transaction = connection.transaction().map_err(failed)?;
    transaction.execute_batch(STRIP).map_err(failed)?;
    let at = restored.at.to_string();
    let epoch = hex::encode(restored.epoch);
    for (name, value) in [
        (RESTORED_AT, at.as_str()),
        (RESTORE_EPOCH, epoch.as_str()),
        (RESTORE_NOTED, "no"),
    ] {
        transaction
            .execute(
                "INSERT INTO settings (name, value) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, value),
            )
            .map_err(failed)?;
    }
    transaction.commit().map_err(failed)?;
    connection.close().map_err(|(_, error)| failed(error))
}
