//! The two client-sealed safes, written by compare-and-swap.
//!
//! Specification: `docs/protocol/accounts.md#writing-and-reading-the-safes`.

use api::bodies::{KnownSafes, PrekeySafeChange, SafeChange, SafeData, SafeRead, SafeWrite, Safes};
use api::{Blob, Code};
use serde_json::json;
use sha3::{Digest, Sha3_256};
use store::{SafeConflict, SafeError, SafeUpdate};

use crate::app::sessions::SignedIn;
use crate::app::{App, Problem};

use super::server::restored;

/// Makes the key safe as it is read.
pub(super) fn shown(safe: store::SafeRead) -> SafeRead {
    SafeRead {
        version: safe.version,
        data: Blob::new(safe.data),
        passphrase_wrap: Blob::new(safe.passphrase_wrap),
        recovery_wrap: Blob::new(safe.recovery_wrap),
    }
}

/// Makes the prekey safe as it is read.
pub(super) fn shown_prekeys(safe: store::PrekeySafe) -> SafeData {
    SafeData {
        version: safe.version,
        data: Blob::new(safe.data),
    }
}

/// Reads a prekey safe that is to be stored.
pub(super) fn prekey_safe(safe: SafeData) -> store::PrekeySafe {
    store::PrekeySafe {
        version: safe.version,
        data: safe.data.into_vec(),
    }
}

/// Reads a key safe that is to be stored.
pub(super) fn write(safe: SafeWrite) -> Result<store::SafeWrite, Problem> {
    Ok(store::SafeWrite {
        version: safe.version,
        write_proof_hash: digest(&safe.write_proof_hash)?,
        recovery_proof_hash: digest(&safe.recovery_proof_hash)?,
        data: safe.data.into_vec(),
        passphrase_wrap: safe.passphrase_wrap.into_vec(),
        recovery_wrap: safe.recovery_wrap.into_vec(),
    })
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

/// Both safes of the account, or nothing where the reader has these versions already.
pub async fn read(app: &App, who: &SignedIn, known: &KnownSafes) -> Result<Option<Safes>, Problem> {
    let (safe, prekey_safe) = app
        .store()
        .safes(who.user_id())
        .await?
        .ok_or_else(Problem::signed_out)?;
    if known.version == Some(safe.version) && known.prekey_version == Some(prekey_safe.version) {
        return Ok(None);
    }
    Ok(Some(Safes {
        safe: shown(safe),
        prekey_safe: shown_prekeys(prekey_safe),
        restored: restored(app),
    }))
}

/// Replaces the key safe's data.
pub async fn replace(app: &App, who: &SignedIn, body: SafeChange) -> Result<(), Problem> {
    let SafeChange {
        write_proof,
        expected_version,
        safe,
    } = body;
    let change = update(who, &write_proof, expected_version, safe);
    let version = change.version;
    app.store().write_safe(change).await?;
    app.hub().safe_written(who, Some(version), None).await;
    Ok(())
}

/// Replaces the prekey safe.
pub async fn replace_prekeys(
    app: &App,
    who: &SignedIn,
    body: PrekeySafeChange,
) -> Result<(), Problem> {
    let PrekeySafeChange {
        write_proof,
        expected_version,
        prekey_safe,
    } = body;
    let change = update(who, &write_proof, expected_version, prekey_safe);
    let version = change.version;
    app.store().write_prekey_safe(change).await?;
    app.hub().safe_written(who, None, Some(version)).await;
    Ok(())
}

fn update(who: &SignedIn, write_proof: &[u8], expected_version: u64, safe: SafeData) -> SafeUpdate {
    SafeUpdate {
        user_id: who.user_id(),
        expected_version,
        write_proof_hash: Sha3_256::digest(write_proof).into(),
        version: safe.version,
        data: safe.data.into_vec(),
    }
}
