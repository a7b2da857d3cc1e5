//! The audit log of a database, read without any key and without changing anything.

use std::path::Path;

use ::audit::{Verdict, Verifier};

use crate::audit::chain;
use crate::audit::heads::AUDIT_KEY;
use crate::config::OpenError;
use crate::engine::{FileToRead, Rows, ServerToRead};
use crate::fault::Fault;
use crate::postgres::PostgresConfig;
use crate::sealing::bound_setting::AUDIT_SIGNED;
use crate::store::apart;

/// A database, open for reading; servers may have it open as well.
pub struct AuditFile {
    place: Place,
}

enum Place {
    File(FileToRead),
    Server(ServerToRead),
}

impl AuditFile {
    /// Opens a file of this program's.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let place = FileToRead::open(path).map(Place::File)?;
        Ok(Self { place })
    }

    /// Connects to a database of PostgreSQL.
    pub fn connect(postgres: &PostgresConfig) -> Result<Self, OpenError> {
        let place = apart(|| ServerToRead::open(postgres)).map(Place::Server)?;
        Ok(Self { place })
    }

    /// The key that the database itself names for its heads, as text. It is a claim.
    pub fn named_key(&self) -> Result<Option<String>, Fault> {
        self.read(|rows| Ok(rows.setting(AUDIT_KEY)?.map(|it| it.value)))
    }

    /// Verifies the whole log as it is at one moment, in constant memory.
    pub fn verify(&self, mut verifier: Verifier) -> Result<Verdict, Fault> {
        self.read(|rows| {
            chain::read_all(rows, &mut verifier)?;
            let signed = rows.setting(AUDIT_SIGNED)?;
            let signed = signed.and_then(|it| it.value.parse().ok());
            verifier.signed_through(signed.unwrap_or_default());
            Ok(())
        })?;
        Ok(verifier.finish())
    }

    fn read<T: Send>(
        &self,
        work: impl FnOnce(&dyn Rows) -> Result<T, Fault> + Send,
    ) -> Result<T, Fault> {
        match &self.place {
            Place::File(file) => file.read(work),
            Place::Server(server) => apart(|| server.read(work)),
        }
    }
}
