//! Rows of `sessions`.

use rusqlite::Row;

use crate::engine::sqlite::db::{Db, at};
use crate::fault::Fault;
use crate::sealing::classes::{Public, Sealed, Sensitive};
use crate::sealing::sealer::{SESSION, Sealer, sealing};
use crate::sealing::tags::{Tagged, Tags};
use crate::sessions::{NewSession, SessionDetails, SessionRow};
use api::ids::{SessionId, UserId};

/// Columns of [`RawSession`], in its order.
pub(crate) const COLUMNS: &str = "session_id, user_id, created_at, expires_at, \
     absolute_expires_at, last_activity, encrypted_data, tag";

/// A row as it stands.
pub(crate) struct RawSession {
    session_id: [u8; 32],
    user_id: [u8; 16],
    created_at: u64,
    expires_at: u64,
    absolute_expires_at: u64,
    last_activity: u64,
    data: Sealed,
    tag: Option<Vec<u8>>,
}

impl Tagged for RawSession {
    const TABLE: &'static str = "sessions";

    fn with_values<T>(&self, use_them: impl FnOnce(&[&[u8]]) -> T) -> T {
        use_them(&[
            &self.session_id,
            &self.user_id,
            &self.created_at.to_be_bytes(),
            &self.expires_at.to_be_bytes(),
            &self.absolute_expires_at.to_be_bytes(),
            &self.last_activity.to_be_bytes(),
        ])
    }
}

impl RawSession {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            session_id: row.get(0)?,
            user_id: row.get(1)?,
            created_at: row.get(2)?,
            expires_at: row.get(3)?,
            absolute_expires_at: row.get(4)?,
            last_activity: row.get(5)?,
            data: row.get(6)?,
            tag: row.get(7)?,
        })
    }

    pub(crate) fn seal(sealer: &Sealer, session: &NewSession) -> Result<Self, Fault> {
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
            tag: None,
        })
    }

    pub(crate) fn open(self, sealer: &Sealer) -> Result<SessionRow, Fault> {
        self.check(&sealer.tags)?;
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

    /// Damage where the times or the account are not as this program wrote them.
    fn check(&self, tags: &Tags) -> Result<(), Fault> {
        tags.check(at("sessions", &self.session_id), self, self.tag.as_deref())
    }

    /// Writes activity and the later end that comes with it; `false` where the session is over.
    pub(crate) fn touch(
        db: Db<'_>,
        tags: &Tags,
        id: &SessionId,
        now: u64,
        expires_at: u64,
    ) -> Result<bool, Fault> {
        let place = at("sessions", id.as_bytes());
        let sql = format!("SELECT {COLUMNS} FROM sessions WHERE session_id = ?1");
        let Some(mut row) = db.one(place, &sql, [id.as_bytes()], Self::read)? else {
            return Ok(false);
        };
        row.check(tags)?;
        if row.expires_at <= now {
            return Ok(false);
        }
        row.last_activity = row.last_activity.max(now);
        row.expires_at = row.expires_at.max(expires_at).min(row.absolute_expires_at);
        let touched = db.execute(
            place,
            "UPDATE sessions SET last_activity = ?1, expires_at = ?2, tag = ?3
             WHERE session_id = ?4",
            (
                row.last_activity,
                row.expires_at,
                tags.of(&row),
                id.as_bytes(),
            ),
        )?;
        Ok(touched == 1)
    }

    /// Writes the tag of a row that has none.
    pub(crate) fn save_tag(&self, db: Db<'_>, tags: &Tags) -> Result<(), Fault> {
        let sql = "UPDATE sessions SET tag = ?1 WHERE session_id = ?2";
        let place = at("sessions", &self.session_id);
        db.execute(place, sql, (tags.of(self), &self.session_id))
            .map(drop)
    }

    /// Inserts the row; `false` when there is one with this id.
    pub(crate) fn insert(&self, db: Db<'_>, tags: &Tags) -> Result<bool, Fault> {
        let inserted = db.execute(
            at("sessions", &self.session_id),
            "INSERT INTO sessions (session_id, user_id, created_at, expires_at,
                 absolute_expires_at, last_activity, encrypted_data, tag)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
            (
                &self.session_id,
                &self.user_id,
                self.created_at,
                self.expires_at,
                self.absolute_expires_at,
                self.last_activity,
                &self.data,
                tags.of(self),
            ),
        )?;
        Ok(inserted == 1)
    }

    pub(crate) fn created_at(&self) -> u64 {
        self.created_at
    }

    /// About how many bytes the writer takes on.
    pub(crate) fn weight(&self) -> usize {
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

/// Ends the sessions of a user except for those kept; returns the ended ones.
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
