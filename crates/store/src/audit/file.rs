//! The audit log of a database file, read without any key and without changing the file.

use std::path::Path;

use ::audit::{Verdict, Verifier};

use crate::audit::chain;
use crate::audit::heads::AUDIT_KEY;
use crate::config::OpenError;
use crate::engine::{FileToRead, Rows};
use crate::fault::Fault;
use crate::sealing::bound_setting::AUDIT_SIGNED;

/// A database file, open for reading; a server may have it open as well.
pub struct AuditFile {
    file: FileToRead,
}

impl AuditFile {
    /// Opens a file of this program's.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        FileToRead::open(path).map(|file| Self { file })
    }

    /// The key that the file itself names for its heads, as text. It is a claim.
    pub fn named_key(&self) -> Result<Option<String>, Fault> {
        self.file
            .read(|rows| Ok(rows.setting(AUDIT_KEY)?.map(|it| it.value)))
    }

    /// Verifies the whole log as it is at one moment, in constant memory.
    pub fn verify(&self, mut verifier: Verifier) -> Result<Verdict, Fault> {
        self.file.read(|rows: &dyn Rows| {
            chain::read_all(rows, &mut verifier)?;
            let signed = rows.setting(AUDIT_SIGNED)?;
            let signed = signed.and_then(|it| it.value.parse().ok());
            verifier.signed_through(signed.unwrap_or_default());
            Ok(())
        })?;
        Ok(verifier.finish())
    }
}
