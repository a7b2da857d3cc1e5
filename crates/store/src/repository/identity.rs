//! "New identity": public keys, prekeys and both safes in one transaction.

use crate::audit::AuditEvent;
use crate::classes::Sensitive;
use crate::engine::Acting;
use crate::engine::prekeys::PackedBatch;
use crate::engine::users::BoundUser;
use crate::repository::Repository;
use crate::repository::credentials::{RawReplaceError, SealedReplacement, check_versions};
use crate::repository::prekeys::replace_pair;
use crate::repository::public_key_rows::save_keys;
use crate::repository::safe_rows::SwapError;
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
        let row = self.read(move |rows| rows.credential(&user)).await?;
        let row = row.ok_or(ReplaceError::NoSuchUser)?;
        let current = row.open_sealed(&self.sealer)?;
        // The OPAQUE record stays. Whoever changes it meanwhile moves the safe's version as well.
        let record = Sensitive::new(current.opaque_record.into_inner().to_vec());
        let sealed = SealedReplacement::seal(&self.sealer, user, record, safe, prekey_safe)?;
        let batch = PackedBatch::new(change.prekeys);
        let keys = change.public_keys;
        let fingerprint = change.fingerprint;
        let bytes = sealed.weight() + batch.weight() + keys.account_keys.len();
        self.record(Acting::Account(user), bytes, audit, move |tx| {
            let (rows, tags) = (tx.rows, tx.tags);
            sealed.write(rows)?;
            let bound = BoundUser::find(rows, tags, &user)?;
            let mut bound = bound.ok_or(SwapError::NoSuchUser)?;
            bound.fingerprint.clone_from(&fingerprint);
            bound.save(rows, tags)?;
            save_keys(rows, tags, user, &keys)?;
            if !replace_pair(rows, &user, &batch)? {
                return Err(SwapError::NoSuchUser.into());
            }
            if let Err(stored) = batch.publish(rows, &user)? {
                let found = batch.batch.batch_number;
                return Err(RawReplaceError::StaleBatch { found, stored });
            }
            Ok(())
        })
        .await
        .map_err(|error: RawReplaceError| error.open(&self.sealer))
    }
}
