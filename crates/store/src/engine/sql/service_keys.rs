//! Statements about `service_keys`.

use crate::classes::{Public, Sealed};
use crate::engine::Answer;
use crate::engine::place::{at, many};
use crate::engine::service_keys::{ServiceKeyChanges, ServiceKeyRow, ServiceKeyRows};
use crate::engine::sql::{Hold, Line, Readable, Sql};

/// The columns of [`ServiceKeyRow`].
const COLUMNS: &str =
    "service_id, service_name, version, state, algorithm, key_size, kid, public_key,
    created_at, updated_at, retired_at, tag";

fn read(row: Line<'_>) -> Readable<ServiceKeyRow> {
    Ok(ServiceKeyRow {
        service: row.get(0)?,
        name: row.get(1)?,
        version: row.get(2)?,
        state: row.get(3)?,
        algorithm: row.get(4)?,
        key_size: row.get(5)?,
        kid: row.get(6)?,
        public_key: row.get(7)?,
        created_at: row.get(8)?,
        updated_at: row.get(9)?,
        retired_at: row.get(10)?,
        tag: row.get(11)?,
    })
}

impl<D: Sql> ServiceKeyRows for D {
    fn service_keys(&self, service: &str) -> Answer<Vec<ServiceKeyRow>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM service_keys WHERE service_id = ?1 ORDER BY version DESC{}",
            self.hold(Hold::Alone)
        );
        let place = at("service_keys", service.as_bytes());
        self.all(place, &sql, &[&Public(service)], read)
    }

    fn public_service_key(&self, service: &str, version: u32) -> Answer<Option<ServiceKeyRow>> {
        let sql =
            format!("SELECT {COLUMNS} FROM service_keys WHERE service_id = ?1 AND version = ?2");
        let place = at("service_keys", service.as_bytes());
        self.one(place, &sql, &[&Public(service), &version], read)
    }

    fn service_key(&self, service: &str, version: u32) -> Answer<Option<(ServiceKeyRow, Sealed)>> {
        let sql = format!(
            "SELECT {COLUMNS}, encrypted_private_key FROM service_keys
             WHERE service_id = ?1 AND version = ?2"
        );
        let place = at("service_keys", service.as_bytes());
        self.one(place, &sql, &[&Public(service), &version], |row| {
            Ok((read(row)?, row.get(12)?))
        })
    }

    fn active_service_keys(
        &self,
        after: &str,
        limit: u32,
    ) -> Answer<Vec<(String, Answer<ServiceKeyRow>)>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM service_keys WHERE state = 'active' AND service_id > ?1
             ORDER BY service_id LIMIT ?2"
        );
        self.all(
            many("service_keys"),
            &sql,
            &[&Public(after), &limit],
            |row| {
                let service: String = row.get(0)?;
                let place = at("service_keys", service.as_bytes());
                let read = read(row).map_err(|error| place.damaged(error));
                Ok((service, read))
            },
        )
    }

    fn count_services(&self) -> Answer<u64> {
        let sql = "SELECT count(DISTINCT service_id) FROM service_keys";
        self.number(many("service_keys"), sql, &[])
    }
}

impl<D: Sql> ServiceKeyChanges for D {
    fn insert_service_key(&self, row: &ServiceKeyRow, private: &Sealed) -> Answer<bool> {
        self.changed(
            at("service_keys", row.service.as_bytes()),
            "INSERT INTO service_keys (service_id, service_name, version, state, algorithm, key_size,
                 kid, public_key, created_at, updated_at, encrypted_private_key, tag)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO NOTHING",
            &[
                &Public(&row.service),
                &Public(&row.name),
                &row.version,
                &Public(&row.state),
                &Public(&row.algorithm),
                &row.key_size,
                &Public(&row.kid),
                &Public(&row.public_key),
                &row.created_at,
                &row.updated_at,
                private,
                &row.tag.as_ref().map(Public),
            ],
        )
    }

    fn update_service_key(&self, row: &ServiceKeyRow) -> Answer<bool> {
        self.changed(
            at("service_keys", row.service.as_bytes()),
            "UPDATE service_keys SET service_name = ?1, state = ?2, updated_at = ?3, retired_at = ?4,
                 tag = ?5 WHERE service_id = ?6 AND version = ?7",
            &[
                &Public(&row.name),
                &Public(&row.state),
                &row.updated_at,
                &row.retired_at,
                &row.tag.as_ref().map(Public),
                &Public(&row.service),
                &row.version,
            ],
        )
    }

    fn delete_service_key(&self, service: &str, version: u32) -> Answer<bool> {
        let sql = "DELETE FROM service_keys WHERE service_id = ?1 AND version = ?2";
        let place = at("service_keys", service.as_bytes());
        self.changed(place, sql, &[&Public(service), &version])
    }

    fn delete_service(&self, service: &str) -> Answer<u64> {
        let sql = "DELETE FROM service_keys WHERE service_id = ?1";
        let place = at("service_keys", service.as_bytes());
        self.execute(place, sql, &[&Public(service)])
    }
}
