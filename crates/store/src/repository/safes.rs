//! Safes over SQLite.

use async_trait::async_trait;
use subtle::ConstantTimeEq;

use crate::engine::sqlite::db::at;
use crate::fault::Fault;
use crate::repository::Repository;
use crate::repository::safe_rows::{SealedSafe, SwapError, open_key_safe};
use crate::repository::user_rows::RawCredential;
use crate::safes::{PrekeySafe, SafeError, SafeKind, SafeRead, SafeUpdate, Safes};
use crate::sealing::classes::Sealed;
use api::ids::UserId;

#[async_trait]
impl Safes for Repository {
    async fn safes(&self, user: UserId) -> Result<Option<(SafeRead, PrekeySafe)>, Fault> {
        let rows = self
            .read(move |db| {
                let id = user.as_bytes();
                db.one(
                    at("key_safes", id),
                    "SELECT k.version, k.encrypted_private_keys, k.encrypted_wraps, p.version,
                         p.encrypted_data
                     FROM key_safes k LEFT JOIN prekey_safes p USING (user_id) WHERE user_id = ?1",
                    [id],
                    |row| {
                        let (keys, prekeys) = (SafeKind::Keys, SafeKind::Prekeys);
                        let keys = SealedSafe {
                            user,
                            kind: keys,
                            version: row.get(0)?,
                            data: row.get(1)?,
                        };
                        let wraps: Sealed = row.get(2)?;
                        let prekeys = match row.get(3)? {
                            Some(version) => SealedSafe {
                                user,
                                kind: prekeys,
                                version,
                                data: row.get(4)?,
                            },
                            None => SealedSafe::none(user),
                        };
                        Ok((keys, wraps, prekeys))
                    },
                )
            })
            .await?;
        let Some((keys, wraps, prekeys)) = rows else {
            return Ok(None);
        };
        let safe = open_key_safe(&self.sealer, &keys, &wraps)?;
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
        let row = self.read(move |db| RawCredential::by_id(db, &user)).await?;
        let row = row.ok_or(SafeError::NoSuchUser)?;
        let credential = row.open_sealed(&self.sealer)?;
        if !bool::from(credential.write_proof_hash.ct_eq(&update.write_proof_hash)) {
            return Err(SafeError::WrongProof);
        }
        let safe = SealedSafe::seal(&self.sealer, user, kind, update.version, &update.data)?;
        let expected = update.expected_version;
        let bytes = safe.data.len();
        self.write(bytes, move |tx| safe.swap(tx.db, expected))
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
