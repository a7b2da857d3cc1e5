//! The two client-sealed safes, written by compare-and-swap.
//!
//! Specification: `docs/protocol/accounts.md#writing-and-reading-the-safes`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Query};
use api::{Blob, Code};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use sha3::{Digest, Sha3_256};
use store::{SafeConflict, SafeError, SafeUpdate};
use utoipa::ToSchema;

use crate::http::Problem;
use crate::sessions::SignedIn;
use crate::state::App;

use super::server::Restored;

/// A version of a safe's data, sealed by the client.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SafeData {
    /// Version, which each write of the client increases.
    #[serde(deserialize_with = "storable")]
    pub version: u64,
    /// Sealed by the client.
    pub data: Blob,
}

/// A key safe as clients read it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SafeRead {
    /// Version, which each write of the client increases.
    pub version: u64,
    /// Sealed by the client.
    pub data: Blob,
    /// The safe key under OPAQUE's export key.
    pub passphrase_wrap: Blob,
    /// The safe key under the recovery key.
    pub recovery_wrap: Blob,
}

/// A key safe as it is written whole, when the account is made or its credentials change.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SafeWrite {
    /// Version, which each write of the client increases.
    #[serde(deserialize_with = "storable")]
    pub version: u64,
    /// Sealed by the client.
    pub data: Blob,
    /// The safe key under OPAQUE's export key.
    pub passphrase_wrap: Blob,
    /// The safe key under the recovery key.
    pub recovery_wrap: Blob,
    /// SHA3-256 of the write proof.
    pub write_proof_hash: Blob,
    /// SHA3-256 of the recovery proof.
    pub recovery_proof_hash: Blob,
}

/// Both safes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Safes {
    /// The key safe.
    pub safe: SafeRead,
    /// The prekey safe; version 0 without data if a restore left none.
    pub prekey_safe: SafeData,
    /// The restore, if the database came from a backup.
    pub restored: Option<Restored>,
}

/// A compare-and-swap of a safe's data.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SafeChange {
    /// Proof of the safe key.
    pub write_proof: Blob,
    /// The version that the writer read and merged.
    #[serde(deserialize_with = "storable")]
    pub expected_version: u64,
    /// The new version.
    #[serde(alias = "prekey_safe")]
    pub safe: SafeData,
}

/// Parses a version, which must fit into a column of the database.
fn storable<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let version = u64::deserialize(from)?;
    i64::try_from(version)
        .map(|_| version)
        .map_err(|_| D::Error::custom("a version of a safe is below 2^63"))
}

impl From<store::SafeRead> for SafeRead {
    fn from(safe: store::SafeRead) -> Self {
        Self {
            version: safe.version,
            data: Blob::new(safe.data),
            passphrase_wrap: Blob::new(safe.passphrase_wrap),
            recovery_wrap: Blob::new(safe.recovery_wrap),
        }
    }
}

impl From<store::PrekeySafe> for SafeData {
    fn from(safe: store::PrekeySafe) -> Self {
        Self {
            version: safe.version,
            data: Blob::new(safe.data),
        }
    }
}

impl From<SafeData> for store::PrekeySafe {
    fn from(safe: SafeData) -> Self {
        Self {
            version: safe.version,
            data: safe.data.into_vec(),
        }
    }
}

impl TryFrom<SafeWrite> for store::SafeWrite {
    type Error = Problem;

    fn try_from(safe: SafeWrite) -> Result<Self, Problem> {
        Ok(Self {
            version: safe.version,
            write_proof_hash: digest(&safe.write_proof_hash)?,
            recovery_proof_hash: digest(&safe.recovery_proof_hash)?,
            data: safe.data.into_vec(),
            passphrase_wrap: safe.passphrase_wrap.into_vec(),
            recovery_wrap: safe.recovery_wrap.into_vec(),
        })
    }
}

fn digest(bytes: &[u8]) -> Result<[u8; 32], Problem> {
    bytes
        .try_into()
        .map_err(|_| Problem::malformed("A proof's hash has 32 bytes."))
}

impl From<&SafeConflict> for Problem {
    fn from(conflict: &SafeConflict) -> Self {
        let current = SafeData {
            version: conflict.version,
            data: Blob::new(conflict.data.clone()),
        };
        Problem::new(Code::SafeConflict, "Merge with `current` and try again.")
            .with("current", json!(current))
    }
}

impl From<SafeError> for Problem {
    fn from(error: SafeError) -> Self {
        match &error {
            SafeError::NoSuchUser => Problem::signed_out(),
            SafeError::WrongProof => Problem::new(Code::WrongProof, error.to_string()),
            SafeError::VersionNotAbove => Problem::malformed(error.to_string()),
            SafeError::Conflict(conflict) => Problem::from(conflict),
            SafeError::Fault(fault) => Problem::from(fault),
        }
    }
}

/// Versions that the reader has already.
#[derive(Debug, Deserialize)]
pub struct Known {
    version: Option<u64>,
    prekey_version: Option<u64>,
}

/// Returns both safes of the account, or nothing if the reader has these versions already.
pub async fn read(
    app: Data<App>,
    who: SignedIn,
    known: Query<Known>,
) -> Result<HttpResponse, Problem> {
    let (safe, prekey_safe) = app
        .store()
        .safes(who.user_id())
        .await?
        .ok_or_else(Problem::signed_out)?;
    if known.version == Some(safe.version) && known.prekey_version == Some(prekey_safe.version) {
        return Ok(HttpResponse::NoContent().finish());
    }
    Ok(HttpResponse::Ok().json(Safes {
        safe: safe.into(),
        prekey_safe: prekey_safe.into(),
        restored: Restored::of(&app),
    }))
}

/// Replaces the key safe's data.
pub async fn write(
    app: Data<App>,
    who: SignedIn,
    body: Json<SafeChange>,
) -> Result<HttpResponse, Problem> {
    let change = update(&who, body.into_inner());
    let version = change.version;
    app.store().write_safe(change).await?;
    app.hub().safe_written(&who, Some(version), None);
    Ok(HttpResponse::NoContent().finish())
}

/// Replaces the prekey safe.
pub async fn write_prekeys(
    app: Data<App>,
    who: SignedIn,
    body: Json<SafeChange>,
) -> Result<HttpResponse, Problem> {
    let change = update(&who, body.into_inner());
    let version = change.version;
    app.store().write_prekey_safe(change).await?;
    app.hub().safe_written(&who, None, Some(version));
    Ok(HttpResponse::NoContent().finish())
}

fn update(who: &SignedIn, change: SafeChange) -> SafeUpdate {
    SafeUpdate {
        user_id: who.user_id(),
        expected_version: change.expected_version,
        write_proof_hash: Sha3_256::digest(&*change.write_proof).into(),
        version: change.safe.version,
        data: change.safe.data.into_vec(),
    }
}
