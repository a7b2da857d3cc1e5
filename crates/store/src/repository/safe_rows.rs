//! Rows of `key_safes`, `safe_wraps` and `prekey_safes`.
//!
//! The version is part of a safe's row name in the associated data: an older safe that somebody
//! puts back under a newer version does not open.

use crate::classes::{Sealed, Sensitive};
use crate::engine::Changes;
use crate::engine::place::at;
use crate::engine::safes::{SealedSafe, SealedWrap};
use crate::fault::Fault;
use crate::safes::{PrekeySafe, SafeConflict, SafeKind, SafeRead};
use crate::sealing::codec;
use crate::sealing::sealer::{
    Column, PREKEY_SAFE, PRIVATE_KEYS, Sealer, WRAP, versioned, wrap_row,
};
use api::bodies::Wrap;
use api::ids::UserId;
use api::{Blob, WrapKind};

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

    /// Replaces the stored safe if it still has the expected version.
    pub(crate) fn swap(&self, rows: &dyn Changes, expected: u64) -> Result<(), SwapError> {
        if rows.swap_safe(self, expected)? {
            return Ok(());
        }
        if let Some(stored) = rows.safe(&self.user, self.kind)? {
            return Err(SwapError::Conflict(RawConflict(stored)));
        }
        if self.kind == SafeKind::Keys || rows.safe(&self.user, SafeKind::Keys)?.is_none() {
            return Err(SwapError::NoSuchUser);
        }
        if expected > 0 {
            return Err(SwapError::Conflict(RawConflict(Self::none(self.user))));
        }
        Ok(rows.insert_prekey_safe(self)?)
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

impl SealedWrap {
    pub(crate) fn seal(sealer: &Sealer, user: &UserId, wrap: &Wrap) -> Result<Self, Fault> {
        let Wrap {
            id,
            kind,
            made,
            data,
        } = wrap;
        let plaintext = codec::encode(&[&made.to_be_bytes(), data]);
        Ok(Self {
            id: *id,
            kind: kind.clone(),
            sealed: sealer.seal(WRAP, &wrap_row(user, id, kind), &plaintext)?,
        })
    }

    pub(crate) fn open(self, sealer: &Sealer, user: &UserId) -> Result<Wrap, Fault> {
        let row = wrap_row(user, &self.id, &self.kind);
        let opened = sealer.open(WRAP, &row, &self.sealed)?;
        let read = codec::decode(opened.expose())
            .and_then(|[made, data]| Some((u64::from_be_bytes(made.try_into().ok()?), data)));
        let damaged = || at("safe_wraps", &row).damaged("it has another layout");
        let (made, data) = read.ok_or_else(damaged)?;
        Ok(Wrap {
            id: self.id,
            kind: self.kind,
            made,
            data: Blob::from(data),
        })
    }
}

/// Puts a key safe together from its rows.
pub(crate) fn open_key_safe(
    sealer: &Sealer,
    safe: &SealedSafe,
    wraps: Vec<SealedWrap>,
) -> Result<SafeRead, Fault> {
    let wraps = wraps.into_iter().map(|wrap| wrap.open(sealer, &safe.user));
    let wraps: Vec<Wrap> = wraps.collect::<Result<_, _>>()?;
    for kind in WrapKind::OF_EVERY_ACCOUNT {
        if !wraps.iter().any(|wrap| wrap.kind == kind) {
            let place = at("safe_wraps", safe.user.as_bytes());
            let gone = place.damaged(format!("there is no wrap for the {}", kind.as_str()));
            return sealer.tags.damages.noted(Err(gone));
        }
    }
    Ok(SafeRead {
        version: safe.version,
        data: safe.open(sealer)?,
        wraps,
    })
}
