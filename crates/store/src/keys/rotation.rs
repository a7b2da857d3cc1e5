//! Rotating keys and renewing data keys.
//!
//! A rotation has four parts, each of which may be interrupted anywhere:
//!
//! 1. One transaction makes the new key the active one and keeps each of the two sealed under the
//!    other, so that either opens the database.
//! 2. The keyring seals under the new key. Where several instances share the database, each follows within a
//!    second, and the old key is closed seconds later. When everything that was sealed before is written, the
//!    old key is closed: from then on the database refuses a value under it, from any process. So
//!    what is left under it only becomes less.
//! 3. Column by column, every value is re-wrapped.
//! 4. When a look at every column finds nothing under the old key any more, one transaction retires
//!    it and erases what it was derived with and what was handed over. The log is then cut off, so
//!    that no copy of an old page is left in the files.

use std::sync::Arc;
use std::time::Duration;

use ambient::Stopwatch;

use async_trait::async_trait;
use keyring::{KekId, KekProvider, KekSource, Keyring, ProviderError};
use serde_json::json;

use crate::audit::AuditEvent;
use crate::classes::Sealed;
use crate::engine::Acting;
use crate::engine::keys::{JobRow, KekRow};
use crate::engine::place::many;
use crate::fault::Fault;
use crate::keys::jobs::{Cursor, Outcome};
use crate::keys::opening::CHECK;
use crate::keys::{
    BeginError, KekInfo, KeyManagement, NewKey, RENEWAL_FINISHED, RENEWAL_STARTED,
    ROTATION_FINISHED, ROTATION_STARTED,
};
use crate::repository::NOBODY;
use crate::repository::Repository;
use crate::sealing::columns::KEK_HANDOVER;
use crate::sealing::sealer::{KEK_CHECK, open, outage_of_keys, seal, sealing};
use api::KeyJobKind;
use api::bodies::KeyJob;

/// How long one step waits for other instances to follow.
const WAIT: Duration = Duration::from_millis(200);

/// A new key, its row, and the key before sealed under it.
type Made = (Arc<dyn KekProvider>, KekRow, Option<Sealed>);

#[async_trait]
impl KeyManagement for Repository {
    async fn keks(&self) -> Result<Vec<KekInfo>, Fault> {
        self.read(|rows| rows.keks()?.into_iter().map(KekRow::info).collect())
            .await
    }

    async fn use_every_key(&self) -> Result<(), Fault> {
        let mut providers = self.sealer.keyring.providers();
        // A retired key that is still loaded is needed by nothing that begins now.
        providers.retain(|provider| !self.keys.is_leaving(provider.kek_id()));
        let asked = tokio::task::spawn_blocking(move || {
            providers.iter().try_for_each(|provider| provider.health())
        });
        let answered = asked.await;
        answered
            .map_err(|_| Fault::Unavailable("asking the keys ended in an error".to_owned()))?
            .map_err(|error| outage_of_keys(&error))
    }

    async fn key_job(&self) -> Result<Option<KeyJob>, Fault> {
        let newest = self.read(|rows| rows.newest_key_job()).await?;
        Ok(newest.map(|row| row.job))
    }

    async fn begin_rotation(
        &self,
        new: NewKey,
        reason: String,
        now: u64,
        outcomes: Vec<AuditEvent>,
    ) -> Result<KeyJob, BeginError> {
        let _one_at_a_time = self.keys.job.lock().await;
        self.refuse_second().await?;
        let source = self.keys.source_of(&new)?;
        let old = self.active_provider()?;
        let (provider, row, handed) = self.make(&source, &old, now).await?;
        let (from, to) = (old.kek_id(), provider.kek_id());
        let details = json!({
            "reason": reason,
            "from": from.to_string(),
            "to": to.to_string(),
            "provider": row.provider,
        });
        let mut job = self.new_job(KeyJobKind::Rewrap, reason, now).await?;
        job.cursor = Cursor::Close.to_string();
        job.outcomes = Outcome::keep(&outcomes);
        let audit = vec![event(ROTATION_STARTED, now, details)];
        self.keys.set_pending(provider);
        let job = self
            .record::<_, Fault, _>(Acting::Job, 2_048, audit, move |tx| {
                if !tx.rows.begin_retiring(from.as_bytes(), handed.as_ref())? {
                    let reason = "another process rotates the keys".to_owned();
                    return Err(Fault::Unavailable(reason));
                }
                tx.rows.insert_kek(&row)?;
                job.job.id = tx.rows.insert_key_job(&job)?;
                Ok(job.job.clone())
            })
            .await?;
        self.keys.begun(&new, source);
        self.follow().await?;
        Ok(job)
    }

    async fn begin_renewal(
        &self,
        reason: String,
        now: u64,
        outcomes: Vec<AuditEvent>,
    ) -> Result<KeyJob, BeginError> {
        let _one_at_a_time = self.keys.job.lock().await;
        self.refuse_second().await?;
        let details = json!({ "reason": reason });
        let mut job = self.new_job(KeyJobKind::Renew, reason, now).await?;
        job.cursor = Cursor::column(0).to_string();
        job.outcomes = Outcome::keep(&outcomes);
        let audit = vec![event(RENEWAL_STARTED, now, details)];
        let job = self
            .record::<_, Fault, _>(Acting::Job, 0, audit, move |tx| {
                job.job.id = tx.rows.insert_key_job(&job)?;
                Ok(job.job.clone())
            })
            .await?;
        Ok(job)
    }

    async fn follow_keys(&self) -> Result<(), Fault> {
        let _one_at_a_time = self.keys.job.lock().await;
        self.keys.forget(&self.sealer.keyring);
        self.follow().await
    }

    async fn step_key_job(&self, budget: Duration, now: u64) -> Result<Option<KeyJob>, Fault> {
        let _one_at_a_time = self.keys.job.lock().await;
        self.keys.forget(&self.sealer.keyring);
        let watch = Stopwatch::start(self.keys.clock());
        let mut worked = false;
        loop {
            let Some(row) = self.read(|rows| rows.newest_key_job()).await? else {
                return Ok(None);
            };
            if row.job.finished {
                return Ok(worked.then_some(row.job));
            }
            if worked && watch.elapsed() >= budget {
                return Ok(Some(row.job));
            }
            if self.engine.is_shared() && row.waits_for_others(now) {
                tokio::time::sleep(WAIT).await;
                return Ok(Some(row.job));
            }
            self.step(row, now).await?;
            worked = true;
        }
    }
}

impl Repository {
    async fn step(&self, row: JobRow, now: u64) -> Result<(), Fault> {
        self.follow().await?;
        match row.cursor()? {
            Cursor::Close => self.close_old(row, now).await,
            Cursor::Walk(index, after) => self.walk(row, index, after).await,
            Cursor::Check => {
                let keks = self.read(KekRow::live).await?;
                let retiring: Vec<[u8; 16]> = keks
                    .into_iter()
                    .filter(|kek| !kek.is_active())
                    .map(|kek| kek.kek_id)
                    .collect();
                if self.left_behind(retiring.clone()).await? {
                    let again = Cursor::column(0);
                    return self
                        .write_for(Acting::Job, 0, move |tx| row.advance(tx.rows, &again, 0))
                        .await;
                }
                self.finish(row, retiring, now).await
            }
        }
    }

    /// Closes the old key: no value is written under it any more.
    async fn close_old(&self, row: JobRow, now: u64) -> Result<(), Fault> {
        self.sealer.in_flight.drained().await;
        self.write_for(Acting::Job, 0, move |tx| {
            tx.rows.close_retiring(now)?;
            row.advance(tx.rows, &Cursor::column(0), 0)
        })
        .await
    }

    async fn finish(&self, row: JobRow, retiring: Vec<[u8; 16]>, now: u64) -> Result<(), Fault> {
        self.keys
            .adopt_key_file()
            .map_err(|error| Fault::Unavailable(error.to_string()))?;
        let old: Vec<KekId> = retiring.into_iter().map(KekId::from_bytes).collect();
        let action = match row.job.kind {
            KeyJobKind::Rewrap => ROTATION_FINISHED,
            KeyJobKind::Renew => RENEWAL_FINISHED,
        };
        let details = json!({
            "reason": row.job.reason,
            "values": row.job.done,
            "seconds": now.saturating_sub(row.job.started_at),
            "retired": old.iter().map(KekId::to_string).collect::<Vec<_>>(),
        });
        let outcomes = row.outcomes();
        let outcomes = outcomes.iter().filter_map(|it| it.event(now, &details));
        let mut audit = vec![event(action, now, details.clone())];
        audit.extend(outcomes);
        self.record::<_, Fault, _>(Acting::Job, 0, audit, move |tx| {
            tx.rows.retire(now)?;
            row.finish(tx.rows, now)
        })
        .await?;
        self.keys.retire(old);
        self.engine.forget().await;
        Ok(())
    }

    /// Makes the keyring seal under the key that is the active one in the database.
    async fn follow(&self) -> Result<(), Fault> {
        let keks = self.read(|rows| rows.keks()).await?;
        let active = keks.into_iter().find(KekRow::is_active);
        let active = active.ok_or_else(|| many("keks").damaged("there is no active key"))?;
        if self.sealer.keyring.active_kek() == active.id() {
            return Ok(());
        }
        let provider = match self.keys.take_pending(active.id()) {
            Some(provider) => provider,
            None => self.load_made_elsewhere(active).await?,
        };
        self.sealer.keyring.activate(provider);
        self.seal_decoy()
    }

    /// Seals the decoy under the active key.
    pub(crate) fn seal_decoy(&self) -> Result<(), Fault> {
        use crate::repository::user_rows::OpenedCredential;
        let decoy = OpenedCredential::decoy().seal(&self.sealer, &NOBODY)?;
        self.sealer.set_decoy(decoy);
        Ok(())
    }

    fn active_provider(&self) -> Result<Arc<dyn KekProvider>, Fault> {
        let providers = self.sealer.keyring.providers();
        providers
            .into_iter()
            .next()
            .ok_or_else(|| Fault::Unavailable("no key is loaded".to_owned()))
    }

    async fn refuse_second(&self) -> Result<(), BeginError> {
        self.follow().await?;
        match self.key_job().await? {
            Some(job) if !job.finished => Err(BeginError::Running(job)),
            _ => Ok(()),
        }
    }

    async fn new_job(&self, kind: KeyJobKind, reason: String, now: u64) -> Result<JobRow, Fault> {
        Ok(JobRow {
            job: KeyJob {
                id: 0,
                kind,
                finished: false,
                reason,
                done: 0,
                total: self.count_values().await?,
                started_at: now,
                finished_at: None,
            },
            cursor: String::new(),
            outcomes: None,
        })
    }

    /// Makes a key and its row, sees that what is sealed under it opens, and seals each of the two
    /// keys under the other.
    async fn make(
        &self,
        source: &Arc<dyn KekSource>,
        old: &Arc<dyn KekProvider>,
        now: u64,
    ) -> Result<Made, BeginError> {
        let mut kek_id = [0; 16];
        self.sealer.entropy.fill(&mut kek_id).map_err(sealing)?;
        let (source, old) = (Arc::clone(source), Arc::clone(old));
        let entropy = Arc::clone(&self.sealer.entropy);
        let suite = self.sealer.keyring.suite();
        let handing = self.sealer.keyring.clone();
        // Deriving takes a tenth of a second, a token as long as it likes.
        let made = tokio::task::spawn_blocking(move || {
            let (provider, parameters) = source.create(KekId::from_bytes(kek_id))?;
            let ring = Keyring::new(Arc::clone(&provider), entropy).with_suite(suite);
            let check = seal(&ring, KEK_CHECK, &kek_id, CHECK)?;
            let opened = open(&ring, KEK_CHECK, &kek_id, &check)?;
            if opened.expose() != CHECK {
                return Err(ProviderError::Refused.into());
            }
            let handover = export(&handing, &*provider)?;
            let handed = export(&ring, &*old)?;
            let row = KekRow::new(&*provider, parameters, check, handover, now);
            Ok::<_, BeginError>((provider, row, handed))
        });
        made.await
            .map_err(|_| Fault::Unavailable("making a key ended by an internal error".to_owned()))?
    }
}

/// A record of the system's.
fn event(action: &'static str, timestamp: u64, details: serde_json::Value) -> AuditEvent {
    AuditEvent {
        user_id: None,
        action,
        timestamp,
        details,
    }
}

/// A key sealed by `holder`; `None` if it cannot leave its provider.
fn export(holder: &Keyring, key: &dyn KekProvider) -> Result<Option<Sealed>, Fault> {
    let Some(exported) = key.export() else {
        return Ok(None);
    };
    let kek_id = key.kek_id();
    let sealed = seal(holder, KEK_HANDOVER, kek_id.as_bytes(), exported.expose())?;
    Ok(Some(Sealed::of_envelope(sealed)))
}
