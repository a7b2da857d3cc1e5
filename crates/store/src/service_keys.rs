//! Keys of services: public halves in the clear, private halves sealed.

use std::fmt;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::classes::Critical;
use crate::damage::Listed;
use crate::fault::Fault;
use crate::intent::Intent;
use api::{ServiceId, ServiceKeyAlgorithm, ServiceKeyState};

/// Most services.
pub const MAX_SERVICES: u64 = 1_000;
/// Most versions of one service's key, the active one among them.
pub const MAX_SERVICE_KEY_VERSIONS: usize = 100;

/// A version that is to be stored.
#[derive(Debug)]
pub struct NewServiceKey {
    /// What it is made of.
    pub algorithm: ServiceKeyAlgorithm,
    /// Bits.
    pub key_size: u32,
    /// Name of the version.
    pub kid: String,
    /// The public half.
    pub public_key: Vec<u8>,
    /// The private half.
    pub private_key: Critical<Zeroizing<Vec<u8>>>,
}

/// A version without its private half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceKey {
    /// The service.
    pub service: ServiceId,
    /// Its name for people.
    pub name: String,
    /// Counts up from 1.
    pub version: u32,
    /// Whether it is the one to use.
    pub state: ServiceKeyState,
    /// What it is made of.
    pub algorithm: ServiceKeyAlgorithm,
    /// Bits.
    pub key_size: u32,
    /// Name of the version.
    pub kid: String,
    /// The public half.
    pub public_key: Vec<u8>,
    /// Unix seconds.
    pub created_at: u64,
    /// Unix seconds of the last change of name or state.
    pub updated_at: u64,
    /// Unix seconds at which another version replaced it.
    pub retired_at: Option<u64>,
}

/// The private half of a version; wiped when dropped.
pub struct PrivateServiceKey(Critical<Zeroizing<Vec<u8>>>);

impl PrivateServiceKey {
    pub(crate) fn new(key: Critical<Zeroizing<Vec<u8>>>) -> Self {
        Self(key)
    }

    /// Takes the bytes.
    pub fn into_inner(self) -> Zeroizing<Vec<u8>> {
        self.0.into_inner()
    }
}

impl fmt::Debug for PrivateServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateServiceKey([redacted])")
    }
}

/// Why a service's key was not changed; nothing was.
#[derive(Debug, thiserror::Error)]
pub enum ServiceKeyError {
    /// There is no such service, or no such version.
    #[error("there is no such service key; look at the list of services")]
    Unknown,
    /// The active version is another one, or there is one already.
    #[error("the service has another key than was expected; look at its versions and decide again")]
    Conflict,
    /// Only retired versions are deleted alone.
    #[error("this version is the active one; rotate the key first, or delete the service")]
    Active,
    /// No more services are kept.
    #[error("there are {max} services already; delete one that nobody uses", max = MAX_SERVICES)]
    TooManyServices,
    /// No more versions of one service are kept.
    #[error(
        "the service has {max} versions of its key already; delete retired ones that nobody uses",
        max = MAX_SERVICE_KEY_VERSIONS
    )]
    TooManyVersions,
    /// The store failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Repository of service keys.
///
/// Every change takes the intent of an administrator and writes its outcome in its transaction.
#[async_trait]
pub trait ServiceKeys: Send + Sync {
    /// Stores version 1 of a service's key; a conflict if the service has a key.
    async fn create_service_key(
        &self,
        service: ServiceId,
        name: String,
        key: NewServiceKey,
        intent: &Intent,
        now: u64,
    ) -> Result<ServiceKey, ServiceKeyError>;

    /// Retires the active version and stores the next one; a conflict if another one than `expected` is
    /// active.
    async fn rotate_service_key(
        &self,
        service: ServiceId,
        expected: u32,
        key: NewServiceKey,
        intent: &Intent,
        now: u64,
    ) -> Result<ServiceKey, ServiceKeyError>;

    /// Gives a service another name, which stands in its active version.
    async fn rename_service(
        &self,
        service: ServiceId,
        name: String,
        intent: &Intent,
        now: u64,
    ) -> Result<ServiceKey, ServiceKeyError>;

    /// Deletes a retired version, or a service with every version; returns how many versions went.
    async fn delete_service_keys(
        &self,
        service: ServiceId,
        version: Option<u32>,
        intent: &Intent,
        now: u64,
    ) -> Result<u64, ServiceKeyError>;

    /// Every version of a service's key, the newest first; none if there is no such service.
    async fn service_key_versions(
        &self,
        service: ServiceId,
    ) -> Result<Vec<Listed<ServiceKey>>, Fault>;

    /// The same, or one version of them, for those who use the public halves, and may keep them for minutes: a
    /// replica may answer.
    async fn published_service_keys(
        &self,
        service: ServiceId,
        version: Option<u32>,
    ) -> Result<Vec<Listed<ServiceKey>>, Fault>;

    /// The private half of a version, opened through the key's provider; `None` if there is no such version.
    async fn private_service_key(
        &self,
        service: ServiceId,
        version: u32,
    ) -> Result<Option<(ServiceKey, PrivateServiceKey)>, Fault>;

    /// Active versions in the order of their services, behind one of them; damaged ones are named by what
    /// stands in the file. A replica may answer.
    async fn list_services(
        &self,
        after: Option<ServiceId>,
        limit: u32,
    ) -> Result<Vec<(String, Listed<ServiceKey>)>, Fault>;
}
