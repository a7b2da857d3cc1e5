//! Keys of services.

use serde::{Deserialize, Serialize};

use crate::{Blob, ServiceId, ServiceKeyAlgorithm, ServiceKeyFormat, ServiceKeyState};

/// A service and the key that it is to have.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewServiceKey {
    /// Id of the service, as it stands in addresses.
    pub service: String,
    /// Name of the service for people, 1 to 64 characters; its id if there is none.
    #[serde(default)]
    pub name: Option<String>,
    /// What the key is made of.
    pub algorithm: ServiceKeyAlgorithm,
    /// Bits of the modulus, for RS256 only: 2048, 3072 or 4096; 3072 if there is none.
    #[serde(default)]
    pub key_size: Option<u32>,
}

/// The key that the service of the address is to have.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ServiceKeyWanted {
    /// Name of the service for people, 1 to 64 characters; its id, or the one it has, if there is none.
    #[serde(default)]
    pub name: Option<String>,
    /// What the key is made of.
    pub algorithm: ServiceKeyAlgorithm,
    /// Bits of the modulus, for RS256 only: 2048, 3072 or 4096; 3072 if there is none.
    #[serde(default)]
    pub key_size: Option<u32>,
}

/// A new version of a service's key.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ServiceKeyRotation {
    /// The version that is active now; if it is another one, nothing is changed.
    pub expected_version: Option<u32>,
    /// What the new version is made of; the same as the active one if there is none.
    pub algorithm: Option<ServiceKeyAlgorithm>,
    /// Bits of the modulus, for RS256 only; as many as now if neither this nor an algorithm is given.
    pub key_size: Option<u32>,
}

/// A version of a service's key, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ServiceKey {
    /// Id of the service.
    pub service: ServiceId,
    /// Name of the service.
    pub name: String,
    /// Counts up from 1.
    pub version: u32,
    /// Whether it is the one to use.
    pub state: ServiceKeyState,
    /// What it is made of.
    pub algorithm: ServiceKeyAlgorithm,
    /// Bits of the modulus for RS256, of both public keys for the others.
    pub key_size: u32,
    /// Name of this version, made from its public keys.
    pub kid: String,
    /// Unix seconds.
    pub created_at: u64,
    /// Unix seconds of the last change of its name or state.
    pub updated_at: u64,
    /// Unix seconds at which another version replaced it.
    pub retired_at: Option<u64>,
}

/// Which services are wanted, in the address.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ServicesWanted {
    /// After this service.
    pub after: Option<ServiceId>,
    /// How many, at most 500.
    pub limit: Option<u32>,
}

/// A service whose active version does not open, or was changed in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DamagedService {
    /// Id of the service, as the file has it.
    pub service: String,
    /// What did not fit.
    pub reason: String,
}

/// A page of services in the order of their ids, each with its active version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Services {
    /// The active versions.
    pub services: Vec<ServiceKey>,
    /// Services of this page whose rows are damaged.
    pub damaged: Vec<DamagedService>,
    /// The `after` of the next page, if there is one.
    pub next: Option<ServiceId>,
}

/// Which public keys are wanted, in the address.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct PublicKeysWanted {
    /// How they are written; a JWK Set if there is none.
    pub format: Option<ServiceKeyFormat>,
    /// This version only; every version, the active one first, if there is none.
    pub version: Option<u32>,
}

/// Which private key is wanted.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PrivateKeyWanted {
    /// From a re-authentication: a cookie alone must not give out a private key.
    pub reauth_token: Blob,
    /// The version; the active one if there is none.
    #[serde(default)]
    pub version: Option<u32>,
    /// How it is written; a JWK Set if there is none.
    #[serde(default)]
    pub format: Option<ServiceKeyFormat>,
}

/// Which keys of a service are deleted.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ServiceKeyDeletion {
    /// From a re-authentication: a cookie alone must not delete keys.
    pub reauth_token: Blob,
    /// A retired version; the service with every version if there is none.
    #[serde(default)]
    pub version: Option<u32>,
}
