//! Rows of `sessions`.

use rusqlite::Row;

use crate::classes::{Public, Sealed, Sensitive};
use crate::fault::Fault;
use crate::ids::{SessionId, UserId};
use crate::sessions::{NewSession, SessionDetails, SessionRow};
use crate::sqlite::db::{Db, at};
use crate::sqlite::sealer::{SESSION, Sealer, sealing};

/// Columns of [`RawSession`], in its order.
pub(crate) const COLUMNS: &str = "session_id, user_id, created_at, expires_at, \
     absolute_expires_at, last_activity, encrypted_data";

/// A row as it stands.
pub(crate) struct RawSession {
    session_id: [u8; 32],
    user_id: [u8; 16],
    created_at: u64,
    expires_at: u64,
    absolute_expires_at: u64,
    last_activity: u64,
    data: Sealed,
}

impl RawSession {
    pub fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            session_id: row.get(0)?,
            user_id: row.get(1)?,
            created_at: row.get(2)?,
            expires_at: row.get(3)?,
            absolute_expires_at: row.get(4)?,
            last_activity: row.get(5)?,
            data: row.get(6)?,
        })
    }

    pub fn seal(sealer: &Sealer, session: &NewSession) -> Result<Self, Fault> {
        let plaintext = Sensitive::new(serde_json::to_vec(&session.details).map_err(sealing)?);
        let row = row_id(session.session_id.as_bytes(), session.user_id.as_bytes());
        Ok(Self {
            session_id: *session.session_id.as_bytes(),
            user_id: *session.user_id.as_bytes(),
            created_at: session.created_at,
            expires_at: session.expires_at.min(session.absolute_expires_at),
            absolute_expires_at: session.absolute_expires_at,
            last_activity: session.created_at,
            data: sealer.seal(SESSION, &row, &plaintext)?,
        })
    }

    pub fn open(self, sealer: &Sealer) -> Result<SessionRow, Fault> {
        let row = row_id(&self.session_id, &self.user_id);
        let opened = sealer.open(SESSION, &row, &self.data)?;
        let details: SessionDetails = serde_json::from_slice(opened.expose())
            .map_err(|error| at("sessions", &self.session_id).damaged(error))?;
        Ok(SessionRow {
            session_id: SessionId::from_bytes(self.session_id),
            user_id: UserId::from_bytes(self.user_id),
            created_at: self.created_at,
            expires_at: self.expires_at,
            absolute_expires_at: self.absolute_expires_at,
            last_activity: self.last_activity,
            details,
        })
    }

    /// Inserts the row; `false` when there is one with this id.
    pub fn insert(&self, db: Db<'_>) -> Result<bool, Fault> {
        let inserted = db.execute(
            at("sessions", &self.session_id),
            "INSERT INTO sessions (session_id, user_id, created_at, expires_at,
                 absolute_expires_at, last_activity, encrypted_data)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
            (
                &self.session_id,
                &self.user_id,
                self.created_at,
                self.expires_at,
                self.absolute_expires_at,
                self.last_activity,
                &self.data,
            ),
        )?;
        Ok(inserted == 1)
    }

    pub fn created_at(&self) -> u64 {
        self.created_at
    }

    /// About how many bytes the writer takes on.
    pub fn weight(&self) -> usize {
        self.data.len() + 200
    }
}

/// A session is bound to its account: its row moved to another user's id does not open.
fn row_id(session: &[u8; 32], user: &[u8; 16]) -> [u8; 48] {
    let mut row = [0; 48];
    row[..32].copy_from_slice(session);
    row[32..].copy_from_slice(user);
    row
}

/// Ends sessions of a user but those kept; answers with what went.
pub(crate) fn delete_others(
    db: Db<'_>,
    user: &UserId,
    keep: Option<SessionId>,
) -> Result<Vec<SessionId>, Fault> {
    let keep = Public(keep.map(|id| id.as_bytes().to_vec()).unwrap_or_default());
    db.all(
        at("sessions", user.as_bytes()),
        "DELETE FROM sessions WHERE user_id = ?1 AND session_id <> ?2 RETURNING session_id",
        (user.as_bytes(), keep),
        |row| Ok(SessionId::from_bytes(row.get(0)?)),
    )
}
