//! Rows of `service_keys`.

use crate::classes::Sealed;
use crate::engine::Answer;

/// A version of a service's key as it stands, without its private half, and its tag.
pub(crate) struct ServiceKeyRow {
    pub service: String,
    pub name: String,
    pub version: u32,
    pub state: String,
    pub algorithm: String,
    pub key_size: u32,
    pub kid: String,
    pub public_key: Vec<u8>,
    pub created_at: u64,
    pub updated_at: u64,
    pub retired_at: Option<u64>,
    pub tag: Option<Vec<u8>>,
}

/// Reads keys of services.
pub(crate) trait ServiceKeyRows {
    /// Every version of a service, the newest first.
    fn service_keys(&self, service: &str) -> Answer<Vec<ServiceKeyRow>>;

    /// One version.
    fn public_service_key(&self, service: &str, version: u32) -> Answer<Option<ServiceKeyRow>>;

    /// A version with its private half.
    fn service_key(&self, service: &str, version: u32) -> Answer<Option<(ServiceKeyRow, Sealed)>>;

    /// Active versions in the order of their services, behind one of them, with a fault in the place of one
    /// that cannot be read.
    fn active_service_keys(
        &self,
        after: &str,
        limit: u32,
    ) -> Answer<Vec<(String, Answer<ServiceKeyRow>)>>;

    /// How many services there are.
    fn count_services(&self) -> Answer<u64>;
}

/// Changes keys of services.
pub(crate) trait ServiceKeyChanges {
    /// Inserts an active version; `false` if the service has one with this number, or an active one.
    fn insert_service_key(&self, row: &ServiceKeyRow, private: &Sealed) -> Answer<bool>;

    /// Writes name, state, times and tag of a version; `false` if there is no such version.
    fn update_service_key(&self, row: &ServiceKeyRow) -> Answer<bool>;

    /// Deletes one version; `false` if there is no such version.
    fn delete_service_key(&self, service: &str, version: u32) -> Answer<bool>;

    /// Deletes every version of a service; returns how many there were.
    fn delete_service(&self, service: &str) -> Answer<u64>;
}
