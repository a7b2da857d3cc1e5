//! The two client-sealed safes of an account: `docs/protocol/accounts.md#sealing-the-safes`.

use std::fmt;

use async_trait::async_trait;

use crate::fault::Fault;
use api::bodies::Wrap;
use api::ids::UserId;

/// A key safe with its wraps and the hashes of its proofs, to be written whole.
#[derive(Clone, PartialEq, Eq)]
pub struct SafeWrite {
    /// Counts up by the client's writes.
    pub version: u64,
    /// Sealed by the client.
    pub data: Vec<u8>,
    /// Each replaces the wrap of its kind; wraps of other kinds stay.
    pub wraps: Vec<Wrap>,
    /// SHA3-256 of the write proof.
    pub write_proof_hash: [u8; 32],
    /// SHA3-256 of the recovery proof.
    pub recovery_proof_hash: [u8; 32],
}

impl fmt::Debug for SafeWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SafeWrite")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// A key safe as it is read.
#[derive(Clone, PartialEq, Eq)]
pub struct SafeRead {
    /// Counts up by the client's writes.
    pub version: u64,
    /// Sealed by the client.
    pub data: Vec<u8>,
    /// What opens the safe key; one of each kind that every account has.
    pub wraps: Vec<Wrap>,
}

impl fmt::Debug for SafeRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SafeRead")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// A prekey safe; never part of a backup: after a restore it is read as version 0 without data.
#[derive(Clone, PartialEq, Eq)]
pub struct PrekeySafe {
    /// Counts up by the client's writes.
    pub version: u64,
    /// Sealed by the client.
    pub data: Vec<u8>,
}

impl fmt::Debug for PrekeySafe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrekeySafe")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Which of the two safes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SafeKind {
    /// The key safe, `encrypted_private_keys`.
    Keys,
    /// The prekey safe.
    Prekeys,
}

/// What is stored now, for the losing tab to merge with.
#[derive(Clone, PartialEq, Eq)]
pub struct SafeConflict {
    /// Which safe is meant.
    pub kind: SafeKind,
    /// Stored version.
    pub version: u64,
    /// Stored data, sealed by the client.
    pub data: Vec<u8>,
}

impl fmt::Debug for SafeConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SafeConflict")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// One compare-and-swap of a safe's data.
pub struct SafeUpdate {
    /// Whose.
    pub user_id: UserId,
    /// The version that the writer merged into its own.
    pub expected_version: u64,
    /// SHA3-256 of the write proof; compared in constant time.
    pub write_proof_hash: [u8; 32],
    /// The new version, above the expected one.
    pub version: u64,
    /// The new data, sealed by the client.
    pub data: Vec<u8>,
}

/// Why a safe was not written.
#[derive(Debug, thiserror::Error)]
pub enum SafeError {
    /// There is no such account.
    #[error("there is no such account")]
    NoSuchUser,
    /// The write proof is not the one of the current safe key.
    #[error("the write proof does not fit: unlock again with the current passphrase")]
    WrongProof,
    /// The new version is not above the expected one.
    #[error("a safe's version must grow: write one above the version that was read")]
    VersionNotAbove,
    /// Another tab wrote first.
    #[error("another session wrote first: merge with version {} and try again", .0.version)]
    Conflict(SafeConflict),
    /// The store failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Repository of safes.
#[async_trait]
pub trait Safes: Send + Sync {
    /// Reads both safes in one consistent look.
    async fn safes(&self, user: UserId) -> Result<Option<(SafeRead, PrekeySafe)>, Fault>;

    /// Replaces the key safe's data by compare-and-swap; wraps and proofs stay.
    async fn write_safe(&self, update: SafeUpdate) -> Result<(), SafeError>;

    /// Replaces the prekey safe by compare-and-swap.
    async fn write_prekey_safe(&self, update: SafeUpdate) -> Result<(), SafeError>;
}
