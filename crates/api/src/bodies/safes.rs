//! The two client-sealed safes.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::Restored;
use crate::ids::WrapId;
use crate::{Blob, WrapKind};

/// A version of a safe's data, sealed by the client.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SafeData {
    /// Counts up by the client's writes.
    #[serde(deserialize_with = "storable")]
    pub version: u64,
    /// Sealed by the client.
    pub data: Blob,
}

/// The safe key, wrapped for one of the things that open it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Wrap {
    /// Drawn by the server; a wrap that replaces another has an id of its own.
    pub id: WrapId,
    /// What opens it.
    pub kind: WrapKind,
    /// Unix seconds; 0 where the server kept no times yet.
    pub made: u64,
    /// Sealed by the client.
    pub data: Blob,
}

/// A wrap of the safe key that is to be stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewWrap {
    /// What opens it.
    pub kind: WrapKind,
    /// Sealed by the client.
    pub data: Blob,
}

/// A key safe as it is read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SafeRead {
    /// Counts up by the client's writes.
    pub version: u64,
    /// Sealed by the client.
    pub data: Blob,
    /// What opens the safe key; kinds that a reader does not know are ignored.
    pub wraps: Vec<Wrap>,
}

impl SafeRead {
    /// Returns the wrap of a kind of which every account has one.
    pub fn wrap(&self, kind: &WrapKind) -> Option<&[u8]> {
        let mut wraps = self.wraps.iter();
        wraps
            .find(|wrap| wrap.kind == *kind)
            .map(|wrap| &*wrap.data)
    }
}

/// A key safe as it is written whole, when the account is made or its credentials change.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SafeWrite {
    /// Counts up by the client's writes.
    #[serde(deserialize_with = "storable")]
    pub version: u64,
    /// Sealed by the client.
    pub data: Blob,
    /// The safe key, wrapped once for the passphrase and once for the recovery key. Wraps of other kinds
    /// stay as they are.
    pub wraps: Vec<NewWrap>,
    /// SHA3-256 of the write proof.
    pub write_proof_hash: Blob,
    /// SHA3-256 of the recovery proof.
    pub recovery_proof_hash: Blob,
}

/// Both safes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Safes {
    /// The key safe.
    pub safe: SafeRead,
    /// The prekey safe; version 0 without data where a restore left none.
    pub prekey_safe: SafeData,
    /// That the database came out of a backup, if it did.
    pub restored: Option<Restored>,
}

/// The versions of the safes that a reader has already.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct KnownSafes {
    /// Of the key safe.
    pub version: Option<u64>,
    /// Of the prekey safe.
    pub prekey_version: Option<u64>,
}

/// A compare-and-swap of the key safe's data.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SafeChange {
    /// Proof of the safe key.
    pub write_proof: Blob,
    /// The version that the writer merged into its own.
    #[serde(deserialize_with = "storable")]
    pub expected_version: u64,
    /// The new version.
    #[serde(alias = "prekey_safe")]
    pub safe: SafeData,
}

/// A compare-and-swap of the prekey safe.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PrekeySafeChange {
    /// Proof of the safe key.
    pub write_proof: Blob,
    /// The version that the writer merged into its own.
    #[serde(deserialize_with = "storable")]
    pub expected_version: u64,
    /// The new version.
    #[serde(alias = "safe")]
    pub prekey_safe: SafeData,
}

/// What a problem document says besides when another session wrote a safe first.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SafeConflict {
    /// What the safe holds.
    pub current: SafeData,
}

/// Reads a version, which has to fit into a column of the database.
fn storable<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let version = u64::deserialize(from)?;
    i64::try_from(version)
        .map(|_| version)
        .map_err(|_| D::Error::custom("a version of a safe is below 2^63"))
}
