//! The audit log over SQLite: sealing events, querying records.

use ::audit::Record;
use async_trait::async_trait;
use keyring::SubjectKey;
use rusqlite::Row;
use rusqlite::types::Value;

use crate::audit::authorship::{Authorship, TAGGED};
use crate::audit::chain::{self, SealedEvent};
use crate::audit::{
    AuditEvent, AuditFilter, AuditLog, AuditPage, AuditRecord, ChainError, ChainHead,
};
use crate::damage::{Damage, Listed, listed};
use crate::engine::sqlite::db::{Db, at, many};
use crate::fault::Fault;
use crate::intent::{Declaration, Intent};
use crate::keys::opening::SYSTEM;
use crate::repository::Repository;
use crate::sealing::classes::{Public, Sealed, Sensitive};
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

    pub(crate) fn load(&mut self, db: Db<'_>, user: UserId) -> Result<(), Fault> {
        if self.known(&user) {
            return Ok(());
        }
        let sealed = find_key(db, &user)?;
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
    pub(crate) fn seal(&self, event: AuditEvent) -> Result<SealedEvent, Fault> {
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
    ) -> Result<SealedEvent, Fault> {
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
    ) -> Result<SealedEvent, Fault> {
        let plaintext = Sensitive::new(serde_json::to_vec(details).map_err(sealing)?);
        let row = row_id(&event_id, user_id.as_ref());
        let details = self.sealer.seal_for(key, &row, &plaintext)?;
        Ok(SealedEvent {
            event_id,
            user_id,
            action,
            timestamp,
            details,
        })
    }

    /// Opens a record's details; nothing if the key was erased with the account, and the damage if they do not
    /// open.
    pub(crate) fn details(
        &mut self,
        db: Db<'_>,
        record: &Record,
    ) -> Result<Listed<Option<serde_json::Value>>, Fault> {
        let user_id = record.user_id.map(UserId::from_bytes);
        if let Some(user) = user_id {
            self.load(db, user)?;
        }
        let key = match &user_id {
            None => &self.sealer.system_key,
            Some(user) => match self.get(user) {
                Key::Whole(key) => key,
                Key::Damaged(damage) => return Ok(Err(damage.clone())),
                Key::Gone if exists(db, user_id)? => {
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
    fn open(&mut self, db: Db<'_>, record: Record, own: bool) -> Result<AuditRecord, Fault> {
        let (details, damage) = match self.details(db, &record)? {
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

/// Whether there is such an account; the system's is always there.
fn exists(db: Db<'_>, user: Option<UserId>) -> Result<bool, Fault> {
    let Some(user) = user else {
        return Ok(true);
    };
    let sql = "SELECT count(*) FROM users WHERE user_id = ?1";
    Ok(db.number(at("users", user.as_bytes()), sql, [user.as_bytes()])? > 0)
}

fn find_key(db: Db<'_>, user: &UserId) -> Result<Option<Sealed>, Fault> {
    let sql = "SELECT encrypted_key FROM audit_keys WHERE subject = ?1";
    db.one(
        at("audit_keys", user.as_bytes()),
        sql,
        [user.as_bytes()],
        |row| row.get(0),
    )
}

/// Builds the condition from fixed pieces, with only those in use, so that an index can serve it.
fn condition(filter: AuditFilter, before: Option<u64>) -> (String, Vec<Value>) {
    let number = |value: u64| Value::Integer(i64::try_from(value).unwrap_or(i64::MAX));
    let parts = [
        (
            " AND user_id = ?",
            filter
                .user_id
                .map(|user| Value::Blob(user.as_bytes().to_vec())),
        ),
        (" AND action = ?", filter.action.map(Value::Text)),
        (" AND timestamp >= ?", filter.from.map(number)),
        (" AND timestamp <= ?", filter.to.map(number)),
        (" AND id < ?", before.map(number)),
    ];
    let mut sql = String::from(" WHERE true");
    let mut values = Vec::new();
    for (piece, value) in parts {
        if let Some(value) = value {
            sql.push_str(piece);
            values.push(value);
        }
    }
    (sql, values)
}

#[async_trait]
impl AuditLog for Repository {
    async fn append_audit(&self, events: Vec<AuditEvent>) -> Result<(), Fault> {
        let events = self.seal_events(events).await?;
        self.write(weight(&events), move |tx| tx.append(events))
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
        let sealer = std::sync::Arc::clone(&self.sealer);
        let limit = limit.clamp(1, MAX_PAGE) as usize;
        self.read(move |db| {
            let (condition, mut values) = condition(filter, before);
            // One more than asked for shows whether there is another page.
            values.push(Value::Integer(limit as i64 + 1));
            let sql = format!("{TAGGED}{condition} ORDER BY id DESC LIMIT ?");
            let params = rusqlite::params_from_iter(values.into_iter().map(Public));
            let read = |row: &Row<'_>| {
                let id: u64 = row.get(0)?;
                let tag: Option<Vec<u8>> = row.get(8)?;
                Ok((id, chain::record(row), tag))
            };
            let mut rows = db.all(many("audit_log"), &sql, params, read)?;
            let more = rows.len() > limit;
            rows.truncate(limit);
            let next = more.then(|| rows.last().map(|(id, ..)| *id)).flatten();
            let authorship = Authorship::read(db, &sealer.tags)?;
            let mut keys = SubjectKeys::new(&sealer);
            let mut records = Vec::with_capacity(rows.len());
            for (id, record, tag) in rows {
                records.push(match record {
                    Ok(record) => {
                        let own = authorship.is_own(id, &record.hash, tag.as_deref());
                        keys.open(db, record, own)?
                    }
                    Err(error) => AuditRecord::unreadable(id, error.to_string()),
                });
            }
            Ok(AuditPage { records, next })
        })
        .await
    }

    async fn count_audit(&self, filter: AuditFilter) -> Result<u64, Fault> {
        self.read(move |db| {
            let (condition, values) = condition(filter, None);
            let sql = format!("SELECT count(*) FROM audit_log{condition}");
            let values = values.into_iter().map(Public);
            db.number(many("audit_log"), &sql, rusqlite::params_from_iter(values))
        })
        .await
    }

    async fn verify_audit_chain(&self) -> Result<ChainHead, ChainError> {
        self.read(|db| Ok(chain::verify(db))).await?
    }
}

impl Repository {
    /// Seals events in the caller's task; only their subjects' keys are read.
    ///
    /// The system's key is read and opened even though it is in memory, so that a failed sign-in takes as long
    /// for an unknown handle as for a known one.
    pub(crate) async fn seal_events(
        &self,
        events: Vec<AuditEvent>,
    ) -> Result<Vec<SealedEvent>, Fault> {
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
                .read(move |db| {
                    users
                        .into_iter()
                        .map(|user| Ok((user, find_key(db, &user)?)))
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
pub(crate) fn weight(events: &[SealedEvent]) -> usize {
    events.iter().map(|event| event.details.len() + 300).sum()
}
