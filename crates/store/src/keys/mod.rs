//! Keys of the database, and jobs that move every value from one key to the next.

mod elsewhere;
mod jobs;
pub(crate) mod kek_rows;
pub(crate) mod opening;
mod rings;
mod rotation;
pub(crate) mod sources;
pub(crate) mod state;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use keyring::{KekId, KekSource, ProviderError};

use crate::audit::AuditEvent;
use crate::fault::Fault;
use api::bodies::KeyJob;
use api::{Action, KekState};

/// A rotation began: another key-encryption key is the active one.
pub const ROTATION_STARTED: &str = Action::KeysRotationStarted.as_str();
/// A rotation is over: the key before is retired.
pub const ROTATION_FINISHED: &str = Action::KeysRotationFinished.as_str();
/// A renewal of the data keys began.
pub const RENEWAL_STARTED: &str = Action::KeysRenewalStarted.as_str();
/// Every value has a data key that was drawn since the renewal began.
pub const RENEWAL_FINISHED: &str = Action::KeysRenewalFinished.as_str();

/// The act of rotating the keys is over, as the records of acts call it.
pub const ROTATION_DONE: &str = Action::KeyRotationDone.as_str();
/// The act of renewing the data keys is over.
pub const RENEWAL_DONE: &str = Action::KeyRenewalDone.as_str();
/// What a job may leave as the outcome of the act that began it.
pub(crate) const OUTCOMES: [&str; 2] = [ROTATION_DONE, RENEWAL_DONE];

/// A key-encryption key; never its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KekInfo {
    /// Identifier, which every value under it names.
    pub kek_id: KekId,
    /// `local`, `pkcs11`, `hashicorp_vault`, `aws_kms` or `azure_key_vault`.
    pub provider: String,
    /// Name within the provider, such as a PKCS#11 label or the name of a key in a key service.
    pub reference: Option<String>,
    /// Its state.
    pub state: KekState,
    /// Unix seconds.
    pub created_at: u64,
    /// Unix seconds at which the last value had left it.
    pub retired_at: Option<u64>,
}

/// What a new key-encryption key is made from.
#[derive(Clone)]
pub enum NewKey {
    /// The source of the active one, with a new salt.
    Configured,
    /// Another key of the operator or another provider, which becomes the configured one.
    Source(Arc<dyn KekSource>),
    /// A new key file, which replaces the present one.
    KeyFile,
}

/// Why a key job was not begun; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// One job at a time.
    #[error("a key job is running already ({} of {} values): wait until it is done", .0.done, .0.total)]
    Running(KeyJob),
    /// The new key could not be made or used.
    #[error("the new key cannot be used: {0}")]
    Key(#[from] ProviderError),
    /// The file of the new key could not be made.
    #[error(transparent)]
    KeyFile(#[from] keyring::KeySourceError),
    /// There is no key file that could be replaced.
    #[error(
        "there is no key file that could be replaced: the key is given by DB_ENCRYPTION_KEY, or was drawn for a \
         database in memory; give the new one as DB_ENCRYPTION_KEY_NEW"
    )]
    NoKeyFile,
    /// The operator's key makes no keys here.
    #[error(
        "new keys come from the provider {0}: rotate without a new key of the operator, or configure \
         another provider"
    )]
    OtherProvider(keyring::ProviderTag),
    /// The store failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Management of the keys under which everything is sealed.
#[async_trait]
pub trait KeyManagement: Send + Sync {
    /// Every key-encryption key, the newest first.
    async fn keks(&self) -> Result<Vec<KekInfo>, Fault>;

    /// Checks that every key that values are sealed under can be used, by using each of them.
    ///
    /// The future resolves when all providers have answered. It has no time limit of its own.
    async fn use_every_key(&self) -> Result<(), Fault>;

    /// The key job that runs, or the last one that did.
    async fn key_job(&self) -> Result<Option<KeyJob>, Fault>;

    /// Makes a key-encryption key and makes it the active one; [`KeyManagement::step_key_job`] then
    /// moves every value to it.
    ///
    /// Until the job is done, the database opens with either key. `outcomes` are written in the
    /// transaction that ends the job, with its result in their details. The future must not be dropped before
    /// it resolves: run it in a task of its own if the caller may be cancelled.
    async fn begin_rotation(
        &self,
        new: NewKey,
        reason: String,
        now: u64,
        outcomes: Vec<AuditEvent>,
    ) -> Result<KeyJob, BeginError>;

    /// Begins to seal every value anew under a fresh data key.
    async fn begin_renewal(
        &self,
        reason: String,
        now: u64,
        outcomes: Vec<AuditEvent>,
    ) -> Result<KeyJob, BeginError>;

    /// Seals under the key that another instance made active, if one did.
    async fn follow_keys(&self) -> Result<(), Fault>;

    /// Continues the running job for about `budget`, in chunks that occupy the writer for at most 10 ms each;
    /// `None` if no job runs.
    ///
    /// After an error the job stays where it is: call again. A damaged value does not stop the others, but its
    /// key is not retired before the value is repaired or deleted; the error then names its row.
    async fn step_key_job(&self, budget: Duration, now: u64) -> Result<Option<KeyJob>, Fault>;
}
