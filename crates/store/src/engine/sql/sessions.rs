//! Statements about `sessions`.

use crate::classes::Public;
use crate::engine::Answer;
use crate::engine::place::{at, many};
use crate::engine::sessions::{RawSession, SessionChanges, SessionRows};
use crate::engine::sql::{Hold, Line, Readable, Sql};
use api::ids::{SessionId, UserId};

/// Columns of [`RawSession`], in its order.
const COLUMNS: &str = "session_id, user_id, created_at, expires_at, \
     absolute_expires_at, last_activity, encrypted_data, tag";

fn read(row: Line<'_>) -> Readable<RawSession> {
    Ok(RawSession {
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

impl<D: Sql> SessionRows for D {
    fn session(&self, id: &SessionId) -> Answer<Option<RawSession>> {
        let hold = self.hold(Hold::Alone);
        let sql = format!("SELECT {COLUMNS} FROM sessions WHERE session_id = ?1{hold}");
        let id = id.as_bytes();
        self.one(at("sessions", id), &sql, &[&id], read)
    }

    fn sessions(&self) -> Answer<Vec<Answer<RawSession>>> {
        let sql = format!("SELECT {COLUMNS} FROM sessions");
        self.each(many("sessions"), &sql, &[], read)
    }

    fn sessions_of(&self, user: &UserId, now: u64) -> Answer<Vec<(SessionId, Answer<RawSession>)>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM sessions WHERE user_id = ?1 AND expires_at > ?2
             ORDER BY created_at DESC, session_id"
        );
        let place = at("sessions", user.as_bytes());
        self.all(place, &sql, &[&user.as_bytes(), &now], |row| {
            let id: [u8; 32] = row.get(0)?;
            let read = read(row).map_err(|error| at("sessions", &id).damaged(error));
            Ok((SessionId::from_bytes(id), read))
        })
    }

    fn ended_sessions(
        &self,
        now: u64,
        future: u64,
        limit: usize,
    ) -> Answer<Vec<(SessionId, UserId)>> {
        self.all(
            many("sessions"),
            "SELECT * FROM (SELECT session_id, user_id FROM sessions WHERE expires_at <= ?1
                 ORDER BY expires_at LIMIT ?2) AS expired
             UNION ALL
             SELECT session_id, user_id FROM sessions
                 WHERE expires_at > ?1 AND created_at > ?3
             LIMIT ?2",
            &[&now, &limit, &future],
            |row| {
                let id = SessionId::from_bytes(row.get(0)?);
                Ok((id, UserId::from_bytes(row.get(1)?)))
            },
        )
    }
}

impl<D: Sql> SessionChanges for D {
    fn insert_session(&self, session: &RawSession) -> Answer<bool> {
        self.changed(
            at("sessions", &session.session_id),
            "INSERT INTO sessions (session_id, user_id, created_at, expires_at,
                 absolute_expires_at, last_activity, encrypted_data, tag)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
            &[
                &session.session_id,
                &session.user_id,
                &session.created_at,
                &session.expires_at,
                &session.absolute_expires_at,
                &session.last_activity,
                &session.data,
                &session.tag.as_ref().map(Public),
            ],
        )
    }

    fn update_session(&self, session: &RawSession) -> Answer<bool> {
        self.changed(
            at("sessions", &session.session_id),
            "UPDATE sessions SET last_activity = ?1, expires_at = ?2, tag = ?3
             WHERE session_id = ?4",
            &[
                &session.last_activity,
                &session.expires_at,
                &session.tag.as_ref().map(Public),
                &session.session_id,
            ],
        )
    }

    fn delete_session(&self, owner: &UserId, id: &SessionId) -> Answer<bool> {
        self.changed(
            at("sessions", id.as_bytes()),
            "DELETE FROM sessions WHERE session_id = ?1 AND user_id = ?2",
            &[&id.as_bytes(), &owner.as_bytes()],
        )
    }

    fn delete_other_sessions(
        &self,
        user: &UserId,
        keep: Option<&SessionId>,
    ) -> Answer<Vec<SessionId>> {
        let keep = Public(keep.map(|id| id.as_bytes().to_vec()).unwrap_or_default());
        self.all(
            at("sessions", user.as_bytes()),
            "DELETE FROM sessions WHERE user_id = ?1 AND session_id <> ?2 RETURNING session_id",
            &[&user.as_bytes(), &keep],
            |row| Ok(SessionId::from_bytes(row.get(0)?)),
        )
    }

    fn delete_ended_session(&self, id: &SessionId, now: u64, future: u64) -> Answer<bool> {
        self.changed(
            at("sessions", id.as_bytes()),
            "DELETE FROM sessions
             WHERE session_id = ?1 AND (expires_at <= ?2 OR created_at > ?3)",
            &[&id.as_bytes(), &now, &future],
        )
    }

    fn delete_all_sessions(&self) -> Answer {
        self.run(many("sessions"), "DELETE FROM sessions", &[])
    }
}
