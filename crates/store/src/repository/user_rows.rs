//! Sealing and opening what is sealed of accounts.

use keyring::Opened;
use zeroize::Zeroizing;

use crate::classes::{Sealed, Sensitive};
use crate::engine::place::at;
use crate::engine::users::{RawCredential, RawUser};
use crate::fault::Fault;
use crate::repository::NOBODY;
use crate::sealing::codec;
use crate::sealing::sealer::{CREDENTIAL, Sealer, USER_DATA};
use crate::users::{Credential, UserRow};
use api::ids::UserId;

impl RawUser {
    pub(crate) fn open(self, sealer: &Sealer) -> Result<UserRow, Fault> {
        let bound = self.bound;
        bound.check(&sealer.tags)?;
        let place = at("users", &bound.user_id);
        let opened = sealer.open(USER_DATA, &bound.user_id, &self.data)?;
        let unreadable = || place.damaged("its data has another layout");
        let [handle, alias] = codec::decode(opened.expose()).ok_or_else(unreadable)?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| unreadable());
        Ok(UserRow {
            user_id: UserId::from_bytes(bound.user_id),
            handle: text(handle)?,
            alias: text(alias)?,
            role: bound.role()?,
            fingerprint: bound.fingerprint,
            active: bound.active,
            created_at: bound.created_at,
            last_login: self.last_login,
        })
    }
}

/// Seals handle and alias.
pub(crate) fn seal_data(
    sealer: &Sealer,
    user: &UserId,
    handle: &Sensitive<String>,
    alias: &Sensitive<String>,
) -> Result<Sealed, Fault> {
    let plaintext = codec::encode(&[handle.expose().as_bytes(), alias.expose().as_bytes()]);
    sealer.seal(USER_DATA, user.as_bytes(), &plaintext)
}

/// The sealed credential: OPAQUE record and the hashes of both proofs.
pub(crate) struct OpenedCredential {
    pub opaque_record: Sensitive<Zeroizing<Vec<u8>>>,
    pub write_proof_hash: [u8; 32],
    pub recovery_proof_hash: [u8; 32],
}

impl OpenedCredential {
    /// A credential of an ordinary length that fits nothing.
    pub(crate) fn decoy() -> Self {
        Self {
            opaque_record: Sensitive::new(Zeroizing::new(vec![0; 192])),
            write_proof_hash: [0; 32],
            recovery_proof_hash: [0; 32],
        }
    }

    pub(crate) fn seal(&self, sealer: &Sealer, user: &UserId) -> Result<Sealed, Fault> {
        let plaintext = codec::encode(&[
            self.opaque_record.expose(),
            &self.write_proof_hash,
            &self.recovery_proof_hash,
        ]);
        sealer.seal(CREDENTIAL, user.as_bytes(), &plaintext)
    }

    pub(crate) fn open(sealer: &Sealer, user: &[u8; 16], sealed: &Sealed) -> Result<Self, Fault> {
        let opened: Opened = sealer.open(CREDENTIAL, user, sealed)?;
        let parts = codec::decode::<3>(opened.expose()).and_then(|[record, write, recovery]| {
            Some(Self {
                opaque_record: Sensitive::new(Zeroizing::new(record.to_vec())),
                write_proof_hash: write.try_into().ok()?,
                recovery_proof_hash: recovery.try_into().ok()?,
            })
        });
        parts.ok_or_else(|| at("users", user).damaged("its credential has another layout"))
    }
}

impl RawCredential {
    /// Whether the handle of this index is this account's.
    pub(crate) fn is_of(&self, index: &[u8; 32]) -> bool {
        self.bound.handle_index == *index
    }

    /// As much work as [`Self::open`], with a decoy in the place of the sealed part.
    pub(crate) fn pretend(self, sealer: &Sealer, decoy: &Sealed) -> Result<(), Fault> {
        // Whatever is wrong with this account is not about the one that was asked for.
        let _ = self.bound.check(&sealer.tags);
        OpenedCredential::open(sealer, NOBODY.as_bytes(), decoy).map(drop)
    }

    /// Opens the sealed part, once the rest is known to be this program's.
    pub(crate) fn open_sealed(&self, sealer: &Sealer) -> Result<OpenedCredential, Fault> {
        self.bound.check(&sealer.tags)?;
        OpenedCredential::open(sealer, &self.bound.user_id, &self.sealed)
    }

    pub(crate) fn open(self, sealer: &Sealer) -> Result<Credential, Fault> {
        let opened = self.open_sealed(sealer)?;
        Ok(Credential {
            user_id: UserId::from_bytes(self.bound.user_id),
            opaque_record: opened.opaque_record.expose().to_vec(),
            recovery_proof_hash: opened.recovery_proof_hash,
            active: self.bound.active,
        })
    }
}
