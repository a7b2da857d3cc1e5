//! Rows of `users`: their sealed parts.

use keyring::Opened;
use rusqlite::Row;
use zeroize::Zeroizing;

use crate::classes::{Sealed, Sensitive};
use crate::fault::Fault;
use crate::ids::UserId;
use crate::sqlite::codec;
use crate::sqlite::db::{Db, at};
use crate::sqlite::sealer::{CREDENTIAL, Sealer, USER_DATA};
use crate::users::{Credential, Role, UserRow};

/// Columns of [`RawUser`], in its order.
pub(crate) const COLUMNS: &str =
    "user_id, fingerprint, role, active, created_at, last_login, encrypted_data";

/// A row as it stands.
pub(crate) struct RawUser {
    user_id: [u8; 16],
    fingerprint: Vec<u8>,
    role: String,
    active: bool,
    created_at: u64,
    last_login: Option<u64>,
    data: Sealed,
}

impl RawUser {
    pub fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            user_id: row.get(0)?,
            fingerprint: row.get(1)?,
            role: row.get(2)?,
            active: row.get(3)?,
            created_at: row.get(4)?,
            last_login: row.get(5)?,
            data: row.get(6)?,
        })
    }

    pub fn open(self, sealer: &Sealer) -> Result<UserRow, Fault> {
        let place = at("users", &self.user_id);
        let opened = sealer.open(USER_DATA, &self.user_id, &self.data)?;
        let unreadable = || place.damaged("its data has another layout");
        let [handle, alias] = codec::decode(opened.expose()).ok_or_else(unreadable)?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| unreadable());
        Ok(UserRow {
            user_id: UserId::from_bytes(self.user_id),
            handle: text(handle)?,
            alias: text(alias)?,
            role: Role::parse(&self.role).ok_or_else(|| place.damaged("unknown role"))?,
            fingerprint: self.fingerprint,
            active: self.active,
            created_at: self.created_at,
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
    pub fn decoy() -> Self {
        Self {
            opaque_record: Sensitive::new(Zeroizing::new(vec![0; 192])),
            write_proof_hash: [0; 32],
            recovery_proof_hash: [0; 32],
        }
    }

    pub fn seal(&self, sealer: &Sealer, user: &UserId) -> Result<Sealed, Fault> {
        let plaintext = codec::encode(&[
            self.opaque_record.expose(),
            &self.write_proof_hash,
            &self.recovery_proof_hash,
        ]);
        sealer.seal(CREDENTIAL, user.as_bytes(), &plaintext)
    }

    pub fn open(sealer: &Sealer, user: &[u8; 16], sealed: &Sealed) -> Result<Self, Fault> {
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

/// A credential as it stands.
pub(crate) struct RawCredential {
    pub user_id: [u8; 16],
    pub active: bool,
    pub sealed: Sealed,
}

impl RawCredential {
    pub fn by_id(db: Db<'_>, user: &UserId) -> Result<Option<Self>, Fault> {
        let sql = "SELECT user_id, active, encrypted_credential FROM users WHERE user_id = ?1";
        db.one(
            at("users", user.as_bytes()),
            sql,
            [user.as_bytes()],
            Self::read,
        )
    }

    pub fn by_handle(db: Db<'_>, index: &[u8; 32]) -> Result<Option<Self>, Fault> {
        let sql = "SELECT user_id, active, encrypted_credential FROM users WHERE handle_index = ?1";
        db.one(at("users", index), sql, [index], Self::read)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            user_id: row.get(0)?,
            active: row.get(1)?,
            sealed: row.get(2)?,
        })
    }

    pub fn open(self, sealer: &Sealer) -> Result<Credential, Fault> {
        let opened = OpenedCredential::open(sealer, &self.user_id, &self.sealed)?;
        Ok(Credential {
            user_id: UserId::from_bytes(self.user_id),
            opaque_record: opened.opaque_record.expose().to_vec(),
            recovery_proof_hash: opened.recovery_proof_hash,
            active: self.active,
        })
    }
}
