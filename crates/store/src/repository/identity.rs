//! "New identity": public keys, prekeys and both safes in one transaction.

use crate::audit::AuditEvent;
use crate::audit::log::weight;
use crate::engine::sqlite::db::at;
use crate::repository::Repository;
use crate::repository::credentials::{RawReplaceError, SealedReplacement, check_versions};
use crate::repository::prekey_rows::PackedBatch;
use crate::repository::prekeys::replace_pair;
use crate::repository::public_key_rows::BoundKeys;
use crate::repository::safe_rows::SwapError;
use crate::repository::user_rows::RawCredential;
use crate::sealing::bound_user::BoundUser;
use crate::sealing::classes::{Public, Sensitive};
use crate::users::{IdentityChange, ReplaceError};

impl Repository {
    pub(crate) async fn change_identity(
        &self,
        change: IdentityChange,
        audit: Vec<AuditEvent>,
    ) -> Result<(), ReplaceError> {
        let user = change.user_id;
        let safe = (&change.safe, change.expected_safe_version);
        let prekey_safe = (&change.prekey_safe, change.expected_prekey_version);
        check_versions(safe, prekey_safe)?;
        let row = self.read(move |db| RawCredential::by_id(db, &user)).await?;
        let row = row.ok_or(ReplaceError::NoSuchUser)?;
        let current = row.open_sealed(&self.sealer)?;
        // The OPAQUE record stays. Whoever changes it meanwhile moves the safe's version as well.
        let record = Sensitive::new(current.opaque_record.into_inner().to_vec());
        let sealed = SealedReplacement::seal(&self.sealer, user, record, safe, prekey_safe)?;
        let events = self.seal_events(audit).await?;
        let batch = PackedBatch::new(change.prekeys);
        let keys = change.public_keys;
        let fingerprint = change.fingerprint;
        let bytes = sealed.weight() + batch.weight() + keys.account_keys.len() + weight(&events);
        self.write(bytes, move |tx| {
            sealed.write(tx.db)?;
            let id = user.as_bytes();
            let bound = BoundUser::find(tx.db, tx.tags, &user)?;
            let mut bound = bound.ok_or(SwapError::NoSuchUser)?;
            bound.fingerprint = fingerprint;
            bound.save(tx.db, tx.tags)?;
            let tag = tx.tags.of(&BoundKeys { user, keys: &keys });
            tx.db.execute(
                at("public_keys", id),
                "UPDATE public_keys SET created_at = ?1, identity_key = ?2, verify_key = ?3,
                     account_keys = ?4, tag = ?5 WHERE user_id = ?6",
                (
                    keys.created_at,
                    Public(&keys.identity_key),
                    Public(&keys.verify_key),
                    Public(&keys.account_keys),
                    tag,
                    id,
                ),
            )?;
            if !replace_pair(tx.db, &user, &batch)? {
                return Err(SwapError::NoSuchUser.into());
            }
            if let Err(stored) = batch.publish(tx.db, &user)? {
                let found = batch.batch.batch_number;
                return Err(RawReplaceError::StaleBatch { found, stored });
            }
            Ok(tx.append(events)?)
        })
        .await
        .map_err(|error: RawReplaceError| error.open(&self.sealer))
    }
}
