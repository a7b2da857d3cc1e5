//! Rows of `key_safes` and `prekey_safes`.
//!
//! The version is part of a safe's row name in the associated data: an older safe that somebody
//! puts back under a newer version does not open.

use crate::engine::sqlite::db::{Db, at};
use crate::fault::Fault;
use crate::safes::{PrekeySafe, SafeConflict, SafeKind, SafeRead, SafeWrite};
use crate::sealing::classes::{Sealed, Sensitive};
use crate::sealing::codec;
use crate::sealing::sealer::{Column, PREKEY_SAFE, PRIVATE_KEYS, Sealer, WRAPS, versioned};
use api::ids::UserId;

/// A safe's data, sealed.
pub(crate) struct SealedSafe {
    pub user: UserId,
    pub kind: SafeKind,
    pub version: u64,
    pub data: Sealed,
}

/// A safe in the store that was not the expected one.
pub(crate) struct RawConflict(SealedSafe);

/// Why a safe was not replaced, before anything is opened.
pub(crate) enum SwapError {
    NoSuchUser,
    Conflict(RawConflict),
    Fault(Fault),
}

impl From<Fault> for SwapError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

fn column(kind: SafeKind) -> Column {
    match kind {
        SafeKind::Keys => PRIVATE_KEYS,
        SafeKind::Prekeys => PREKEY_SAFE,
    }
}

impl SealedSafe {
    pub(crate) fn seal(
        sealer: &Sealer,
        user: UserId,
        kind: SafeKind,
        version: u64,
        data: &[u8],
    ) -> Result<Self, Fault> {
        let data = sealer.seal(
            column(kind),
            &versioned(&user, version),
            &Sensitive::new(data),
        )?;
        Ok(Self {
            user,
            kind,
            version,
            data,
        })
    }

    /// The value for a missing prekey safe, as after a restore.
    pub(crate) fn none(user: UserId) -> Self {
        Self {
            user,
            kind: SafeKind::Prekeys,
            version: 0,
            data: Sealed::of_envelope(Vec::new()),
        }
    }

    pub(crate) fn open(&self, sealer: &Sealer) -> Result<Vec<u8>, Fault> {
        if self.version == 0 && self.data.as_bytes().is_empty() {
            return Ok(Vec::new());
        }
        let row = versioned(&self.user, self.version);
        let opened = sealer.open(column(self.kind), &row, &self.data)?;
        Ok(opened.expose().to_vec())
    }

    /// Reads the stored safe of this kind.
    pub(crate) fn find(db: Db<'_>, user: UserId, kind: SafeKind) -> Result<Option<Self>, Fault> {
        let sql = match kind {
            SafeKind::Keys => {
                "SELECT version, encrypted_private_keys FROM key_safes WHERE user_id = ?1"
            }
            SafeKind::Prekeys => {
                "SELECT version, encrypted_data FROM prekey_safes WHERE user_id = ?1"
            }
        };
        let place = at(column(kind).table, user.as_bytes());
        db.one(place, sql, [user.as_bytes()], |row| {
            Ok(Self {
                user,
                kind,
                version: row.get(0)?,
                data: row.get(1)?,
            })
        })
    }

    /// Replaces the stored safe if it still has the expected version.
    pub(crate) fn swap(&self, db: Db<'_>, expected: u64) -> Result<(), SwapError> {
        let sql = match self.kind {
            SafeKind::Keys => {
                "UPDATE key_safes SET version = ?1, encrypted_private_keys = ?2
                 WHERE user_id = ?3 AND version = ?4"
            }
            SafeKind::Prekeys => {
                "UPDATE prekey_safes SET version = ?1, encrypted_data = ?2
                 WHERE user_id = ?3 AND version = ?4"
            }
        };
        let user = self.user.as_bytes();
        let place = at(column(self.kind).table, user);
        if db.execute(place, sql, (self.version, &self.data, user, expected))? == 1 {
            return Ok(());
        }
        if let Some(stored) = Self::find(db, self.user, self.kind)? {
            return Err(SwapError::Conflict(RawConflict(stored)));
        }
        let known = || Self::find(db, self.user, SafeKind::Keys);
        if self.kind == SafeKind::Keys || known()?.is_none() {
            return Err(SwapError::NoSuchUser);
        }
        if expected > 0 {
            return Err(SwapError::Conflict(RawConflict(Self::none(self.user))));
        }
        db.execute(
            place,
            "INSERT INTO prekey_safes (user_id, version, encrypted_data) VALUES (?1, ?2, ?3)",
            (user, self.version, &self.data),
        )?;
        Ok(())
    }

    pub(crate) fn into_prekey_safe(self, sealer: &Sealer) -> Result<PrekeySafe, Fault> {
        Ok(PrekeySafe {
            version: self.version,
            data: self.open(sealer)?,
        })
    }
}

impl RawConflict {
    pub(crate) fn open(self, sealer: &Sealer) -> Result<SafeConflict, Fault> {
        let data = self.0.open(sealer)?;
        Ok(SafeConflict {
            kind: self.0.kind,
            version: self.0.version,
            data,
        })
    }
}

/// Seals both wraps of the safe key.
pub(crate) fn seal_wraps(
    sealer: &Sealer,
    user: &UserId,
    safe: &SafeWrite,
) -> Result<Sealed, Fault> {
    let plaintext = codec::encode(&[&safe.passphrase_wrap, &safe.recovery_wrap]);
    sealer.seal(WRAPS, user.as_bytes(), &plaintext)
}

/// Puts a key safe together from its row.
pub(crate) fn open_key_safe(
    sealer: &Sealer,
    safe: &SealedSafe,
    wraps: &Sealed,
) -> Result<SafeRead, Fault> {
    let opened = sealer.open(WRAPS, safe.user.as_bytes(), wraps)?;
    let [passphrase_wrap, recovery_wrap] = codec::decode(opened.expose()).ok_or_else(|| {
        at("key_safes", safe.user.as_bytes()).damaged("its wraps have another layout")
    })?;
    Ok(SafeRead {
        version: safe.version,
        data: safe.open(sealer)?,
        passphrase_wrap: passphrase_wrap.to_vec(),
        recovery_wrap: recovery_wrap.to_vec(),
    })
}
