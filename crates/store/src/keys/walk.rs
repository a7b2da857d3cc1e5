//! One chunk of a key job: rows are read and re-wrapped on a reader's thread, and written back where
//! they are as they were read.

use ambient::Stopwatch;
use keyring::{Keyring, OpenError, RenewError, RewrapError};
use rusqlite::types::Value;

use crate::engine::sqlite::db::{Db, many};
use crate::fault::Fault;
use crate::keys::jobs::{Cursor, JobRow};
use crate::repository::Repository;
use crate::sealing::classes::{Public, Sealed};
use crate::sealing::columns::{MOVING, Moving, append_name};
use crate::sealing::sealer::{outage_of_keys, sealing};
use api::KeyJobKind;

struct Found {
    key: Value,
    /// `None` where it is under the active key already.
    sealed: Option<Sealed>,
    name: Vec<u8>,
}

struct Change {
    key: Value,
    old: Sealed,
    new: Sealed,
}

/// What a chunk comes to, before it is written.
struct Chunk {
    changes: Vec<Change>,
    next: Cursor,
    rows: u64,
}

fn read_rows(
    db: Db<'_>,
    moving: &Moving,
    after: Value,
    skip: Option<[u8; 16]>,
    limit: usize,
) -> Result<Vec<Found>, Fault> {
    let (key, name, table) = (moving.key, moving.name, moving.column.table);
    let column = moving.column.column;
    let sql = format!(
        "SELECT {key}, CASE WHEN substr({column}, 3, 16) = ?2 THEN NULL ELSE {column} END, {name}
         FROM {table} WHERE {key} > ?1 ORDER BY {key} LIMIT ?3"
    );
    let names = moving.name_len();
    db.all(many(table), &sql, (Public(after), skip, limit), |row| {
        let mut found = Found {
            key: row.get(0)?,
            sealed: row.get(1)?,
            name: Vec::new(),
        };
        for column in 2..2 + names {
            append_name(&mut found.name, row.get_ref(column)?);
        }
        Ok(found)
    })
}

/// Moves one value; `None` when there is nothing to do.
fn moved(
    keyring: &Keyring,
    kind: KeyJobKind,
    moving: &Moving,
    name: &[u8],
    sealed: &Sealed,
) -> Result<Option<Sealed>, Fault> {
    let context = moving.column.context(name);
    let outage = |error: &OpenError| error.is_outage();
    let new = match kind {
        KeyJobKind::Rewrap => match keyring.rewrap(&context, sealed.as_bytes()) {
            Ok(new) => new,
            Err(RewrapError::Open(error)) if !outage(&error) => {
                return Err(moving.damaged(name, error));
            }
            Err(RewrapError::Wrap(error)) if !error.is_outage() => return Err(sealing(error)),
            Err(error) => return Err(outage_of_keys(&error)),
        },
        KeyJobKind::Renew => match keyring.renew(&context, sealed.as_bytes()) {
            Ok(new) => Some(new),
            Err(RenewError::Open(error)) if !outage(&error) => {
                return Err(moving.damaged(name, error));
            }
            Err(RenewError::Seal(error)) if !error.is_outage() => return Err(sealing(error)),
            Err(error) => return Err(outage_of_keys(&error)),
        },
    };
    Ok(new.map(Sealed::of_envelope))
}

fn prepare(
    db: Db<'_>,
    keyring: &Keyring,
    kind: KeyJobKind,
    (index, after): (usize, Value),
    limit: usize,
) -> Result<Chunk, Fault> {
    let moving = &MOVING[index];
    let skip = (kind == KeyJobKind::Rewrap).then(|| *keyring.active_kek().as_bytes());
    let found = read_rows(db, moving, after, skip, limit)?;
    let rows = found.len();
    let next = match found.last() {
        Some(last) if rows == limit => Cursor::Walk(index, last.key.clone()),
        _ => Cursor::column(index + 1),
    };
    let mut changes = Vec::new();
    for Found { key, sealed, name } in found {
        let Some(old) = sealed else { continue };
        match moved(keyring, kind, moving, &name, &old) {
            Ok(Some(new)) => changes.push(Change { key, old, new }),
            Ok(None) => {}
            // The others move on; the check at the end names what stayed.
            Err(fault @ Fault::Damaged { .. }) => {
                tracing::error!(cause = %fault, "a value stays under its key");
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(Chunk {
        changes,
        next,
        rows: rows as u64,
    })
}

impl Change {
    /// Writes the value back, unless its row changed or went since it was read: then it was sealed
    /// anew, under the key that is active.
    fn write(&self, db: Db<'_>, moving: &Moving) -> Result<(), Fault> {
        let (key, column, table) = (moving.key, moving.column.column, moving.column.table);
        let sql = format!("UPDATE {table} SET {column} = ?1 WHERE {key} = ?2 AND {column} = ?3");
        let values = (&self.new, Public(&self.key), &self.old);
        db.execute(many(table), &sql, values).map(drop)
    }
}

impl Repository {
    /// Goes one chunk on.
    pub(crate) async fn walk(&self, row: JobRow, index: usize, after: Value) -> Result<(), Fault> {
        let size = self.keys.chunk.rows();
        let keyring = self.sealer.keyring.clone();
        let kind = row.job.kind;
        let chunk = self
            .read(move |db| prepare(db, &keyring, kind, (index, after), size))
            .await?;
        let bytes: usize = chunk.changes.iter().map(|it| it.new.len() * 2 + 64).sum();
        let (adapting, clock) = (self.keys.chunk.clone(), self.keys.clock());
        self.write(bytes, move |tx| {
            let watch = Stopwatch::start(clock);
            for change in &chunk.changes {
                change.write(tx.db, &MOVING[index])?;
            }
            row.advance(tx.db, &chunk.next, row.job.done + chunk.rows)?;
            if !chunk.changes.is_empty() {
                adapting.took(size, &watch);
            }
            Ok(())
        })
        .await
    }

    /// Looks for a value under a key that is being retired; tries to move one that it finds.
    ///
    /// `true` when there was one and the walk must begin again; an error when it cannot be moved.
    pub(crate) async fn left_behind(&self, keks: Vec<[u8; 16]>) -> Result<bool, Fault> {
        let keyring = self.sealer.keyring.clone();
        self.read(move |db| {
            for moving in &MOVING {
                for kek in &keks {
                    if let Some((name, sealed)) = first_under(db, moving, kek)? {
                        moved(&keyring, KeyJobKind::Rewrap, moving, &name, &sealed)?;
                        return Ok(true);
                    }
                }
            }
            Ok(false)
        })
        .await
    }

    /// How many values a job walks over.
    pub(crate) async fn count_values(&self) -> Result<u64, Fault> {
        self.read(|db| {
            MOVING.iter().try_fold(0, |sum, moving| {
                let table = moving.column.table;
                let rows = db.number(many(table), &format!("SELECT count(*) FROM {table}"), [])?;
                Ok(sum + rows)
            })
        })
        .await
    }
}

fn first_under(
    db: Db<'_>,
    moving: &Moving,
    kek: &[u8; 16],
) -> Result<Option<(Vec<u8>, Sealed)>, Fault> {
    let (column, table, name) = (moving.column.column, moving.column.table, moving.name);
    let sql =
        format!("SELECT {column}, {name} FROM {table} WHERE substr({column}, 3, 16) = ?1 LIMIT 1");
    let names = moving.name_len();
    db.one(many(table), &sql, [kek], |row| {
        let mut name = Vec::new();
        for column in 1..=names {
            append_name(&mut name, row.get_ref(column)?);
        }
        Ok((name, row.get(0)?))
    })
}
