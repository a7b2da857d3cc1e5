//! Keys of services.

use std::sync::Arc;

use api::ServiceId;
use async_trait::async_trait;

use crate::damage::{Listed, listed};
use crate::engine::service_keys::ServiceKeyRow;
use crate::engine::{Acting, Rows};
use crate::fault::Fault;
use crate::intent::Intent;
use crate::repository::Repository;
use crate::repository::transaction::Tx;
use crate::sealing::tags::Tags;
use crate::service_keys::{
    MAX_SERVICE_KEY_VERSIONS, MAX_SERVICES, NewServiceKey, PrivateServiceKey, ServiceKey,
    ServiceKeyError, ServiceKeys,
};

#[async_trait]
impl ServiceKeys for Repository {
    async fn create_service_key(
        &self,
        service: ServiceId,
        name: String,
        key: NewServiceKey,
        intent: &Intent,
        now: u64,
    ) -> Result<ServiceKey, ServiceKeyError> {
        let (row, private) = ServiceKeyRow::seal(&self.sealer, &service, name, 1, key, now)?;
        let made = row.checked(&self.sealer.tags)?;
        self.record(
            Acting::Server,
            row.weight(&private),
            vec![intent.done(now)],
            move |tx| {
                if !tx.rows.service_keys(service.as_str())?.is_empty() {
                    return Err(ServiceKeyError::Conflict);
                }
                if tx.rows.count_services()? >= MAX_SERVICES {
                    return Err(ServiceKeyError::TooManyServices);
                }
                inserted(tx.rows.insert_service_key(&row, &private)?)
            },
        )
        .await?;
        Ok(made)
    }

    async fn rotate_service_key(
        &self,
        service: ServiceId,
        expected: u32,
        key: NewServiceKey,
        intent: &Intent,
        now: u64,
    ) -> Result<ServiceKey, ServiceKeyError> {
        let (of, tags) = (service.clone(), Arc::clone(&self.sealer.tags));
        let before = self
            .read(move |rows| Ok(active(rows, &tags, &of)))
            .await??;
        let name = before.0.name;
        let next = expected.checked_add(1).ok_or(ServiceKeyError::Conflict)?;
        let (row, private) = ServiceKeyRow::seal(&self.sealer, &service, name, next, key, now)?;
        let made = row.checked(&self.sealer.tags)?;
        self.record(
            Acting::Server,
            row.weight(&private),
            vec![intent.done(now)],
            move |tx| {
                let (mut active, versions) = active(tx.rows, tx.tags, &service)?;
                if active.version != expected || active.name != row.name {
                    return Err(ServiceKeyError::Conflict);
                }
                if versions >= MAX_SERVICE_KEY_VERSIONS {
                    return Err(ServiceKeyError::TooManyVersions);
                }
                active.retire(now);
                inserted(active.save(tx.rows, tx.tags)?)?;
                inserted(tx.rows.insert_service_key(&row, &private)?)
            },
        )
        .await?;
        Ok(made)
    }

    async fn rename_service(
        &self,
        service: ServiceId,
        name: String,
        intent: &Intent,
        now: u64,
    ) -> Result<ServiceKey, ServiceKeyError> {
        self.record(
            Acting::Server,
            0,
            vec![intent.done(now)],
            move |tx: &Tx<'_>| {
                let (mut active, _) = active(tx.rows, tx.tags, &service)?;
                active.name.clone_from(&name);
                active.updated_at = now;
                inserted(active.save(tx.rows, tx.tags)?)?;
                Ok(active.checked(tx.tags)?)
            },
        )
        .await
    }

    async fn delete_service_keys(
        &self,
        service: ServiceId,
        version: Option<u32>,
        intent: &Intent,
        now: u64,
    ) -> Result<u64, ServiceKeyError> {
        let deleted = self
            .record(Acting::Server, 0, vec![intent.done(now)], move |tx| {
                // Damaged rows can be deleted too: nothing is checked here.
                let found = tx.rows.service_keys(service.as_str())?;
                let deleted = match version {
                    None => tx.rows.delete_service(service.as_str())?,
                    Some(version) => {
                        let is_it = |row: &&ServiceKeyRow| row.version == version;
                        if found
                            .iter()
                            .find(is_it)
                            .is_some_and(ServiceKeyRow::is_active)
                        {
                            return Err(ServiceKeyError::Active);
                        }
                        u64::from(tx.rows.delete_service_key(service.as_str(), version)?)
                    }
                };
                match deleted {
                    0 => Err(ServiceKeyError::Unknown),
                    deleted => Ok(deleted),
                }
            })
            .await?;
        // A private half that was given up stands in no old page any more.
        self.engine.forget().await;
        Ok(deleted)
    }

    async fn service_key_versions(
        &self,
        service: ServiceId,
    ) -> Result<Vec<Listed<ServiceKey>>, Fault> {
        let found = self
            .read(move |rows| rows.service_keys(service.as_str()))
            .await?;
        let checked = found.iter().map(|row| row.checked(&self.sealer.tags));
        checked.map(listed).collect()
    }

    async fn published_service_keys(
        &self,
        service: ServiceId,
        version: Option<u32>,
    ) -> Result<Vec<Listed<ServiceKey>>, Fault> {
        let found = self
            .look_up(move |rows| match version {
                None => rows.service_keys(service.as_str()),
                Some(version) => {
                    let found = rows.public_service_key(service.as_str(), version)?;
                    Ok(found.into_iter().collect())
                }
            })
            .await?;
        let checked = found.iter().map(|row| row.checked(&self.sealer.tags));
        checked.map(listed).collect()
    }

    async fn private_service_key(
        &self,
        service: ServiceId,
        version: u32,
    ) -> Result<Option<(ServiceKey, PrivateServiceKey)>, Fault> {
        let found = self
            .read(move |rows| rows.service_key(service.as_str(), version))
            .await?;
        let Some((row, private)) = found else {
            return Ok(None);
        };
        let key = row.checked(&self.sealer.tags)?;
        Ok(Some((key, row.open(&self.sealer, &private)?)))
    }

    async fn list_services(
        &self,
        after: Option<ServiceId>,
        limit: u32,
    ) -> Result<Vec<(String, Listed<ServiceKey>)>, Fault> {
        let after = after.map(|service| service.to_string()).unwrap_or_default();
        let found = self
            .look_up(move |rows| rows.active_service_keys(&after, limit))
            .await?;
        let tags = &self.sealer.tags;
        let each = found.into_iter().map(|(service, row)| {
            let row = tags.damages.noted(row);
            Ok((service, listed(row.and_then(|row| row.checked(tags)))?))
        });
        each.collect()
    }
}

/// The version to use, and how many versions there are.
fn active(
    rows: &dyn Rows,
    tags: &Tags,
    service: &ServiceId,
) -> Result<(ServiceKeyRow, usize), ServiceKeyError> {
    let found = rows.service_keys(service.as_str())?;
    let versions = found.len();
    let mut found = found.into_iter().peekable();
    let newest = found.peek().ok_or(ServiceKeyError::Unknown)?;
    // Without an active one, the newest was changed in the file.
    newest.checked(tags)?;
    let active = found.find(ServiceKeyRow::is_active);
    Ok((active.ok_or(ServiceKeyError::Conflict)?, versions))
}

/// Somebody else was faster where nothing was written.
fn inserted(written: bool) -> Result<(), ServiceKeyError> {
    match written {
        true => Ok(()),
        false => Err(ServiceKeyError::Conflict),
    }
}
