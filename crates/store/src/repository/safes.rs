//! Safes.

use async_trait::async_trait;
use subtle::ConstantTimeEq;

use crate::engine::Acting;
use crate::engine::safes::SealedSafe;
use crate::fault::Fault;
use crate::repository::Repository;
use crate::repository::safe_rows::{SwapError, open_key_safe};
use crate::safes::{PrekeySafe, SafeError, SafeKind, SafeRead, SafeUpdate, Safes};
use api::ids::UserId;

#[async_trait]
impl Safes for Repository {
    async fn safes(&self, user: UserId) -> Result<Option<(SafeRead, PrekeySafe)>, Fault> {
        let read = self.read_for(Acting::Account(user), move |rows| {
            rows.hold_still()?;
            let safes = rows.both_safes(&user)?;
            Ok(safes.zip(Some(rows.wraps(&user)?)))
        });
        let Some((safes, wraps)) = read.await? else {
            return Ok(None);
        };
        let safe = open_key_safe(&self.sealer, &safes.keys, wraps)?;
        let prekeys = safes.prekeys.unwrap_or_else(|| SealedSafe::none(user));
        Ok(Some((safe, prekeys.into_prekey_safe(&self.sealer)?)))
    }

    async fn write_safe(&self, update: SafeUpdate) -> Result<(), SafeError> {
        self.swap_safe(update, SafeKind::Keys).await
    }

    async fn write_prekey_safe(&self, update: SafeUpdate) -> Result<(), SafeError> {
        self.swap_safe(update, SafeKind::Prekeys).await
    }
}

impl Repository {
    /// The proof is checked before the write. Every change of the proof also changes the versions of both safes,
    /// so that the swap notices.
    async fn swap_safe(&self, update: SafeUpdate, kind: SafeKind) -> Result<(), SafeError> {
        if update.version <= update.expected_version {
            return Err(SafeError::VersionNotAbove);
        }
        let user = update.user_id;
        let row = self.read(move |rows| rows.credential(&user)).await?;
        let row = row.ok_or(SafeError::NoSuchUser)?;
        let credential = row.open_sealed(&self.sealer)?;
        if !bool::from(credential.write_proof_hash.ct_eq(&update.write_proof_hash)) {
            return Err(SafeError::WrongProof);
        }
        let safe = SealedSafe::seal(&self.sealer, user, kind, update.version, &update.data)?;
        let expected = update.expected_version;
        let bytes = safe.data.len();
        self.write_for(Acting::Account(user), bytes, move |tx| {
            safe.swap(tx.rows, expected)
        })
        .await
        .map_err(|error| match error {
            SwapError::NoSuchUser => SafeError::NoSuchUser,
            SwapError::Fault(fault) => fault.into(),
            SwapError::Conflict(conflict) => match conflict.open(&self.sealer) {
                Ok(conflict) => SafeError::Conflict(conflict),
                Err(fault) => fault.into(),
            },
        })
    }
}
