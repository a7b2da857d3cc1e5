//! The audit log: sealing events, querying records.

use std::sync::Arc;

use ::audit::Record;
use async_trait::async_trait;
use keyring::SubjectKey;

use crate::audit::authorship::Authorship;
use crate::audit::chain;
use crate::audit::{
    AuditEvent, AuditFilter, AuditLog, AuditPage, AuditRecord, ChainError, ChainHead,
};
use crate::classes::{Sealed, Sensitive};
use crate::damage::{Damage, Listed, listed};
use crate::engine::Rows;
use crate::engine::log::{Events, SealedEvent};
use crate::engine::place::at;
use crate::fault::Fault;
use crate::intent::{Declaration, Intent};
use crate::keys::opening::SYSTEM;
use crate::repository::Repository;
use crate::sealing::sealer::{Sealer, sealing};
use api::ids::UserId;

/// Most records on a page.
const MAX_PAGE: u32 = 500;

/// Keys of the subjects whose events are being sealed or opened.
pub(crate) struct SubjectKeys<'a> {
    sealer: &'a Sealer,
    keys: Vec<(UserId, Key)>,
}

/// The key of a subject, as found.
enum Key {
    Whole(SubjectKey),
    /// None: it was erased with the account.
    Gone,
    Damaged(Damage),
}

impl<'a> SubjectKeys<'a> {
    pub(crate) fn new(sealer: &'a Sealer) -> Self {
        Self {
            sealer,
            keys: Vec::new(),
        }
    }

    /// With a key that is not in the database yet.
    pub(crate) fn with(sealer: &'a Sealer, user: UserId, key: SubjectKey) -> Self {
        Self {
            sealer,
            keys: vec![(user, Key::Whole(key))],
        }
    }

    pub(crate) fn load(&mut self, rows: &dyn Rows, user: UserId) -> Result<(), Fault> {
        if self.known(&user) {
            return Ok(());
        }
        let sealed = rows.audit_key(user.as_bytes())?;
        self.insert(user, sealed)
    }

    fn known(&self, user: &UserId) -> bool {
        self.keys.iter().any(|(known, _)| known == user)
    }

    /// A key that does not open is kept as damaged, so that events go on without it.
    fn insert(&mut self, user: UserId, sealed: Option<Sealed>) -> Result<(), Fault> {
        let open = |sealed: Sealed| self.sealer.subject_key(user.as_bytes(), &sealed);
        let key = match sealed.map(open).transpose() {
            Ok(Some(key)) => Key::Whole(key),
            Ok(None) => Key::Gone,
            Err(fault) => Key::Damaged(Damage::of(fault)?),
        };
        self.keys.push((user, key));
        Ok(())
    }

    fn get(&self, user: &UserId) -> &Key {
        let found = self.keys.iter().find(|(known, _)| known == user);
        found.map_or(&Key::Gone, |(_, key)| key)
    }

    /// Seals an event's details under its subject's key.
    ///
    /// An event is never lost because a key is missing: if the user has none, or a damaged one, the record
    /// becomes one of the system and names the user in its details.
    pub(crate) fn seal(&self, event: AuditEvent) -> Result<Arc<SealedEvent>, Fault> {
        let AuditEvent {
            mut user_id,
            action,
            timestamp,
            mut details,
        } = event;
        let mut key = &self.sealer.system_key;
        if let Some(user) = user_id {
            match self.get(&user) {
                Key::Whole(own) => key = own,
                Key::Gone | Key::Damaged(_) => {
                    details = serde_json::json!({ "user_id": user, "details": details });
                    user_id = None;
                }
            }
        }
        let mut event_id = [0; 16];
        self.sealer.entropy.fill(&mut event_id).map_err(sealing)?;
        self.seal_as(event_id, user_id, key, action, timestamp, &details)
    }

    /// Seals an event of the system's whose id says what it stands for.
    pub(crate) fn seal_commitment(
        &self,
        event_id: [u8; 16],
        action: &'static str,
        timestamp: u64,
        details: &serde_json::Value,
    ) -> Result<Arc<SealedEvent>, Fault> {
        let key = &self.sealer.system_key;
        self.seal_as(event_id, None, key, action, timestamp, details)
    }

    fn seal_as(
        &self,
        event_id: [u8; 16],
        user_id: Option<UserId>,
        key: &SubjectKey,
        action: &'static str,
        timestamp: u64,
        details: &serde_json::Value,
    ) -> Result<Arc<SealedEvent>, Fault> {
        let plaintext = Sensitive::new(serde_json::to_vec(details).map_err(sealing)?);
        let row = row_id(&event_id, user_id.as_ref());
        let details = self.sealer.seal_for(key, &row, &plaintext)?;
        Ok(Arc::new(SealedEvent {
            event_id,
            user_id,
            action,
            timestamp,
            details,
        }))
    }

    /// Opens a record's details; nothing if the key was erased with the account, and the damage if they do not
    /// open.
    pub(crate) fn details(
        &mut self,
        rows: &dyn Rows,
        record: &Record,
    ) -> Result<Listed<Option<serde_json::Value>>, Fault> {
        let user_id = record.user_id.map(UserId::from_bytes);
        if let Some(user) = user_id {
            self.load(rows, user)?;
        }
        let key = match &user_id {
            None => &self.sealer.system_key,
            Some(user) => match self.get(user) {
                Key::Whole(key) => key,
                Key::Damaged(damage) => return Ok(Err(damage.clone())),
                Key::Gone if rows.user_exists(user)? => {
                    let place = at("audit_keys", user.as_bytes());
                    let gone = place.damaged("the key of this account's audit records is gone");
                    return listed(self.sealer.tags.damages.noted(Err(gone)));
                }
                Key::Gone => return Ok(Ok(None)),
            },
        };
        let row = row_id(&record.event_id, user_id.as_ref());
        let opened = self
            .sealer
            .open_for(key, record.id, &row, &record.details)
            .and_then(|opened| {
                serde_json::from_slice(opened.expose())
                    .map(Some)
                    .map_err(|error| Fault::damaged("audit_log", record.id, error))
            });
        listed(opened)
    }

    /// Opens a record; details that do not open are damaged, and the record is shown without them.
    fn open(&mut self, rows: &dyn Rows, record: Record, own: bool) -> Result<AuditRecord, Fault> {
        let (details, damage) = match self.details(rows, &record)? {
            Ok(details) => (details.unwrap_or_default(), None),
            Err(damage) => (serde_json::Value::Null, Some(damage)),
        };
        Ok(AuditRecord {
            id: record.id,
            user_id: record.user_id.map(UserId::from_bytes),
            action: record.action,
            timestamp: record.timestamp,
            details,
            damage,
            foreign: !own,
            hash: record.hash,
        })
    }
}

/// The row's name in the associated data: the event's random id, since its number is given by the
/// writer after sealing, and whose it is.
fn row_id(event_id: &[u8; 16], user: Option<&UserId>) -> [u8; 33] {
    let mut row = [0; 33];
    row[..16].copy_from_slice(event_id);
    if let Some(user) = user {
        row[16] = 1;
        row[17..].copy_from_slice(user.as_bytes());
    }
    row
}

#[async_trait]
impl AuditLog for Repository {
    async fn append_audit(&self, events: Vec<AuditEvent>) -> Result<(), Fault> {
        let events = self.seal_events(events).await?;
        self.write(weight(&events), move |tx| {
            tx.append(&events);
            Ok(())
        })
        .await
    }

    async fn declare(&self, declaration: Declaration, now: u64) -> Result<Intent, Fault> {
        self.append_audit(vec![declaration.event(now)]).await?;
        Ok(Intent::committed(declaration))
    }

    async fn query_audit(
        &self,
        filter: AuditFilter,
        before: Option<u64>,
        limit: u32,
    ) -> Result<AuditPage, Fault> {
        let sealer = Arc::clone(&self.sealer);
        let limit = limit.clamp(1, MAX_PAGE) as usize;
        self.look_up(move |rows| {
            // One more than asked for shows whether there is another page.
            let mut found = rows.find_records(&filter, before, limit + 1)?;
            let more = found.len() > limit;
            found.truncate(limit);
            let next = more.then(|| found.last().map(|it| it.id)).flatten();
            let authorship = Authorship::read(rows, &sealer.tags)?;
            let mut keys = SubjectKeys::new(&sealer);
            let mut records = Vec::with_capacity(found.len());
            for logged in found {
                records.push(match listed(logged.record)? {
                    Ok(record) => {
                        let own = authorship.is_own(logged.id, &record.hash, logged.tag.as_deref());
                        keys.open(rows, record, own)?
                    }
                    Err(damage) => AuditRecord::unreadable(logged.id, damage.reason),
                });
            }
            Ok(AuditPage { records, next })
        })
        .await
    }

    async fn count_audit(&self, filter: AuditFilter) -> Result<u64, Fault> {
        self.look_up(move |rows| rows.count_records(&filter)).await
    }

    async fn verify_audit_chain(&self) -> Result<ChainHead, ChainError> {
        self.read(|rows| Ok(chain::verify(rows))).await?
    }
}

impl Repository {
    /// Seals events in the caller's task; only their subjects' keys are read.
    ///
    /// The system's key is read and opened even though it is in memory, so that a failed sign-in takes as long
    /// for an unknown handle as for a known one.
    pub(crate) async fn seal_events(&self, events: Vec<AuditEvent>) -> Result<Events, Fault> {
        let system = UserId::from_bytes(SYSTEM);
        let mut users: Vec<UserId> = events
            .iter()
            .map(|event| event.user_id.unwrap_or(system))
            .collect();
        users.sort_unstable();
        users.dedup();
        let mut keys = SubjectKeys::new(&self.sealer);
        if !users.is_empty() {
            let sealed = self
                .read(move |rows| {
                    users
                        .into_iter()
                        .map(|user| Ok((user, rows.audit_key(user.as_bytes())?)))
                        .collect()
                })
                .await
                .map(|rows: Vec<_>| rows)?;
            for (user, sealed) in sealed {
                keys.insert(user, sealed)?;
            }
        }
        events.into_iter().map(|event| keys.seal(event)).collect()
    }
}

/// Estimates the bytes that the writer writes for these events.
pub(crate) fn weight(events: &Events) -> usize {
    events.iter().map(|event| event.details.len() + 300).sum()
}
