//! Passphrase change and recovery: OPAQUE record, wraps and both safes in one transaction.

use crate::audit::AuditEvent;
use crate::classes::{Sealed, Sensitive};
use crate::engine::safes::{SealedSafe, SealedWrap};
use crate::engine::sessions::RawSession;
use crate::engine::{Acting, Changes};
use crate::fault::Fault;
use crate::repository::Repository;
use crate::repository::safe_rows::SwapError;
use crate::repository::user_rows::OpenedCredential;
use crate::safes::{PrekeySafe, SafeKind, SafeWrite};
use crate::sealing::sealer::Sealer;
use crate::users::{CredentialChange, KeepSessions, ReplaceError};
use api::ids::{SessionId, UserId};

/// Both safes, the wraps and the credential, sealed and ready to be written.
pub(crate) struct SealedReplacement {
    user: UserId,
    pub credential: Sealed,
    wraps: Vec<SealedWrap>,
    pub safe: SealedSafe,
    expected_safe: u64,
    pub prekey_safe: SealedSafe,
    expected_prekey: u64,
}

impl SealedReplacement {
    pub(crate) fn seal(
        sealer: &Sealer,
        user: UserId,
        opaque_record: Sensitive<Vec<u8>>,
        (safe, expected_safe): (&SafeWrite, u64),
        (prekey_safe, expected_prekey): (&PrekeySafe, u64),
    ) -> Result<Self, Fault> {
        let credential = OpenedCredential {
            opaque_record: Sensitive::new(opaque_record.into_inner().into()),
            write_proof_hash: safe.write_proof_hash,
            recovery_proof_hash: safe.recovery_proof_hash,
        };
        let seal = |kind, version, data: &[u8]| SealedSafe::seal(sealer, user, kind, version, data);
        let wraps = safe.wraps.iter();
        let wraps = wraps.map(|wrap| SealedWrap::seal(sealer, &user, wrap));
        Ok(Self {
            user,
            credential: credential.seal(sealer, &user)?,
            wraps: wraps.collect::<Result<_, _>>()?,
            safe: seal(SafeKind::Keys, safe.version, &safe.data)?,
            expected_safe,
            prekey_safe: seal(SafeKind::Prekeys, prekey_safe.version, &prekey_safe.data)?,
            expected_prekey,
        })
    }

    pub(crate) fn weight(&self) -> usize {
        self.safe.data.len() + self.prekey_safe.data.len() + self.credential.len() + 4_096
    }

    /// Swaps both safes, then replaces what belongs to them.
    pub(crate) fn write(&self, rows: &dyn Changes) -> Result<(), SwapError> {
        self.safe.swap(rows, self.expected_safe)?;
        self.prekey_safe.swap(rows, self.expected_prekey)?;
        self.write_wraps(rows)?;
        rows.set_credential(&self.user, &self.credential)?;
        Ok(())
    }

    /// Replaces the wraps of the kinds that it has.
    pub(crate) fn write_wraps(&self, rows: &dyn Changes) -> Result<(), Fault> {
        let mut wraps = self.wraps.iter();
        wraps.try_for_each(|wrap| rows.replace_wrap(&self.user, wrap))
    }
}

/// Error of the writer, before the caller opens a conflict.
pub(crate) enum RawReplaceError {
    Swap(SwapError),
    StaleBatch { found: u64, stored: u64 },
}

impl From<Fault> for RawReplaceError {
    fn from(fault: Fault) -> Self {
        Self::Swap(fault.into())
    }
}

impl From<SwapError> for RawReplaceError {
    fn from(error: SwapError) -> Self {
        Self::Swap(error)
    }
}

impl RawReplaceError {
    pub(crate) fn open(self, sealer: &Sealer) -> ReplaceError {
        match self {
            Self::Swap(SwapError::NoSuchUser) => ReplaceError::NoSuchUser,
            Self::Swap(SwapError::Fault(fault)) => fault.into(),
            Self::Swap(SwapError::Conflict(conflict)) => match conflict.open(sealer) {
                Ok(conflict) => ReplaceError::Conflict(conflict),
                Err(fault) => fault.into(),
            },
            Self::StaleBatch { found, stored } => ReplaceError::StaleBatch { found, stored },
        }
    }
}

/// Versions in a replacement must grow, or the next compare-and-swap could not tell them apart.
pub(crate) fn check_versions(
    (safe, expected_safe): (&SafeWrite, u64),
    (prekey_safe, expected_prekey): (&PrekeySafe, u64),
) -> Result<(), ReplaceError> {
    if safe.version <= expected_safe || prekey_safe.version <= expected_prekey {
        return Err(ReplaceError::VersionNotAbove);
    }
    Ok(())
}

impl Repository {
    pub(crate) async fn change_credentials(
        &self,
        change: CredentialChange,
        audit: Vec<AuditEvent>,
    ) -> Result<Vec<SessionId>, ReplaceError> {
        let user = change.user_id;
        let safe = (&change.safe, change.expected_safe_version);
        let prekey_safe = (&change.prekey_safe, change.expected_prekey_version);
        check_versions(safe, prekey_safe)?;
        let sealed =
            SealedReplacement::seal(&self.sealer, user, change.opaque_record, safe, prekey_safe)?;
        let mut session = change
            .new_session
            .map(|session| RawSession::seal(&self.sealer, &session))
            .transpose()?;
        let keep = change.keep;
        self.record(
            Acting::Account(sealed.user),
            sealed.weight(),
            audit,
            move |tx| {
                sealed.write(tx.rows)?;
                let ended = match &keep {
                    KeepSessions::All => Vec::new(),
                    KeepSessions::Only(session) => {
                        tx.rows.delete_other_sessions(&user, Some(session))?
                    }
                    KeepSessions::None => tx.rows.delete_other_sessions(&user, None)?,
                };
                if let Some(session) = &mut session {
                    if !session.insert(tx.rows, tx.tags)? {
                        let reason = "a session with this id exists".to_owned();
                        return Err(Fault::Unavailable(reason).into());
                    }
                    tx.rows.touch_last_login(&user, session.created_at)?;
                }
                Ok(ended)
            },
        )
        .await
        .map_err(|error: RawReplaceError| error.open(&self.sealer))
    }
}
