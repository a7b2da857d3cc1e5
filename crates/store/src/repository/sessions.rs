//! Sessions: sealed details, tagged times, and a record for each that ends.

use std::sync::Arc;

use ambient::Stopwatch;
use async_trait::async_trait;

use crate::audit::AuditEvent;
use crate::audit::log::{SubjectKeys, weight};
use crate::damage::{Listed, listed};
use crate::engine::Acting;
use crate::engine::sessions::RawSession;
use crate::engine::users::BoundUser;
use crate::fault::Fault;
use crate::repository::Repository;
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
        let mut row = RawSession::seal(&self.sealer, &session)?;
        let user = session.user_id;
        let now = session.created_at;
        self.record(Acting::Server, row.weight(), audit, move |tx| {
            let account = BoundUser::find(tx.rows, tx.tags, &user)?;
            if !account.is_some_and(|account| account.active) {
                return Err(CreateSessionError::NotAllowed);
            }
            tx.rows.touch_last_login(&user, now)?;
            if !row.insert(tx.rows, tx.tags)? {
                return Err(CreateSessionError::Duplicate);
            }
            Ok(())
        })
        .await
    }

    async fn find_session(&self, id: SessionId, now: u64) -> Result<Option<SessionRow>, Fault> {
        let row = self.read(move |rows| rows.session(&id)).await?;
        let row = row.filter(|row| row.expires_at > now);
        row.map(|row| row.open(&self.sealer)).transpose()
    }

    async fn touch_session(&self, id: SessionId, now: u64, expires_at: u64) -> Result<bool, Fault> {
        self.write(0, move |tx| {
            let Some(mut row) = tx.rows.session(&id)? else {
                return Ok(false);
            };
            Ok(row.touch(tx.tags, now, expires_at)? && row.save(tx.rows, tx.tags)?)
        })
        .await
    }

    async fn delete_session(
        &self,
        owner: UserId,
        id: SessionId,
        audit: Vec<AuditEvent>,
    ) -> Result<bool, Fault> {
        self.record_change(Acting::Server, 0, audit, move |tx| {
            tx.rows.delete_session(&owner, &id)
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
            let deleted = tx.rows.delete_other_sessions(&user, keep.as_ref())?;
            if !deleted.is_empty() {
                tx.append(&events);
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
        let rows = self.read(move |rows| rows.sessions_of(&user, now)).await?;
        rows.into_iter()
            .map(|(id, row)| {
                let row = self.sealer.tags.damages.noted(row);
                Ok((id, listed(row.and_then(|row| row.open(&self.sealer)))?))
            })
            .collect()
    }

    async fn delete_expired_sessions(&self, now: u64) -> Result<ExpiredChunk, Fault> {
        let size = self.expired.rows();
        let future = now.saturating_add(CLOCK_TOLERANCE_SECS);
        let sealer = Arc::clone(&self.sealer);
        // Sealing a chunk's records takes milliseconds: on the reader's thread, not in the task.
        let expired = self
            .read(move |rows| {
                let ended = rows.ended_sessions(now, future, size)?;
                let mut keys = SubjectKeys::new(&sealer);
                let seal = |(id, user)| {
                    keys.load(rows, user)?;
                    let event = AuditEvent {
                        user_id: Some(user),
                        action: SESSION_EXPIRED,
                        timestamp: now,
                        details: serde_json::json!({ "session": id }),
                    };
                    Ok((id, user, vec![keys.seal(event)?]))
                };
                ended
                    .into_iter()
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
                let watch = Stopwatch::start(Arc::clone(&clock));
                let mut gone = Vec::with_capacity(expired.len());
                for (id, user, event) in &expired {
                    // Touched since it was looked at: it lives.
                    if tx.rows.delete_ended_session(id, now, future)? {
                        tx.append(event);
                        gone.push((*id, *user));
                    }
                }
                adapting.took(size, &watch);
                Ok(gone)
            })
            .await?;
        Ok(ExpiredChunk { sessions, more })
    }
}
