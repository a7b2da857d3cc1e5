//! Sealing, opening and tagging sessions.

use crate::classes::Sensitive;
use crate::engine::Changes;
use crate::engine::place::at;
use crate::engine::sessions::RawSession;
use crate::fault::Fault;
use crate::sealing::sealer::{SESSION, Sealer, sealing};
use crate::sealing::tags::{Tagged, Tags};
use crate::sessions::{NewSession, SessionDetails, SessionRow};
use api::ids::{SessionId, UserId};

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

    /// Notes activity and the later end that comes with it; `false` if the session is over.
    pub(crate) fn touch(&mut self, tags: &Tags, now: u64, expires_at: u64) -> Result<bool, Fault> {
        self.check(tags)?;
        if self.expires_at <= now {
            return Ok(false);
        }
        self.last_activity = self.last_activity.max(now);
        self.expires_at = self
            .expires_at
            .max(expires_at)
            .min(self.absolute_expires_at);
        Ok(true)
    }

    /// Writes what may change, with a new tag; `false` if it is gone.
    pub(crate) fn save(&mut self, rows: &dyn Changes, tags: &Tags) -> Result<bool, Fault> {
        self.tag = Some(tags.of(self).to_vec());
        rows.update_session(self)
    }

    /// Inserts the row with its tag; `false` if there is one with this id.
    pub(crate) fn insert(&mut self, rows: &dyn Changes, tags: &Tags) -> Result<bool, Fault> {
        self.tag = Some(tags.of(self).to_vec());
        rows.insert_session(self)
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
