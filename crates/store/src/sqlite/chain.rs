//! The chain of audit records: what is hashed, appending, verifying.

use rusqlite::Row;
use sha3::{Digest, Sha3_512};

use crate::audit::{ChainError, ChainHead};
use crate::fault::Fault;
use crate::ids::UserId;
use crate::sqlite::db::{Db, many};
use crate::sqlite::writer::WriteTx;

const PURPOSE: &[u8] = b"secure-messaging/1 audit record";

/// The newest record's id and hash; zeros before the first.
#[derive(Clone)]
pub(crate) struct Tip {
    pub id: u64,
    pub hash: [u8; 64],
}

/// An event whose details are sealed: the writer only chains and inserts it.
pub(crate) struct SealedEvent {
    pub event_id: [u8; 16],
    pub user_id: Option<UserId>,
    pub action: &'static str,
    pub timestamp: u64,
    pub details: Vec<u8>,
}

/// The fields that are hashed, in their order.
struct Hashed<'a> {
    id: u64,
    event_id: &'a [u8],
    user_id: Option<&'a [u8]>,
    action: &'a [u8],
    timestamp: u64,
    details: &'a [u8],
    previous: &'a [u8],
}

impl Hashed<'_> {
    /// SHA3-512 over the fields, each after its length, so that no two records read the same.
    fn hash(&self) -> [u8; 64] {
        let id = self.id.to_be_bytes();
        let timestamp = self.timestamp.to_be_bytes();
        let has_user = [u8::from(self.user_id.is_some())];
        let fields = [
            PURPOSE,
            &id,
            self.event_id,
            &has_user,
            self.user_id.unwrap_or_default(),
            self.action,
            &timestamp,
            self.details,
            self.previous,
        ];
        let mut hasher = Sha3_512::new();
        for field in fields {
            hasher.update((field.len() as u64).to_be_bytes());
            hasher.update(field);
        }
        hasher.finalize().into()
    }
}

impl WriteTx<'_> {
    /// Appends sealed events to the chain, in the transaction of the request.
    pub fn append(&mut self, events: Vec<SealedEvent>) -> Result<(), Fault> {
        if events.is_empty() {
            return Ok(());
        }
        let mut tip = match self.tip.take() {
            Some(tip) => tip,
            None => tip(self.db)?,
        };
        for event in events {
            let id = tip.id + 1;
            let hash = Hashed {
                id,
                event_id: &event.event_id,
                user_id: event.user_id.as_ref().map(|user| &user.as_bytes()[..]),
                action: event.action.as_bytes(),
                timestamp: event.timestamp,
                details: &event.details,
                previous: &tip.hash,
            }
            .hash();
            self.db.execute(
                many("audit_log"),
                "INSERT INTO audit_log (id, event_id, user_id, action, timestamp,
                     encrypted_details, previous_hash, hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                (
                    id,
                    &event.event_id,
                    event.user_id.as_ref().map(UserId::as_bytes),
                    event.action,
                    event.timestamp,
                    &event.details,
                    &tip.hash,
                    &hash,
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
/// Once per batch and not once per start: another process, a subcommand, may append as well.
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

/// Recomputes the chain from the first record on.
pub(crate) fn verify(db: Db<'_>) -> Result<ChainHead, ChainError> {
    verify_from(db, 0)
}

/// Recomputes the newest record only: what is appended to must itself be sound.
pub(crate) fn verify_newest(db: Db<'_>) -> Result<ChainHead, ChainError> {
    let newest = tip(db)?.id;
    verify_from(db, newest.saturating_sub(1))
}

fn verify_from(db: Db<'_>, after: u64) -> Result<ChainHead, ChainError> {
    let place = many("audit_log");
    let failed = |error| place.fault(error);
    let mut statement = db
        .connection
        .prepare_cached(
            "SELECT id, event_id, user_id, action, timestamp, encrypted_details,
                 previous_hash, hash
             FROM audit_log WHERE id > ?1 ORDER BY id",
        )
        .map_err(failed)?;
    let mut rows = statement.query([after]).map_err(failed)?;
    let mut head = ChainHead {
        id: after,
        hash: [0; 64],
    };
    let mut previous = (after == 0).then_some([0; 64]);
    while let Some(row) = rows.next().map_err(failed)? {
        let expected = head.id + 1;
        head = check(row, expected, previous)?;
        previous = Some(head.hash);
    }
    Ok(head)
}

/// Checks one row against its predecessor; `None` leaves the predecessor's hash unchecked.
fn check(
    row: &Row<'_>,
    expected: u64,
    previous: Option<[u8; 64]>,
) -> Result<ChainHead, ChainError> {
    let broken = |reason| ChainError::Broken {
        id: expected,
        reason,
    };
    let unreadable = |_| ChainError::Broken {
        id: expected,
        reason: "it cannot be read",
    };
    let bytes = |column| row.get_ref(column).and_then(|value| Ok(value.as_blob()?));
    let id: u64 = row.get(0).map_err(unreadable)?;
    if id != expected {
        return Err(broken("it is missing"));
    }
    let user_id: Option<Vec<u8>> = row.get(2).map_err(unreadable)?;
    let action: Vec<u8> = row
        .get_ref(3)
        .and_then(|value| Ok(value.as_bytes()?.to_vec()))
        .map_err(unreadable)?;
    let named: [u8; 64] = row.get(6).map_err(unreadable)?;
    let hash: [u8; 64] = row.get(7).map_err(unreadable)?;
    if previous.is_some_and(|previous| previous != named) {
        return Err(broken("it does not name its predecessor's hash"));
    }
    let computed = Hashed {
        id,
        event_id: bytes(1).map_err(unreadable)?,
        user_id: user_id.as_deref(),
        action: &action,
        timestamp: row.get(4).map_err(unreadable)?,
        details: bytes(5).map_err(unreadable)?,
        previous: &named,
    }
    .hash();
    if computed != hash {
        return Err(broken("its hash does not fit its content"));
    }
    Ok(ChainHead { id, hash })
}
