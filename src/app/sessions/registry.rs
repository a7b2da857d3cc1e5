//! The cache of sessions that revocation clears.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use ephemeral::Ephemeral;
use store::{AuditEvent, Fault, Role, SessionId, Store, UserId};

use crate::app::links::Links;
use crate::app::messages::Hub;
use crate::app::tokens::Purpose;
use crate::config::Config;
use ambient::Ambient;
use api::close;

use super::device::credential_hash;
use super::{Deed, LiveSession};

/// Finds sessions, in memory first, and ends them in memory and in the store.
pub struct Registry {
    store: Store,
    ambient: Ambient,
    hub: Arc<Hub>,
    links: Arc<Links>,
    plane: Ephemeral,
    /// Tells this start of this instance from all others.
    instance: u64,
    idle_secs: u64,
    cached: DashMap<SessionId, Arc<LiveSession>>,
    /// Counts revocations, so that a look-up that began before one is not cached after it.
    endings: AtomicU64,
    /// Sessions that signed out and whose rows are not deleted yet.
    leaving: DashMap<SessionId, Leaving>,
    /// Accounts whose sign-ins in progress were ended recently.
    superseded: DashMap<UserId, Superseded>,
    /// Whether another instance changed accounts since this one looked.
    changed: AtomicBool,
}

/// A session that signed out and whose row is still to be deleted.
#[derive(Clone)]
struct Leaving {
    user: UserId,
    /// Time from which the row is invalid.
    until: u64,
    record: AuditEvent,
}

/// The moment when a sign-in or a re-authentication began, by the count of the instance where it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Epoch {
    instance: u64,
    count: u64,
}

/// The endings of an account's sign-ins in progress.
#[derive(Default)]
struct Superseded {
    /// A sign-in that began in an earlier epoch has ended.
    before: u64,
    /// Number of changes in progress that end sign-ins: until they are done, no sign-in finishes.
    under_way: u32,
    /// Unix seconds of the latest ending.
    at: u64,
}

/// While this is held, nothing that was begun becomes a session of the account, and nothing that was
/// begun until its end does so afterwards.
#[must_use = "hold it until the sessions are ended in the store"]
pub struct Superseding<'a> {
    registry: &'a Registry,
    user: UserId,
}

impl Drop for Superseding<'_> {
    fn drop(&mut self) {
        let before = self.registry.endings.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(mut entry) = self.registry.superseded.get_mut(&self.user) {
            entry.before = entry.before.max(before);
            entry.under_way = entry.under_way.saturating_sub(1);
        }
    }
}

impl Registry {
    /// Makes an empty cache over the store, which forgets what ends on other instances.
    pub fn new(
        config: &Config,
        store: Store,
        ambient: Ambient,
        hub: Arc<Hub>,
        links: Arc<Links>,
        plane: Ephemeral,
    ) -> Arc<Self> {
        let registry = Arc::new(Self {
            instance: u64::from_be_bytes(ambient.random()),
            store,
            ambient,
            hub: Arc::clone(&hub),
            links,
            plane,
            idle_secs: config.session_idle_secs,
            cached: DashMap::new(),
            endings: AtomicU64::new(0),
            leaving: DashMap::new(),
            superseded: DashMap::new(),
            changed: AtomicBool::new(false),
        });
        let told = Arc::downgrade(&registry);
        hub.tell_endings(move |id| {
            if let Some(registry) = told.upgrade() {
                registry.forget(id);
            }
        });
        let told = Arc::downgrade(&registry);
        hub.tell_changes(move || {
            if let Some(registry) = told.upgrade() {
                registry.changed.store(true, Ordering::SeqCst);
            }
        });
        registry
    }

    /// Forgets a session that has ended, maybe on another instance.
    fn forget(&self, id: SessionId) {
        self.endings.fetch_add(1, Ordering::SeqCst);
        if let Some((_, session)) = self.cached.remove(&id) {
            session.end();
        }
        self.links.end_session(id);
    }

    /// Finds a session that has not ended.
    ///
    /// Unknown ids are not cached.
    pub async fn find(&self, id: SessionId) -> Result<Option<Arc<LiveSession>>, Fault> {
        let now = self.ambient.now();
        if let Some(cached) = self.cached.get(&id).map(|entry| Arc::clone(&entry)) {
            let goes_on = !cached.is_over(now) || self.goes_on_elsewhere(&cached, now).await?;
            return Ok(goes_on.then_some(cached));
        }
        loop {
            let before = self.endings.load(Ordering::SeqCst);
            if self.has_signed_out(id) {
                return Ok(None);
            }
            let Some(row) = self.store.find_session(id, now).await? else {
                return Ok(None);
            };
            let Some(user) = self.store.user_by_id(row.user_id).await? else {
                return Ok(None);
            };
            if !user.active {
                return Ok(None);
            }
            let found = Arc::new(LiveSession::new(
                &row,
                user.handle,
                user.role,
                self.idle_secs,
            ));
            // Whoever ends a session counts that first and then removes it here, which waits for this entry.
            let kept = match self.cached.entry(id) {
                Entry::Occupied(kept) => Arc::clone(kept.get()),
                Entry::Vacant(place) if self.endings.load(Ordering::SeqCst) == before => {
                    Arc::clone(place.insert(found).value())
                }
                // Something ended while we looked: what was read may be stale, so look again.
                Entry::Vacant(_) => continue,
            };
            return Ok((!kept.is_over(now)).then_some(kept));
        }
    }

    /// Whether a session that is idle here was used at another instance, which this one follows.
    async fn goes_on_elsewhere(&self, session: &LiveSession, now: u64) -> Result<bool, Fault> {
        if !self.store.is_shared() || !session.is_only_idle(now) {
            return Ok(false);
        }
        if let Some(row) = whole(self.store.find_session(session.id(), now).await)? {
            session.follow(row.last_activity);
        }
        Ok(!session.is_over(now))
    }

    /// Notes what was done in a session: what a person did slides its idle end, and the next sweep
    /// writes it, at most once a minute.
    pub fn note(&self, session: &LiveSession, deed: Deed) {
        if deed.is_a_persons() {
            session.act(self.ambient.now());
        }
    }

    async fn write(&self, session: &LiveSession, activity: u64) {
        let expires_at = activity
            .saturating_add(self.idle_secs)
            .min(session.absolute_expires_at());
        match self
            .store
            .touch_session(session.id(), activity, expires_at)
            .await
        {
            Ok(true) => {}
            Ok(false) => {
                let (user, id) = (session.user_id(), session.id());
                self.end(user, &[id], close::SESSION_OVER).await;
            }
            Err(cause) => tracing::error!(%cause, "a session's activity was not written"),
        }
    }

    /// Ends sessions in memory and closes their sockets; the caller has ended them in the store.
    pub async fn end(&self, user: UserId, sessions: &[SessionId], code: u16) {
        for id in sessions {
            self.forget(*id);
            self.hub.close_session(user, *id, code);
            let ended = self.plane.presence().end_session(user, *id, code);
            if let Err(cause) = ended.await {
                tracing::error!(%cause, "a session that ended may still be written to");
            }
        }
        if let Err(cause) = self.plane.resume_halves().erase(sessions).await {
            tracing::error!(%cause, "halves of resume wraps are kept until their sessions would have ended");
        }
        if !self.has_others(user, sessions).await
            && let Err(cause) = self.plane.vault().forget_fates(user).await
        {
            tracing::error!(%cause, "what became of an account's messages is still remembered");
        }
    }

    /// Whether an account has sessions besides these, here or at another instance. If nobody knows, it has.
    async fn has_others(&self, user: UserId, besides: &[SessionId]) -> bool {
        if self.cached.iter().any(|entry| entry.user_id() == user) {
            return true;
        }
        let listed = self.store.list_sessions(user, self.ambient.now()).await;
        listed.map_or(true, |all| all.iter().any(|(id, _)| !besides.contains(id)))
    }

    /// Ends a session in memory at once, and in the store as soon as it takes the write.
    pub async fn sign_out(&self, session: &LiveSession, record: AuditEvent) {
        let (id, user) = (session.id(), session.user_id());
        let until = session.absolute_expires_at();
        self.leaving.insert(
            id,
            Leaving {
                user,
                until,
                record,
            },
        );
        self.end(user, &[id], close::SESSION_OVER).await;
        if let Err(cause) = self.delete_left(id).await {
            tracing::error!(
                %cause,
                "somebody signed out, and the session's row is not deleted yet; it is tried again"
            );
        }
    }

    /// Whether a session signed out whose row is not deleted yet.
    pub fn has_signed_out(&self, id: SessionId) -> bool {
        self.leaving.contains_key(&id)
    }

    /// Tries again to delete the rows of sessions that signed out.
    pub async fn finish_sign_outs(&self, now: u64) {
        self.leaving.retain(|_, leaving| leaving.until > now);
        let ids: Vec<_> = self.leaving.iter().map(|entry| *entry.key()).collect();
        for id in ids {
            if let Err(cause) = self.delete_left(id).await {
                tracing::debug!(%cause, "sessions that signed out are still in the database");
                return;
            }
        }
    }

    async fn delete_left(&self, id: SessionId) -> Result<(), Fault> {
        let Some(leaving) = self.leaving.get(&id).map(|entry| entry.value().clone()) else {
            return Ok(());
        };
        let records = vec![leaving.record];
        self.store.delete_session(leaving.user, id, records).await?;
        // Another instance may have read the row since it was told.
        let presence = self.plane.presence();
        let told = presence.end_session(leaving.user, id, close::SESSION_OVER);
        if let Err(cause) = told.await {
            tracing::error!(%cause, "other instances see later that somebody signed out");
        }
        self.leaving.remove(&id);
        Ok(())
    }

    /// Returns the present epoch; call it before reading anything on which the sign-in depends.
    pub fn epoch(&self) -> Epoch {
        Epoch {
            instance: self.instance,
            count: self.endings.load(Ordering::SeqCst),
        }
    }

    /// Returns whether a sign-in that began in this epoch was ended here with the account's sessions. Counts
    /// of two instances have nothing to do with each other: of what began or ended at another one,
    /// [`Self::are_replaced`] tells.
    pub fn is_superseded(&self, user: UserId, epoch: Epoch) -> bool {
        let entry = self.superseded.get(&user);
        let is_own = epoch.instance == self.instance;
        entry.is_some_and(|entry| entry.under_way > 0 || (is_own && epoch.count < entry.before))
    }

    /// Returns whether an account has other credentials than those that were proven, whichever instance
    /// replaced them. Nothing is replaced in an account that is gone.
    pub async fn are_replaced(&self, user: UserId, proven: &[u8]) -> Result<bool, Fault> {
        let present = self.store.credential_by_id(user).await?;
        Ok(present.is_some_and(|present| credential_hash(&present.opaque_record)[..] != *proven))
    }

    /// Ends the sign-ins of this account that are in progress.
    pub fn supersede(&self, user: UserId) -> Superseding<'_> {
        let mut entry = self.superseded.entry(user).or_default();
        entry.under_way += 1;
        entry.at = self.ambient.now();
        drop(entry);
        let registry = self;
        Superseding { registry, user }
    }

    /// Forgets endings that are older than every sign-in that could still finish.
    pub fn forget_superseded(&self, now: u64) {
        let life = Purpose::longest_life();
        self.superseded
            .retain(|_, entry| entry.under_way > 0 || entry.at + life > now);
    }

    /// Looks again after accounts were changed here, and has other instances do so.
    pub async fn accounts_changed(&self) -> Result<(), Fault> {
        let told = self.plane.presence().accounts_changed();
        if let Err(cause) = told.await {
            tracing::error!(%cause, "other instances see later that accounts were changed");
        }
        self.look_again().await
    }

    /// Looks again if another instance said that it changed accounts.
    pub async fn follow_changes(&self) -> Result<(), Fault> {
        if !self.changed.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        let looked = self.look_again().await;
        if looked.is_err() {
            self.changed.store(true, Ordering::SeqCst);
        }
        looked
    }

    /// Looks at every session in memory again, after accounts were changed, maybe by another
    /// process: ends those whose account may not sign in or whose row is gone or damaged, and follows
    /// roles.
    pub async fn look_again(&self) -> Result<(), Fault> {
        // A look-up that began before this may have read what was before the change.
        self.endings.fetch_add(1, Ordering::SeqCst);
        let cached: Vec<_> = self.cached.iter().map(|entry| Arc::clone(&entry)).collect();
        let mut roles: HashMap<UserId, Option<Role>> = HashMap::new();
        for session in cached {
            let user = session.user_id();
            let role = match roles.get(&user) {
                Some(role) => *role,
                None => {
                    let row = whole(self.store.user_by_id(user).await)?;
                    let role = row.filter(|row| row.active).map(|row| row.role);
                    roles.insert(user, role);
                    role
                }
            };
            // From time 0 on: that it has not expired is known better here.
            let row = whole(self.store.find_session(session.id(), 0).await)?;
            match (role, row) {
                (Some(role), Some(row)) => {
                    session.set_role(role);
                    session.follow(row.last_activity);
                }
                (Some(_), None) => self.end(user, &[session.id()], close::SESSION_OVER).await,
                (None, _) => self.end(user, &[session.id()], close::ACCOUNT_CLOSED).await,
            }
        }
        Ok(())
    }

    /// Returns the time of the last activity if the cache has a later one than the store.
    pub fn last_activity(&self, id: SessionId) -> Option<u64> {
        self.cached.get(&id).map(|entry| entry.last_activity())
    }

    /// Ends the sessions that have expired by `now`, and writes pending activity.
    ///
    /// Whoever goes on to [`Self::clean_up`] with the same `now` ends no session that is in use:
    /// one that the store holds for expired was either written here or is over here as well.
    pub async fn sweep(&self, now: u64, shutting_down: bool) {
        let mut over = Vec::new();
        let mut unwritten = Vec::new();
        for entry in &self.cached {
            if entry.is_over(now) {
                over.push(Arc::clone(&entry));
            } else if let Some(activity) = entry.take_unwritten(now, shutting_down) {
                unwritten.push((Arc::clone(entry.value()), activity));
            }
        }
        for session in over {
            match self.goes_on_elsewhere(&session, now).await {
                Ok(true) => {}
                Ok(false) => {
                    let (user, id) = (session.user_id(), session.id());
                    self.end(user, &[id], close::SESSION_OVER).await;
                }
                // Nobody is let in by it meanwhile.
                Err(cause) => tracing::error!(%cause, "whether a session is over is not known yet"),
            }
        }
        // Together, so that one commit holds many of them.
        let writes = unwritten
            .iter()
            .map(|(session, activity)| self.write(session, *activity));
        futures_util::future::join_all(writes).await;
    }

    /// Ends in the store what has expired by `now`, chunk by chunk, with one audit record each.
    pub async fn clean_up(&self, now: u64) -> Result<u64, Fault> {
        let mut ended = 0;
        loop {
            let chunk = self.store.delete_expired_sessions(now).await?;
            for (id, user) in &chunk.sessions {
                self.end(*user, &[*id], close::SESSION_OVER).await;
            }
            ended += chunk.sessions.len() as u64;
            if !chunk.more {
                return Ok(ended);
            }
        }
    }
}

/// Treats a damaged row as absent, so that the others are examined; the store's log names it.
fn whole<T>(found: Result<Option<T>, Fault>) -> Result<Option<T>, Fault> {
    match found {
        Err(Fault::Damaged { .. }) => Ok(None),
        found => found,
    }
}
