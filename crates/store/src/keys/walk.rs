//! One chunk of a key job: rows are read and re-wrapped on a reader's thread, and written back where
//! they are as they were read.

use std::sync::Arc;

use ambient::Stopwatch;
use keyring::{Keyring, OpenError, RenewError, RewrapError};

use crate::classes::Sealed;
use crate::engine::keys::{JobRow, RowKey, Walked};
use crate::engine::{Acting, Rows};
use crate::fault::Fault;
use crate::keys::jobs::Cursor;
use crate::repository::Repository;
use crate::sealing::columns::{MOVING, Moving};
use crate::sealing::sealer::{outage_of_keys, sealing};
use api::KeyJobKind;

struct Change {
    key: RowKey,
    old: Sealed,
    new: Sealed,
}

/// What a chunk comes to, before it is written.
struct Chunk {
    changes: Vec<Change>,
    next: Cursor,
    rows: u64,
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
    rows: &dyn Rows,
    keyring: &Keyring,
    kind: KeyJobKind,
    (index, after): (usize, RowKey),
    limit: usize,
) -> Result<Chunk, Fault> {
    let moving = &MOVING[index];
    let skip = (kind == KeyJobKind::Rewrap).then(|| *keyring.active_kek().as_bytes());
    let found = rows.walk(&moving.walk, &after, skip, limit)?;
    let count = found.len();
    let next = match found.last() {
        Some(last) if count == limit => Cursor::Walk(index, last.key.clone()),
        _ => Cursor::column(index + 1),
    };
    let mut changes = Vec::new();
    for Walked { key, sealed, name } in found {
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
        rows: count as u64,
    })
}

impl Repository {
    /// Goes one chunk on.
    pub(crate) async fn walk(&self, row: JobRow, index: usize, after: RowKey) -> Result<(), Fault> {
        let size = self.keys.chunk.rows();
        let keyring = self.sealer.keyring.clone();
        let kind = row.job.kind;
        let chunk = self
            .read(move |rows| prepare(rows, &keyring, kind, (index, after), size))
            .await?;
        let bytes: usize = chunk.changes.iter().map(|it| it.new.len() * 2 + 64).sum();
        let (adapting, clock) = (self.keys.chunk.clone(), self.keys.clock());
        self.write_for(Acting::Job, bytes, move |tx| {
            let watch = Stopwatch::start(Arc::clone(&clock));
            for Change { key, old, new } in &chunk.changes {
                // Unless its row changed or went since it was read: then it was sealed anew, under the
                // key that is active.
                tx.rows.swap_sealed(&MOVING[index].walk, key, old, new)?;
            }
            row.advance(tx.rows, &chunk.next, row.job.done + chunk.rows)?;
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
        self.read(move |rows| {
            for moving in &MOVING {
                for kek in &keks {
                    if let Some((name, sealed)) = rows.any_under(&moving.walk, kek)? {
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
        self.read(|rows| {
            MOVING.iter().try_fold(0, |sum, moving| {
                Ok(sum + rows.count_rows(moving.column.table)?)
            })
        })
        .await
    }
}
