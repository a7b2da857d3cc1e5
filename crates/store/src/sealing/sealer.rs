//! Sealing and opening columns.

use std::sync::{Arc, PoisonError, RwLock};

use ambient::Entropy;
use keyring::{IndexKey, Keyring, OpenError, Opened, SubjectKey};

use crate::classes::{Critical, Sealed, Sensitive};
use crate::fault::Fault;
pub(crate) use crate::sealing::columns::{
    AUDIT_DETAILS, AUDIT_KEY, CREDENTIAL, Column, JOINED_WRAPS, KEK_CHECK, PREKEY_SAFE,
    PRIVATE_KEYS, SERVER_SECRET, SERVICE_KEY, SESSION, USER_DATA, WRAP, row_name, service_key_row,
    versioned, wrap_row,
};
use crate::sealing::in_flight::InFlight;
use crate::sealing::tags::Tags;

/// Seals and opens columns; shared by callers and threads.
pub(crate) struct Sealer {
    pub keyring: Keyring,
    pub entropy: Arc<dyn Entropy>,
    pub system_key: SubjectKey,
    pub index_key: IndexKey,
    /// Tags over values in the clear, and the rows that were found damaged.
    pub tags: Arc<Tags>,
    /// Values that were sealed and are not written yet.
    pub in_flight: InFlight,
    /// A sealed credential of no account, opened if an account has none.
    pub decoy: RwLock<Arc<Sealed>>,
}

impl Sealer {
    /// Seals a value that will be written.
    pub(crate) fn seal<T: AsRef<[u8]>>(
        &self,
        column: Column,
        row: &[u8],
        plaintext: &Sensitive<T>,
    ) -> Result<Sealed, Fault> {
        self.seal_bytes(column, row, plaintext.expose().as_ref())
    }

    /// Seals a critical value that will be written.
    pub(crate) fn seal_critical<T: AsRef<[u8]>>(
        &self,
        column: Column,
        row: &[u8],
        plaintext: &Critical<T>,
    ) -> Result<Sealed, Fault> {
        self.seal_bytes(column, row, plaintext.expose().as_ref())
    }

    fn seal_bytes(&self, column: Column, row: &[u8], plaintext: &[u8]) -> Result<Sealed, Fault> {
        // Before the keyring is looked at: a key that is retired meanwhile waits for this value.
        let ticket = self.in_flight.ticket();
        let bytes = seal(&self.keyring, column, row, plaintext)?;
        Ok(Sealed::under_way(bytes, ticket))
    }

    pub(crate) fn open(
        &self,
        column: Column,
        row: &[u8],
        sealed: &Sealed,
    ) -> Result<Opened, Fault> {
        let opened = open(&self.keyring, column, row, sealed.as_bytes());
        self.tags.damages.noted(opened)
    }

    /// Opens a critical value by asking the provider, whatever data keys it remembers.
    pub(crate) fn open_critical(
        &self,
        column: Column,
        row: &[u8],
        sealed: &Sealed,
    ) -> Result<Critical<Opened>, Fault> {
        let opened = open_critical(&self.keyring, column, row, sealed.as_bytes());
        self.tags.damages.noted(opened)
    }

    /// Seals under a subject's own key.
    pub(crate) fn seal_for<T: AsRef<[u8]>>(
        &self,
        key: &SubjectKey,
        row: &[u8],
        plaintext: &Sensitive<T>,
    ) -> Result<Sealed, Fault> {
        let plaintext = plaintext.expose().as_ref();
        key.seal(&AUDIT_DETAILS.context(row), plaintext, &*self.entropy)
            .map(Sealed::of_envelope)
            .map_err(sealing)
    }

    /// Opens what was sealed under a subject's own key; `id` names the row in the error.
    pub(crate) fn open_for(
        &self,
        key: &SubjectKey,
        id: u64,
        row: &[u8],
        sealed: &[u8],
    ) -> Result<Opened, Fault> {
        let opened = key
            .open(&AUDIT_DETAILS.context(row), sealed)
            .map_err(|error| Fault::damaged(AUDIT_DETAILS.table, id, error));
        self.tags.damages.noted(opened)
    }

    /// Opens a subject's key from its row.
    pub(crate) fn subject_key(
        &self,
        subject: &[u8; 16],
        sealed: &Sealed,
    ) -> Result<SubjectKey, Fault> {
        let opened = subject_key(&self.keyring, subject, sealed.as_bytes());
        self.tags.damages.noted(opened)
    }

    /// Draws a subject's key and seals it for its row.
    pub(crate) fn new_subject_key(
        &self,
        subject: &[u8; 16],
    ) -> Result<(SubjectKey, Sealed), Fault> {
        let key = SubjectKey::generate(&*self.entropy).map_err(sealing)?;
        let sealed = self.seal_bytes(AUDIT_KEY, subject, key.expose())?;
        Ok((key, sealed))
    }

    /// The keyed index of a normalised handle.
    pub(crate) fn handle_index(&self, handle: &str) -> [u8; 32] {
        self.index_key.index("users.handle", handle.as_bytes())
    }

    /// The decoy as it is sealed now.
    pub(crate) fn decoy(&self) -> Arc<Sealed> {
        Arc::clone(&self.decoy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another decoy in its place, sealed under the key that is active now.
    pub(crate) fn set_decoy(&self, decoy: Sealed) {
        // It is never written, and nothing waits for it.
        let decoy = Sealed::of_envelope(decoy.as_bytes().to_vec());
        *self.decoy.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(decoy);
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
        .map_err(|error| match error {
            outage if outage.is_outage() => outage_of_keys(&outage),
            other => sealing(other),
        })
}

pub(crate) fn open(
    keyring: &Keyring,
    column: Column,
    row: &[u8],
    sealed: &[u8],
) -> Result<Opened, Fault> {
    open_with(column, row, || keyring.open(&column.context(row), sealed))
}

pub(crate) fn open_critical(
    keyring: &Keyring,
    column: Column,
    row: &[u8],
    sealed: &[u8],
) -> Result<Critical<Opened>, Fault> {
    let open = || keyring.open_uncached(&column.context(row), sealed);
    open_with(column, row, open).map(Critical::new)
}

fn open_with(
    column: Column,
    row: &[u8],
    open: impl FnOnce() -> Result<Opened, OpenError>,
) -> Result<Opened, Fault> {
    open().map_err(|error| match error {
        outage if outage.is_outage() => outage_of_keys(&outage),
        other => Fault::damaged(column.table, row_name(column, row), other),
    })
}

/// An outage of the provider; the value may be sound.
pub(crate) fn outage_of_keys(reason: &dyn std::fmt::Display) -> Fault {
    Fault::Keys(reason.to_string())
}

pub(crate) fn sealing(error: impl std::fmt::Display) -> Fault {
    Fault::Sealing(error.to_string())
}
