//! Where the operator's key comes from: `DB_ENCRYPTION_KEY`, or a key file beside the database.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::key_file::{create, read, sync_parent, with_ending};
use crate::key_material::KeyMaterial;
use crate::regular_file;
use ambient::{Entropy, EntropyError};

/// Where a key was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyOrigin {
    /// It was given, by `DB_ENCRYPTION_KEY`.
    Given,
    /// It stood in this file.
    File(PathBuf),
    /// It was made now, in this file, which must be backed up.
    CreatedFile(PathBuf),
}

/// Why there is no usable key.
#[derive(Debug, thiserror::Error)]
pub enum KeySourceError {
    /// No key was given and there is no key file.
    #[error("there is no key: set DB_ENCRYPTION_KEY or put the key file at {}", .0.display())]
    Missing(PathBuf),
    /// No key was given, and there is no folder for a key file.
    #[error(
        "there is no key: set DB_ENCRYPTION_KEY, the same for every instance of a database, or make the folder of \
         the key file {}", .0.display()
    )]
    NoFolder(PathBuf),
    /// An empty key was given.
    #[error("DB_ENCRYPTION_KEY is empty: set it to a long random text, or do not set it at all")]
    Empty,
    /// The key file lets others read the key.
    #[error(
        "the key file {} has mode {mode:o}: others may read it; run chmod 600 on it",
        path.display()
    )]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key file is a link to nothing.
    #[error(
        "the key file {} is a link to a file that does not exist: put the key back there, or remove the \
         link", .0.display()
    )]
    Dangling(PathBuf),
    /// The key file does not hold a key.
    #[error("the key file {} does not hold a key: restore it from its backup", .0.display())]
    Malformed(PathBuf),
    /// The key file cannot be read or made.
    #[error("the key file {} cannot be used: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// Where the operator's key comes from; a given key wins over the file.
pub struct KeySource {
    given: Option<KeyMaterial>,
    key_file: PathBuf,
}

impl KeySource {
    /// A given key, if there is one, and where the key file is or would be.
    pub fn new(given: Option<String>, key_file: impl Into<PathBuf>) -> Self {
        let given = given.map(|text| KeyMaterial::new(text.into_bytes()));
        Self {
            given,
            key_file: key_file.into(),
        }
    }

    /// The same, with the key file beside the database: its name with the ending `.key`.
    pub fn beside(given: Option<String>, database: &Path) -> Self {
        Self::new(given, database.with_extension("key"))
    }

    /// Where the key file is or would be.
    pub fn key_file(&self) -> &Path {
        &self.key_file
    }

    /// Finds the key; makes a key file only if `may_create` and nothing else is there.
    pub fn load(
        &self,
        may_create: bool,
        entropy: &dyn Entropy,
    ) -> Result<(KeyMaterial, KeyOrigin), KeySourceError> {
        if let Some(given) = &self.given {
            if given.is_empty() {
                return Err(KeySourceError::Empty);
            }
            return Ok((given.duplicate(), KeyOrigin::Given));
        }
        match regular_file::open(&self.key_file) {
            Ok(file) => Ok((
                read(&self.key_file, file)?,
                KeyOrigin::File(self.key_file.clone()),
            )),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.io(error)),
            // Opening says of a link to nowhere that there is nothing, and making says that there is.
            Err(_) if self.key_file.is_symlink() => {
                Err(KeySourceError::Dangling(self.key_file.clone()))
            }
            Err(_) if may_create => {
                let key = create(&self.key_file, entropy).map_err(|error| match error {
                    KeySourceError::Io { path, source }
                        if source.kind() == io::ErrorKind::NotFound =>
                    {
                        KeySourceError::NoFolder(path)
                    }
                    other => other,
                })?;
                Ok((key, KeyOrigin::CreatedFile(self.key_file.clone())))
            }
            Err(_) => Err(KeySourceError::Missing(self.key_file.clone())),
        }
    }

    /// Makes the file of a new key beside the present one, or finds the one of an attempt that
    /// was cut off.
    ///
    /// Nothing uses it before [`Self::adopt_next`] puts it in the place of the present file.
    pub fn prepare_next(&self, entropy: &dyn Entropy) -> Result<KeyMaterial, KeySourceError> {
        let next = self.next_file();
        match regular_file::open(&next) {
            Ok(file) => read(&next, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => create(&next, entropy),
            Err(source) => Err(KeySourceError::Io { path: next, source }),
        }
    }

    /// Replaces the key file by the new one, in one step.
    ///
    /// Call it when the database opens with either key. Does nothing when there is no new file.
    pub fn adopt_next(&self) -> Result<(), KeySourceError> {
        match std::fs::rename(self.next_file(), &self.key_file) {
            Ok(()) => sync_parent(&self.key_file).map_err(|error| self.io(error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(self.io(error)),
        }
    }

    /// Returns the path of a new key: the key file's name with the ending `.next`.
    fn next_file(&self) -> PathBuf {
        with_ending(&self.key_file, "next")
    }

    fn io(&self, source: io::Error) -> KeySourceError {
        KeySourceError::Io {
            path: self.key_file.clone(),
            source,
        }
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySource")
            .field("given", &self.given)
            .field("key_file", &self.key_file)
            .finish()
    }
}
