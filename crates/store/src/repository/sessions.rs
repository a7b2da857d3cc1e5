//! Sessions over SQLite.

use std::sync::Arc;

use ambient::Stopwatch;
use async_trait::async_trait;

use crate::audit::AuditEvent;
use crate::audit::log::{SubjectKeys, weight};
use crate::damage::{Listed, listed};
use crate::engine::sqlite::db::{at, many};
use crate::fault::Fault;
use crate::repository::Repository;
use crate::repository::session_rows::{COLUMNS, RawSession, delete_others};
use crate::sealing::bound_user::BoundUser;
use crate::sessions::{
    CLOCK_TOLERANCE_SECS, CreateSessionError, ExpiredChunk, NewSession, SESSION_EXPIRED,
    SessionRow, Sessions,
};
use api::ids::{SessionId, UserId};

#[async_trait]
impl Sessions for Repository {
    async fn create_session(
        &self,
        session: NewSession,
        audit: Vec<AuditEvent>,
    ) -> Result<(), CreateSessionError> {
        let row = RawSession::seal(&self.sealer, &session)?;
        let events = self.seal_events(audit).await?;
        let user = session.user_id;
        let now = session.created_at;
        self.write(row.weight() + weight(&events), move |tx| {
            let account = BoundUser::find(tx.db, tx.tags, &user)?;
            if !account.is_some_and(|account| account.active) {
                return Err(CreateSessionError::NotAllowed);
            }
            tx.db.execute(
                at("users", user.as_bytes()),
                "UPDATE users SET last_login = ?1 WHERE user_id = ?2",
                (now, user.as_bytes()),
            )?;
            if !row.insert(tx.db, tx.tags)? {
                return Err(CreateSessionError::Duplicate);
            }
            Ok(tx.append(events)?)
        })
        .await
    }

    async fn find_session(&self, id: SessionId, now: u64) -> Result<Option<SessionRow>, Fault> {
        let row = self
            .read(move |db| {
                let sql = format!(
                    "SELECT {COLUMNS} FROM sessions WHERE session_id = ?1 AND expires_at > ?2"
                );
                let place = at("sessions", id.as_bytes());
                db.one(place, &sql, (id.as_bytes(), now), RawSession::read)
            })
            .await?;
        row.map(|row| row.open(&self.sealer)).transpose()
    }

    async fn touch_session(&self, id: SessionId, now: u64, expires_at: u64) -> Result<bool, Fault> {
        self.write(0, move |tx| {
            RawSession::touch(tx.db, tx.tags, &id, now, expires_at)
        })
        .await
    }

    async fn delete_session(
        &self,
        owner: UserId,
        id: SessionId,
        audit: Vec<AuditEvent>,
    ) -> Result<bool, Fault> {
        let events = self.seal_events(audit).await?;
        self.write(weight(&events), move |tx| {
            let deleted = tx.db.execute(
                at("sessions", id.as_bytes()),
                "DELETE FROM sessions WHERE session_id = ?1 AND user_id = ?2",
                (id.as_bytes(), owner.as_bytes()),
            )?;
            if deleted == 1 {
                tx.append(events)?;
            }
            Ok(deleted == 1)
        })
        .await
    }

    async fn delete_other_sessions(
        &self,
        user: UserId,
        keep: Option<SessionId>,
        audit: Vec<AuditEvent>,
    ) -> Result<Vec<SessionId>, Fault> {
        let events = self.seal_events(audit).await?;
        self.write(weight(&events), move |tx| {
            let deleted = delete_others(tx.db, &user, keep)?;
            if !deleted.is_empty() {
                tx.append(events)?;
            }
            Ok(deleted)
        })
        .await
    }

    async fn list_sessions(
        &self,
        user: UserId,
        now: u64,
    ) -> Result<Vec<(SessionId, Listed<SessionRow>)>, Fault> {
        let rows = self
            .read(move |db| {
                let sql = format!(
                    "SELECT {COLUMNS} FROM sessions WHERE user_id = ?1 AND expires_at > ?2
                     ORDER BY created_at DESC, session_id"
                );
                let place = at("sessions", user.as_bytes());
                db.all(place, &sql, (user.as_bytes(), now), |row| {
                    Ok((row.get::<_, [u8; 32]>(0)?, RawSession::read(row)))
                })
            })
            .await?;
        rows.into_iter()
            .map(|(id, row)| {
                let opened = self.whole(at("sessions", &id), row);
                let opened = opened.and_then(|row| row.open(&self.sealer));
                Ok((SessionId::from_bytes(id), listed(opened)?))
            })
            .collect()
    }

    async fn delete_expired_sessions(&self, now: u64) -> Result<ExpiredChunk, Fault> {
        let size = self.expired.rows();
        let future = now.saturating_add(CLOCK_TOLERANCE_SECS);
        let sealer = Arc::clone(&self.sealer);
        // Sealing a chunk's records takes milliseconds: on the reader's thread, not in the task.
        let expired = self
            .read(move |db| {
                let rows = db.all(
                    many("sessions"),
                    "SELECT * FROM (SELECT session_id, user_id FROM sessions WHERE expires_at <= ?1
                         ORDER BY expires_at LIMIT ?2)
                     UNION ALL
                     SELECT session_id, user_id FROM sessions
                         WHERE expires_at > ?1 AND created_at > ?3
                     LIMIT ?2",
                    (now, size, future),
                    |row| {
                        let id = SessionId::from_bytes(row.get(0)?);
                        Ok((id, UserId::from_bytes(row.get(1)?)))
                    },
                )?;
                let mut keys = SubjectKeys::new(&sealer);
                let seal = |(id, user)| {
                    keys.load(db, user)?;
                    let event = AuditEvent {
                        user_id: Some(user),
                        action: SESSION_EXPIRED,
                        timestamp: now,
                        details: serde_json::json!({ "session": id }),
                    };
                    Ok((id, user, keys.seal(event)?))
                };
                rows.into_iter()
                    .map(seal)
                    .collect::<Result<Vec<_>, Fault>>()
            })
            .await?;
        let more = expired.len() == size;
        if expired.is_empty() {
            return Ok(ExpiredChunk::default());
        }
        let (adapting, clock) = (self.expired.clone(), self.keys.clock());
        let sessions = self
            .write::<_, Fault, _>(expired.len() * 700, move |tx| {
                let watch = Stopwatch::start(clock);
                let mut gone = Vec::with_capacity(expired.len());
                for (id, user, event) in expired {
                    // Touched since it was looked at: it lives.
                    let deleted = tx.db.execute(
                        at("sessions", id.as_bytes()),
                        "DELETE FROM sessions
                         WHERE session_id = ?1 AND (expires_at <= ?2 OR created_at > ?3)",
                        (id.as_bytes(), now, future),
                    )?;
                    if deleted == 1 {
                        tx.append(vec![event])?;
                        gone.push((id, user));
                    }
                }
                adapting.took(size, &watch);
                Ok(gone)
            })
            .await?;
        Ok(ExpiredChunk { sessions, more })
    }
}
