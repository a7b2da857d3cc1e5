//! Configuration of a store, and errors of opening it.

use std::path::PathBuf;
use std::sync::Arc;

use ambient::Ambient;
use keyring::{KekSource, KeyOrigin, KeySource, ProviderTag, Suite};
use zeroize::Zeroizing;

use crate::postgres::PostgresConfig;

/// When SQLite syncs; values other than [`Synchronous::Full`] are for controls of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    /// At every commit.
    Full,
    /// At checkpoints only.
    #[cfg(feature = "testing")]
    Normal,
    /// Never.
    #[cfg(feature = "testing")]
    Off,
}

impl Synchronous {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            #[cfg(feature = "testing")]
            Self::Normal => "NORMAL",
            #[cfg(feature = "testing")]
            Self::Off => "OFF",
        }
    }
}

/// What errors call a database in memory.
const IN_MEMORY: &str = "in memory";

/// How to open a store.
pub struct StoreConfig {
    /// The database file; the key file stands beside it. What errors name, where the database is elsewhere.
    pub path: PathBuf,
    /// The database of a server, in place of a file.
    pub postgres: Option<PostgresConfig>,
    /// Whether the database is in memory and nowhere else.
    pub(crate) in_memory: bool,
    /// Whether the database must be there: none is made.
    pub existing: bool,
    /// Where the key of the `local` provider comes from.
    pub key: KeySource,
    /// Which kind of provider makes new keys; the others only open what is under them.
    pub provider: ProviderTag,
    /// Providers other than `local`.
    pub sources: Vec<Arc<dyn KekSource>>,
    /// The cipher of new values.
    pub suite: Suite,
    /// PBKDF2 iterations for a database that is made now; never under 100,000.
    pub iterations: u32,
    /// Threads that read.
    pub readers: usize,
    /// The clock, and where random bytes come from.
    pub ambient: Ambient,
    pub(crate) vfs: Option<String>,
    pub(crate) synchronous: Synchronous,
    /// Whether each write runs, is undone and runs again, as engines without savepoints do it.
    #[cfg(feature = "testing")]
    pub(crate) twice: bool,
    /// Whether the next append to the audit log panics.
    #[cfg(feature = "testing")]
    pub(crate) panics: Option<Arc<std::sync::atomic::AtomicBool>>,
    /// How many KiB may be written before the log is copied into the database.
    pub(crate) checkpoint_kib: usize,
}

impl StoreConfig {
    /// The ordinary configuration for a database file.
    pub fn new(path: impl Into<PathBuf>, key: KeySource) -> Self {
        Self {
            path: path.into(),
            postgres: None,
            in_memory: false,
            existing: false,
            key,
            provider: ProviderTag::LOCAL,
            sources: Vec::new(),
            suite: Suite::default(),
            iterations: keyring::DEFAULT_ITERATIONS,
            readers: 4,
            ambient: Ambient::system(),
            vfs: None,
            synchronous: Synchronous::Full,
            #[cfg(feature = "testing")]
            twice: false,
            #[cfg(feature = "testing")]
            panics: None,
            checkpoint_kib: 16 * 1024,
        }
    }

    /// A database in memory, which is gone when it is closed; so is its key, if none is given.
    pub fn memory(given: Option<String>, ambient: &Ambient) -> Self {
        let drawn = || hex::encode(Zeroizing::new(ambient.random::<32>()));
        let key = KeySource::new(Some(given.unwrap_or_else(drawn)), "");
        let mut config = Self::new(IN_MEMORY, key);
        config.in_memory = true;
        config.ambient = ambient.clone();
        config
    }

    /// The ordinary configuration for the database of a server.
    pub fn server(postgres: PostgresConfig, key: KeySource) -> Self {
        let mut config = Self::new(postgres.shown(), key);
        config.postgres = Some(postgres);
        config
    }
}

/// Report of opening a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenReport {
    /// Whether the database was made now.
    pub created: bool,
    /// Where the key of the `local` provider was found; `None` if another provider is configured and there is
    /// no such key.
    pub key_origin: Option<KeyOrigin>,
    /// How many migrations ran.
    pub migrated: usize,
    /// Version of the schema.
    pub schema: u32,
}

/// Why a store was not opened. Nothing was created or changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database exists, but no key does.
    #[error(
        "the database {database} exists but there is no key: set DB_ENCRYPTION_KEY, or put its \
         key file back at {key_file}"
    )]
    NoKey {
        /// The database.
        database: PathBuf,
        /// Where the key file is expected.
        key_file: PathBuf,
    },
    /// The key is not the one this database was made with.
    #[error(
        "the key does not open the database {database} (table keks, row {kek_id}): give the \
         DB_ENCRYPTION_KEY or the key file that it was made with, or that rotate-keys moved it to"
    )]
    WrongKey {
        /// The database.
        database: PathBuf,
        /// The key-encryption key's row.
        kek_id: String,
    },
    /// A file was asked to let a role in.
    #[error("a file of SQLite has no roles: give the address of PostgreSQL in DATABASE_URL")]
    NoRoles,
    /// There is no database, and none was to be made.
    #[error("{} has no database of this program: start the server once", .0.display())]
    Missing(PathBuf),
    /// The file is empty.
    #[error(
        "the database {} is empty: something cut it to 0 bytes; put it back from a backup with \
         `restore`, or remove it to begin with an empty database", .0.display()
    )]
    Emptied(PathBuf),
    /// The path is a link, a device or a folder.
    #[error(
        "the database {} is no regular file: name the file itself in DATABASE_URL, not a link to it",
        .0.display()
    )]
    NoFile(PathBuf),
    /// Values are under a key of a provider that is not configured.
    #[error(
        "the database {database} has values under the key {kek_id} of the provider {provider}, \
         which is not configured: {hint}"
    )]
    NoProvider {
        /// The database.
        database: PathBuf,
        /// The key-encryption key's row.
        kek_id: String,
        /// Which provider.
        provider: keyring::ProviderTag,
        /// What to set.
        hint: &'static str,
    },
    /// The provider did not make or load a key.
    #[error("the key provider {provider} gives no key: {reason}")]
    Provider {
        /// Which provider.
        provider: keyring::ProviderTag,
        /// Why.
        reason: keyring::ProviderError,
    },
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] keyring::KeySourceError),
    /// Deriving the key was refused.
    #[error(transparent)]
    Kdf(#[from] keyring::KdfError),
    /// The file is not a database of this program.
    #[error("{database} is not a database of this program: choose another data folder ({reason})")]
    NotOurs {
        /// The file.
        database: PathBuf,
        /// Why.
        reason: String,
    },
    /// The database was written by a newer program.
    #[error(
        "the database has schema {found}, this program knows {known}: start the newer program \
         again, a database does not go back"
    )]
    Newer {
        /// Schema of the database.
        found: u32,
        /// Newest schema of this program.
        known: u32,
    },
    /// A migration did not run, or differs from the one that ran.
    #[error("the database cannot be migrated: {0}; restore a backup or report this")]
    Migration(String),
    /// The address of the database cannot be used.
    #[error(
        "the address of the database cannot be used ({0}): give DATABASE_URL as \
         postgres://name:password@host/database"
    )]
    Address(String),
    /// The authority that vouches for the database cannot be used.
    #[error("database_ca (SECURE_MESSAGING_DATABASE_CA): {0}")]
    Authority(String),
    /// The database is none that this program can live in.
    #[error("the database {database} cannot be used: {reason}")]
    Unfit {
        /// The database.
        database: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The database's role may not do what a start needs.
    #[error(
        "the role in DATABASE_URL may not do this ({0}): run `secure-messaging migrate --grant ROLE` with the \
         owner's address in DATABASE_URL first, where ROLE is the role that serves"
    )]
    NotGranted(String),
    /// A role cannot be let in.
    #[error("{role:?} is not let in: {reason}")]
    Grant {
        /// The role that was to serve.
        role: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The address of a replica cannot be used.
    #[error("database_replicas: {0}")]
    Replica(String),
    /// A row is damaged.
    #[error(transparent)]
    Damaged(crate::fault::Fault),
    /// There is no space left.
    #[error(
        "no space is left for the database: free some, or raise the quota or the limit for the size of \
         files that it met, then start again"
    )]
    Full,
    /// The file system or SQLite refused.
    #[error("the database {database} cannot be opened: {reason}")]
    Io {
        /// The database.
        database: PathBuf,
        /// Why.
        reason: String,
    },
}
