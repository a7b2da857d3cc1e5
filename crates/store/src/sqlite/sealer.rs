//! Which columns are sealed, and how their rows are named in the associated data.

use std::sync::Arc;

use keyring::{Context, Entropy, IndexKey, Keyring, Opened, SubjectKey};

use crate::fault::Fault;
use crate::ids::UserId;

/// A sealed column and the layout of its plaintext.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    pub table: &'static str,
    column: &'static str,
    schema_version: u16,
}

const fn column(table: &'static str, column: &'static str) -> Column {
    Column {
        table,
        column,
        schema_version: 1,
    }
}

pub(crate) const KEK_CHECK: Column = column("keks", "encrypted_check");
pub(crate) const SERVER_SECRET: Column = column("server_secrets", "encrypted_secret");
pub(crate) const USER_DATA: Column = column("users", "encrypted_data");
pub(crate) const CREDENTIAL: Column = column("users", "encrypted_credential");
pub(crate) const WRAPS: Column = column("key_safes", "encrypted_wraps");
pub(crate) const PRIVATE_KEYS: Column = column("key_safes", "encrypted_private_keys");
pub(crate) const PREKEY_SAFE: Column = column("prekey_safes", "encrypted_data");
pub(crate) const SESSION: Column = column("sessions", "encrypted_data");
pub(crate) const AUDIT_KEY: Column = column("audit_keys", "encrypted_key");
pub(crate) const AUDIT_DETAILS: Column = column("audit_log", "encrypted_details");

impl Column {
    fn context<'a>(&self, row_id: &'a [u8]) -> Context<'a> {
        Context {
            table: self.table,
            column: self.column,
            row_id,
            schema_version: self.schema_version,
        }
    }
}

/// A user's row together with a counter that must fit as well.
pub(crate) fn versioned(user: &UserId, version: u64) -> [u8; 24] {
    let mut row = [0; 24];
    row[..16].copy_from_slice(user.as_bytes());
    row[16..].copy_from_slice(&version.to_be_bytes());
    row
}

/// Seals and opens columns; shared by callers and threads.
pub(crate) struct Sealer {
    pub keyring: Keyring,
    pub entropy: Arc<dyn Entropy>,
    pub system_key: SubjectKey,
    pub index_key: IndexKey,
}

impl Sealer {
    pub fn seal(&self, column: Column, row: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Fault> {
        seal(&self.keyring, column, row, plaintext)
    }

    pub fn open(&self, column: Column, row: &[u8], sealed: &[u8]) -> Result<Opened, Fault> {
        open(&self.keyring, column, row, sealed)
    }

    /// Seals under a subject's own key.
    pub fn seal_for(
        &self,
        key: &SubjectKey,
        row: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        key.seal(&AUDIT_DETAILS.context(row), plaintext, &*self.entropy)
            .map_err(sealing)
    }

    /// Opens what was sealed under a subject's own key; `id` names the row in the error.
    pub fn open_for(
        &self,
        key: &SubjectKey,
        id: u64,
        row: &[u8],
        sealed: &[u8],
    ) -> Result<Opened, Fault> {
        key.open(&AUDIT_DETAILS.context(row), sealed)
            .map_err(|error| Fault::damaged(AUDIT_DETAILS.table, id, error))
    }

    /// Opens a subject's key from its row.
    pub fn subject_key(&self, subject: &[u8; 16], sealed: &[u8]) -> Result<SubjectKey, Fault> {
        subject_key(&self.keyring, subject, sealed)
    }

    /// Draws a subject's key and seals it for its row.
    pub fn new_subject_key(&self, subject: &[u8; 16]) -> Result<(SubjectKey, Vec<u8>), Fault> {
        let key = SubjectKey::generate(&*self.entropy).map_err(sealing)?;
        let sealed = self.seal(AUDIT_KEY, subject, key.expose())?;
        Ok((key, sealed))
    }

    /// The keyed index of a normalised handle.
    pub fn handle_index(&self, handle: &str) -> [u8; 32] {
        self.index_key.index("users.handle", handle.as_bytes())
    }
}

pub(crate) fn subject_key(
    keyring: &Keyring,
    subject: &[u8; 16],
    sealed: &[u8],
) -> Result<SubjectKey, Fault> {
    let opened = open(keyring, AUDIT_KEY, subject, sealed)?;
    SubjectKey::from_slice(opened.expose())
        .ok_or_else(|| Fault::damaged(AUDIT_KEY.table, hex::encode(subject), "not a key"))
}

pub(crate) fn seal(
    keyring: &Keyring,
    column: Column,
    row: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, Fault> {
    keyring
        .seal(&column.context(row), plaintext)
        .map_err(sealing)
}

pub(crate) fn open(
    keyring: &Keyring,
    column: Column,
    row: &[u8],
    sealed: &[u8],
) -> Result<Opened, Fault> {
    keyring
        .open(&column.context(row), sealed)
        .map_err(|error| Fault::damaged(column.table, row_name(column, row), error))
}

/// Rows that are named by text read as text.
fn row_name(column: Column, row: &[u8]) -> String {
    match std::str::from_utf8(row) {
        Ok(name) if column.table == SERVER_SECRET.table => name.to_owned(),
        _ => hex::encode(row),
    }
}

pub(crate) fn sealing(error: impl std::fmt::Display) -> Fault {
    Fault::Sealing(error.to_string())
}
